//! Every check of the chain, alone: epochs, what is old, gaps, digests, and that `last` goes on only with what was applied.

use esker_replica::digest::Digest;
use esker_replica::frame::{Header, Type};
use esker_replica::op::{self, Act, Op};
use esker_replica::path::path;
use esker_replica::publisher::{Options, Publisher};
use esker_replica::replica::{State, Wish};
use esker_replica::section::Junctions;

use crate::pair::{Pair, read, set};

#[test]
fn frames_alone_keep_it_in_step() {
    let mut pair = Pair::in_step();
    for value in 0..100 {
        pair.tell(&[set(&["a", "x"], value), set(&["b", &value.to_string()], value)]);
        assert!(pair.is_in_step());
    }
    assert!(pair.asked.is_empty());
    assert_eq!(pair.counts().applied, 100);
    assert_eq!(pair.replica.last(), Some((5, 101)));
}

#[test]
fn every_single_loss_is_found() {
    // The last one is found by a heartbeat alone, the others by the next frame.
    for lost in 0..5 {
        let mut pair = Pair::in_step();
        for at in 0..5 {
            let published = pair.change(&[set(&["a", "x"], 100 + at)]);
            if at != lost {
                pair.deliver(&published);
            }
        }
        pair.wait(19);
        assert!(pair.asked.is_empty(), "it may come in another order");
        pair.beat();
        assert!(!pair.is_in_step() && pair.asked.is_empty());
        pair.wait(if lost < 4 { 1 } else { 20 });
        assert!(pair.is_in_step(), "{lost}");
        assert_eq!((pair.asked("REPLAY"), pair.asked.len()), (1, 1));
        assert_eq!(pair.counts().losses, 1);
    }
}

#[test]
fn one_frame_of_several_lost_is_found() {
    for lost in 0..3 {
        let mut pair = Pair::in_step();
        let mut published =
            pair.change(&[set(&["a", "x"], 9), set(&["b", "x"], 9), set(&["c", "x"], 9)]);
        published.remove(lost);
        let before = pair.replica.model().clone();
        pair.deliver(&published);
        assert_eq!(*pair.replica.model(), before, "nothing of it before all of it is there");
        pair.wait(20);
        assert!(pair.is_in_step());
        assert_eq!(pair.asked("REPLAY"), 1);
    }
}

#[test]
fn another_order_and_repetition_cost_nothing() {
    let mut pair = Pair::in_step();
    let mut published: Vec<_> =
        (0..20).flat_map(|at| pair.change(&[set(&["a", "x"], at)])).collect();
    let again = published.clone();
    published.reverse();
    pair.deliver(&published);
    assert!(pair.is_in_step());
    let model = pair.replica.model().clone();
    pair.deliver(&again);
    assert!(pair.is_in_step() && *pair.replica.model() == model);
    assert_eq!((pair.counts().duplicates, pair.counts().applied), (20, 20));
    assert!(pair.asked.is_empty());
}

#[test]
fn what_is_old_is_not_applied_again() {
    let mut pair = Pair::in_step();
    let old = pair.change(&[set(&["a", "x"], 10)]);
    pair.deliver(&old);
    pair.tell(&[set(&["a", "x"], 11)]);
    let before = pair.counts();
    pair.deliver(&old);
    assert!(pair.is_in_step(), "it went back in time");
    let after = pair.counts();
    assert_eq!((after.duplicates, after.mismatches), (before.duplicates + 1, before.mismatches));
    assert_eq!(pair.replica.last(), Some((5, 3)));
}

