//! PRUNE: what rules keep no longer goes, and nothing else; git and git-lfs stay content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use esker_bus::service::Service as _;
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::{Message, Request as _, answer};
use esker_wire::name::Branch;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{
    Collected, Gc, Get, List, Move, Prune, PruneReport, Pruned, Put, Stat, Tag,
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::deep::{PATIENCE, id, noise};
use crate::support::{Dice, NOON, call, git, options, resource, try_git};

const DAY: i64 = 24 * 60 * 60;

/// A store with a clock, in which more than 1,000 bytes are large.
struct Years {
    folder: TempDir,
    snapshots: Snapshots,
    clock: Arc<AtomicI64>,
}

fn content(seed: u64) -> Vec<u8> {
    noise(seed, 1_500)
}

impl Years {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(AtomicI64::new(NOON));
        let options = Options { large_min: 1_000, ..options(&clock) };
        let store = Store::open(folder.path(), options).unwrap();
        let snapshots = Snapshots::new(store, NamesHandle::default());
        Self { folder, snapshots, clock }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Revision {
        let put = Put::one(resource(name), Bytes::copy_from_slice(bytes));
        call(&mut self.snapshots, &put).unwrap().revision
    }

    /// Puts what a run has made from others.
    fn make(&mut self, name: &str, bytes: &[u8], inputs: &[(&str, Revision)]) -> Revision {
        let inputs = inputs.iter();
        let provenance = Provenance {
            stage: "s".into(),
            run_key: "k".into(),
            inputs: inputs
                .map(|(name, revision)| Input { resource: resource(name), revision: *revision })
                .collect(),
            program: "p".into(),
            code: String::new(),
            engine: "e".into(),
            host: "h".into(),
            started: Timestamp::UNIX_EPOCH,
            duration_ms: 1,
            exit: 0,
            failed_parts: Vec::new(),
        };
        let put = Put::one(resource(name), Bytes::copy_from_slice(bytes));
        let put = Put { provenance: Some(provenance), ..put };
        call(&mut self.snapshots, &put).unwrap().revision
    }

    fn tag(&mut self, name: &str, at: Revision) {
        let tag = Tag { name: name.into(), at: At::from(at), message: None };
        call(&mut self.snapshots, &tag).unwrap();
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let digits = id(bytes).digits();
        self.folder.path().join("lfs/objects").join(&digits[..2]).join(&digits[2..4]).join(digits)
    }

    fn prune(&mut self, rules: &[(&str, &str)], remove: bool) -> Result<PruneReport, Fault> {
        let rules = rules.iter().map(|(name, keep)| (resource(name), keep.parse().unwrap()));
        let ask = Prune { rules: rules.collect(), remove, author: None };
        let begun = Instant::now();
        loop {
            if let Pruned::Done(report) = call(&mut self.snapshots, &ask)? {
                return Ok(report);
            }
            assert!(begun.elapsed() < PATIENCE, "prune never ends");
            std::thread::yield_now();
        }
    }

    fn get(&mut self, name: &str, at: Revision) -> Result<Bytes, Fault> {
        let get = Get { at: At::from(at), ..Get::head(resource(name)) };
        Ok(call(&mut self.snapshots, &get)?.bytes.unwrap())
    }
}

fn stays(report: &PruneReport, place: usize) -> BTreeMap<String, u64> {
    let stays = report.resources[place].stays.iter();
    stays.map(|(why, tally)| (why.to_string(), tally.count)).collect()
}

#[test]
fn only_what_no_rule_keeps_goes() {
    let mut years = Years::new();
    let revisions: Vec<Revision> = (0..8)
        .map(|seed| {
            years.pass(DAY);
            years.put("raw/big", &content(seed))
        })
        .collect();
    // Of those that are too old, one is tagged, one made a current result, one is elsewhere too.
    years.tag("agreed", revisions[1]);
    years.make("out/a", b"small", &[("raw/big", revisions[2])]);
    years.put("raw/copy", &content(3));
    years.put("raw/copy", b"small");
    years.pass(1);
    let report = years.prune(&[("raw/big", "3d")], false).unwrap();
    assert_eq!((report.goes.count, report.goes.bytes), (1, 1_500));
    assert_eq!(report.contents.len(), 1);
    assert_eq!(
        (report.contents[0].id, report.contents[0].revision),
        (id(&content(0)), revisions[0])
    );
    let expected =
        [("rule", 4), ("tag", 1), ("input", 1), ("named", 1)].map(|(why, n)| (why.to_owned(), n));
    assert_eq!(stays(&report, 0), BTreeMap::from(expected));
    assert_eq!(report.record, None);
    assert!(years.file(&content(0)).exists(), "a dry run removes nothing");
    let before = git(years.folder.path(), &["for-each-ref", "refs/heads"]);
    let report = years.prune(&[("raw/big", "3d")], true).unwrap();
    let record = report.record.unwrap();
    let kept: Vec<bool> = (0..8).map(|seed| years.file(&content(seed)).exists()).collect();
    assert_eq!(kept, [false, true, true, true, true, true, true, true]);
    assert_eq!(git(years.folder.path(), &["for-each-ref", "refs/heads"]), before);
    // The tombstone: what it was is known, and when it went.
    let fault = years.get("raw/big", revisions[0]).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.contains("raw/big") && fault.message.contains("pruned on 2025-11-28"));
    assert!(fault.message.contains("3d"), "{fault}");
    let stat =
        Stat { resource: resource("raw/big"), at: At::from(revisions[0]), branch: Branch::main() };
    let entry = call(&mut years.snapshots, &stat).unwrap();
    assert_eq!((entry.size, entry.content_id), (1_500, Some(id(&content(0)))));
    assert_eq!(entry.pruned.unwrap().keep, "3d");
    assert_eq!(years.get("raw/big", revisions[7]).unwrap(), content(7));
    let record = Get { branch: Branch::records(), ..Get::head(record) };
    let record = call(&mut years.snapshots, &record).unwrap();
    assert_eq!(record.entry.summary, "prune: 1 contents of 1500 bytes");
    // Known after a start; no damage, nothing to collect, nothing to prune twice.
    years.snapshots.settle().unwrap();
    assert_eq!(Store::check(years.folder.path(), None), []);
    assert_eq!(Store::check_deep(years.folder.path(), None, &mut |_| ()), []);
    let report = years.prune(&[("raw/big", "3d")], true).unwrap();
    assert_eq!((report.goes.count, stays(&report, 0)["gone"]), (0, 1));
    // Whoever has the bytes can bring them back.
    years.put("raw/again", &content(0));
    assert_eq!(years.get("raw/big", revisions[0]).unwrap(), content(0));
}

