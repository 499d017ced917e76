//! What memory and disk are used for, to the byte. Whatever is taken is given back: when all is freed, every count
//! is zero again.

use serde::Serialize;

/// What something is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// May be forgotten for something that is asked for more.
    Cached,
    /// Is kept until it is removed.
    Pinned,
    /// Is kept aside for its writer, until all of it is there.
    Staged,
}

/// The counts, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ledger {
    /// How much may be held in memory.
    pub(crate) budget: u64,
    /// In memory, of what may be forgotten.
    pub(crate) cached: u64,
    /// In memory, of what is kept.
    pub(crate) pinned: u64,
    /// In memory, of what is kept aside.
    pub(crate) staged: u64,
    /// In memory, of what is remembered about writers and about ids that nothing was written to.
    pub(crate) notes: u64,
    /// How much of that is being written to disk, and will be free then.
    pub(crate) flight: u64,
    /// On disk.
    pub(crate) disk: u64,
}

/// Hundredths of the budget: from here on contents go to disk, ...
const SPILL: u64 = 85;
/// ... until as much is free as is beyond this, ...
const REST: u64 = 70;
/// ... and nothing is taken beyond this.
const STOP: u64 = 95;

impl Ledger {
    pub(crate) fn new(budget: u64) -> Self {
        Self { budget, cached: 0, pinned: 0, staged: 0, notes: 0, flight: 0, disk: 0 }
    }

    /// All that is in memory.
    pub(crate) fn memory(&self) -> u64 {
        self.cached + self.pinned + self.staged + self.notes
    }

    pub(crate) fn take(&mut self, class: Class, bytes: u64) {
        *self.count(class) += bytes;
    }

    pub(crate) fn give(&mut self, class: Class, bytes: u64) {
        let count = self.count(class);
        *count = count.checked_sub(bytes).expect("nothing is given back that was not taken");
    }

    fn count(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Cached => &mut self.cached,
            Class::Pinned => &mut self.pinned,
            Class::Staged => &mut self.staged,
        }
    }

    /// By how much it would be beyond what may be held, with so much more.
    pub(crate) fn beyond(&self, more: u64) -> u64 {
        (self.memory() + more).saturating_sub(self.budget / 100 * STOP)
    }

    /// How much is to go to disk now; 0 while there is room.
    pub(crate) fn to_spill(&self) -> u64 {
        let stays = self.memory().saturating_sub(self.flight);
        match stays > self.budget / 100 * SPILL {
            true => stays - self.budget / 100 * REST,
            false => 0,
        }
    }
}
