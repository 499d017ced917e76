//! MOVE and the fields that tell of other names, as documented.

use super::{Move, Moved};
use crate::message::{Message, Request, answer};
use crate::name::{Branch, Resource};
use crate::revision::Revision;
use crate::snapshot::{Expect, List, Listing, Put, Stored, StoredItem};

fn name(text: &str) -> Resource {
    text.parse().expect("a name")
}

fn revision(digit: u8) -> Revision {
    Revision::from_bytes([digit * 17; 20])
}

fn text(message: &Message) -> String {
    String::from_utf8(message.to_frames()[0].to_vec()).expect("text")
}

#[test]
fn a_move_reads_as_documented() {
    let plain = Move {
        resource: name("raw/the plan"),
        to: name("raw/schedule"),
        branch: Branch::main(),
        if_head: None,
        message: None,
        author: None,
    };
    assert_eq!(text(&plain.to_message()), "=====esker/1 MOVE raw/the plan\n\tto: raw/schedule\n");
    let full = Move {
        branch: "what-if/x".parse().expect("a branch"),
        if_head: Some(Expect::Revision(revision(1))),
        message: Some("a better\nname".into()),
        author: Some("Ann <a@b>".into()),
        ..plain.clone()
    };
    for ask in [plain, full] {
        assert_eq!(Move::from_message(&ask.to_message()), Ok(ask));
    }
    let moved = Moved { revision: revision(2), previous: revision(1) };
    let reply = Move::reply_to_message(&moved);
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let expected =
        format!("=====esker/1 OK\n\trevision: {two}\n\tprevious: {one}\n\tchanged: yes\n");
    assert_eq!(text(&reply), expected);
    assert_eq!(answer::<Move>(&reply), Ok(moved));
    let frame = bytes::Bytes::from_static(b"=====esker/1 MOVE raw/plan\n");
    let message = Message::from_frames(&[frame]).expect("a head");
    assert!(Move::from_message(&message).expect_err("no name").message.contains("`to`"));
}

#[test]
fn older_names_are_told_where_they_are_asked_for() {
    let item = StoredItem {
        resource: name("raw/plan"),
        now: Some(name("raw/schedule")),
        revision: Some(revision(2)),
        previous: None,
    };
    let stored = Stored { revision: revision(2), items: vec![item] };
    let message = Put::reply_to_message(&stored);
    // Who looks for what it put finds it by the name it gave.
    assert!(text(&message).contains("=====stored raw/plan\n"));
    assert!(text(&message).contains("\tnow: raw/schedule\n"));
    assert_eq!(answer::<Put>(&message), Ok(stored));
    let list = List { older: true, ..List::all(Branch::main()) };
    assert_eq!(List::from_message(&list.to_message()), Ok(list.clone()));
    let older = vec![(name("raw/plan"), name("raw/schedule"))];
    let listing =
        Listing { at: Some(revision(2)), entries: Vec::new(), next: Some(name("raw/a")), older };
    let message = List::reply_to_message(&listing);
    assert!(text(&message).ends_with("=====older raw/plan\n\tnow: raw/schedule\n"));
    assert_eq!(answer::<List>(&message), Ok(listing.clone()));
    assert!(!list.after(&listing).expect("there is more").older, "once is enough");
}