#[test]
fn stock_tools_go_on() {
    let mut years = Years::new();
    for seed in 0..4 {
        years.pass(DAY);
        years.put("raw/big", &content(seed));
    }
    years.pass(DAY);
    assert_eq!(years.prune(&[("raw/big", "12h")], true).unwrap().goes.count, 3);
    years.snapshots.settle().unwrap();
    crate::support::assert_sound(years.folder.path());
    let clone = TempDir::new().unwrap();
    let store = format!("file://{}", years.folder.path().display());
    let path = clone.path().join("clone");
    git(clone.path(), &["clone", "-q", &store, path.to_str().unwrap()]);
    assert_eq!(git(&path, &["rev-list", "--count", "HEAD"]).trim(), "5");
    git(&path, &["lfs", "install", "--local"]);
    git(&path, &["lfs", "pull"]);
    assert_eq!(std::fs::read(path.join("raw/big")).unwrap(), content(3));
    git(&path, &["lfs", "fsck"]);
    git(years.folder.path(), &["gc", "-q", "--prune=now"]);
    crate::support::assert_sound(years.folder.path());
    assert_eq!(Store::check(years.folder.path(), None), []);
    let (_, out, _) = try_git(years.folder.path(), &["show", "main~2:raw/big"]);
    assert!(out.starts_with("version https://git-lfs"), "the pointer stays");
}

#[test]
fn small_contents_and_what_has_no_rule_stay() {
    let mut years = Years::new();
    for seed in 0..3 {
        years.pass(DAY);
        years.put("raw/small", &noise(seed, 500));
        years.put("raw/big", &content(seed));
    }
    years.pass(DAY);
    let report = years.prune(&[("raw/small", "1h")], true).unwrap();
    assert_eq!((report.goes.count, stays(&report, 0)["git"]), (0, 3));
    assert!((0..3).all(|seed| years.file(&content(seed)).exists()));
    let none = years.prune(&[], false).unwrap_err();
    assert_eq!(none.code, Code::BadRequest);
    let unknown = years.prune(&[("raw/bog", "1h")], false).unwrap_err();
    assert_eq!((unknown.code, &unknown.candidates[0][..]), (Code::NotFound, "raw/big"));
}