#[test]
fn a_zombie_is_refused() {
    let mut pair = Pair::in_step();
    let model = pair.publisher.model().clone();
    let mut zombie = pair.restart(6, model);
    pair.beat();
    assert_eq!(pair.replica.last(), Some((6, 0)));
    let now = pair.moment();
    let mut published = zombie.change(&[set(&["a", "x"], 666)], now).unwrap();
    published.extend(zombie.tick(now));
    pair.deliver(&published);
    assert!(pair.is_in_step());
    assert_eq!(pair.counts().zombies, published.len() as u64);
    // The one that goes on counts from one again, with numbers that are known from before.
    pair.tell(&[set(&["a", "x"], 7)]);
    assert!(pair.is_in_step());
    assert_eq!(pair.replica.last(), Some((6, 1)));
}

#[test]
fn a_zombie_that_answers_is_refused() {
    let mut pair = Pair::in_step();
    let model = pair.publisher.model().clone();
    let zombie = pair.restart(6, model);
    pair.beat();
    let next = std::mem::replace(&mut pair.publisher, zombie);
    pair.change(&[set(&["a", "x"], 666)]);
    let model = pair.replica.model().clone();
    // Something is missing, and the one that is over answers.
    let mut header = Header::new(Type::Heartbeat);
    (header.epoch, header.seq) = (6, 1);
    header.section = read(&pair.publisher.bye(pair.moment())).0.section;
    pair.forge(&header, "\0");
    for _ in 0..10 {
        pair.wait(500);
    }
    assert_eq!((pair.replica.last(), pair.replica.model() == &model), (Some((6, 0)), true));
    assert!(pair.counts().zombies > 0);
    pair.publisher = next;
    pair.settle();
}

#[test]
fn the_same_model_in_a_new_epoch_costs_nothing_of_it() {
    let mut pair = Pair::in_step();
    let before = pair.counts();
    let model = pair.publisher.model().clone();
    pair.restart(6, model);
    pair.beat();
    assert!(pair.is_in_step());
    assert_eq!((pair.asked("HELLO"), pair.asked.len()), (1, 1));
    assert_eq!(pair.counts().fetched_bytes, before.fetched_bytes);
}

#[test]
fn an_older_model_in_a_new_epoch_is_walked() {
    let mut pair = Pair::in_step();
    let old = pair.publisher.model().clone();
    pair.tell(&[set(&["a", "x"], 10), set(&["new"], 1)]);
    pair.restart(6, old);
    pair.beat();
    assert!(pair.is_in_step());
    assert_eq!((pair.counts().repairs, pair.counts().copies), (1, 1));
    assert_eq!(pair.replica.last(), Some((6, 0)));
}

#[test]
fn a_wrong_digest_is_put_right_and_last_stays_until_then() {
    let mut pair = Pair::in_step();
    let published = pair.change(&[set(&["a", "x"], 10)]);
    let (mut header, body) = read(&published[0]);
    header.after = Digest(header.after.0 ^ 1 << 127);
    pair.answers = false;
    pair.forge(&header, body);
    assert_eq!(pair.replica.last(), Some((5, 1)), "it was not applied as it should be");
    assert_ne!(pair.replica.state(), State::Live);
    assert_eq!(pair.counts().mismatches, 1);
    pair.answers = true;
    pair.settle();
    assert_eq!(pair.replica.last(), Some((5, 2)));
    assert_eq!(pair.counts().copies, 1, "none but the first");
}

#[test]
fn a_flipped_bit_in_an_operation_is_found() {
    let mut pair = Pair::in_step();
    let published = pair.change(&[set(&["a", "x"], 10)]);
    let (header, body) = read(&published[0]);
    let mut body = body.to_vec();
    *body.last_mut().unwrap() ^= 2;
    pair.forge(&header, body);
    pair.settle();
    let counts = pair.counts();
    assert_eq!((counts.mismatches, counts.repairs, counts.copies), (1, 1, 1));
}

