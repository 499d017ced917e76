//! Far behind: partitions longer than the ring, deletions too old, silence, and what each way back costs.

use std::time::Duration;

use esker_replica::ask::Ask;
use esker_replica::model::Model;
use esker_replica::op::{Act, Op};
use esker_replica::path::{Key, Path, path};
use esker_replica::publisher::{Options, Publisher};
use esker_replica::replica::{self, Replica, State, Wish};
use esker_wire::fault::Code;

use crate::dice::Dice;
use crate::pair::{Pair, read, set};

fn small_ring() -> Pair {
    let mut pair = Pair::new(Options { ring_bytes_max: 1000, ..Options::new("m", 5) });
    let ops: Vec<Op> = (0..1000).map(|at| set(&["a", &format!("{at:04}")], at)).collect();
    pair.change(&ops);
    pair.settle();
    pair.asked.clear();
    pair
}

#[test]
fn a_partition_longer_than_the_ring_is_told_by_diff() {
    let mut pair = small_ring();
    for at in 0..100 {
        pair.change(&[
            set(&["a", "0007"], at),
            Op::delete(path(["a", &format!("{:04}", at + 100)])),
        ]);
    }
    pair.change(&[Op { path: path(["a", "0001"]), act: Act::Dict }, set(&["b", "c"], 1)]);
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
    assert_eq!((pair.asked("REPLAY"), pair.asked("DIFF"), pair.asked.len()), (1, 1, 2));
    assert_eq!((pair.counts().copies, pair.counts().repairs), (1, 0));
}

#[test]
fn a_partition_shorter_than_the_ring_is_only_replayed() {
    let mut pair = Pair::in_step();
    for at in 0..100 {
        pair.change(&[set(&["a", "x"], at)]);
    }
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
    assert_eq!((pair.asked("REPLAY"), pair.asked.len()), (1, 1));
}

#[test]
fn deletions_too_old_are_found_by_a_walk() {
    let mut pair = small_ring();
    let leaves: Vec<Op> = (0..20_000).map(|at| set(&["b", &format!("{at:05}")], at)).collect();
    pair.tell(&leaves);
    pair.settle();
    pair.asked.clear();
    // More than one DIFF tells.
    for at in 0..10_001 {
        pair.change(&[Op::delete(path(["b", &format!("{at:05}")]))]);
    }
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
    // The second REPLAY asks what came since the cut.
    assert_eq!((pair.asked("REPLAY"), pair.asked("DIFF"), pair.asked("CUT")), (2, 1, 1));
    assert_eq!((pair.counts().repairs, pair.counts().copies), (1, 1));
}

#[test]
fn a_publisher_that_goes_on_with_a_model_tells_only_what_is_new() {
    let mut pair = small_ring();
    for at in 0..200 {
        pair.tell(&[set(&["a", &format!("{at:04}")], -at), set(&["b", "c", &at.to_string()], at)]);
    }
    let model = pair.publisher.model().clone();
    pair.publisher = Publisher::with(Options { ring_bytes_max: 0, ..Options::new("m", 6) }, model);
    pair.beat();
    assert!(pair.is_in_step());
    let before = pair.counts();
    pair.change(&[set(&["b", "c", "new"], 1)]);
    pair.change(&[set(&["b", "c", "newer"], 1)]);
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
    let after = pair.counts();
    assert_eq!((after.diffs, after.mismatches), (before.diffs + 1, before.mismatches));
    let bytes = after.fetched_bytes - before.fetched_bytes;
    assert!(bytes < 300, "{bytes} bytes for two leaves");
}

#[test]
fn silence_is_noticed_after_three_seconds_and_a_dead_publisher_told() {
    let mut pair = Pair::in_step();
    pair.answers = false;
    pair.wait(2999);
    assert_eq!(pair.replica.state(), State::Live);
    pair.wait(1);
    assert_eq!(pair.replica.state(), State::Stale);
    assert!(pair.replica.model().get(&path(["a", "x"])).is_some(), "it keeps what it has");
    pair.wait(60_000);
    assert_eq!(pair.replica.state(), State::Stale);
    pair.answers = true;
    pair.settle();
}

#[test]
fn who_answers_and_is_not_heard_is_connected_to_anew() {
    let mut pair = Pair::in_step();
    pair.change(&[set(&["a", "x"], 9)]);
    pair.wait(3000);
    assert!(pair.wishes.iter().any(|wish| matches!(wish, Wish::Resubscribe(_))));
    assert_eq!(pair.replica.model(), pair.publisher.model(), "what was missed is asked for");
    assert_eq!(pair.replica.state(), State::Stale);
    pair.beat();
    assert!(pair.is_in_step());
}

