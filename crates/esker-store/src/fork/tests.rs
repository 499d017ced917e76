//! What is kept of `main` for a branch that begins at a commit of it, and what comes back when it cannot be written.

use bytes::Bytes;
use esker_wire::snapshot::{Expect, Get, Put};

use super::*;
use crate::store::Options;

fn put(name: &str, content: &str) -> Put {
    Put::one(name.parse().unwrap(), Bytes::copy_from_slice(content.as_bytes()))
}

fn on(branch: &str, base: Option<Revision>, content: &str) -> Put {
    Put { branch: branch.parse().unwrap(), base, ..put("whatif/about", content) }
}

fn about(store: &mut Store, branch: &str) -> Option<Bytes> {
    let head = Get::head("whatif/about".parse().unwrap());
    store.get(&Get { branch: branch.parse().unwrap(), ..head }).ok()?.bytes
}

fn open(dir: &std::path::Path) -> Store {
    Store::open(dir, Options::default()).unwrap()
}

#[test]
fn it_costs_as_much_as_there_are_resources() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut store = open(folder.path());
    let mut base = None;
    for number in 0..500 {
        let stored = store.put(&put(&format!("raw/r{}", number % 5), &number.to_string()));
        base = Some(stored.unwrap().revision);
    }
    store.put(&on("whatif/x", base, "one")).unwrap();
    let history = store.history(&"whatif/x".parse().unwrap()).unwrap();
    assert_eq!(history.last(), Some(5));
    assert_eq!(history.resources().count(), 6);
}

#[test]
fn what_is_taken_back_is_as_it_was() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut store = open(folder.path());
    let one = store.put(&put("raw/a", "1")).unwrap().revision;
    let two = store.put(&put("raw/a", "2")).unwrap().revision;
    let first = store.put(&on("whatif/x", Some(one), "first")).unwrap().revision;
    store.put(&on("orphan", None, "first")).unwrap();
    store.flush().unwrap();
    for branch in ["whatif/x", "orphan"] {
        store.put(&on(branch, None, "more")).unwrap();
        store.put(&on(branch, Some(two), "second")).unwrap();
        store.put(&on(branch, Some(one), "third")).unwrap();
        store.put(&on(branch, None, "fourth")).unwrap();
        assert_eq!(about(&mut store, branch).unwrap(), "fourth");
    }
    store.put(&on("whatif/new", Some(two), "new")).unwrap();
    store.roll_back();
    for branch in ["whatif/x", "orphan"] {
        assert_eq!(about(&mut store, branch).unwrap(), "first", "{branch}");
    }
    assert!(about(&mut store, "whatif/new").is_none());
    assert!(!store.lines.contains_key(&"whatif/new".parse().unwrap()));
    // What is refused leaves no trace either.
    let mut refused = on("whatif/x", Some(two), "x");
    refused.items[0].if_head = Some(Expect::Absent);
    store.put(&refused).unwrap_err();
    refused.items[0].if_head = Some(Expect::Revision(first));
    store.put(&refused).unwrap();
    assert!(store.flush().unwrap());
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(about(&mut store, "whatif/x").unwrap(), "x");
    assert_eq!(about(&mut store, "orphan").unwrap(), "first");
}

#[test]
fn those_not_used_for_long_are_read_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut store = open(folder.path());
    let base = store.put(&put("raw/a", "1")).unwrap().revision;
    for number in 0..=LOADED_MAX {
        store.put(&on(&format!("whatif/w{number}"), Some(base), &number.to_string())).unwrap();
    }
    store.flush().unwrap();
    store.settle().unwrap();
    store.note_settled().unwrap();
    about(&mut store, "whatif/w0").unwrap();
    store.put(&on("whatif/last", Some(base), "last")).unwrap();
    store.flush().unwrap();
    let is_loaded = |store: &Store, name: &str| store.lines.contains_key(&name.parse().unwrap());
    assert!(store.lines.len() < LOADED_MAX);
    assert!(is_loaded(&store, "whatif/w0") && is_loaded(&store, "whatif/last"));
    assert!(!is_loaded(&store, "whatif/w1"));
    for number in 0..=LOADED_MAX {
        let found = about(&mut store, &format!("whatif/w{number}")).unwrap();
        assert_eq!(found, number.to_string());
    }
}

/// The journal is done again at every start after a kill.
#[test]
fn what_was_dropped_stays_gone_after_a_kill() {
    let folder = tempfile::TempDir::new().unwrap();
    let dir = folder.path().join("store.git");
    let mut store = open(&dir);
    let base = store.put(&put("raw/a", "1")).unwrap().revision;
    store.put(&on("whatif/x", Some(base), "one")).unwrap();
    store.flush().unwrap();
    store.put(&on("whatif/x", Some(base), "two")).unwrap();
    store.flush().unwrap();
    let ask = esker_wire::snapshot::DropBranch { branch: "whatif/x".parse().unwrap() };
    assert!(store.drop_branch(&ask).unwrap());
    let last = store.put(&put("raw/a", "2")).unwrap().revision;
    store.flush().unwrap();
    // What a kill would leave.
    let left = folder.path().join("left.git");
    let copied = std::process::Command::new("cp").arg("-r").arg(&dir).arg(&left).status();
    assert!(copied.unwrap().success());
    let mut left = open(&left);
    assert!(about(&mut left, "whatif/x").is_none());
    let head = left.history(&Branch::main()).unwrap().head().unwrap().revision;
    assert_eq!(head, last);
}
