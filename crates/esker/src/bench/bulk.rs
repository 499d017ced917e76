//! The cases of bulk data: small contents, large ones, many clients, a worker asked in its own process, spaces that
//! begin, and what memory is taken when more comes than there is room for.

mod begin;
mod here;
mod load;
mod overload;
mod peers;
mod rates;
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
}

pub(super) const FULL: Sizes =
    Sizes { crowd: 16, longest: 16 << 20, ids: 1_000_000, memory: 512 * MIB };

pub(super) const QUICK: Sizes =
    Sizes { crowd: 16, longest: 16 << 20, ids: 1_000_000, memory: 256 * MIB };

pub(super) const SMOKE: Sizes = Sizes { crowd: 2, longest: 5 << 20, ids: 1_000, memory: 64 * MIB };

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        json!({
            "clients": self.crowd,
            "longest": self.longest,
            "ids": self.ids,
            "memory": self.memory,
        })
    }
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    rates::run(bench)?;
    here::run(bench)?;
    overload::cached(bench)?;
    let Some(stage) = begin::stage(bench)? else { return Ok(()) };
    begin::run(bench, &stage)?;
    overload::kept(bench, &stage)
}