#[test]
fn what_was_wrong_elsewhere_is_put_right_even_if_the_first_try_fails() {
    let mut pair = Pair::in_step();
    // Somebody makes up a change of b, and nobody answers; then comes the true transaction, which is of a alone.
    let forged = op::encode(&[set(&["b", "y"], 666)]);
    let published = pair.change(&[set(&["a", "x"], 10)]);
    let (mut header, _) = read(&published[0]);
    header.section = section(&["b"]);
    pair.answers = false;
    pair.forge(&header, forged);
    pair.answers = true;
    pair.deliver(&published);
    for _ in 0..5 {
        pair.wait(100);
        assert!(pair.replica.state() != State::Live || pair.is_in_step());
    }
    assert!(pair.is_in_step());
}

/// The number of a section.
fn section(keys: &[&str]) -> u64 {
    let mut publisher = Publisher::new(Options::new("m", 1));
    let path = path([&keys[..1], &["x"]].concat());
    let published = publisher.change(&[Op::set(path, 1_i64)], Default::default()).unwrap();
    read(&published[0]).0.section
}

#[test]
fn a_level_heartbeat_with_another_digest_begins_a_repair() {
    let mut pair = Pair::in_step();
    let bye = pair.publisher.bye(pair.moment());
    let (mut header, body) = read(&bye);
    assert_eq!(header.seq, 1);
    header.kind = Type::Heartbeat;
    pair.forge(&header, body.clone());
    assert!(pair.asked.is_empty());
    header.after = Digest(1);
    pair.forge(&header, body);
    assert_eq!((pair.asked("CUT"), pair.counts().mismatches), (1, 1));
    assert!(pair.asked.keys().eq(["CUT", "REPLAY"]), "it was the publisher's model already");
    assert!(pair.is_in_step());
}

#[test]
fn frames_that_are_nonsense_are_counted_and_put_right() {
    let mut pair = Pair::in_step();
    let good = |pair: &mut Pair| {
        let published = pair.change(&[set(&["a", "x"], 10)]);
        read(&published[0])
    };
    let (header, body) = good(&mut pair);
    let two = op::encode(&[set(&["a", "x"], 1), set(&["b", "x"], 1)]);
    let root = op::encode(&[Op { path: Vec::new(), act: Act::Clear }]);
    let cases = [
        (Header { ops: 2, ..header }, body.clone()),
        (Header { ops: 0, ..header }, body.clone()),
        (Header { section: 7, ..header }, body.clone()),
        (Header { ops: 2, ..header }, two.into()),
        (Header { ops: 1, ..header }, root.into()),
        (Header { ops: 0, ..header }, "".into()),
        (Header { ops: 1, ..header }, "\u{9}".into()),
    ];
    for (number, (header, body)) in cases.into_iter().enumerate() {
        let mut pair = Pair::in_step();
        good(&mut pair);
        pair.forge(&header, body);
        assert_eq!(pair.counts().malformed, 1, "{number}");
        pair.settle();
    }
    let before = pair.counts().malformed;
    pair.replica.frame(&[0; 72], "".into(), pair.now);
    pair.replica.frame(b"", "".into(), pair.now);
    assert_eq!(pair.counts().malformed, before + 2);
}

#[test]
fn everything_that_changed_is_told() {
    let mut pair = Pair::in_step();
    pair.wishes.clear();
    let ops =
        [set(&["a", "x"], 10), Op::delete(path(["b"])), Op { path: path(["c"]), act: Act::Clear }];
    pair.tell(&ops);
    pair.tell(&[set(&["a", "x"], 10), Op::delete(path(["absent"]))]);
    assert_eq!(pair.wishes, [Wish::Changed(ops.to_vec())]);
}

fn of_sections() -> Pair {
    let options = Options { junctions: Junctions::new([path(["s"])]), ..Options::new("m", 5) };
    let mut pair = Pair::of(Publisher::new(options), vec![path(["a"]), path(["s", "b"])]);
    pair.change(&[
        set(&["a", "x"], 1),
        set(&["s", "b", "y"], 2),
        set(&["s", "c", "z"], 3),
        set(&["d"], 4),
    ]);
    pair.settle();
    pair.asked.clear();
    pair
}

