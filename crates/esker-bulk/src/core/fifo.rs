//! Which cached content is forgotten first: S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO queues are all you need
//! for cache eviction", SOSP 2023).
//!
//! What is new is in the small queue, a tenth of all bytes; what is asked for again there moves to the main queue, what
//! is not leaves only its hash in the ghost queue, and goes to the main queue if it comes back. An entry that is
//! removed or replaced stays in its queue as a ticket that fits nothing, until its turn comes.

use std::collections::{HashSet, VecDeque};

/// How often something was asked for, as far as it counts.
pub(crate) const ASKED_MAX: u8 = 3;

/// An entry's place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    entry: u32,
    ticket: u32,
    bytes: u64,
}

/// What is told of an entry whose turn has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// The hash it is known by when it is gone.
    pub(crate) hash: u64,
    /// How often it was asked for since its last turn.
    pub(crate) asked: u8,
}

/// The queues.
#[derive(Debug, Default)]
pub(crate) struct Fifo {
    small: VecDeque<Turn>,
    main: VecDeque<Turn>,
    small_bytes: u64,
    main_bytes: u64,
    ghosts: VecDeque<u64>,
    ghost: HashSet<u64>,
}

impl Fifo {
    /// Takes in an entry of so many bytes.
    pub(crate) fn push(&mut self, (entry, ticket): (u32, u32), hash: u64, bytes: u64) {
        let turn = Turn { entry, ticket, bytes };
        if self.ghost.remove(&hash) {
            self.main_bytes += bytes;
            self.main.push_back(turn);
        } else {
            self.small_bytes += bytes;
            self.small.push_back(turn);
        }
    }

    /// The entry that is to be forgotten. `look` tells of an entry, and sets how often it was asked for to what is
    /// given; nothing if the ticket fits it no longer.
    pub(crate) fn next(
        &mut self,
        mut look: impl FnMut(u32, u32, Option<u8>) -> Option<Seen>,
    ) -> Option<u32> {
        loop {
            let is_small = self.small_bytes * 10 > self.small_bytes + self.main_bytes;
            if let Some(turn) = self.small.pop_front_if(|_| is_small || self.main.is_empty()) {
                self.small_bytes -= turn.bytes;
                let Some(seen) = look(turn.entry, turn.ticket, Some(0)) else { continue };
                if seen.asked > 0 {
                    self.main_bytes += turn.bytes;
                    self.main.push_back(turn);
                } else {
                    self.haunt(seen.hash);
                    return Some(turn.entry);
                }
            } else {
                let turn = self.main.pop_front()?;
                self.main_bytes -= turn.bytes;
                let Some(seen) = look(turn.entry, turn.ticket, None) else { continue };
                if seen.asked > 0 {
                    look(turn.entry, turn.ticket, Some(seen.asked - 1));
                    self.main_bytes += turn.bytes;
                    self.main.push_back(turn);
                } else {
                    return Some(turn.entry);
                }
            }
        }
    }

    /// Remembers the hash of what is forgotten, of as many as there are in the main queue.
    fn haunt(&mut self, hash: u64) {
        if self.ghost.insert(hash) {
            self.ghosts.push_back(hash);
        }
        while self.ghosts.len() > self.main.len().max(16) {
            if let Some(oldest) = self.ghosts.pop_front() {
                self.ghost.remove(&oldest);
            }
        }
    }

    /// How many turns are queued, those of entries that are gone among them.
    pub(crate) fn turns(&self) -> usize {
        self.small.len() + self.main.len()
    }

    /// Lets go of the turns of entries that are gone.
    pub(crate) fn sweep(&mut self, mut is_there: impl FnMut(u32, u32) -> bool) {
        for (queue, bytes) in
            [(&mut self.small, &mut self.small_bytes), (&mut self.main, &mut self.main_bytes)]
        {
            queue.retain(|turn| is_there(turn.entry, turn.ticket));
            *bytes = queue.iter().map(|turn| turn.bytes).sum();
        }
    }
}

#[cfg(test)]
mod tests;
