//! Sorting what may be larger than any memory: a sample says where to cut, mappers append their records to partitions
//! in a space of its own, the space is sealed, and partitions are read one after the other, sorted, and written.
//!
//! The same over the worker of this process and over a cluster's.

mod check;
mod input;
mod map;
mod number;
mod order;
mod reduce;
mod runs;
mod shape;
mod splitters;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use esker_wire::fault::{Code, Fault};
use serde::Serialize;

pub use check::{Checked, check};
pub use shape::{RECORD_MAX, Tally};
pub use splitters::MEMORY_MIN;

use crate::client::lease::Lease;
use crate::client::{Client, Init};
use crate::sort::input::Inputs;
use crate::sort::map::Mapped;
use crate::sort::splitters::{Plan, Splitters};

/// How many keys of a sample there are for each partition.
const SAMPLE: u64 = 32;
/// The most keys of a sample.
const SAMPLE_MAX: u64 = 32 * 1024;

/// What records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// 100 bytes each, sorted by the first ten: those of gensort.
    Records,
    /// Lines, sorted byte by byte.
    Lines,
    /// CSV with a header, sorted by a column.
    Csv(Column),
}

/// A column of CSV: its name, or its number from 1 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column(String);

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Err("a column has a name or a number".to_owned())
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Column {
    /// Its place among these; a name goes before a number.
    fn find(&self, names: &[&[u8]]) -> Option<usize> {
        let named = names.iter().position(|name| *name == self.0.as_bytes());
        let numbered = || self.0.parse::<usize>().ok()?.checked_sub(1);
        named.or_else(numbered).filter(|place| *place < names.len())
    }
}

/// What is to be sorted, and how.
#[derive(Debug, Clone)]
pub struct Sort {
    /// What records are.
    pub kind: Kind,
    /// From the last to the first; ties stay in their order.
    pub is_reversed: bool,
    /// Of records with the same key only the first.
    pub is_unique: bool,
    /// By the number that a line or a field begins with.
    pub is_numeric: bool,
    /// How much memory this process may take for it besides what its worker holds, in bytes.
    pub memory: u64,
    /// Where runs are kept that are too large for that, and inputs that can be read only once.
    pub spill: PathBuf,
    /// How many threads read and sort.
    pub threads: usize,
}

/// How far it is, for who looks; and whether it is to end.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    done: AtomicU64,
    is_stopped: AtomicBool,
}

impl Progress {
    /// How many bytes of how many: each counts twice, once when it is read and once when it is written.
    pub fn far(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Has it end soon.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// # Errors
    /// If it is to end.
    fn go_on(&self) -> Result<(), Error> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }
}

/// Why something was not sorted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// What is sorted cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// It was told to end.
    #[error("stopped")]
    Stopped,
}

/// What was sorted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// How many records were read.
    pub records: u64,
    /// How many bytes of records were read.
    pub bytes: u64,
    /// How many records were written.
    pub written: u64,
    /// The sum of the CRC-32C of all that were read: the same however they are sorted.
    pub checksum: String,
    /// How many partitions there were.
    pub partitions: u32,
    /// How many bytes went to disk meanwhile.
    pub spilled: u64,
}

/// A space of its own, which is forgotten with it, and with this process.
struct Space<'a> {
    client: &'a Client,
    name: String,
    lease: Option<Lease>,
}

impl<'a> Space<'a> {
    fn begin(client: &'a Client, partitions: u32) -> Result<Self, Fault> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)
            .map_err(|error| Fault::new(Code::Internal, format!("no random numbers: {error}")))?;
        let name = format!("sort-{:016x}", u64::from_le_bytes(bytes));
        let space = Self { client, lease: client.lease(&name)?, name };
        let init = Init::default();
        let pattern = space.id("{}");
        client.block_on(client.init_numbered(&pattern, u64::from(partitions), &init))?;
        Ok(space)
    }

    /// The id of a partition.
    fn id(&self, number: impl fmt::Display) -> String {
        format!("{}/p-{number}", self.name)
    }

