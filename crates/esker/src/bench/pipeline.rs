//! The cases of the pipeline: how soon a result is there, what looking costs, what a burst does, what survives.

mod burst;
mod chain;
mod client;
mod crashes;
mod log;
mod pair;
mod rivals;
mod tree;
mod whatif;
mod wide;

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;

/// How much of the pipeline is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The stages of the wide project.
    pub(super) stages: usize,
    /// Its resources.
    pub(super) resources: usize,
    /// The PUTs of one input in a burst.
    pub(super) burst: u64,
    /// The random crashes.
    pub(super) crashes: u32,
    /// The changes of one round that are made one after the other.
    pub(super) changes: u64,
    /// The what-ifs that are put at once.
    pub(super) at_once: usize,
    /// The rows of the large table that one edits.
    pub(super) rows: u64,
    /// The what-ifs that are kept beside each other.
    pub(super) kept: usize,
}

pub(super) const FULL: Sizes = Sizes {
    stages: 1_000,
    resources: 10_000,
    burst: 10_000,
    crashes: 1_000,
    changes: 10,
    at_once: 50,
    rows: 1_000_000,
    kept: 200,
};

pub(super) const QUICK: Sizes = Sizes {
    stages: 200,
    resources: 2_000,
    burst: 2_000,
    crashes: 40,
    changes: 5,
    at_once: 20,
    rows: 100_000,
    kept: 40,
};

pub(super) const SMOKE: Sizes = Sizes {
    stages: 20,
    resources: 100,
    burst: 100,
    crashes: 3,
    changes: 1,
    at_once: 3,
    rows: 1_000,
    kept: 3,
};

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        let Self { stages, resources, burst, crashes, rows, kept, .. } = *self;
        json!({
            "stages": stages,
            "resources": resources,
            "burst": burst,
            "crashes": crashes,
            "rows": rows,
            "what-ifs": kept,
        })
    }
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    chain::run(bench)?;
    whatif::run(bench)?;
    wide::run(bench)?;
    burst::run(bench)?;
    crashes::run(bench)
}

/// Runs those of what-ifs alone.
pub(super) fn what_ifs(bench: &mut Bench) -> Result<()> {
    whatif::run(bench)
}
