//! Stores of every format that ever was must stay readable: `tests/golden/store-1.bundle` is one;
//! `git bundle create --all` in the store that [`written`] makes wrote it. `store-0.bundle` is the same of the first esker,
//! whose stores all began with the same commit.

use std::path::Path;

use esker_store::store::{Options, Store};
use esker_wire::name::Branch;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Item, Log, Put, Tag, Why};

use crate::support::{Bench, git, put, resource};

/// A store with one of everything, the same whenever it is written.
pub(crate) fn written() -> Bench {
    let mut bench = Bench::new();
    let raw = bench.put("raw/plan", "one\n").revision;
    let tag =
        Tag { name: "v1".to_owned(), at: At::head(), message: Some("The first plan".to_owned()) };
    bench.call(&tag).unwrap();
    bench.pass(60);
    bench.put("raw/old", "old\n");
    bench.call(&conditioned(raw)).unwrap();
    bench.pass(60);
    let mut removal = put("raw/old", "");
    removal.items[0].content = None;
    bench.call(&removal).unwrap();
    bench.pass(60);
    let told = Put {
        message: Some("Plan of the week\n\nEsker-Stage: not ours\n".to_owned()),
        author: Some("Ann Bee <ann@example.org>".to_owned()),
        ..put("raw/plan", "three\n")
    };
    bench.call(&told).unwrap();
    let record = Put { branch: Branch::records(), ..put("run/condition", "record") };
    bench.call(&record).unwrap();
    bench
}

fn conditioned(raw: Revision) -> Put {
    Put {
        items: vec![Item {
            content_type: Some("text/csv".to_owned()),
            ..put("conditioned/plan", "1\n").items.remove(0)
        }],
        provenance: Some(Provenance {
            stage: "condition".to_owned(),
            run_key: "0123456789abcdef".to_owned(),
            inputs: vec![Input { resource: resource("raw/plan"), revision: raw }],
            program: "python3 condition.py".to_owned(),
            code: String::new(),
            engine: "esker 0.1.0".to_owned(),
            host: "host".to_owned(),
            started: "2025-11-20T12:00:30Z".parse().unwrap(),
            duration_ms: 31,
            exit: 0,
            failed_parts: Vec::new(),
        }),
        ..put("conditioned/plan", "")
    }
}

/// Ids are made from contents, so the same ids mean the same bytes.
#[test]
fn the_format_is_still_1() {
    let mut bench = written();
    let refs = bench.git(&["for-each-ref"]);
    let golden = include_str!("../golden/refs.txt");
    assert_eq!(refs, golden, "what is written changed:\n{refs}");
}

#[test]
fn a_store_of_every_format_is_read() {
    is_read("store-0.bundle");
    is_read("store-1.bundle");
}

fn is_read(bundle: &str) {
    let folder = tempfile::TempDir::new().unwrap();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(bundle);
    let store = folder.path().join("store");
    let args = ["clone", "-q", "--mirror", bundle.to_str().unwrap(), store.to_str().unwrap()];
    git(folder.path(), &args);
    let mut store = Store::open(&store, Options::default()).unwrap();
    let content = store.get(&Get::head(resource("raw/plan"))).unwrap();
    assert_eq!(content.bytes.unwrap(), "three\n");
    assert_eq!(content.entry.author, "Ann Bee <ann@example.org>");
    let v1 = Get { at: "v1".parse().unwrap(), ..Get::head(resource("raw/plan")) };
    assert_eq!(store.get(&v1).unwrap().bytes.unwrap(), "one\n");
    let log = store.log(&Log::newest(100)).unwrap();
    let summaries: Vec<String> = log.entries.into_iter().map(|entry| entry.summary).collect();
    assert_eq!(
        summaries,
        [
            "Plan of the week",
            "remove raw/old",
            "condition: conditioned/plan",
            "put raw/old",
            "put raw/plan"
        ]
    );
    let why = store.why(&Why {
        resource: resource("conditioned/plan"),
        at: At::head(),
        branch: Branch::main(),
    });
    let why = why.unwrap();
    assert_eq!(why.len(), 2);
    assert_eq!(why[0].entry.content_type.as_deref(), Some("text/csv"));
    assert_eq!(why[0].entry.provenance.as_ref().unwrap().run_key, "0123456789abcdef");
    assert_eq!(why[1].entry.resource, resource("raw/plan"));
    let record = Get { branch: Branch::records(), ..Get::head(resource("run/condition")) };
    assert_eq!(store.get(&record).unwrap().bytes.unwrap(), "record");
}