#[test]
fn of_a_section_gaps_in_the_numbers_are_no_loss() {
    let mut pair = of_sections();
    assert!(pair.replica.model().get(&path(["d"])).is_none());
    for at in 0..50 {
        pair.tell(&[set(&["d"], at), set(&["s", "c", "z"], at)]);
        pair.tell(&[set(&["a", "x"], at), set(&["d"], -at)]);
        assert!(pair.is_in_step());
        pair.wait(30);
    }
    assert!(pair.asked.is_empty());
    assert_eq!(pair.counts().losses, 0);
}

#[test]
fn of_a_section_a_loss_is_found() {
    let mut pair = of_sections();
    pair.change(&[set(&["a", "x"], 10), set(&["d"], 1)]);
    pair.tell(&[set(&["s", "b", "y"], 11)]);
    assert_eq!(pair.counts().losses, 0);
    pair.tell(&[set(&["a", "x"], 12)]);
    pair.wait(20);
    assert!(pair.is_in_step());
    assert_eq!(pair.counts().losses, 1);
    assert_eq!((pair.asked("REPLAY"), pair.asked.len()), (1, 1));
    // And the last one, by its section's heartbeat.
    pair.change(&[set(&["s", "b", "y"], 13)]);
    pair.beat();
    pair.wait(20);
    assert!(pair.is_in_step());
    assert_eq!(pair.asked("REPLAY"), 2);
}

#[test]
fn frames_of_other_sections_are_not_kept() {
    let mut pair = of_sections();
    for at in 0..5000 {
        let published = pair.change(&[set(&["d"], at)]);
        let (header, body) = read(&published[0]);
        pair.forge(&header, body);
    }
    assert!(pair.is_in_step() && pair.asked.is_empty());
    let first = pair.change(&[set(&["a", "x"], 1000)]);
    pair.deliver(&first);
    assert!(pair.is_in_step());
}

#[test]
fn a_frame_of_other_sections_takes_nobodys_place() {
    let mut pair = of_sections();
    let first = pair.change(&[set(&["a", "x"], 10)]);
    let second = pair.change(&[set(&["a", "x"], 11)]);
    pair.deliver(&second);
    for at in 0..5000 {
        let published = pair.change(&[set(&["d"], at)]);
        let (header, body) = read(&published[0]);
        pair.forge(&header, body);
    }
    pair.deliver(&first);
    assert!(pair.is_in_step() && pair.asked.is_empty());
}

#[test]
fn of_a_section_what_is_old_is_not_applied_again() {
    let mut pair = of_sections();
    let old = pair.change(&[set(&["a", "x"], 10)]);
    pair.deliver(&old);
    pair.tell(&[set(&["a", "x"], 11)]);
    let before = pair.counts();
    pair.deliver(&old);
    assert!(pair.is_in_step(), "it went back in time");
    assert_eq!(pair.counts().duplicates, before.duplicates + 1);
    assert_eq!(pair.counts().applied, before.applied);
}

#[test]
fn a_restart_that_only_answers_tell_of_is_noticed() {
    let mut pair = Pair::in_step();
    pair.change(&[set(&["a", "x"], 10)]);
    let beat = pair.publisher.tick(pair.moment());
    let model = pair.publisher.model().clone();
    pair.restart(6, model);
    pair.deliver(&beat);
    pair.wait(20);
    pair.wait(100);
    assert!(pair.is_in_step());
    assert_eq!(pair.replica.last(), Some((6, 0)));
}

#[test]
fn a_publisher_at_the_same_number_with_another_model_is_found_by_hello() {
    let mut pair = Pair::in_step();
    pair.publisher = Publisher::new(Options::new("m", 5));
    pair.change(&[set(&["a", "x"], 666)]);
    pair.wait(3000);
    assert_eq!(pair.replica.model(), pair.publisher.model());
    assert_eq!(pair.counts().copies, 1);
}
