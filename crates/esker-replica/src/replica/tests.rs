//! A replica's own clockwork; what it makes of frames and answers is in `tests/it`, beside a publisher.

use super::*;
use crate::ask::{Answer, Cutting};
use crate::digest::Digest;
use crate::path::path;
use crate::value::Value;
use esker_wire::fault::{Code, Fault};

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What it asks now.
fn asks(replica: &mut Replica) -> Vec<(u64, Ask)> {
    let wishes = std::iter::from_fn(|| replica.wish());
    wishes
        .filter_map(|wish| if let Wish::Ask(id, ask) = wish { Some((id, ask)) } else { None })
        .collect()
}

#[test]
fn pauses_double_up_to_half_a_minute_and_differ_by_chance() {
    let mut first = Vec::new();
    for seed in 0..20 {
        let mut replica = Replica::new(Options { seed: seed * 1000 + 7, ..Options::default() });
        let mut now = at(0);
        let mut most = PAUSE_MIN;
        for turn in 0..12 {
            replica.tick(now);
            let asked = asks(&mut replica);
            assert_eq!(asked.len(), 1, "no more than one question at a time");
            replica.answer(asked[0].0, Err::<(u64, Answer), _>(Fault::new(Code::Timeout, "")), now);
            let pause = replica.due(now);
            assert!(pause >= most / 2 && pause <= most, "{turn}: {pause:?} of {most:?}");
            if turn == 0 {
                first.push(pause);
            }
            replica.tick(now + pause - Duration::from_nanos(1));
            assert!(asks(&mut replica).is_empty(), "not too early");
            now += pause;
            most = (most * 2).min(PAUSE_MAX);
        }
    }
    first.sort();
    first.dedup();
    assert!(first.len() > 15, "{first:?}");
}

#[test]
fn answers_that_were_given_up_or_never_asked_for_are_nothing() {
    let mut replica = Replica::new(Options::default());
    replica.tick(at(0));
    let (id, ask) = asks(&mut replica).remove(0);
    assert_eq!(ask, Ask::Hello);
    let cut = Answer::Cut(Cutting { cut: 1, seq: 1, digest: Digest(1), nodes: 1 });
    for other in [0, id + 1, u64::MAX] {
        replica.answer(other, Ok((1, cut.clone())), at(1));
        assert_eq!((replica.counts(), replica.last()), (Counts::default(), None));
    }
    replica.answer(id, Ok((1, cut.clone())), at(1));
    assert_eq!(replica.counts().malformed, 1, "it does not answer HELLO");
    replica.answer(id, Ok((1, cut)), at(1));
    assert_eq!(replica.counts().malformed, 1, "the same question is not answered twice");
}

#[test]
fn it_is_due_when_something_happens() {
    let mut replica = Replica::new(Options::default());
    assert_eq!(replica.due(at(5)), Duration::ZERO, "it begins at once");
    replica.tick(at(5));
    assert_eq!(replica.due(at(5)), SILENCE_MAX);
    replica.missing = Some(at(100));
    assert_eq!(replica.due(at(105)), at(15));
    replica.missing = None;
    replica.heard = Some(at(100));
    assert_eq!(replica.due(at(105)), at(2995));
    replica.pull = Some(at(110));
    assert_eq!(replica.due(at(105)), at(5));
    assert_eq!(replica.due(at(9999)), Duration::ZERO);
}

#[test]
fn a_flipped_bit_in_the_replica_is_found_by_a_heartbeat() {
    use crate::publisher::{self, Now, Publisher};
    let mut publisher = Publisher::new(publisher::Options::new("m", 1));
    let op = Op::set(path(["a", "b"]), 1_i64);
    publisher.change(&[op], Now::default()).unwrap();
    let mut replica = Replica::new(Options::default());
    let run = |replica: &mut Replica, publisher: &mut Publisher, seconds: u64| {
        let now = Now { since: Duration::from_secs(seconds), wall: 0 };
        replica.tick(now.since);
        for [_, header, body] in publisher.tick(now) {
            replica.frame(&header, body, now.since);
        }
        loop {
            let asked = asks(replica);
            if asked.is_empty() {
                return;
            }
            for (id, ask) in asked {
                let answer = publisher.answer(&ask, now).0.now();
                replica.answer(id, answer.map(|answer| (1, answer)), now.since);
            }
        }
    };
    run(&mut replica, &mut publisher, 1);
    assert_eq!((replica.state(), replica.model()), (State::Live, publisher.model()));
    let value = Value::from(3_i64);
    replica.model.apply(&path(["a", "b"]), &crate::op::Act::Set(value), 1);
    run(&mut replica, &mut publisher, 2);
    assert_eq!((replica.state(), replica.model()), (State::Live, publisher.model()));
    let counts = replica.counts();
    assert_eq!((counts.mismatches, counts.repairs, counts.copies), (1, 1, 1));
}
