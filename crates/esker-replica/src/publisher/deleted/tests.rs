//! What was taken away is known for a while, and then said to be known no more.

use super::*;
use crate::path::path;

#[test]
fn what_was_taken_away_between_is_told_once_in_order() {
    let mut deleted = Deleted::default();
    for (seq, key) in [(1, "b"), (2, "a"), (2, "b"), (5, "c")] {
        deleted.push(seq, path([key]));
    }
    assert_eq!(deleted.since(0, 5).unwrap(), [path(["a"]), path(["b"]), path(["c"])]);
    assert_eq!(deleted.since(1, 4).unwrap(), [path(["a"]), path(["b"])]);
    assert!(deleted.since(2, 4).unwrap().is_empty());
    assert!(deleted.since(4, 1).unwrap().is_empty());
    assert_eq!(deleted.since(4, u64::MAX).unwrap(), [path(["c"])]);
}

#[test]
fn what_is_no_longer_known_is_gone() {
    let mut deleted = Deleted::default();
    for seq in 1..=KEPT_MAX as u64 {
        deleted.push(seq, path(["a"]));
    }
    let last = KEPT_MAX as u64;
    assert!(deleted.since(last - 1, last).is_ok() && deleted.floor == 0);
    deleted.push(last + 1, path(["a"]));
    assert_eq!((deleted.floor, deleted.kept.len()), (1, KEPT_MAX));
    assert_eq!(deleted.since(0, last).unwrap_err().code, Code::Gone);
    assert!(deleted.since(last - 10, last + 1).is_ok());
    let from = last + 1 - TOLD_MAX as u64;
    assert!(deleted.since(from, last + 1).is_ok());
    assert_eq!(
        deleted.since(from - 1, last + 1).unwrap_err().code,
        Code::Gone,
        "too much for one page"
    );
}

#[test]
fn long_paths_are_bounded_too() {
    let mut deleted = Deleted::default();
    let deep = path(["k"; 500]);
    let fit = MEMORY_MAX / memory(&deep);
    for seq in 1..=fit as u64 + 1 {
        deleted.push(seq, deep.clone());
    }
    assert_eq!((deleted.kept.len(), deleted.floor), (fit, 1));
    assert_eq!(deleted.memory, fit * memory(&deep));
    let mut deleted = Deleted::default();
    for seq in 0..1022_u64 {
        deleted.push(seq + 1, path([format!("{seq:01024}")]));
    }
    assert!(deleted.since(0, 1021).is_ok());
    deleted.push(1023, path(["x".repeat(1024)]));
    assert_eq!(deleted.since(0, 1023).unwrap_err().code, Code::Gone, "more than a megabyte");
}

#[test]
fn nothing_is_said_from_within_a_gap() {
    let mut deleted = Deleted::default();
    deleted.leap(10, 20, vec![path(["a"])]);
    for from in [0, 10] {
        assert_eq!(deleted.since(from, 20).unwrap(), [path(["a"])]);
    }
    for from in [11, 19] {
        assert_eq!(deleted.since(from, 20).unwrap_err().code, Code::Gone);
    }
    assert!(deleted.since(20, 30).unwrap().is_empty());
    for at in 3..=2 + GAPS_MAX as u64 {
        deleted.leap(at * 10, at * 10 + 10, Vec::new());
    }
    assert_eq!((deleted.floor, deleted.gaps.len()), (20, GAPS_MAX));
    assert_eq!(deleted.since(10, 20).unwrap_err().code, Code::Gone);
}