#[test]
fn a_rule_follows_its_resource_through_renames() {
    let mut years = Years::new();
    let first = years.put("raw/a", &content(0));
    years.pass(DAY);
    years.put("raw/a", &content(1));
    years.pass(DAY);
    let ask = Move {
        resource: resource("raw/a"),
        to: resource("raw/b"),
        branch: Branch::main(),
        if_head: None,
        message: None,
        author: None,
    };
    call(&mut years.snapshots, &ask).unwrap();
    years.pass(DAY);
    // The content that is newest stays, although it had another name when it came.
    let report = years.prune(&[("raw/a", "12h")], true).unwrap();
    assert_eq!(report.contents[0].revision, first);
    assert_eq!(report.goes.count, 1);
    assert_eq!(stays(&report, 0), BTreeMap::from([("rule".to_owned(), 2)]));
    let head = call(&mut years.snapshots, &Get::head(resource("raw/a"))).unwrap();
    assert_eq!(head.bytes.unwrap(), content(1));
    let fault = years.get("raw/b", first).unwrap_err();
    assert!(fault.message.contains("pruned"), "{fault}");
}

#[test]
fn what_comes_while_it_is_decided_is_kept() {
    let mut years = Years::new();
    let first = years.put("raw/big", &content(0));
    years.pass(DAY);
    years.put("raw/big", &content(1));
    years.pass(DAY);
    years.snapshots.settle().unwrap();
    let ask = Prune {
        rules: vec![(resource("raw/big"), "1h".parse().unwrap())],
        remove: true,
        author: None,
    };
    // In the same batch somebody puts the old content again, and makes something from it.
    let begun = Instant::now();
    let put = Put::one(resource("raw/back"), content(0).into()).to_message().to_frames();
    loop {
        assert!(begun.elapsed() < PATIENCE, "prune never ends");
        let requests = [put.clone(), ask.to_message().to_frames()];
        let outcomes = years.snapshots.handle(&requests);
        let reply = Message::from_frames(&outcomes[1].reply).unwrap();
        if let Pruned::Done(report) = answer::<Prune>(&reply).unwrap() {
            assert_eq!(report.goes.count, 0);
            break;
        }
    }
    assert_eq!(years.get("raw/big", first).unwrap(), content(0));
    // A tag that comes stops it.
    let mut years = Years::new();
    let first = years.put("raw/big", &content(0));
    years.pass(DAY);
    years.put("raw/big", &content(1));
    years.pass(DAY);
    years.snapshots.settle().unwrap();
    assert_eq!(call(&mut years.snapshots, &ask), Ok(Pruned::Working));
    years.tag("late", first);
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "prune never ends");
        match call(&mut years.snapshots, &ask) {
            Ok(Pruned::Working) => std::thread::yield_now(),
            // It came before the first look.
            Ok(Pruned::Done(report)) => break assert_eq!(report.goes.count, 0),
            Err(fault) => break assert_eq!(fault.code, Code::Busy),
        }
    }
    assert_eq!(years.prune(&[("raw/big", "1h")], true).unwrap().goes.count, 0);
    assert_eq!(years.get("raw/big", first).unwrap(), content(0));
}

fn ask(keep: &str) -> Prune {
    let rules = vec![(resource("raw/big"), keep.parse().unwrap())];
    Prune { rules, remove: true, author: None }
}

