//! The cases of the pipeline: how soon a result is there, what looking costs, what a burst does, what survives.

mod burst;
mod chain;
mod client;
mod crashes;
mod log;
mod pair;
mod rivals;
mod tree;
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
}

pub(super) const FULL: Sizes =
    Sizes { stages: 1_000, resources: 10_000, burst: 10_000, crashes: 1_000, changes: 10 };

pub(super) const QUICK: Sizes =
    Sizes { stages: 200, resources: 2_000, burst: 2_000, crashes: 40, changes: 5 };

pub(super) const SMOKE: Sizes =
    Sizes { stages: 20, resources: 100, burst: 100, crashes: 3, changes: 1 };

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        let Self { stages, resources, burst, crashes, .. } = *self;
        json!({ "stages": stages, "resources": resources, "burst": burst, "crashes": crashes })
    }
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    chain::run(bench)?;
    wide::run(bench)?;
    burst::run(bench)?;
    crashes::run(bench)
}
