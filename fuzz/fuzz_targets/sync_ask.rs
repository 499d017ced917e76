//! A publisher that is asked anything answers or refuses; what it has stays true, and an honest replica can copy it.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use esker_replica::ask::Ask;
use esker_replica::op::Op;
use esker_replica::path::path;
use esker_replica::publisher::{Now, Options, Publisher};
use esker_replica::replica::{self, Replica, State, Wish};
use esker_replica::section::Junctions;
use esker_wire::fault::Fault;
use esker_wire::message::Message;
use libfuzzer_sys::fuzz_target;

const VERBS: [&str; 9] =
    ["HELLO", "REPLAY", "CUT", "CHUNK", "NODES", "GET", "DIFF", "PUT", "AUDIT"];

fn publisher() -> Publisher {
    let options = Options {
        junctions: Junctions::new([path(["s"])]),
        writable: true,
        nodes_max: 1000,
        ring_bytes_max: 1000,
        ..Options::new("m", 1)
    };
    let mut publisher = Publisher::new(options);
    for at in 0..40_i64 {
        let key = format!("{at}");
        let ops = [Op::set(path(["a", &key]), at), Op::set(path(["s", "b", &key]), at)];
        publisher.change(&ops, Now::default()).expect("small");
    }
    publisher
}

fuzz_target!(|bytes: &[u8]| {
    let mut publisher = publisher();
    let mut now = Now { since: Duration::from_secs(1), wall: 0 };
    // Questions end with 255, which no text has: a verb, then fields, and behind 254 a body.
    for question in bytes.split(|byte| *byte == 255).take(50) {
        let Some((&verb, rest)) = question.split_first() else { continue };
        now.since += Duration::from_millis(u64::from(verb) * 20);
        let verb = VERBS[usize::from(verb) % VERBS.len()];
        let (fields, body) = match rest.iter().position(|byte| *byte == 254) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let mut head = [b"=====esker/1 ", verb.as_bytes(), b" m\n"].concat();
        for field in fields.split(|byte| *byte == b'\n') {
            head.extend([b"\t", field, b"\n"].concat());
        }
        let mut frames = vec![Bytes::from(head)];
        frames.extend(body.map(Bytes::copy_from_slice));
        let Ok(message) = Message::from_frames(&frames) else { continue };
        let Ok(ask) = Ask::from_message(&message) else { continue };
        let (reply, _) = publisher.answer(&ask, now);
        let told = match reply.now() {
            Ok(answer) => answer.to_message(publisher.epoch()),
            Err(fault) => Message::error(&fault),
        };
        let told = Message::from_frames(&told.to_frames()).expect("what we say can be read");
        drop(esker_replica::ask::Answer::from_message(&ask, &told));
    }
    assert_eq!(publisher.model().recompute(), publisher.model().digest());
    assert!(publisher.model().nodes() <= 1000);
    let mut replica = Replica::new(replica::Options::default());
    replica.tick(now.since);
    while let Some(wish) = replica.wish() {
        let Wish::Ask(id, ask) = wish else { continue };
        let epoch = publisher.epoch();
        let answer: Result<_, Fault> = publisher.answer(&ask, now).0.now();
        replica.answer(id, answer.map(|answer| (epoch, answer)), now.since);
    }
    assert_eq!((replica.state(), replica.model()), (State::Live, publisher.model()));
});