/// A store in which a content is to go, and that is recorded, but not done.
fn recorded() -> Years {
    let mut years = Years::new();
    years.put("raw/big", &content(0));
    years.pass(DAY);
    years.put("raw/big", &content(1));
    years.pass(DAY);
    years.snapshots.settle().unwrap();
    let begun = Instant::now();
    loop {
        let records = List::all(Branch::records());
        if call(&mut years.snapshots, &records).unwrap().entries.len() == 1 {
            return years;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never recorded");
        // What is asked twice in one batch is not done before the record is durable.
        let twice = vec![ask("1h").to_message().to_frames(); 2];
        for outcome in years.snapshots.handle(&twice) {
            let reply = Message::from_frames(&outcome.reply).unwrap();
            assert_eq!(answer::<Prune>(&reply), Ok(Pruned::Working));
        }
        assert!(years.file(&content(0)).exists(), "recorded first, then removed");
    }
}

#[test]
fn another_prune_waits() {
    let mut years = recorded();
    let other = call(&mut years.snapshots, &ask("2h")).unwrap_err();
    assert_eq!(other.code, Code::Busy);
    let Ok(Pruned::Done(report)) = call(&mut years.snapshots, &ask("1h")) else {
        panic!("it is done");
    };
    assert_eq!(report.goes.count, 1);
    assert!(!years.file(&content(0)).exists());
}

#[test]
fn what_comes_before_the_last_moment_is_kept() {
    let mut years = recorded();
    years.put("raw/back", &content(0));
    let Ok(Pruned::Done(report)) = call(&mut years.snapshots, &ask("1h")) else {
        panic!("it is done");
    };
    assert_eq!((report.goes.count, report.contents.len()), (0, 0));
    let entry = call(&mut years.snapshots, &Get::head(resource("raw/back"))).unwrap().entry;
    assert_eq!(entry.pruned, None, "what is there was not pruned, whatever was recorded");
    assert!(years.file(&content(0)).exists());
}

/// Whatever was put, tagged and made: every head, every tag and every input of what is current or tagged can be read.
#[test]
fn heads_tags_and_inputs_are_always_kept() {
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        let mut years = Years::new();
        let mut known: Vec<(String, Revision, u64)> = Vec::new();
        let mut wanted: Vec<(String, Revision, u64)> = Vec::new();
        let mut inputs: BTreeMap<Revision, Vec<usize>> = BTreeMap::new();
        for step in 0..30 {
            years.pass(i64::try_from(dice.below(3)).unwrap() * 5 * 60 * 60);
            let name = format!("x/{}", dice.below(3));
            // Few contents, so that some come back.
            let bytes = dice.below(12) + 100 * seed;
            let count = dice.below(3).min(known.len() as u64);
            let from: Vec<usize> = (0..count)
                .map(|_| usize::try_from(dice.below(known.len() as u64)).unwrap())
                .collect();
            let named: Vec<(&str, Revision)> =
                from.iter().map(|place| (known[*place].0.as_str(), known[*place].1)).collect();
            let revision = years.make(&name, &content(bytes), &named);
            let stat = Stat { resource: resource(&name), at: At::head(), branch: Branch::main() };
            let newest = call(&mut years.snapshots, &stat).unwrap().revision;
            if newest == revision && !known.iter().any(|one| one.1 == revision) {
                inputs.insert(revision, from);
                known.push((name, revision, bytes));
            }
            if dice.below(8) == 0 {
                years.tag(&format!("tag{step}"), revision);
                wanted.extend(heads(&known));
            }
        }
        years.pass(DAY);
        wanted.extend(heads(&known));
        let mut all: BTreeSet<(String, Revision, u64)> = BTreeSet::new();
        while let Some(one) = wanted.pop() {
            let made = inputs.get(&one.1).into_iter().flatten();
            wanted.extend(made.map(|place| known[*place].clone()).filter(|one| !all.contains(one)));
            all.insert(one);
        }
        let rules = [("x/0", "1h"), ("x/1", "daily 2d"), ("x/2", "5h")];
        let rules: Vec<(&str, &str)> =
            rules.into_iter().filter(|(name, _)| known.iter().any(|one| one.0 == *name)).collect();
        let report = years.prune(&rules, true).unwrap();
        for (name, revision, bytes) in &all {
            let got = years.get(name, *revision);
            assert_eq!(got.as_deref(), Ok(&content(*bytes)[..]), "seed {seed}: {name}@{revision}");
        }
        let told: u64 = report.resources.iter().map(|one| one.goes.count).sum();
        let read = known.iter().filter(|one| years.get(&one.0, one.1).is_ok()).count();
        assert_eq!(known.len() - read, usize::try_from(told).unwrap(), "seed {seed}");
    }
}

/// The newest of each resource.
fn heads(known: &[(String, Revision, u64)]) -> Vec<(String, Revision, u64)> {
    let newest: BTreeMap<&str, &(String, Revision, u64)> =
        known.iter().map(|one| (one.0.as_str(), one)).collect();
    newest.into_values().cloned().collect()
}

#[test]
fn a_prune_and_a_gc_do_not_hinder_each_other() {
    let mut years = Years::new();
    years.put("raw/big", &content(0));
    years.pass(DAY);
    years.put("raw/big", &content(1));
    years.pass(DAY);
    assert_eq!(years.prune(&[("raw/big", "1h")], true).unwrap().goes.count, 1);
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "gc never ends");
        let gc = Gc { grace_s: 0, remove: true };
        if let Collected::Done { unnamed, kept, .. } = call(&mut years.snapshots, &gc).unwrap() {
            assert_eq!((unnamed, kept), (vec![], 1));
            break;
        }
    }
    let refused = Message::request("PRUNE", "").to_frames();
    let outcome = years.snapshots.handle(&[refused]).remove(0);
    assert!(outcome.reply[0].starts_with(b"=====esker/1 ERROR bad-request"));
}
