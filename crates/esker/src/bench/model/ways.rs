//! What finding again costs, in bytes: beyond the ring, with one wrong leaf, and after a restart. No sockets take part.

use std::time::Duration;

use anyhow::{Result, bail};
use esker_replica::model::Model;
use esker_replica::op::Op;
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::replica::{self, Replica, State, Wish};

use super::made::{self, Dice};
use crate::bench::Bench;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The leaves that change while a replica does not hear.
const UNHEARD: usize = 100;

/// What they may cost of a full copy.
const UNHEARD_SHARE: Bound = Bound::AtLeast(10.0, 20.0);

/// How many times fewer bytes than a full copy one wrong leaf costs.
const WRONG_SHARE: Bound = Bound::AtLeast(100.0, 800.0);

/// The steps in which everything has to be settled.
const STEPS_MAX: usize = 100_000;

/// A publisher and a replica without a network.
struct Pair {
    publisher: Publisher,
    replica: Replica,
    now: Duration,
}

impl Pair {
    fn moment(&self) -> Now {
        Now { since: self.now, wall: 0 }
    }

    fn hear(&mut self, published: Vec<Publication>) {
        for [_, header, body] in published {
            self.replica.frame(&header, body, self.now);
        }
    }

    /// Lets the replica ask until it is in step; the bytes that took.
    fn settle(&mut self) -> Result<f64> {
        let before = self.replica.counts().fetched_bytes;
        for _ in 0..STEPS_MAX {
            let wish = self.replica.wish();
            match wish {
                Some(Wish::Ask(id, ask)) => {
                    let now = self.moment();
                    let (reply, _) = self.publisher.answer(&ask, now);
                    let epoch = self.publisher.epoch();
                    self.replica.answer(id, reply.now().map(|answer| (epoch, answer)), self.now);
                }
                Some(_) => {}
                None if self.is_in_step() => {
                    return Ok((self.replica.counts().fetched_bytes - before) as f64);
                }
                None => {
                    self.now += Duration::from_millis(10);
                    self.replica.tick(self.now);
                }
            }
        }
        bail!("a replica is not in step after {STEPS_MAX} steps")
    }

    fn is_in_step(&self) -> bool {
        let is_live = self.replica.state() == State::Live;
        is_live && self.replica.model().digest() == self.publisher.model().digest()
    }
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let width = bench.sizes.model.widths[1];
    let leaves = width.pow(3);
    bench.begin(&format!("finding again what a replica of {leaves} leaves lacks"));
    let mut model = Model::default();
    model.take(&made::whole(width), 1);
    // Nothing can be replayed, so that the other ways are taken.
    let options = |epoch: u64| Options { ring_bytes_max: 0, ..Options::new("bench", epoch) };
    let publisher = Publisher::with(options(1), model);
    let replica = Replica::new(replica::Options::default());
    let mut pair = Pair { publisher, replica, now: Duration::ZERO };
    pair.replica.tick(pair.now);
    let copy = pair.settle()?;

    let mut dice = Dice::new(9);
    let unheard: Vec<Op> = (0..UNHEARD).map(|_| made::change(&mut dice, width)).collect();
    pair.publisher.change(&unheard, pair.moment())?;
    let beats = pair.publisher.tick(pair.moment());
    pair.hear(beats);
    let diff = pair.settle()?;

    let mut wrong = pair.publisher.model().clone();
    wrong.take(&[made::change(&mut dice, width)], 1);
    pair.publisher = Publisher::with(options(2), wrong);
    let beats = pair.publisher.tick(pair.moment());
    pair.hear(beats);
    let repair = pair.settle()?;

    let same = pair.publisher.model().clone();
    pair.publisher = Publisher::with(options(3), same);
    let beats = pair.publisher.tick(pair.moment());
    pair.hear(beats);
    let restart = pair.settle()?;
    if pair.replica.last().map(|(epoch, _)| epoch) != Some(3) {
        bail!("a replica has not noticed that its publisher was started anew");
    }

    let bytes = |value| Rounds::one(Unit::Bytes, value);
    let cases = [
        (
            "model-diff",
            format!("{UNHEARD} of {leaves} leaves changed unheard, beyond what is kept"),
            diff,
            UNHEARD_SHARE,
        ),
        ("model-repair", format!("one wrong leaf of {leaves}"), repair, WRONG_SHARE),
    ];
    for (key, what, cost, bound) in cases {
        let case = Case::new(key, what, bytes(cost)).against("a full copy", bytes(copy));
        bench.table.push(case.bound(bound));
    }
    let what = format!("a publisher of {leaves} leaves started anew with the same: of its model");
    bench.table.push(Case::new("model-restart", what, bytes(restart)).bound(Bound::Zero));
    Ok(())
}
