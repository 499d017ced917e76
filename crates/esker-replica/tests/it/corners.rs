//! What is rare: frames that come after they were replayed, rings that run over while something is fetched, nodes that become something else.

use std::time::Duration;

use esker_replica::ask::Ask;
use esker_replica::model::Found;
use esker_replica::op::{Act, Op};
use esker_replica::path::path;
use esker_replica::publisher::{Options, Publication, Publisher};
use esker_replica::replica::Wish;
use esker_replica::value::Value;

use crate::pair::{Pair, set};

#[test]
fn what_comes_after_it_was_replayed_is_nothing_new() {
    let mut pair = Pair::in_step();
    let late: Vec<Publication> =
        (0..5).flat_map(|at| pair.change(&[set(&["a", "x"], at)])).collect();
    pair.tell(&[set(&["b", "y"], 7)]);
    pair.wait(20);
    assert!(pair.is_in_step(), "beyond the time that another order may take");
    assert_eq!((pair.asked("REPLAY"), pair.counts().losses), (1, 1));
    let before = pair.counts();
    // All of them, in another order, and again as after a new connection.
    for published in [late.iter().rev(), late.iter().rev()] {
        let published: Vec<Publication> = published.cloned().collect();
        pair.deliver(&published);
        assert!(pair.is_in_step());
    }
    let after = pair.counts();
    assert_eq!((after.duplicates, after.applied), (before.duplicates + 10, before.applied));
    pair.tell(&[set(&["a", "x"], 9)]);
    assert!(pair.is_in_step() && pair.asked.len() == 1);
}

#[test]
fn a_transaction_of_many_frames_that_takes_its_time_is_not_lost() {
    let mut pair = Pair::in_step();
    let wide = |at: i64| (0..50).map(|section| set(&[&format!("s{section}"), "x"], at)).collect();
    for at in 0..5 {
        let ops: Vec<Op> = wide(at);
        for frame in pair.change(&ops) {
            pair.deliver(&[frame]);
            pair.wait(15);
        }
    }
    assert!(pair.is_in_step());
    assert_eq!((pair.asked("REPLAY"), pair.counts().losses), (0, 0));
    // What comes behind a gap does not close it.
    let ops: Vec<Op> = wide(5);
    let mut frames = pair.change(&ops);
    frames.remove(3);
    for frame in frames.drain(..5) {
        pair.deliver(&[frame]);
        pair.wait(8);
    }
    assert!(pair.is_in_step(), "it was replayed");
    assert_eq!((pair.asked("REPLAY"), pair.counts().losses), (1, 1));
}

/// Questions that were asked and are not answered yet.
fn asked(pair: &mut Pair) -> Vec<(u64, Ask)> {
    let wishes: Vec<Wish> = std::iter::from_fn(|| pair.replica.wish()).collect();
    let ask = |wish| if let Wish::Ask(id, ask) = wish { Some((id, ask)) } else { None };
    wishes.into_iter().filter_map(ask).collect()
}

fn answer(pair: &mut Pair, (id, ask): (u64, Ask)) {
    let now = pair.moment();
    let answer = pair.publisher.answer(&ask, now).0.now();
    let epoch = pair.publisher.epoch();
    pair.replica.answer(id, answer.map(|answer| (epoch, answer)), pair.now);
}

#[test]
fn a_ring_that_runs_over_while_a_copy_is_fetched_costs_no_second_copy() {
    let mut pair = Pair::new(Options { ring_bytes_max: 1000, ..Options::new("m", 5) });
    let ops: Vec<Op> = (0..300_000).map(|at| set(&["a", &format!("{at:05}")], at)).collect();
    pair.change(&ops);
    pair.replica.tick(pair.now);
    let (mut value, mut chunks) = (0, 0);
    for _ in 0..1000 {
        let all = asked(&mut pair);
        if all.is_empty() {
            break;
        }
        for one in all {
            chunks += u32::from(matches!(one.1, Ask::Chunk { .. }));
            // Between one answer and the next, more changes than the ring has room for, and nothing of them is heard.
            for _ in 0..20 {
                value += 1;
                pair.change(&[set(&["a", &format!("{:05}", value % 7)], -value)]);
            }
            pair.now += Duration::from_millis(200);
            answer(&mut pair, one);
        }
    }
    assert!(chunks > 5, "{chunks} chunks");
    pair.settle();
    let counts = pair.counts();
    assert_eq!((counts.copies, counts.repairs, counts.mismatches), (1, 0, 0), "{counts:?}");
    assert!(counts.diffs > 0, "{counts:?}");
}

