//! What waits for a service: a line for each peer, taken from in turns, so that nobody waits for all that another asks.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use crate::bus::Limits;
use crate::envelope;
use crate::queue::Asked;

/// How many dear requests may be under way at once: two threads work, and as many have theirs ready.
const DEAR_MAX: usize = 4;

/// What came of waiting for requests.
pub(crate) enum Taken {
    /// Requests, in the order in which they are to be answered.
    Batch(Vec<Asked>),
    /// None came in time.
    Late,
    /// None is left, and none will come.
    Ended,
}

/// The lines of a service.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// By peer: what it asked, in its order; there is no empty line.
    lines: HashMap<usize, VecDeque<Asked>>,
    /// Every peer that has a line; whose turn is next comes first.
    turns: VecDeque<usize>,
    /// How many dear requests are under way.
    dear: usize,
    /// Whether the owner waits for news.
    waiting: bool,
    /// Nothing is accepted any more.
    stopped: bool,
    /// The owner is gone.
    ended: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("turns", &self.turns).finish_non_exhaustive()
    }
}

/// A dear request under way; dropping it counts it as done.
pub(crate) struct Dear(Arc<Lines>);

impl Drop for Dear {
    fn drop(&mut self) {
        self.0.tell(|state| state.dear -= 1);
    }
}

impl Lines {
    /// Puts a request at the end of its peer's line.
    ///
    /// # Errors
    /// The request, if nobody will take it.
    pub(crate) fn push(&self, asked: Asked) -> Result<(), Box<Asked>> {
        let mut refused = None;
        self.tell(|state| match state.ended {
            true => refused = Some(Box::new(asked)),
            false => state.push_back(asked),
        });
        refused.map_or(Ok(()), Err)
    }

    /// Accepts nothing more.
    pub(crate) fn stop(&self) {
        self.tell(|state| state.stopped = true);
    }

    /// Takes what waits, one of each peer in turns, as far as one batch goes; waits for it until `deadline`.
    pub(crate) fn take(
        &self,
        deadline: Instant,
        limits: &Limits,
        is_dear: impl Fn(&Asked) -> bool,
    ) -> Taken {
        let mut state = self.lock();
        loop {
            let batch = state.batch(limits, &is_dear);
            if !batch.is_empty() {
                return Taken::Batch(batch);
            }
            if state.stopped && state.turns.is_empty() {
                return Taken::Ended;
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Taken::Late;
            }
            state.waiting = true;
            let woken = self.news.wait_timeout(state, wait);
            state = woken.expect("nothing panics while it holds the lines").0;
            state.waiting = false;
        }
    }

    /// Puts requests back to the heads of their peers' lines: the end of a batch that was not answered.
    pub(crate) fn put_back(&self, rest: impl DoubleEndedIterator<Item = Asked>) {
        let mut state = self.lock();
        for asked in rest.rev() {
            state.push_front(asked);
        }
    }

    /// Counts a dear request as under way.
    pub(crate) fn dear(self: &Arc<Self>) -> Dear {
        self.lock().dear += 1;
        Dear(Arc::clone(self))
    }

    /// Nobody takes anything any more; what waits is forgotten.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let forgotten = (std::mem::take(&mut state.lines), std::mem::take(&mut state.turns));
        drop(state);
        drop(forgotten);
    }

    /// Changes something, and wakes the owner if it waits.
    fn tell(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waiting = state.waiting;
        drop(state);
        if waiting {
            self.news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lines")
    }
}

impl State {
    fn push_back(&mut self, asked: Asked) {
        let peer = asked.back.peer();
        let line = self.lines.entry(peer).or_default();
        if line.is_empty() {
            self.turns.push_back(peer);
        }
        line.push_back(asked);
    }

    fn push_front(&mut self, asked: Asked) {
        let peer = asked.back.peer();
        let line = self.lines.entry(peer).or_default();
        if line.is_empty() {
            self.turns.push_front(peer);
        }
        line.push_front(asked);
    }

    fn batch(&mut self, limits: &Limits, is_dear: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        let mut batch = Vec::new();
        let mut held_back = Vec::new();
        let (mut bytes, mut dear) = (0, self.dear);
        while batch.len() < limits.batch_max && bytes < limits.batch_bytes_max {
            let Some(peer) = self.turns.pop_front() else { break };
            let Some(line) = self.lines.get_mut(&peer) else { continue };
            let next_is_dear = line.front().is_some_and(&is_dear);
            if next_is_dear && dear >= DEAR_MAX {
                held_back.push(peer);
                continue;
            }
            dear += usize::from(next_is_dear);
            batch.extend(line.pop_front().inspect(|asked| bytes += envelope::size(&asked.frames)));
            match line.is_empty() {
                true => drop(self.lines.remove(&peer)),
                false => self.turns.push_back(peer),
            }
        }
        for peer in held_back.into_iter().rev() {
            self.turns.push_front(peer);
        }
        batch
    }
}

#[cfg(test)]
mod tests;
