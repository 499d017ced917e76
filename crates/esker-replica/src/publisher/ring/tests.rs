//! The ring keeps whole transactions, as many as it has room for, and says when it has them no more.

use super::*;

fn ring(bytes_max: usize) -> Ring {
    Ring::new(bytes_max, Duration::from_secs(600))
}

fn push(ring: &mut Ring, seq: u64, section: usize, size: usize) {
    let header = Bytes::from(format!("{seq}/{section} "));
    let body = Bytes::from("x".repeat(size - header.len()));
    ring.push((seq, section), [&header, &body], Duration::from_secs(seq));
}

fn asked(after: u64, bytes_max: usize) -> Replay {
    Replay { epoch: 1, after, sections: Vec::new(), bytes_max }
}

#[test]
fn the_oldest_go_whole() {
    let mut ring = ring(1000);
    for seq in 1..=5 {
        push(&mut ring, seq, 0, 100);
        push(&mut ring, seq, 1, 100);
    }
    assert_eq!((ring.first(5), ring.bytes), (1, 1000));
    push(&mut ring, 6, 0, 100);
    assert_eq!((ring.first(6), ring.bytes, ring.kept.len()), (2, 900, 9));
    let fault = ring.replay(&asked(0, 9999), None, 6).unwrap_err();
    assert_eq!(fault.code, Code::Gone);
    let all = ring.replay(&asked(1, 9999), None, 6).unwrap();
    assert_eq!((all.seq, all.more, all.frames.len()), (6, false, 9));
    assert!(all.frames[0].starts_with(b"2/0 ") && all.frames[8].starts_with(b"6/0 "));
}

#[test]
fn a_transaction_larger_than_the_ring_is_not_kept() {
    let mut ring = ring(150);
    push(&mut ring, 1, 0, 100);
    push(&mut ring, 1, 1, 100);
    assert_eq!((ring.first(1), ring.bytes), (2, 0));
    assert_eq!(ring.replay(&asked(0, 9999), None, 1).unwrap_err().code, Code::Gone);
    assert_eq!(ring.replay(&asked(1, 9999), None, 1).unwrap().frames.len(), 0);
}

#[test]
fn what_is_too_old_goes() {
    let mut ring = ring(9999);
    for seq in 1..=3 {
        push(&mut ring, seq, 0, 10);
    }
    ring.forget(Duration::from_secs(601));
    assert_eq!(ring.first(3), 1, "not a moment earlier");
    ring.forget(Duration::from_millis(601_001));
    assert_eq!((ring.first(3), ring.bytes), (2, 20));
    ring.forget(Duration::from_secs(9999));
    assert_eq!((ring.first(3), ring.bytes), (4, 0));
}

#[test]
fn answers_end_between_transactions() {
    let mut ring = ring(99_999);
    for seq in 1..=4 {
        push(&mut ring, seq, 0, 100);
        push(&mut ring, seq, 1, 100);
    }
    let mut got = Vec::new();
    let mut after = 0;
    loop {
        let page = ring.replay(&asked(after, 250), None, 4).unwrap();
        got.extend(page.frames);
        after = page.seq;
        if !page.more {
            break;
        }
        assert_eq!(got.len() % 2, 0, "transactions are whole");
    }
    assert_eq!((after, got.len()), (4, 8));
    assert_eq!(ring.replay(&asked(0, 0), None, 4).unwrap().frames.len(), 0);
}

#[test]
fn of_some_sections_only_theirs_are_told() {
    let mut ring = ring(99_999);
    for seq in 1..=4 {
        push(&mut ring, seq, usize::from(seq == 2), 100);
    }
    let page = ring.replay(&asked(0, 9999), Some(&BTreeSet::from([1])), 4).unwrap();
    assert_eq!((page.seq, page.more, page.frames.len()), (4, false, 1));
    assert!(ring.replay(&asked(0, 9999), Some(&BTreeSet::new()), 4).unwrap().frames.is_empty());
}

#[test]
fn what_no_replica_has_room_for_is_told_by_diff() {
    let mut small = ring(usize::MAX);
    for section in 0..=ONE_MAX.0 {
        push(&mut small, 1, section, 20);
    }
    assert_eq!(small.replay(&asked(0, usize::MAX), None, 1).unwrap_err().code, Code::Gone);
    let mut large = ring(usize::MAX);
    push(&mut large, 1, 0, ONE_MAX.1 + 100);
    assert!(large.replay(&asked(0, usize::MAX), None, 1).is_ok(), "a single leaf may be as large");
    push(&mut large, 1, 1, 100);
    assert_eq!(large.replay(&asked(0, usize::MAX), None, 1).unwrap_err().code, Code::Gone);
}