#[test]
fn what_was_dropped_while_a_replay_was_under_way_is_missed_again() {
    let mut pair = Pair::in_step();
    pair.change(&[set(&["a", "x"], -1)]);
    let published = pair.change(&[set(&["a", "x"], -2)]);
    for [_, header, body] in published {
        pair.replica.frame(&header, body, pair.now);
    }
    pair.now += Duration::from_millis(20);
    pair.replica.tick(pair.now);
    let replay = asked(&mut pair).pop().expect("it is missed");
    let now = pair.moment();
    let early = pair.publisher.answer(&replay.1, now).0.now();
    // More frames than may be kept come before that answer does: the oldest of them go.
    for at in 3..6000 {
        for [_, header, body] in pair.change(&[set(&["a", "x"], at)]) {
            pair.replica.frame(&header, body, pair.now);
        }
    }
    pair.replica.answer(replay.0, early.map(|answer| (5, answer)), pair.now);
    assert!(!pair.is_in_step(), "the answer knew nothing of them");
    pair.wait(20);
    pair.wait(20);
    assert!(pair.is_in_step(), "{:?} {:?}", pair.replica.last(), pair.counts());
    assert_eq!((pair.counts().copies, pair.counts().mismatches), (1, 0));
}

/// A node that is a leaf, a dict, a list and nothing, in turns; each time with something else beside it.
fn turns() -> Vec<Vec<Op>> {
    let at = || path(["a", "turn"]);
    let list = Value::List([Value::from(1_i64)].as_slice().into());
    let dict = |act: Act| Op { path: at(), act };
    vec![
        vec![Op::set(at(), 1_i64)],
        vec![set(&["a", "turn", "below"], 1), set(&["a", "turn", "deeper", "still"], 2)],
        vec![Op { path: at(), act: Act::Set(list) }],
        vec![dict(Act::Dict)],
        vec![set(&["a", "turn", ""], 3), dict(Act::Clear), set(&["a", "turn", "below"], 4)],
        vec![Op::delete(at()), Op::set(at(), 5_i64), set(&["a", "turn", "below", "leaf"], 6)],
        vec![Op::set(path(["a"]), "all of it is a leaf"), set(&["a", "turn"], 7)],
        vec![Op::delete(path(["a"])), Op::delete(at())],
    ]
}

#[test]
fn what_becomes_something_else_is_told_every_way() {
    let turns = turns();
    for from in 0..turns.len() {
        for to in from + 1..=turns.len() {
            let mut pair = Pair::in_step();
            turns[..from].iter().for_each(|ops| pair.tell(ops));
            assert!(pair.is_in_step());
            // Frame by frame, all in one transaction, by REPLAY, by DIFF, and by comparing digests with another publisher.
            let rest = &turns[from..to];
            let model = pair.replica.model().clone();
            rest.iter().for_each(|ops| pair.tell(ops));
            assert!(pair.is_in_step() && pair.asked.is_empty());
            let wanted = pair.publisher.model().clone();
            for ring_bytes_max in [1 << 20, 0] {
                let options = Options { ring_bytes_max, ..Options::new("m", 6) };
                let mut pair = Pair::of(Publisher::with(options, model.clone()), Vec::new());
                pair.settle();
                pair.asked.clear();
                rest.iter().for_each(|ops| drop(pair.change(ops)));
                pair.beat();
                pair.wait(20);
                assert!(pair.is_in_step(), "from {from} to {to}, {:?}", pair.asked);
                assert_eq!(*pair.replica.model(), wanted);
                assert_eq!(pair.asked("DIFF") > 0, ring_bytes_max == 0, "{:?}", pair.asked);
                pair.restart(7, model.clone());
                pair.settle();
                let one: Vec<Op> = rest.concat();
                pair.tell(&one);
                assert!(pair.is_in_step() && *pair.replica.model() == wanted);
                assert_eq!(pair.counts().copies, 1);
            }
        }
    }
}

#[test]
fn a_fork_of_a_model_never_gets_into_what_is_published() {
    let mut pair = Pair::in_step();
    let published = pair.publisher.model().digest();
    let mut fork = Publisher::with(Options::new("what if", 1), pair.publisher.model().clone());
    fork.change(&[set(&["a", "x"], 666), Op::delete(path(["b"]))], pair.moment()).unwrap();
    assert_ne!(fork.model().digest(), published);
    assert_eq!(pair.publisher.model().digest(), published);
    pair.beat();
    pair.tell(&[set(&["c", "z"], 9)]);
    assert!(pair.is_in_step() && pair.asked.is_empty());
    for model in [pair.publisher.model(), fork.model()] {
        assert_eq!(model.recompute(), model.digest());
    }
    let Some(Found::Leaf(there)) = fork.model().get(&path(["c", "z"])) else { panic!("a leaf") };
    assert_eq!(*there, Value::from(3_i64), "nor back");
}
