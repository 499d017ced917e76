//! The cases of bulk data: small contents, large ones, many clients, a worker asked in its own process, sorting, spaces
//! that begin, and what memory is taken when more comes than there is room for.

mod begin;
mod here;
mod load;
mod overload;
mod peers;
mod rates;
mod sort;
mod stage;
mod store;
pub(super) mod stream;

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

/// How much of bulk data is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// How many clients many are.
    pub(super) crowd: usize,
    /// The bytes of the longest content.
    pub(super) longest: usize,
    /// The ids that a space begins with.
    pub(super) ids: usize,
    /// What a worker may hold to which more is sent, in bytes.
    pub(super) memory: u64,
    /// How often each side sorts, how many bytes, and the memory it may take for that.
    pub(super) sorts: usize,
    pub(super) sorted: u64,
    pub(super) sort_memory: u64,
}

pub(super) const FULL: Sizes = Sizes {
    crowd: 16,
    longest: 16 << 20,
    ids: 1_000_000,
    memory: 512 * MIB,
    sorts: 5,
    sorted: 1_000_000_000,
    sort_memory: 1024 * MIB,
};

pub(super) const QUICK: Sizes =
    Sizes { memory: 256 * MIB, sorts: 1, sorted: 200_000_000, sort_memory: 256 * MIB, ..FULL };

pub(super) const SMOKE: Sizes = Sizes {
    crowd: 2,
    longest: 5 << 20,
    ids: 1_000,
    memory: 64 * MIB,
    sorts: 1,
    sorted: 2_000_000,
    sort_memory: 64 * MIB,
};

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        json!({
            "clients": self.crowd,
            "longest": self.longest,
            "ids": self.ids,
            "memory": self.memory,
            "sorted": self.sorted,
            "sort memory": self.sort_memory,
        })
    }
}

/// Runs only those of sorting.
pub(super) fn sorting(bench: &mut Bench) -> Result<()> {
    sort::run(bench)
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    rates::run(bench)?;
    here::run(bench)?;
    overload::cached(bench)?;
    sort::run(bench)?;
    let Some(stage) = begin::stage(bench)? else { return Ok(()) };
    begin::run(bench, &stage)?;
    overload::kept(bench, &stage)
}
