//! The cases of the snapshots: how fast, how safe, and whether it stays so.

mod aged;
mod fill;
mod fresh;
mod kills;
mod old;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use esker_bus::service::Frames;

use super::Bench;
use super::load::Job;

/// What a PUT of the fresh store's cases holds, in bytes.
const CONTENT: usize = 4096;

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    fresh::run(bench)?;
    aged::run(bench)?;
    kills::run(bench)
}

/// A job that asks one thing after the other until its time or its number is up.
struct Asking<F> {
    until: Option<Instant>,
    /// How often each lane asks at most.
    each: u64,
    request: F,
}

impl<F: Fn(usize, u64) -> Frames + Send + Sync + 'static> Asking<F> {
    /// For one round's time.
    fn window(bench: &Bench, request: F) -> Arc<Self> {
        let until = Some(Instant::now() + bench.sizes.window);
        Arc::new(Self { until, each: u64::MAX, request })
    }

    /// So often in each lane.
    fn times(each: u64, request: F) -> Arc<Self> {
        Arc::new(Self { until: None, each, request })
    }
}

impl<F: Fn(usize, u64) -> Frames + Send + Sync + 'static> Job for Asking<F> {
    fn ask(&self, lane: usize, turn: u64) -> Option<Frames> {
        let over = self.until.is_some_and(|until| Instant::now() >= until);
        (turn < self.each && !over).then(|| (self.request)(lane, turn))
    }
}
