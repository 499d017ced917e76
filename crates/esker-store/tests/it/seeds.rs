//! The seeds' own forms, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use esker_store::names::Names;
use esker_wire::snapshot::Get;

use crate::support::{Bench, events, resource};

fn bench() -> Bench {
    Bench::named(Names {
        aliases: BTreeMap::from([("qplan app".to_owned(), resource("results/qplan"))]),
        declared: BTreeSet::from([resource("raw/qplan")]),
    })
}

const PUT: &[u8] = b"=====PUT qplan app\n\tline one\n\t=====nested head\n\t\tinner\n\tlast";

#[test]
fn put_and_get_as_recorded() {
    let mut bench = bench();
    let (reply, published) = bench.seed(PUT);
    assert_eq!(reply, "OK");
    assert_eq!(published[0], ["=====qplan app"]);
    assert_eq!(events(&published).len(), 1);
    let head = bench.get("results/qplan").unwrap().at;
    let data = "=====data\n\tline one\n\t=====nested head\n\t\tinner\n\tlast";
    let expected = format!("=====qplan app\n\t{head}\n{data}");
    for ask in ["=====GET qplan app", "=====GET qplan app\n"] {
        assert_eq!(bench.seed(ask.as_bytes()).0, expected);
    }
    let short = &head.to_string()[..7];
    for version in [&head.to_string(), short, "HEAD", "HEAD\n"] {
        let ask = format!("=====GET qplan app\n\t{version}");
        assert_eq!(bench.seed(ask.as_bytes()).0, expected);
    }
}

#[test]
fn the_version_is_the_stores_head_not_the_resources() {
    let mut bench = bench();
    bench.seed(PUT);
    let first = bench.get("results/qplan").unwrap().at;
    let other = bench.put("raw/other", "x").revision;
    let (reply, _) = bench.seed(b"=====GET qplan app");
    assert!(reply.starts_with(&format!("=====qplan app\n\t{other}\n=====data\n")));
    let (reply, _) = bench.seed(b"=====GET qplan app\n\tHEAD~1");
    assert!(reply.starts_with(&format!("=====qplan app\n\t{first}\n=====data\n")));
}

#[test]
fn an_unchanged_put_is_published_and_commits_nothing() {
    let mut bench = bench();
    bench.seed(PUT);
    let head = bench.get("results/qplan").unwrap().at;
    let (reply, published) = bench.seed(PUT);
    assert_eq!(reply, "OK");
    assert_eq!(published[0], ["=====qplan app"]);
    assert!(events(&published)[0].is_unchanged());
    assert_eq!(bench.get("results/qplan").unwrap().at, head);
}

#[test]
fn words_in_both_orders_mean_a_known_resource() {
    let mut bench = bench();
    let (reply, published) = bench.seed(b"=====PUT qplan raw\n\tone\n\ttwo\t\n");
    assert_eq!(reply, "OK");
    assert_eq!(published[0], ["=====qplan raw"]);
    let content = bench.call(&Get::head(resource("raw/qplan"))).unwrap();
    assert_eq!(content.bytes.unwrap(), "one\ntwo\t");
    let (reply, _) = bench.seed(b"=====GET raw qplan");
    assert!(
        reply.starts_with("=====raw qplan\n\t") && reply.ends_with("=====data\n\tone\n\ttwo\t")
    );
    let (reply, _) = bench.seed(b"=====PUT raw/free\n\tx");
    assert_eq!(reply, "OK");
}

#[test]
fn no_reply_ends_in_a_line_feed() {
    let mut bench = bench();
    for content in ["", "a", "a\n", "a\n\n", "\n"] {
        bench.put("results/qplan", content);
        let (reply, _) = bench.seed(b"=====GET qplan app");
        assert!(!reply.ends_with('\n'), "{content:?} gives {reply:?}");
    }
}

#[test]
fn what_cannot_be_done_is_an_error_that_names_it() {
    let mut bench = bench();
    let asks: [(&[u8], &str); 9] = [
        (b"=====GET nothing", "nothing"),
        (b"=====GET raw qplam", "raw/qplan"),
        (b"=====GET raw qplan", "raw/qplan"),
        (b"=====PUT nothing\n\tx", "nothing"),
        (b"=====PUTX", "PUTX"),
        (b"=====LIST", "LIST"),
        (b"no header", "no header"),
        (b"=====GET qplan app\n=====GET qplan app", "2 requests"),
        (b"", "0 requests"),
    ];
    for (ask, named) in asks {
        let (reply, published) = bench.seed(ask);
        assert!(reply.starts_with("ERROR: ") && reply.contains(named), "{reply}");
        assert!(!reply.contains('\n') && published.is_empty());
    }
    bench.seed(PUT);
    for version in ["zzzzzzz", "HEAD~99", "0123456", "; touch /tmp/x", "HEAD^2"] {
        let ask = format!("=====GET qplan app\n\t{version}");
        let (reply, _) = bench.seed(ask.as_bytes());
        assert!(reply.starts_with("ERROR: "), "{reply}");
    }
}

#[test]
fn names_can_be_replaced_while_it_runs() {
    let mut bench = Bench::new();
    assert!(bench.seed(PUT).0.starts_with("ERROR: "));
    bench.names.replace(Names {
        aliases: BTreeMap::from([
            ("qplan app".to_owned(), resource("results/qplan")),
            ("app qplan".to_owned(), resource("results/qplan")),
        ]),
        declared: BTreeSet::new(),
    });
    let (reply, published) = bench.seed(PUT);
    assert_eq!(reply, "OK");
    let topics: Vec<&[u8]> = published.iter().map(|frames| frames[0].as_ref()).collect();
    assert_eq!(topics, [b"=====app qplan".as_slice(), b"=====qplan app", b"esker/1 results/qplan"]);
}
