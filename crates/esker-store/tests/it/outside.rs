//! Someone uses plain git in the store while esker runs.

use std::path::Path;

use esker_bus::service::Service as _;
use esker_store::store::Store;
use esker_wire::event::Event;
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Health, Put};
use tempfile::TempDir;

use crate::support::{Bench, events, git, put, resource};

/// A clone, and a commit in it that is pushed back.
fn push(bench: &mut Bench, content: &str, force: bool) {
    bench.snapshots.settle().unwrap();
    push_to(bench.path(), content, force);
}

fn push_to(folder: &Path, content: &str, force: bool) {
    let clone = TempDir::new().unwrap();
    let from = folder.to_str().unwrap();
    git(clone.path(), &["clone", "-q", from, "copy"]);
    let copy = clone.path().join("copy");
    if force {
        git(&copy, &["reset", "-q", "--hard", "HEAD~1"]);
    }
    std::fs::write(copy.join("raw/plan"), content).unwrap();
    git(&copy, &["commit", "-q", "-am", "by hand\n\nEsker-Stage: forged\nEsker-Run-Key: x"]);
    let mode = if force { "-qf" } else { "-q" };
    git(&copy, &["push", mode, "origin", "HEAD:main"]);
}

#[test]
fn a_commit_by_hand_is_taken_in() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one");
    push(&mut bench, "by hand", false);
    let head = bench.git_head();
    let published = bench.snapshots.tick();
    let published = events(&published);
    let [Event::Put { resource: name, revision, previous, .. }, Event::Heartbeat { .. }] =
        published.as_slice()
    else {
        panic!("expected a put and a heartbeat");
    };
    let (name, revision, previous) = (name.clone(), *revision, *previous);
    assert_eq!(
        (name, revision, previous),
        (resource("raw/plan"), Some(head), Some(first.revision))
    );
    let content = bench.get("raw/plan").unwrap();
    assert_eq!(content.bytes.unwrap(), "by hand");
    assert_eq!(content.entry.author, "Ann <ann@example.org>");
    assert_eq!(content.entry.provenance, None, "only esker's own trailers count");
    push(&mut bench, "again", false);
    let stored = bench.put("raw/plan", "three");
    assert_eq!(
        stored.items[0].previous,
        Some(bench.git(&["rev-parse", "main~1"]).trim().parse().unwrap())
    );
    bench.assert_sound();
}

#[test]
fn a_forced_push_stops_writing_until_it_is_put_right() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    let head = bench.put("raw/plan", "two").revision;
    push(&mut bench, "forced", true);
    let fault = bench.call(&put("raw/plan", "three")).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(
        fault.message.contains("refs/heads/main") && fault.message.contains(&head.to_string()),
        "{fault}"
    );
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "two");
    assert!(bench.call(&Health).unwrap().not_writable.is_some());
    bench.git(&["update-ref", "refs/heads/main", &head.to_string()]);
    bench.put("raw/plan", "three");
    assert_eq!(bench.call(&Health).unwrap().not_writable, None);
}

/// A restart changes nothing about it, whether or not esker ran when it happened; accepting does.
#[test]
fn a_forced_push_is_followed_only_when_accepted() {
    for while_open in [true, false] {
        let mut bench = Bench::new();
        bench.put("raw/plan", "one");
        let ours = bench.put("raw/plan", "two").revision;
        if while_open {
            push(&mut bench, "forced", true);
            bench.snapshots.tick();
        }
        let closed = bench.close();
        if !while_open {
            push_to(closed.folder.path(), "forced", true);
        }
        let mut bench = closed.open();
        let fault = bench.call(&put("raw/plan", "three")).unwrap_err();
        assert_eq!(fault.code, Code::NotWritable);
        assert!(fault.hint.contains("--accept main"), "{fault}");
        assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "two");
        let closed = bench.close();
        Store::accept(closed.folder.path(), &Branch::main()).unwrap();
        let mut bench = closed.open();
        assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "forced");
        bench.put("raw/plan", "three");
        let kept = Get { branch: "kept/main".parse().unwrap(), ..Get::head(resource("raw/plan")) };
        assert_eq!(bench.call(&kept).unwrap().at, ours);
    }
}

/// Someone commits on top of what git shows, while what esker has put since is not there yet.
fn commit_beside(bench: &mut Bench, path: &str, content: &str) -> Revision {
    bench.snapshots.settle().unwrap();
    // While git's lock is there nothing comes to its place.
    let lock = bench.path().join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    bench.put("raw/plan", "esker's");
    let made = bench.path().join("made");
    std::fs::write(&made, content).unwrap();
    let index = bench.path().join("index-of-ann");
    let script = format!(
        "export GIT_INDEX_FILE={index}; git read-tree main && \
         git update-index --add --cacheinfo 100644,$(git hash-object -w made),{path} && \
         git commit-tree -p main -m 'by hand' $(git write-tree)",
        index = index.display()
    );
    let theirs = git(bench.path(), &["-c", &format!("alias.x=!{script}"), "x"]);
    let theirs: Revision = theirs.trim().parse().unwrap();
    std::fs::write(bench.path().join("refs/heads/main"), format!("{theirs}\n")).unwrap();
    std::fs::remove_file(lock).unwrap();
    std::fs::remove_file(made).unwrap();
    theirs
}

