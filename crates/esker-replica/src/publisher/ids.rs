//! The PUTs that were done lately, by what their askers called them: asked again, they are not done again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How long they are remembered.
const AGE_MAX: Duration = Duration::from_secs(600);

/// How many are remembered.
const KEPT_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Ids {
    done: HashMap<String, u64>,
    order: VecDeque<(Duration, String)>,
}

impl Ids {
    pub(super) fn get(&self, id: &str) -> Option<u64> {
        self.done.get(id).copied()
    }

    pub(super) fn put(&mut self, id: String, seq: u64, now: Duration) {
        if self.order.len() == KEPT_MAX {
            self.forget_oldest();
        }
        self.done.insert(id.clone(), seq);
        self.order.push_back((now, id));
    }

    pub(super) fn forget(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(at, _)| *at + AGE_MAX < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.done.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
