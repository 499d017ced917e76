//! How many programs run at once: those of runs, and the more that a run has for the parts of its input.

use std::sync::Mutex;
use std::sync::PoisonError;

/// What is running, of what may.
#[derive(Debug, Default)]
pub(crate) struct Load(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    jobs: usize,
    taken: usize,
    /// Whether a run waits for a slot: then no run gets more than one.
    wanted: bool,
}

impl Load {
    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may run from now on.
    pub(crate) fn set(&self, jobs: usize) {
        self.slots().jobs = jobs;
    }

    /// Takes the slot of a run; if there is none, the next that becomes free is kept for it.
    pub(crate) fn begin(&self) -> bool {
        let mut slots = self.slots();
        slots.wanted = slots.taken >= slots.jobs;
        slots.taken += usize::from(!slots.wanted);
        !slots.wanted
    }

    /// No run waits for a slot any more.
    pub(crate) fn nobody_waits(&self) {
        self.slots().wanted = false;
    }

    /// Takes one more slot for a run that has one, if nobody else wants it.
    pub(super) fn begin_more(&self) -> bool {
        let mut slots = self.slots();
        let free = !slots.wanted && slots.taken < slots.jobs;
        slots.taken += usize::from(free);
        free
    }

    /// Whether a run waits for a slot.
    pub(super) fn is_wanted(&self) -> bool {
        self.slots().wanted
    }

    /// Whether nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots().taken == 0
    }

    /// Gives a slot back.
    pub(crate) fn end(&self) {
        let mut slots = self.slots();
        slots.taken = slots.taken.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