#[test]
fn a_replica_that_never_hears_anything_is_stale_too() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.wait(0);
    assert_eq!(pair.replica.state(), State::Live);
    pair.wait(3000);
    assert_eq!(pair.replica.state(), State::Stale);
    assert!(pair.wishes.iter().any(|wish| matches!(wish, Wish::Resubscribe(_))));
}

#[test]
fn clocks_decide_nothing() {
    let mut pair = Pair::in_step();
    let walls = [u64::MAX, 0, 1 << 50, 1, 0];
    for (at, wall) in (0..).zip(walls) {
        let now = esker_replica::publisher::Now { since: pair.now, wall };
        let published = pair.publisher.change(&[set(&["a", "x"], at)], now).unwrap();
        assert_eq!(read(&published[0]).0.time, wall);
        pair.deliver(&published);
        assert!(pair.is_in_step());
    }
    assert!(pair.asked.is_empty());
}

#[test]
fn subscribing_in_the_middle_of_a_burst() {
    let mut pair = Pair::new(Options::new("m", 5));
    let mut published = Vec::new();
    for at in 0..50 {
        published.extend(pair.change(&[set(&["a", &at.to_string()], at)]));
    }
    pair.deliver(&published[40..45]);
    pair.wait(0);
    for at in 50..60 {
        published.extend(pair.change(&[set(&["a", &at.to_string()], at)]));
    }
    pair.deliver(&published[45..]);
    assert!(pair.is_in_step());
    assert_eq!((pair.counts().copies, pair.counts().losses), (1, 0));
}

#[test]
fn a_shared_cut_is_followed_by_what_came_since() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.change(&[set(&["a"], 1)]);
    pair.wait(0);
    assert!(pair.is_in_step());
    // Nobody hears of this but who asks: it is newer than the cut that a second one is given.
    pair.change(&[set(&["a"], 2)]);
    pair.replica = Replica::new(replica::Options::default());
    pair.wait(0);
    assert!(pair.is_in_step());
    assert_eq!((pair.counts().copies, pair.counts().applied), (1, 1));
}

#[test]
fn a_cut_older_than_what_is_here_of_a_section_is_not_gone_back_to() {
    let options = Options { ring_bytes_max: 0, ..Options::new("m", 5) };
    let sections = vec![path(["a"]), path(["b"])];
    let mut pair = Pair::of(Publisher::new(options), sections.clone());
    pair.change(&[set(&["a", "x"], 1), set(&["b", "x"], 1)]);
    pair.settle();
    pair.wait(2000);
    pair.beat();
    pair.tell(&[set(&["b", "x"], 2)]);
    // Others are given a cut of these sections, which is shared for a second.
    let cut = Ask::Cut(esker_replica::ask::Cut { sections, from: 0 });
    let now = pair.moment();
    assert!(pair.publisher.answer(&cut, now).0.now().is_ok());
    let before = pair.counts();
    pair.change(&[set(&["a", "x"], 3)]);
    let lost = pair.publisher.seq();
    pair.tell(&[set(&["b", "x"], 4), set(&["b", "y"], 4)]);
    pair.change(&[set(&["b", "x"], 5)]);
    assert_eq!(lost, 3);
    pair.beat();
    pair.wait(20);
    for _ in 0..20 {
        pair.wait(100);
        assert_eq!(pair.counts().mismatches, before.mismatches);
    }
    assert!(pair.is_in_step());
    assert_eq!(pair.counts().repairs, before.repairs);
}

#[test]
fn a_hundred_thousand_operations_are_applied_whole() {
    let mut pair = Pair::in_step();
    let ops: Vec<Op> = (0..100_000)
        .map(|at| set(&["one", &format!("{}", at % 300), &format!("{at}")], at))
        .chain((0..10).map(|at| set(&["another"], at)))
        .collect();
    let published = pair.change(&ops);
    assert!(published.len() > 2);
    let (last, all) = published.split_last().unwrap();
    pair.deliver(all);
    assert!(pair.replica.model().get(&path(["one"])).is_none(), "nothing of it before all of it");
    pair.deliver(std::slice::from_ref(last));
    assert!(pair.is_in_step() && pair.asked.is_empty());
    assert_eq!(pair.replica.model().nodes(), pair.publisher.model().nodes());
    // Lost as a whole it is replayed, or told as a difference.
    let gone: Vec<Op> = (0..300).map(|at| Op::delete(path(["one", &format!("{at}")]))).collect();
    pair.change(&gone);
    pair.change(&ops);
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
}

#[test]
fn a_transaction_too_large_to_wait_is_told_by_diff() {
    let mut pair = Pair::in_step();
    let text = "x".repeat(4 * 1024 * 1024);
    let ops: Vec<Op> = (0..6).map(|at| Op::set(path([format!("{at}")]), text.as_str())).collect();
    let published = pair.change(&ops);
    pair.deliver(&published);
    pair.wait(20);
    assert!(pair.is_in_step());
    let counts = pair.counts();
    assert_eq!((pair.asked("REPLAY"), counts.diffs, counts.copies, counts.repairs), (1, 1, 1, 0));
}

