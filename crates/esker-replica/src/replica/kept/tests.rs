//! Frames that wait: whole transactions are taken, others are not, and there are never too many.

use bytes::Bytes;

use super::*;
use crate::frame::{Header, Type};

fn frame(seq: u64, (part, parts): (u16, u16)) -> Frame {
    Frame {
        header: Header { seq, part, parts, ..Header::new(Type::Delta) },
        body: Bytes::from_static(b"12345"),
    }
}

fn of_section(section: u64, (seq, prev): (u64, u64), part: u16, last: bool) -> Frame {
    let header = Header { seq, prev, section, part, parts: 10, last, ..Header::new(Type::Delta) };
    Frame { header, body: Bytes::new() }
}

#[test]
fn a_transaction_is_taken_when_all_of_it_is_there() {
    let mut kept = Kept::default();
    for part in [2, 0, 0] {
        kept.push(frame(7, (part, 3)));
        assert!(kept.take_whole(7).is_none());
    }
    kept.push(frame(8, (0, 1)));
    kept.push(frame(7, (1, 3)));
    assert!(kept.take_whole(6).is_none());
    let parts: Vec<u16> =
        kept.take_whole(7).unwrap().iter().map(|frame| frame.header.part).collect();
    assert_eq!(parts, [0, 1, 2]);
    assert_eq!((kept.frames.len(), kept.bytes), (1, 5));
    assert_eq!(kept.take_whole(8).unwrap().len(), 1);
    assert_eq!((kept.is_empty(), kept.bytes), (true, 0));
}

#[test]
fn a_section_is_taken_with_its_last_frame() {
    let mut kept = Kept::default();
    let last = |last: u64| move |first: &Frame| first.header.prev <= last;
    kept.push(of_section(1, (5, 3), 2, false));
    kept.push(of_section(2, (5, 0), 3, true));
    kept.push(of_section(1, (5, 5), 4, true));
    assert!(kept.take_section(1, last(4)).is_none(), "part 3 is of another section");
    kept.push(of_section(1, (5, 5), 3, true));
    assert!(kept.take_section(1, last(2)).is_none(), "transaction 3 is missing");
    assert_eq!(kept.take_section(1, last(3)).unwrap().len(), 2);
    assert!(kept.has(1), "what is behind stays");
}

#[test]
fn what_goes_on_needs_what_it_goes_on_from() {
    let mut kept = Kept::default();
    kept.push(of_section(1, (5, 5), 1, true));
    assert!(kept.take_section(1, |_| true).is_none());
    kept.push(of_section(1, (5, 0), 0, false));
    assert_eq!(kept.take_section(1, |_| true).unwrap().len(), 2);
    kept.push(of_section(1, (6, 5), 0, false));
    kept.push(of_section(1, (7, 6), 0, true));
    assert!(kept.take_section(1, |first| first.header.prev <= 5).is_none(), "6 has no end");
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let mut kept = Kept::default();
    for seq in 1..=FRAMES_MAX as u64 + 3 {
        kept.push(frame(seq, (0, 1)));
    }
    assert_eq!((kept.frames.len(), kept.bytes), (FRAMES_MAX, FRAMES_MAX * 5));
    assert!(kept.take_whole(3).is_none() && kept.take_whole(4).is_some());
    kept.clear();
    assert_eq!((kept.is_empty(), kept.bytes), (true, 0));
    let mut large = frame(1, (0, 1));
    large.body = vec![0; BYTES_MAX].into();
    kept.push(large.clone());
    kept.push(large.clone());
    assert_eq!((kept.frames.len(), kept.bytes), (1, BYTES_MAX), "the same again takes its place");
    kept.push(frame(2, (0, 1)));
    assert_eq!((kept.frames.len(), kept.bytes), (1, 5));
}

#[test]
fn what_is_old_is_forgotten_and_counted() {
    let mut kept = Kept::default();
    for seq in 1..=10 {
        kept.push(frame(seq, (0, 1)));
    }
    assert_eq!(kept.forget(|frame| frame.header.seq <= 4), 4);
    assert_eq!((kept.frames.len(), kept.bytes), (6, 30));
}
