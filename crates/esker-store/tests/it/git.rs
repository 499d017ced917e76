//! Plain git reads what esker writes, at any moment.

use std::sync::atomic::{AtomicBool, Ordering};

use esker_wire::name::Branch;
use esker_wire::snapshot::{Put, Stat, Tag};
use tempfile::TempDir;

use crate::support::{Bench, assert_sound, git, put, resource};

#[test]
fn git_reads_what_was_put() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one\n");
    let stored = bench.put("raw/plan", "two\n");
    bench.put("params/plan", "");
    assert_eq!(bench.git(&["show", "HEAD:raw/plan"]), "two\n");
    assert_eq!(bench.git(&["show", "HEAD~2:raw/plan"]), "one\n");
    assert_eq!(bench.git(&["show", "HEAD:params/plan"]), "");
    let stat = bench
        .call(&Stat {
            resource: resource("raw/plan"),
            at: esker_wire::revision::At::head(),
            branch: Branch::main(),
        })
        .unwrap();
    assert_eq!(stat.revision, stored.revision);
    let blob = stat.blob.unwrap().to_string();
    assert_eq!(bench.git(&["cat-file", "blob", &blob]), "two\n");
    bench.assert_sound();
    let clone = TempDir::new().unwrap();
    let from = bench.path().to_str().unwrap();
    git(clone.path(), &["clone", "-q", from, "copy"]);
    let copy = clone.path().join("copy/raw/plan");
    assert_eq!(std::fs::read_to_string(copy).unwrap(), "two\n");
    let format = clone.path().join("copy/.esker/format");
    assert!(std::fs::read_to_string(format).unwrap().starts_with("format = 1\n"));
}

#[test]
fn the_log_reads_well() {
    let mut bench = crate::golden::written();
    let log = bench.git(&["log", "--format=fuller", "--stat", "main"]);
    let golden = include_str!("../golden/log.txt");
    assert_eq!(log, golden, "the log of a store changed:\n{log}");
}

#[test]
fn git_reads_during_a_storm() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "begin");
    bench.snapshots.settle().unwrap();
    let folder = bench.path().to_owned();
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::SeqCst) || looks == 0 {
                git(&folder, &["log", "--oneline", "-3", "main"]);
                git(&folder, &["show", "main:raw/plan"]);
                // Not fsck in place: it calls missing what came after it looked at the objects.
                let copy = TempDir::new().unwrap();
                let from = folder.to_str().unwrap();
                let args = ["clone", "-q", "--no-local", from, "copy"];
                git(copy.path(), &args);
                assert_sound(&copy.path().join("copy"));
                looks += 1;
            }
            looks
        });
        for index in 0..300 {
            bench.put("raw/plan", &format!("version {index}"));
        }
        done.store(true, Ordering::SeqCst);
        looker.join().unwrap()
    });
    assert!(looks > 0);
    assert_sound(&folder);
}

#[test]
fn reads_and_writes_go_on_after_gc() {
    let mut bench = Bench::new();
    for index in 0..20 {
        bench.put("raw/plan", &format!("version {index}\n"));
    }
    let tag = Tag {
        name: "v1".to_owned(),
        at: "HEAD~3".parse().unwrap(),
        message: Some("First\n".to_owned()),
    };
    let tagged = bench.call(&tag).unwrap();
    bench.git(&["gc", "-q", "--prune=now"]);
    bench.git(&["pack-refs", "--all"]);
    assert_eq!(bench.get_at("raw/plan", "v1").unwrap().at, tagged);
    assert_eq!(bench.get_at("raw/plan", "HEAD~5").unwrap().bytes.unwrap(), "version 14\n");
    bench.put("raw/plan", "after\n");
    let mut bench = bench.reopen();
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "after\n");
    assert_eq!(bench.get_at("raw/plan", "HEAD~15").unwrap().bytes.unwrap(), "version 5\n");
    let again = Tag { at: tagged.into(), ..tag };
    assert_eq!(bench.call(&again).unwrap(), tagged);
    bench.assert_sound();
    let shown = bench.git(&["cat-file", "-p", "v1"]);
    assert!(shown.contains("tagger esker <esker@localhost>") && shown.ends_with("\n\nFirst\n"));
}

#[test]
fn branches_are_references_of_eskers_own() {
    let mut bench = Bench::new();
    let record = Put { branch: Branch::records(), ..put("run/condition", "record") };
    let stored = bench.call(&record).unwrap();
    let head = bench.git(&["rev-parse", "refs/esker/records"]);
    assert_eq!(head.trim(), stored.revision.to_string());
    assert_eq!(bench.git(&["branch", "--list"]).trim(), "* main");
    bench.assert_sound();
}
