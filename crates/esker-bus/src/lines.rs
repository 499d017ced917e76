//! What waits for a service: a line for each peer, taken from in turns, so that nobody waits for all that another asks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use crate::bus::Limits;
use crate::envelope;
use crate::queue::{Asked, Mail};

/// How many dear requests may be under way at once: two threads work, and as many have theirs ready.
const DEAR_MAX: usize = 4;

/// What came of waiting for requests.
pub(crate) enum Taken {
    /// Requests, in the order in which they are to be answered.
    Batch(Vec<Asked>),
    /// Somebody in this process has something for the service.
    Woken,
    /// None came in time.
    Late,
    /// None is left, and none will come.
    Ended,
}

/// The lines of a service; they are its owner's alone.
pub(crate) struct Lines {
    mail: Receiver<Mail>,
    /// For those who tell that something dear is done.
    done: Sender<Mail>,
    /// By peer: what it asked, in its order; there is no empty line.
    lines: BTreeMap<usize, VecDeque<Asked>>,
    /// Every peer that has a line; whose turn is next comes first.
    turns: VecDeque<usize>,
    /// A line that is not used.
    spare: VecDeque<Asked>,
    /// How many dear requests are under way.
    dear: usize,
    /// Nothing more will come.
    stopped: bool,
    /// Whether the service is to be woken; the queue's sign that it was told, which it may then tell again.
    woken: bool,
    /// It was woken the last time: what waits has its turn before it is again.
    was_woken: bool,
    sign: Arc<AtomicBool>,
}

/// A dear request under way; dropping it counts it as done.
pub(crate) struct Dear(Sender<Mail>);

impl Drop for Dear {
    fn drop(&mut self) {
        // The owner may have ended.
        drop(self.0.send(Mail::Done));
    }
}

impl Lines {
    /// The lines of what comes by this way.
    pub(crate) fn new((done, mail): (Sender<Mail>, Receiver<Mail>), sign: Arc<AtomicBool>) -> Self {
        Self {
            mail,
            done,
            lines: BTreeMap::new(),
            turns: VecDeque::new(),
            spare: VecDeque::new(),
            dear: 0,
            stopped: false,
            woken: false,
            was_woken: false,
            sign,
        }
    }

    /// Takes what waits, one of each peer in turns, as far as one batch goes; waits for it until `deadline`.
    pub(crate) fn take(
        &mut self,
        deadline: Instant,
        limits: &Limits,
        is_dear: impl Fn(&Asked) -> bool,
    ) -> Taken {
        loop {
            while let Ok(mail) = self.mail.try_recv() {
                self.sort(mail);
            }
            if !std::mem::take(&mut self.was_woken) && std::mem::take(&mut self.woken) {
                self.was_woken = true;
                return Taken::Woken;
            }
            let batch = self.batch(limits, &is_dear);
            if !batch.is_empty() {
                return Taken::Batch(batch);
            }
            if self.woken {
                continue;
            }
            if self.stopped && self.turns.is_empty() {
                return Taken::Ended;
            }
            match self.mail.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(mail) => self.sort(mail),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Taken::Late;
                }
            }
        }
    }

    /// Puts requests back to the heads of their peers' lines: the end of a batch that was not answered.
    pub(crate) fn put_back(&mut self, rest: impl DoubleEndedIterator<Item = Asked>) {
        for asked in rest.rev() {
            let peer = asked.back.peer();
            let line = self.lines.entry(peer).or_insert_with(|| std::mem::take(&mut self.spare));
            if line.is_empty() {
                self.turns.push_front(peer);
            }
            line.push_front(asked);
        }
    }

    /// Counts a dear request as under way.
    pub(crate) fn dear(&mut self) -> Dear {
        self.dear += 1;
        Dear(self.done.clone())
    }

    fn sort(&mut self, mail: Mail) {
        let asked = match mail {
            Mail::Asked(asked) => asked,
            Mail::Done => return self.dear -= 1,
            Mail::Wake => {
                self.woken = true;
                // What is said from here on wakes again.
                return self.sign.store(false, Ordering::Release);
            }
            Mail::Stop => return self.stopped = true,
        };
        let peer = asked.back.peer();
        let line = self.lines.entry(peer).or_insert_with(|| std::mem::take(&mut self.spare));
        if line.is_empty() {
            self.turns.push_back(peer);
        }
        line.push_back(asked);
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
                true => self.spare = self.lines.remove(&peer).unwrap_or_default(),
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