#[test]
fn the_largest_leaves_reach_everybody() {
    let mut pair = Pair::in_step();
    let most = "x".repeat(esker_replica::value::VALUE_MAX - 5);
    pair.tell(&[Op::set(path(["b", "large"]), most.as_str())]);
    assert!(pair.is_in_step());
    pair.change(&[Op::set(path(["a", "y"]), "y".repeat(1024 * 1024 - 30).as_str())]);
    pair.change(&[Op::set(path(["b", "large"]), most.replace('x', "y").as_str())]);
    let model = pair.publisher.model().clone();
    let mut other = Pair::of(Publisher::with(Options::new("m", 9), model), Vec::new());
    other.settle();
    assert_eq!(other.counts().malformed, 0);
}

#[test]
fn six_hundred_keys_are_refused_and_512_are_not() {
    let mut pair = Pair::in_step();
    let deep = |keys: usize| -> Path { (0..keys).map(|at| Key::from(format!("{at}"))).collect() };
    pair.tell(&[Op::set(deep(512), 1_i64)]);
    assert!(pair.is_in_step());
    for keys in [513, 100_000] {
        let fault =
            pair.publisher.change(&[Op::set(deep(keys), 1_i64)], Default::default()).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge);
        assert!(fault.message.contains(&format!("a path has {keys} keys")), "{}", fault.message);
        assert!(fault.message.contains("[\"0\",\"1\""), "it names the path: {}", fault.message);
    }
    let mut other =
        Pair::of(Publisher::with(Options::new("m", 9), pair.publisher.model().clone()), Vec::new());
    other.settle();
}

/// A million leaves, three levels deep.
fn million() -> Model {
    let mut publisher = Publisher::new(Options::new("m", 1));
    for hundred in 0..100_u32 {
        let leaf = |at: u32| {
            let keys =
                [format!("{hundred:02}"), format!("{:02}", at / 100), format!("{:02}", at % 100)];
            Op::set(path(keys), i64::from(at * 7919))
        };
        publisher.change(&(0..10_000).map(leaf).collect::<Vec<_>>(), Default::default()).unwrap();
    }
    publisher.model().clone()
}

#[test]
fn a_million_leaves_and_what_ways_back_cost() {
    let model = million();
    assert_eq!(model.nodes(), 1_010_101);
    let mut pair = Pair::of(Publisher::with(Options::new("m", 1), model.clone()), Vec::new());
    pair.settle();
    let (copy, fetched) = (pair.bytes, pair.counts().fetched_bytes);
    assert!(fetched > 500_000, "{fetched}");
    // A publisher that has another leaf, and one that has a hundred others.
    let mut dice = Dice::new(1);
    for (epoch, leaves, share) in [(2, 1, 100), (3, 100, 10)] {
        let mut other = Publisher::with(Options::new("m", epoch), model.clone());
        let leaf = |_| {
            let mut key = || format!("{:02}", dice.below(100));
            set(&[&key(), &key(), &key()], -1)
        };
        other.change(&(0..leaves).map(leaf).collect::<Vec<_>>(), pair.moment()).unwrap();
        pair.publisher = other;
        pair.bytes = 0;
        pair.beat();
        assert!(pair.is_in_step());
        assert_eq!(pair.counts().copies, 1);
        println!("{leaves} of a million: {} bytes, a copy {copy}", pair.bytes);
        assert!(pair.bytes * share <= copy, "{leaves}: {} of {copy} bytes", pair.bytes);
        // And back, so that only what differs from it counts.
        let first = Publisher::with(Options::new("m", epoch + 10), model.clone());
        pair.publisher = first;
        if leaves == 1 {
            pair = Pair::of(Publisher::with(Options::new("m", 2), model.clone()), Vec::new());
            pair.settle();
        }
    }
    // What is held stays as it was.
    assert_eq!(model.recompute(), model.digest());
}

#[test]
fn a_storm_shares_one_cut() {
    let mut publisher = Publisher::new(Options::new("m", 1));
    publisher.change(&[set(&["a"], 1)], Default::default()).unwrap();
    let now =
        |millis| esker_replica::publisher::Now { since: Duration::from_millis(millis), wall: 0 };
    let ask = Ask::Cut(esker_replica::ask::Cut { sections: Vec::new(), from: 0 });
    let mut cut = |millis| match publisher.answer(&ask, now(millis)).0.now().unwrap() {
        esker_replica::ask::Answer::Cut(cut) => cut.cut,
        other => panic!("{other:?}"),
    };
    assert!((0..1000).all(|millis| cut(millis) == 1));
}
