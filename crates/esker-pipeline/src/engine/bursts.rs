//! Bursts: a stage whose inputs change again while it is at work, or right after, waits until they have come to rest.
//! The first change is not kept waiting; of the rest only the last is computed.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use esker_wire::name::Resource;

use crate::definition::Definition;
use crate::definition::ways::Mode;

use super::agenda::DEBOUNCE;

/// The longest a stage waits for its inputs to come to rest.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Changes of a stage's inputs that go on.
#[derive(Debug, Clone, Copy)]
struct Burst {
    first: Instant,
    last: Instant,
}

impl Burst {
    fn until(self) -> Instant {
        (self.last + DEBOUNCE).min(self.first + WAIT_MAX)
    }
}

/// The bursts that go on, by the stages that read what changes.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    readers: HashMap<Resource, Vec<String>>,
    ended: HashMap<String, Instant>,
    waiting: BTreeMap<String, Burst>,
}

impl Bursts {
    /// Another definition is in force. What has to see every version waits for no rest.
    pub(super) fn adopt(&mut self, definition: &Definition) {
        *self = Self::default();
        for stage in definition.stages.iter().filter(|stage| stage.ways.mode == Mode::Latest) {
            for input in &stage.inputs {
                self.readers.entry(input.clone()).or_default().push(stage.name.clone());
            }
        }
    }

    /// There are other versions of these.
    pub(super) fn touch(
        &mut self,
        resources: &[Resource],
        now: Instant,
        is_busy: impl Fn(&str) -> bool,
    ) {
        let readers = resources.iter().filter_map(|resource| self.readers.get(resource));
        for name in readers.flatten() {
            let ended = self.ended.get(name);
            let has_just_run = ended.is_some_and(|ended| now < *ended + DEBOUNCE);
            if let Some(burst) = self.waiting.get_mut(name) {
                burst.last = now;
            } else if has_just_run || is_busy(name) {
                self.waiting.insert(name.clone(), Burst { first: now, last: now });
            }
        }
    }

    /// A run has been started, with what is there now.
    pub(super) fn started(&mut self, name: &str) {
        self.waiting.remove(name);
    }

    /// A run has ended.
    pub(super) fn ended(&mut self, name: &str, now: Instant) {
        self.ended.insert(name.to_owned(), now);
    }

    /// Those that wait.
    pub(super) fn held(&self, now: Instant) -> impl Iterator<Item = &String> {
        let held = self.waiting.iter().filter(move |(_, burst)| now < burst.until());
        held.map(|(name, _)| name)
    }

    /// How long until the first of them need not wait any more.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let left = self.waiting.values().map(|burst| burst.until().saturating_duration_since(now));
        left.filter(|left| !left.is_zero()).min()
    }
}

#[cfg(test)]
mod tests;
