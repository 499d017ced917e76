//! What a look costs, part by part: one line of the log at the level `debug`, which `esker bench pipeline` reads.

use std::time::{Duration, Instant};

use tracing::Level;

use crate::plan::{Plan, State};

use super::fresh::Rest;

/// The times of one look, while it goes on.
#[derive(Debug)]
pub(super) struct Laps {
    begun: Instant,
    last: Instant,
    /// Looking at the project's files.
    pub(super) files: Duration,
    /// Reading the store's heads and records.
    pub(super) store: Duration,
    /// Deciding.
    pub(super) plan: Duration,
}

impl Laps {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        let none = Duration::ZERO;
        Self { begun: now, last: now, files: none, store: none, plan: none }
    }

    /// The time since the last one ended.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.last;
        self.last = now;
        lap
    }

    /// Tells of the whole look: what was started, and what is as it should be.
    pub(super) fn tell(&self, plan: &Plan, started: usize) {
        if tracing::enabled!(Level::DEBUG) {
            let fresh = plan.states.values().filter(|state| **state == State::Fresh).count();
            self.told(started, (fresh, plan.states.len()));
        }
    }

    /// Tells of a look after which all is as it was, which is as it should be.
    pub(super) fn tell_rest(&self, rest: Rest) {
        self.told(0, (rest.parts, rest.parts));
    }

    fn told(&self, started: usize, (fresh, parts): (usize, usize)) {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(
            files_us = us(self.files),
            store_us = us(self.store),
            plan_us = us(self.plan),
            total_us = us(self.begun.elapsed()),
            started,
            fresh,
            parts,
            "looked"
        );
    }
}
