//! What published frames mean to a follower.

use bytes::Bytes;
use esker_wire::chain::Link;
use esker_wire::event::Event;

use super::{Item, Judge};
use crate::service::Frames;

fn put(epoch: u64, seq: u64, name: &str) -> Frames {
    let event = Event::Put {
        link: Link { epoch, seq },
        now: None,
        resource: name.parse().unwrap(),
        branch: "main".parse().unwrap(),
        revision: None,
        previous: None,
    };
    event.to_frames()
}

fn heartbeat(epoch: u64, seq: u64) -> Frames {
    let link = Link { epoch, seq };
    Event::Heartbeat { link }.to_frames()
}

/// Each published thing, and what the follower of `raw/` is given for it.
fn check(published: &[(Frames, &str)]) {
    let mut judge = Judge::new(&["esker/1 raw/"]);
    for (frames, expected) in published {
        judge.take(frames);
        let given: Vec<_> = judge
            .ready
            .drain(..)
            .map(|item| match item {
                Item::Lost => "lost".to_owned(),
                Item::Event(event) => event.link().seq.to_string(),
            })
            .collect();
        assert_eq!(given.join(" "), *expected, "{frames:?}");
    }
}

#[test]
fn the_first_thing_is_lost_and_then_there_is_order() {
    check(&[
        (heartbeat(5, 7), "lost"),
        (heartbeat(5, 7), ""),
        (put(5, 8, "raw/a"), "8"),
        (put(5, 8, "raw/a"), ""),
        (heartbeat(5, 8), ""),
        (put(5, 9, "raw/b"), "9"),
    ]);
    check(&[(put(5, 8, "raw/a"), "lost 8"), (heartbeat(5, 8), "")]);
}

#[test]
fn other_topics_are_part_of_the_chain() {
    check(&[
        (put(5, 1, "cond/a"), "lost"),
        (put(5, 2, "cond/a"), ""),
        (put(5, 3, "raw/a"), "3"),
        (put(5, 5, "cond/a"), "lost"),
        (put(5, 6, "raw/a"), "6"),
    ]);
}

#[test]
fn gaps_restarts_and_late_heartbeats_are_told() {
    check(&[
        (put(5, 1, "raw/a"), "lost 1"),
        (put(5, 3, "raw/a"), "lost 3"),
        (heartbeat(5, 4), "lost"),
        (put(6, 1, "raw/a"), "lost 1"),
        (put(5, 9, "raw/zombie"), ""),
        (heartbeat(5, 9), ""),
        (put(6, 2, "raw/a"), "2"),
    ]);
}

#[test]
fn what_is_no_event_of_ours_is_passed_over() {
    let text = |texts: &[&'static str]| texts.iter().map(|text| Bytes::from(*text)).collect();
    check(&[
        (put(5, 1, "raw/a"), "lost 1"),
        (text(&["=====raw a"]), ""),
        (text(&["esker/1 raw/a", "=====esker/2 EVENT"]), ""),
        (text(&["esker/1 raw/a"]), ""),
        (text(&[]), ""),
        (put(5, 2, "raw/a"), "2"),
    ]);
}
