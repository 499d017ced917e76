//! Someone uses plain git in the store while esker runs.

use esker_bus::service::Service as _;
use esker_wire::event::Event;
use esker_wire::fault::Code;
use esker_wire::snapshot::Health;
use tempfile::TempDir;

use crate::support::{Bench, assert_sound, events, git, git_head, put, resource};

/// A clone, and a commit in it that is pushed back.
fn push(bench: &Bench, content: &str, force: bool) {
    let clone = TempDir::new().unwrap();
    let from = bench.path().to_str().unwrap();
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
    push(&bench, "by hand", false);
    let head = git_head(bench.path());
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
    push(&bench, "again", false);
    let stored = bench.put("raw/plan", "three");
    assert_eq!(
        stored.items[0].previous,
        Some(git(bench.path(), &["rev-parse", "main~1"]).trim().parse().unwrap())
    );
    assert_sound(bench.path());
}

#[test]
fn a_forced_push_stops_writing_until_it_is_put_right() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    let head = bench.put("raw/plan", "two").revision;
    push(&bench, "forced", true);
    let fault = bench.call(&put("raw/plan", "three")).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(
        fault.message.contains("refs/heads/main") && fault.message.contains(&head.to_string()),
        "{fault}"
    );
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "two");
    assert!(bench.call(&Health).unwrap().not_writable.is_some());
    git(bench.path(), &["update-ref", "refs/heads/main", &head.to_string()]);
    bench.put("raw/plan", "three");
    assert_eq!(bench.call(&Health).unwrap().not_writable, None);
}

#[test]
fn a_forced_push_is_accepted_by_a_restart() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench.put("raw/plan", "two");
    push(&bench, "forced", true);
    let mut bench = bench.reopen();
    assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "forced");
    bench.put("raw/plan", "three");
}

#[test]
fn a_lock_of_gits_is_named() {
    let mut bench = Bench::new();
    let lock = bench.path().join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let fault = bench.call(&put("raw/plan", "one")).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(fault.message.contains("main.lock"), "{fault}");
    let bench = bench.reopen();
    assert!(lock.exists(), "a lock that is not ours stays");
    std::fs::remove_file(&lock).unwrap();
    let mut bench = bench;
    bench.put("raw/plan", "one");
}
