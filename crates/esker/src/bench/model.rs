//! The cases of the live model: how fast changes get through, how soon a late joiner has all, and what finding again costs.

mod crowd;
mod far;
mod limits;
mod made;
mod nats;
pub(super) mod publish;
mod rates;
mod raw;
mod stage;
mod storm;
mod ways;

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;
use super::table::Bound;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The changes that a busy publisher is given at once.
const BATCH: usize = 1000;

/// How much of the model is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The keys of each of three levels, of a small and of a large model.
    pub(super) widths: [usize; 2],
    /// The changes of one round.
    pub(super) changes: usize,
    /// Those of the seed's way, which is slower.
    pub(super) peer_changes: usize,
    /// Those of NATS.
    pub(super) nats_changes: usize,
    /// How many replicas there are at once.
    pub(super) crowd: usize,
    /// The keys of each of the three levels of what they fetch.
    pub(super) crowd_width: usize,
    /// The same where each of them keeps what it has.
    pub(super) replicas_width: usize,
    /// The keys of each of the three levels of the largest model.
    pub(super) far_width: usize,
    /// How long they hear a publisher.
    pub(super) hearing: Duration,
}

pub(super) const FULL: Sizes = Sizes {
    widths: [46, 100],
    changes: 1_000_000,
    peer_changes: 50_000,
    nats_changes: 500_000,
    crowd: 1_000,
    crowd_width: 46,
    replicas_width: 46,
    far_width: 215,
    hearing: Duration::from_secs(5),
};

pub(super) const QUICK: Sizes = Sizes {
    widths: [22, 46],
    changes: 200_000,
    peer_changes: 10_000,
    nats_changes: 50_000,
    crowd: 200,
    crowd_width: 46,
    replicas_width: 22,
    far_width: 100,
    hearing: Duration::from_millis(500),
};

pub(super) const SMOKE: Sizes = Sizes {
    widths: [5, 8],
    changes: 2_000,
    peer_changes: 200,
    nats_changes: 200,
    crowd: 10,
    crowd_width: 5,
    replicas_width: 5,
    far_width: 9,
    hearing: Duration::from_millis(50),
};

/// How many times faster than the seed's way changes must get through, in a small and in a large model.
const RATES: [Bound; 2] = [Bound::AtLeast(20.0, 36.0), Bound::AtLeast(14.0, 23.0)];

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        let leaves = self.widths.map(|width| width.pow(3));
        json!({
            "leaves": leaves,
            "changes": self.changes,
            "seed-changes": self.peer_changes,
            "nats-changes": self.nats_changes,
            "replicas": self.crowd,
        })
    }
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    for (width, rate) in bench.sizes.model.widths.into_iter().zip(RATES) {
        let is_large = width == bench.sizes.model.widths[1];
        rates::run(bench, rates::What { width, rate, is_large })?;
    }
    ways::run(bench)?;
    far::run(bench)?;
    storm::run(bench)?;
    crowd::run(bench)
}
