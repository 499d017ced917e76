//! The search for the one step from good to bad, with as few looks as can be. Pure: it asks, somebody looks.

use std::collections::BTreeSet;

/// What a look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
    /// It cannot be said.
    Skip,
}

/// A search among places in a row: the first is good, the last is bad.
#[derive(Debug)]
pub(super) struct Search {
    good: usize,
    bad: usize,
    skipped: BTreeSet<usize>,
}

impl Search {
    /// A search between a good place and a bad one after it.
    pub(super) fn between(good: usize, bad: usize) -> Self {
        Self { good, bad, skipped: BTreeSet::new() }
    }

    /// Where to look next: nearest to the middle of what is not known and not skipped; none when all is known.
    pub(super) fn next(&self) -> Option<usize> {
        let middle = self.good + (self.bad - self.good) / 2;
        let open = (self.good + 1..self.bad).filter(|place| !self.skipped.contains(place));
        open.min_by_key(|place| place.abs_diff(middle))
    }

    /// Takes in what a look has told.
    pub(super) fn learn(&mut self, place: usize, verdict: Verdict) {
        match verdict {
            Verdict::Good => self.good = place,
            Verdict::Bad => self.bad = place,
            Verdict::Skip => drop(self.skipped.insert(place)),
        }
    }

    /// How many more looks it takes at least, if none is skipped.
    pub(super) fn left(&self) -> u32 {
        (self.bad - self.good).next_power_of_two().ilog2()
    }

    /// The last place known to be good, and the first known to be bad. Between them only skipped ones are left.
    pub(super) fn ends(&self) -> (usize, usize) {
        (self.good, self.bad)
    }
}

#[cfg(test)]
mod tests;
