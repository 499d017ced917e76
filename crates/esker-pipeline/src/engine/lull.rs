//! What is left alone for a moment: runs of which nothing came, though nothing is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::plan::{Plan, State};
use crate::retry;

/// How often in a row nothing must have come of a run before people are told.
const TOLD_FROM: u32 = 3;

/// One source or stage that is left alone.
#[derive(Debug)]
struct Lull {
    /// How often in a row nothing came of it.
    count: u32,
    why: String,
    until: Instant,
    /// The same by the clock.
    until_time: Timestamp,
}

/// All that are left alone, by name.
#[derive(Debug, Default)]
pub(super) struct Lulls(BTreeMap<String, Lull>);

impl Lulls {
    /// Nothing came of a run: it is left alone, twice as long as before.
    pub(super) fn add(&mut self, name: &str, why: String, (now, clock): (Instant, Timestamp)) {
        let count = self.0.get(name).map_or(0, |lull| lull.count).saturating_add(1);
        let wait = retry::pause(count);
        if count == TOLD_FROM {
            tracing::warn!(stage = name, why, count, "nothing comes of a run");
        } else {
            tracing::debug!(stage = name, why, count, "run came to nothing");
        }
        let until_time = clock.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let lull = Lull { count, why, until: now + wait, until_time };
        self.0.insert(name.to_owned(), lull);
    }

    /// Something came of a run.
    pub(super) fn end(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// What must not be started now.
    pub(super) fn held(&self, now: Instant) -> BTreeSet<String> {
        let held = self.0.iter().filter(|(_, lull)| lull.until > now);
        held.map(|(name, _)| name.clone()).collect()
    }

    /// How long until the first of them may be started.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let left = self.0.values().map(|lull| lull.until.saturating_duration_since(now));
        left.filter(|left| !left.is_zero()).min()
    }

    /// Forgets those that are no longer to run, and shows those that have come to nothing often.
    pub(super) fn settle(&mut self, plan: &mut Plan) {
        self.0.retain(|name, _| match plan.states.get(name) {
            None | Some(State::Fresh | State::Problem | State::Retry(_)) => false,
            Some(State::Stale | State::Running | State::Waiting(_)) => true,
        });
        for (name, lull) in self.0.iter().filter(|(_, lull)| lull.count >= TOLD_FROM) {
            if let Some(state) = plan.states.get_mut(name)
                && *state == State::Stale
            {
                *state = State::Retry(lull.until_time);
            }
        }
    }

    /// Why nothing comes of it, if that has happened often.
    pub(super) fn why(&self, name: &str) -> Option<&str> {
        let lull = self.0.get(name).filter(|lull| lull.count >= TOLD_FROM);
        lull.map(|lull| lull.why.as_str())
    }
}

#[cfg(test)]
mod tests;
