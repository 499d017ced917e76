//! The cases of the snapshots: how fast, how safe, and whether it stays so.

mod aged;
mod fill;
mod fresh;
mod kills;
mod old;

use anyhow::Result;

use super::Bench;

/// What a PUT of the fresh store's cases holds, in bytes.
const CONTENT: usize = 4096;

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    fresh::run(bench)?;
    aged::run(bench)?;
    kills::run(bench)
}
