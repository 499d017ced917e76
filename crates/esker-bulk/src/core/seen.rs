//! Which batches of a writer have been taken in, so that none is twice.

use std::collections::BTreeSet;

/// The most batches a writer may have under way.
pub(crate) const UNDER_WAY_MAX: usize = 4096;

/// The batches of one attempt of one task.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// All before this one are done with, and never come again.
    floor: u32,
    /// Those since that were taken in.
    later: BTreeSet<u32>,
    /// When one came last, in milliseconds.
    pub(crate) touched: u64,
}

/// What a batch is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// To be taken in.
    New,
    /// Taken in already.
    Again,
    /// One too many under way.
    TooMany,
}

impl Seen {
    /// Whether a batch is new; every one before `floor` was acknowledged to the writer.
    pub(crate) fn look(&mut self, seq: u32, floor: u32) -> Turn {
        if floor > self.floor {
            self.floor = floor;
            self.later = self.later.split_off(&floor);
        }
        if seq < self.floor || self.later.contains(&seq) {
            return Turn::Again;
        }
        match self.later.len() < UNDER_WAY_MAX {
            true => Turn::New,
            false => Turn::TooMany,
        }
    }

    /// Remembers one that was taken in.
    pub(crate) fn note(&mut self, seq: u32) {
        self.later.insert(seq);
    }

    /// What it takes of memory, in bytes, roughly.
    pub(crate) fn memory(&self) -> u64 {
        64 + 12 * self.later.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_new_once() {
        let mut seen = Seen::default();
        for seq in [0, 2, 1, 5] {
            assert_eq!(seen.look(seq, 0), Turn::New);
            seen.note(seq);
            assert_eq!(seen.look(seq, 0), Turn::Again);
        }
        assert_eq!(seen.look(3, 3), Turn::New);
        assert_eq!(seen.look(2, 0), Turn::Again, "a floor is never lowered");
        assert_eq!(seen.look(5, 3), Turn::Again);
        let before = seen.memory();
        seen.look(6, 6);
        assert!(seen.memory() < before);
    }

    #[test]
    fn what_is_under_way_is_bounded() {
        let mut seen = Seen::default();
        for seq in 0..UNDER_WAY_MAX as u32 {
            assert_eq!(seen.look(seq, 0), Turn::New);
            seen.note(seq);
        }
        assert_eq!(seen.look(UNDER_WAY_MAX as u32, 0), Turn::TooMany);
        assert_eq!(seen.look(UNDER_WAY_MAX as u32, 1), Turn::New);
    }
}