    /// A fault with what is behind it, if that is known.
    fn explained(&self, error: Error) -> Error {
        let Error::Fault(fault) = error else { return error };
        let gone = self.client.gone(&self.name);
        let is_lost = self.lease.as_ref().is_some_and(Lease::is_lost);
        let text = match gone.as_slice() {
            [] if is_lost => "the cluster took this process for gone, and forgot what it sorted",
            [] => return fault.into(),
            _ => &format!("gone with what they held of the sort: {}", gone.join(", ")),
        };
        let text = format!("{text} ({})", fault.message);
        Fault::new(Code::Unavailable, text)
            .hint("sort again, with the workers that are there")
            .into()
    }

    /// How many bytes its workers have written to disk since they began.
    fn spilled(&self) -> u64 {
        let Ok(all) = self.client.block_on(self.client.standing()) else { return 0 };
        let told = all.into_iter().filter_map(|(_, told)| told.ok());
        let one = |text: bytes::Bytes| {
            let standing: serde_json::Value = serde_json::from_slice(&text).ok()?;
            standing.pointer("/tally/spilled")?.as_u64()
        };
        told.filter_map(one).sum()
    }
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        let dropped = self.client.block_on(self.client.drop_space(&self.name));
        let ended = dropped.and_then(|()| self.lease.take().map_or(Ok(()), Lease::end));
        if let Err(fault) = ended {
            // Without its lease a worker sees to it.
            tracing::warn!(%fault, space = self.name, "what was sorted stays with the workers for now");
        }
    }
}

/// Sorts files, in their order; `-` is standard input. What was written if it fails is worth nothing.
///
/// # Errors
/// A fault for what cannot be read, agreed on or kept, or if anything was lost on the way.
pub fn sort(
    client: &Client,
    asked: &Sort,
    paths: &[PathBuf],
    progress: &Progress,
    output: &mut (dyn Write + Send),
) -> Result<Summary, Error> {
    if asked.memory < MEMORY_MIN / 4 {
        let text = format!("{} bytes of memory are too little to sort with", asked.memory);
        return Err(Fault::bad_request(text).into());
    }
    let inputs = Inputs::open(paths, asked, progress)?;
    let plan = Plan::new(inputs.total(), asked.memory, asked.threads)?;
    progress.begin(2 * inputs.total());
    let count = (SAMPLE * plan.partitions as u64).min(SAMPLE_MAX);
    let sample = if plan.partitions > 1 { inputs.sample(count)? } else { Vec::new() };
    let ties = (plan.tasks, asked.is_reversed);
    let splitters = Splitters::choose(sample, plan.partitions, ties, asked.is_unique);
    let space = Space::begin(client, splitters.partitions())?;
    let mut run = || -> Result<Summary, Error> {
        let spilled = space.spilled();
        let mapped = map::map(&space, (&inputs, &splitters), (&plan, asked.threads), progress)?;
        let winners: Vec<_> = (1..=mapped.tasks).map(|task| (task, map::ATTEMPT)).collect();
        client.block_on(client.seal(&space.name, &winners))?;
        output.write_all(inputs.header())?;
        let reduced = reduce::reduce(&space, asked, (&inputs, &plan, &mapped), progress, output)?;
        output.flush()?;
        let Mapped { total, .. } = mapped;
        Ok(Summary {
            records: total.records,
            bytes: total.bytes,
            written: reduced.written,
            checksum: format!("{:016x}", total.sum),
            partitions: splitters.partitions(),
            spilled: space.spilled().saturating_sub(spilled) + reduced.spilled,
        })
    };
    run().map_err(|error| space.explained(error))
}

/// What all threads came to. What ended one of them says more than that the others were told to end.
fn all_of<T>(ended: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    let is_stopped = |one: &Result<T, Error>| matches!(one, Err(Error::Stopped));
    let (stopped, others): (Vec<_>, Vec<_>) = ended.into_iter().partition(is_stopped);
    others.into_iter().chain(stopped).collect()
}

fn disorder() -> Fault {
    let text = "a record is not behind the one before it";
    Fault::new(Code::Internal, text).hint("did a file change while it was sorted?")
}

#[cfg(test)]
mod tests;
