//! What was taken away lately: a model alone cannot tell what it no longer has.

use std::collections::VecDeque;

use esker_wire::fault::{Code, Fault};

use crate::path::Path;

/// How many are remembered.
const KEPT_MAX: usize = 100_000;

/// How many one answer tells at most: they all stand on its first page.
const TOLD_MAX: usize = 10_000;

/// The nodes that were taken away, by transaction, the oldest going first.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    kept: VecDeque<(u64, Path)>,
    /// The last transaction of which something was forgotten.
    floor: u64,
}

impl Deleted {
    pub(super) fn push(&mut self, seq: u64, path: Path) {
        if self.kept.len() == KEPT_MAX
            && let Some((seq, _)) = self.kept.pop_front()
        {
            self.floor = seq;
        }
        self.kept.push_back((seq, path));
    }

    /// What was taken away after one transaction and up to another, whatever became of it since; in order of paths.
    ///
    /// # Errors
    /// `gone` if that is no longer known.
    pub(super) fn since(&self, from: u64, to: u64) -> Result<Vec<Path>, Fault> {
        if from < self.floor {
            let text = format!("what was taken away since transaction {from} is no longer known");
            return Err(Fault::new(Code::Gone, text).hint("ask CUT, and NODES for what differs"));
        }
        let begin = self.kept.partition_point(|(seq, _)| *seq <= from);
        let end = self.kept.partition_point(|(seq, _)| *seq <= to).max(begin);
        if end - begin > TOLD_MAX {
            let text = format!("too much was taken away since transaction {from}");
            return Err(Fault::new(Code::Gone, text).hint("ask CUT, and NODES for what differs"));
        }
        let mut paths: Vec<Path> =
            self.kept.range(begin..end).map(|(_, path)| path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }
}
