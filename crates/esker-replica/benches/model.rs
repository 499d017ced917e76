//! The core without sockets: changes through a publisher into a replica, a full copy, and what digests cost of it.
//!
//! `cargo bench -p esker-replica`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::time::{Duration, Instant};

use esker_replica::model::Model;
use esker_replica::op::Op;
use esker_replica::path::{Path, path};
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::replica::{self, Replica, Wish};

/// The changes of one transaction, as a busy publisher gathers them.
const BATCH: usize = 1000;

/// Changes measured.
const CHANGES: usize = 1_000_000;

fn leaf(number: usize, width: usize) -> Path {
    let (a, b, c) = (number / width / width, number / width % width, number % width);
    path([format!("section {a}"), format!("task {b}"), format!("field {c}")])
}

fn fill(width: usize) -> Vec<Op> {
    let leaves = 0..width * width * width;
    leaves.map(|number| Op::set(leaf(number, width), "waiting")).collect()
}

/// xorshift64.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 8).unwrap()
}

fn batches(width: usize) -> Vec<Vec<Op>> {
    let mut state = 7;
    let leaves = width * width * width;
    let op = |state: &mut u64| {
        let at = leaf(random(state) % leaves, width);
        Op::set(at, format!("running {}", random(state) % 1_000_000).as_str())
    };
    (0..CHANGES / BATCH).map(|_| (0..BATCH).map(|_| op(&mut state)).collect()).collect()
}

fn copy(publisher: &mut Publisher, replica: &mut Replica) -> Duration {
    let begun = Instant::now();
    let now = Now::default();
    replica.tick(now.since);
    while let Some(wish) = replica.wish() {
        if let Wish::Ask(id, ask) = wish {
            let (reply, _) = publisher.answer(&ask, now);
            let epoch = publisher.epoch();
            replica.answer(id, reply.now().map(|answer| (epoch, answer)), now.since);
        }
    }
    assert_eq!(publisher.model().digest(), replica.model().digest());
    begun.elapsed()
}

fn rate(took: Duration) -> f64 {
    CHANGES as f64 / took.as_secs_f64() / 1000.0
}

fn measure(width: usize) {
    let leaves = width * width * width;
    let mut plain = Model::default();
    let begun = Instant::now();
    let ops = fill(width);
    let made = begun.elapsed();
    let begun = Instant::now();
    plain.take(&ops, 1);
    println!("{leaves} leaves: made in {made:?}, applied in {:?}", begun.elapsed());
    let mut publisher = Publisher::with(Options::new("m", 1), plain);
    let mut replica = Replica::new(replica::Options::default());
    println!("  full copy, first: {:?}", copy(&mut publisher, &mut replica));
    let mut second = Replica::new(replica::Options::default());
    println!("  full copy, chunks made before: {:?}", copy(&mut publisher, &mut second));
    let batches = batches(width);
    let begun = Instant::now();
    let now = Now::default();
    let published: Vec<Vec<Publication>> =
        batches.iter().map(|ops| publisher.change(ops, now).unwrap()).collect();
    println!("  publisher: {:.0} k/s", rate(begun.elapsed()));
    drop(second);
    let begun = Instant::now();
    for [_, header, body] in published.into_iter().flatten() {
        replica.frame(&header, body, now.since);
        while replica.wish().is_some() {}
    }
    println!("  replica: {:.0} k/s", rate(begun.elapsed()));
    assert_eq!(publisher.model().digest(), replica.model().digest());
}

fn main() {
    measure(46);
    measure(100);
}
