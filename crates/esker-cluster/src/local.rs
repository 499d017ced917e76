//! Keys and values of a cluster that is one process: in memory, with the same meaning as Consul's.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kv::{Op, Pair, Target, WATCH_WAIT};
use crate::pace::Stop;

/// How often a watch looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keys and values.
#[derive(Default)]
pub(crate) struct Local {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pairs: BTreeMap<String, Pair>,
    index: u64,
    sessions: u64,
}

impl State {
    fn index_of(&self, key: &str) -> u64 {
        self.pairs.get(key).map_or(0, |pair| pair.index)
    }

    fn set(&mut self, key: &str, value: &[u8], session: Option<String>) {
        self.index += 1;
        let (key, value) = (key.to_owned(), value.to_vec());
        self.pairs.insert(key.clone(), Pair { key, value, index: self.index, session });
    }

    fn holder(&self, key: &str) -> Option<String> {
        self.pairs.get(key)?.session.clone()
    }

    /// Whether nothing stands against it.
    fn may(&self, op: &Op) -> bool {
        match op {
            Op::Cas { key, index, .. } | Op::Expect { key, index } => self.index_of(key) == *index,
            Op::Put { .. } | Op::Delete { .. } => true,
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Put { key, value } | Op::Cas { key, value, .. } => {
                let holder = self.holder(key);
                self.set(key, value, holder);
            }
            Op::Delete { key } => drop(self.pairs.remove(key)),
            Op::Expect { .. } => {}
        }
    }

    fn list(&self, prefix: &str) -> Vec<Pair> {
        let from = self.pairs.range(prefix.to_owned()..);
        let these = from.take_while(|(key, _)| key.starts_with(prefix));
        these.map(|(_, pair)| pair.clone()).collect()
    }

    fn of(&self, target: &Target) -> Vec<Pair> {
        match target {
            Target::Key(key) => self.pairs.get(key).cloned().into_iter().collect(),
            Target::Prefix(prefix) => self.list(prefix),
        }
    }
}

impl Local {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Pair> {
        self.lock().pairs.get(key).cloned()
    }

    pub(crate) fn list(&self, prefix: &str) -> Vec<Pair> {
        self.lock().list(prefix)
    }

    /// Does all or nothing, one after the other; which stands against it, if one does.
    pub(crate) fn txn(&self, ops: &[Op]) -> Option<usize> {
        let mut state = self.lock();
        let before = (state.pairs.clone(), state.index);
        for (number, op) in ops.iter().enumerate() {
            if !state.may(op) {
                (state.pairs, state.index) = before;
                return Some(number);
            }
            state.apply(op);
        }
        drop(state);
        self.changed.notify_all();
        None
    }

    pub(crate) fn new_session(&self) -> String {
        let mut state = self.lock();
        state.sessions += 1;
        format!("local-{}", state.sessions)
    }

    pub(crate) fn end_session(&self, id: &str) {
        let mut state = self.lock();
        let is_held = |pair: &&Pair| pair.session.as_deref() == Some(id);
        let held: Vec<Pair> = state.pairs.values().filter(is_held).cloned().collect();
        for pair in held {
            state.set(&pair.key, &pair.value, None);
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn acquire(&self, id: &str, key: &str, value: &[u8]) -> bool {
        let mut state = self.lock();
        let is_free = state.holder(key).is_none_or(|holder| holder == id);
        if is_free {
            state.set(key, value, Some(id.to_owned()));
        }
        drop(state);
        self.changed.notify_all();
        is_free
    }

    pub(crate) fn release(&self, id: &str, key: &str, value: &[u8]) -> bool {
        let mut state = self.lock();
        let is_held = state.holder(key).is_some_and(|holder| holder == id);
        if is_held {
            state.set(key, value, None);
        }
        drop(state);
        self.changed.notify_all();
        is_held
    }

    /// Tells what a target holds, now and after each change, until told to stop.
    pub(crate) fn watch(&self, target: &Target, tell: &dyn Fn(&[Pair]), stop: &Stop) {
        let mut told: Option<Vec<Pair>> = None;
        while !stop.is_stopped() {
            let mut state = self.lock();
            let mut found = state.of(target);
            if told.as_ref() == Some(&found) {
                let woken = self.changed.wait_timeout(state, WATCH_WAIT.min(LOOK_EVERY));
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
                found = state.of(target);
            }
            drop(state);
            if told.as_ref() != Some(&found) && !stop.is_stopped() {
                tell(&found);
                told = Some(found);
            }
        }
    }
}

#[cfg(test)]
mod tests;
