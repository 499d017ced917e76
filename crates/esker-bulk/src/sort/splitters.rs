//! Which partition a record belongs to: found from a sample of keys, so that all are about as large.

use esker_wire::fault::{Code, Fault};

/// Keys that partitions begin at.
///
/// A key that has more than a partition's share of all records has partitions of its own, which its records are dealt
/// out to by their tasks: one behind the other these are in the order they were read in.
#[derive(Debug)]
pub(crate) struct Splitters {
    bounds: Vec<Bound>,
    /// The first bytes of each bound's key.
    prefixes: Vec<u64>,
    partitions: u32,
    tasks: u32,
    is_reversed: bool,
}

/// Where a partition ends and others begin.
#[derive(Debug)]
struct Bound {
    key: Vec<u8>,
    /// The first partition of this very key, ...
    first: u32,
    /// ... and how many it has; what is behind the key follows them.
    own: u32,
}

impl Splitters {
    /// The keys that cut a sample into so many equal pieces. `tasks` is how many there will be, about; ties are
    /// written in their order, even where keys fall.
    pub(crate) fn choose(
        mut sample: Vec<Vec<u8>>,
        wanted: usize,
        (tasks, is_reversed): (u32, bool),
        is_unique: bool,
    ) -> Self {
        sample.sort_unstable();
        let count = sample.len();
        let mut bounds: Vec<Bound> = Vec::new();
        let mut next = 1;
        for cut in 1..wanted.max(1) {
            let Some(key) = sample.get(count * cut / wanted) else { break };
            match bounds.last_mut().filter(|last| last.key == *key) {
                // It fills what is between two cuts.
                Some(last) => {
                    if last.own == 0 || !is_unique {
                        last.own += 1;
                        next += 1;
                    }
                }
                None => {
                    bounds.push(Bound { key: key.clone(), first: next, own: 0 });
                    next += 1;
                }
            }
        }
        let prefixes = bounds.iter().map(|bound| prefix(&bound.key)).collect();
        Self { bounds, prefixes, partitions: next, tasks: tasks.max(1), is_reversed }
    }

    /// How many partitions there are.
    pub(crate) fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The partition of a key that a task has read.
    #[inline]
    pub(crate) fn of(&self, key: &[u8], task: u32) -> u32 {
        let first = prefix(key);
        let mut behind = self.prefixes.partition_point(|it| *it < first);
        if self.prefixes.get(behind) == Some(&first) {
            behind += self.bounds[behind..].partition_point(|bound| bound.key.as_slice() <= key);
        }
        let Some(bound) = behind.checked_sub(1).map(|at| &self.bounds[at]) else { return 0 };
        if bound.own == 0 || bound.key != key {
            return bound.first + bound.own;
        }
        let share = u64::from(task) * u64::from(bound.own) / u64::from(self.tasks);
        let share = (share as u32).min(bound.own - 1);
        bound.first + if self.is_reversed { bound.own - 1 - share } else { share }
    }
}

/// The first eight bytes of a key; one that is shorter goes on with zeros.
#[inline]
pub(crate) fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(bytes)
        }
    }
}

/// How much there is to be sorted, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many bytes of input one task has.
    pub(crate) chunk: usize,
    /// How many tasks there are, about.
    pub(crate) tasks: u32,
    /// How many partitions are wanted.
    pub(crate) partitions: usize,
    /// How much memory a partition may take that is sorted at once.
    pub(crate) at_once: u64,
}

/// The least memory to sort with, in bytes.
pub const MEMORY_MIN: u64 = 32 << 20;
/// The bytes of the largest task.
const CHUNK_MAX: u64 = 32 << 20;
/// The bytes of the smallest.
const CHUNK_MIN: u64 = 2 << 20;
/// About how many bytes a partition has if there is memory for all: so much is near to a processor.
const PARTITION: u64 = 4 << 20;
/// The most partitions.
const PARTITIONS_MAX: u64 = 1024;
/// The most tasks that can be sealed, less those of files that end in the middle of one.
const TASKS_MAX: u64 = 12_000;

impl Plan {
    /// How so many bytes are sorted by so many threads with so much memory besides what workers hold.
    ///
    /// # Errors
    /// `too-large` if that cannot be.
    pub(crate) fn new(total: u64, memory: u64, threads: usize) -> Result<Self, Fault> {
        let threads = threads as u64;
        // What a thread reads, what it has cut that into, and what is on its way of that.
        let chunk = (memory / threads / 4).clamp(CHUNK_MIN, CHUNK_MAX);
        if total / chunk > TASKS_MAX {
            let text = format!("{total} bytes cannot be sorted in pieces of {chunk}");
            return Err(Fault::new(Code::TooLarge, text).hint("give it more --memory"));
        }
        let at_once = memory / threads;
        let for_memory = total.div_ceil((at_once / 6).max(1));
        let partitions = for_memory.max(total / PARTITION).min(PARTITIONS_MAX);
        // The more threads, the more pieces for them to share.
        let partitions = partitions.max(if total > CHUNK_MIN { 4 * threads } else { 1 });
        Ok(Self {
            chunk: chunk as usize,
            tasks: total.div_ceil(chunk) as u32,
            partitions: partitions as usize,
            at_once,
        })
    }
}