#[test]
fn a_commit_at_the_same_time_is_put_again_on_top() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    let theirs = commit_beside(&mut bench, "raw/other", "by hand");
    bench.snapshots.settle().unwrap();
    let published = bench.snapshots.tick();
    assert!(matches!(&events(&published)[..], [Event::Put { .. }, Event::Heartbeat { .. }]));
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "esker's");
    let other = bench.get("raw/other").unwrap();
    assert_eq!(other.bytes.unwrap(), "by hand");
    assert_eq!(other.entry.author, "Ann <ann@example.org>");
    assert_eq!(bench.git_head(), other.entry.revision);
    let kept = format!("refs/esker/foreign/{}", theirs.short());
    assert_eq!(bench.git(&["rev-parse", &kept]).trim(), theirs.to_string());
    bench.put("raw/plan", "three");
    bench.assert_sound();
}

#[test]
fn a_commit_at_the_same_time_of_the_same_is_kept_aside() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    let theirs = commit_beside(&mut bench, "raw/plan", "by hand");
    bench.snapshots.settle().unwrap();
    assert_eq!(events(&bench.snapshots.tick()).len(), 1, "a heartbeat");
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "esker's");
    let aside = Get {
        branch: format!("foreign/{}", theirs.short()).parse().unwrap(),
        ..Get::head(resource("raw/plan"))
    };
    assert_eq!(bench.call(&aside).unwrap().bytes.unwrap(), "by hand");
    bench.put("raw/plan", "three");
    bench.assert_sound();
}

#[test]
fn a_lock_of_gits_is_named() {
    let mut bench = Bench::new();
    let lock = bench.path().join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let stored = bench.put("raw/plan", "one");
    let fault = bench.snapshots.settle().unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(fault.message.contains("main.lock"), "{fault}");
    let fault = bench.call(&put("raw/plan", "two")).unwrap_err();
    assert!(fault.message.contains("main.lock"), "{fault}");
    // What is safe is one thing, what was asked for now is another.
    assert!(fault.message.starts_with("what was acknowledged before is safe"), "{fault}");
    assert!(fault.hint.starts_with("this request has stored nothing"), "{fault}");
    let closed = bench.close();
    let error = closed.try_open().err().expect("what was stored cannot be put in its place");
    assert!(error.to_string().contains("main.lock"), "{error}");
    assert!(lock.exists(), "a lock that is not ours stays");
    std::fs::remove_file(&lock).unwrap();
    let mut bench = closed.open();
    assert_eq!(bench.get("raw/plan").unwrap().at, stored.revision);
    bench.put("raw/plan", "two");
    bench.assert_sound();
}

/// A branch that is gone is no new store.
#[test]
fn a_main_that_is_gone_is_not_begun_anew() {
    let mut bench = Bench::new();
    let last = bench.put("raw/plan", "one").revision.to_string();
    let closed = bench.close();
    git(closed.folder.path(), &["update-ref", "-d", "refs/heads/main"]);
    let error = closed.try_open().err().expect("refused").to_string();
    assert!(error.contains("its branch main is gone"), "{error}");
    git(closed.folder.path(), &["update-ref", "refs/heads/main", &last]);
    let mut bench = closed.open();
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "one");
}

/// A second rewrite does not take the place of what the first one left.
#[test]
fn every_rewrite_leaves_what_was_there() {
    let mut bench = Bench::new();
    let mut kept = Vec::new();
    for round in ["one", "two"] {
        bench.put("raw/plan", round);
        kept.push(bench.put("raw/plan", &format!("{round} more")).revision);
        push(&mut bench, "forced", true);
        bench.snapshots.tick();
        let closed = bench.close();
        Store::accept(closed.folder.path(), &Branch::main()).unwrap();
        bench = closed.open();
    }
    let second = format!("refs/esker/kept/main-{}", kept[1].short());
    for (name, expected) in ["refs/esker/kept/main", &second].into_iter().zip(kept) {
        assert_eq!(bench.git(&["rev-parse", name]).trim(), expected.to_string());
    }
}

#[test]
fn nothing_is_put_where_esker_keeps_things() {
    let mut bench = Bench::new();
    for branch in ["kept", "kept/main", "foreign", "foreign/x"] {
        let ask = Put { branch: branch.parse().unwrap(), ..put("raw/plan", "x") };
        let fault = bench.call(&ask).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{branch}");
    }
}
