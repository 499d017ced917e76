//! Nothing is kept of branches that are only asked for, or whose first PUT failed.

use bytes::Bytes;
use esker_wire::snapshot::{Get, Put};

use super::*;
use crate::store::Options;

fn put(branch: &str) -> Put {
    let branch = branch.parse().unwrap();
    Put { branch, ..Put::one("raw/plan".parse().unwrap(), Bytes::from_static(b"x")) }
}

#[test]
fn asking_leaves_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut store = Store::open(dir.path(), Options::default()).unwrap();
    for index in 0..100 {
        let branch = format!("b{index}").parse().unwrap();
        store.get(&Get { branch, ..Get::head("raw/plan".parse().unwrap()) }).unwrap_err();
    }
    let removal = |branch: &str| {
        let mut ask = put(branch);
        ask.items[0].content = None;
        ask
    };
    store.put(&removal("c")).unwrap_err();
    store.put(&put("d")).unwrap();
    assert_eq!(store.lines.len(), 2);
    store.roll_back();
    assert_eq!(store.lines.len(), 1);
    store.put(&put("d")).unwrap();
    assert!(store.flush().unwrap());
    assert_eq!(store.branches().unwrap().len(), 2);
}
