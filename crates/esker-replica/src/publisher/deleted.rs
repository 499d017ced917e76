//! What was taken away lately: a model alone cannot tell what it no longer has.

use std::collections::VecDeque;

use esker_wire::fault::{Code, Fault};

use crate::path::{Key, Path};

/// How many are remembered.
const KEPT_MAX: usize = 100_000;

/// The memory that those take in all, about.
const MEMORY_MAX: usize = 64 * 1024 * 1024;

/// The gaps in what is known.
const GAPS_MAX: usize = 64;

/// How many one answer tells at most: they all stand on its first page.
const TOLD_MAX: usize = 10_000;

/// The bytes of keys that one answer tells at most.
const BYTES_MAX: usize = 1024 * 1024;

/// The nodes that were taken away, by transaction, the oldest going first.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    kept: VecDeque<(u64, Path)>,
    /// What all of them take.
    memory: usize,
    /// The last transaction of which something was forgotten.
    floor: u64,
    /// From one transaction to another it is known what was taken away, and not when, nor what came and went between them.
    gaps: VecDeque<(u64, u64)>,
}

impl Deleted {
    /// Nothing is known of what was before this transaction.
    pub(super) fn from(seq: u64) -> Self {
        Self { floor: seq, ..Self::default() }
    }

    pub(super) fn push(&mut self, seq: u64, path: Path) {
        self.memory += memory(&path);
        self.kept.push_back((seq, path));
        while self.kept.len() > KEPT_MAX || self.memory > MEMORY_MAX {
            let Some((seq, path)) = self.kept.pop_front() else { return };
            self.memory -= memory(&path);
            self.floor = seq;
        }
    }

    /// Between these transactions these were taken away, whenever that was.
    pub(super) fn leap(&mut self, from: u64, to: u64, paths: Vec<Path>) {
        if from < to {
            if self.gaps.len() == GAPS_MAX
                && let Some((_, end)) = self.gaps.pop_front()
            {
                self.floor = self.floor.max(end);
            }
            self.gaps.push_back((from, to));
        }
        for path in paths {
            self.push(to, path);
        }
    }

    /// What was taken away after one transaction and up to another, whatever became of it since; in order of paths.
    ///
    /// # Errors
    /// `gone` if that is no longer known.
    pub(super) fn since(&self, from: u64, to: u64) -> Result<Vec<Path>, Fault> {
        let is_between = |&(begin, end): &(u64, u64)| begin < from && from < end;
        if from < self.floor || self.gaps.iter().any(is_between) {
            let text = format!("what was taken away since transaction {from} is no longer known");
            return Err(Fault::new(Code::Gone, text).hint("ask CUT, and NODES for what differs"));
        }
        let begin = self.kept.partition_point(|(seq, _)| *seq <= from);
        let end = self.kept.partition_point(|(seq, _)| *seq <= to).max(begin);
        let too_much = || {
            let text = format!("too much was taken away since transaction {from}");
            Fault::new(Code::Gone, text).hint("ask CUT, and NODES for what differs")
        };
        if end - begin > TOLD_MAX {
            return Err(too_much());
        }
        let mut paths: Vec<Path> =
            self.kept.range(begin..end).map(|(_, path)| path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        let bytes: usize = paths.iter().flatten().map(|key| key.len() + 2).sum();
        if bytes > BYTES_MAX { Err(too_much()) } else { Ok(paths) }
    }
}

/// About what a path takes.
fn memory(path: &Path) -> usize {
    path.iter().map(|key| key.len() + size_of::<Key>()).sum()
}

#[cfg(test)]
mod tests;
