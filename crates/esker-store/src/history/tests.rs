//! The index: changes, times, digits, and rolling back.

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

fn resource(name: &str) -> Resource {
    name.parse().unwrap()
}

fn three() -> History {
    let mut history = History::default();
    let change = |name: &str, blob: Option<u8>| (resource(name), blob.map(id));
    history.push(id(0x11), 10, vec![change("a/a", Some(1)), change("a/b", Some(1))]);
    history.push(id(0x12), 20, vec![change("a/a", None)]);
    history.push(id(0x21), 20, vec![change("a/a", Some(2))]);
    history
}

#[test]
fn what_was_when() {
    let history = three();
    let a = resource("a/a");
    assert_eq!(history.current(&a), Some((id(0x21), id(2))));
    assert_eq!(history.changes(&a, 1).last().unwrap().blob, None);
    assert_eq!(history.changes(&a, 0).len(), 1);
    assert_eq!(history.changes(&resource("a/c"), 2), []);
    assert_eq!(history.at_time(20), Some(2));
    assert_eq!(history.at_time(19), Some(0));
    assert_eq!(history.at_time(9), None);
    assert_eq!(history.beginning("1", 9), [id(0x11), id(0x12)]);
    assert_eq!(history.beginning("1212", 9), [id(0x12)]);
    assert_eq!(history.beginning(&"1".repeat(41), 9), []);
}

#[test]
fn rolling_back_leaves_no_trace() {
    let mut history = three();
    history.push(id(0x31), 30, vec![(resource("b/new"), Some(id(9)))]);
    history.roll_back(Some(id(0x12)));
    assert_eq!(history.last(), Some(1));
    assert_eq!(history.current(&resource("a/a")), None);
    assert_eq!(history.position(id(0x21)), None);
    let names: Vec<&str> = history.resources().map(Resource::as_str).collect();
    assert_eq!(names, ["a/a", "a/b"]);
    history.roll_back(None);
    assert_eq!(history.last(), None);
}
