//! The chains of sections: where each is, which have news, and which are forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;

use crate::digest::section_id;
use crate::path::{self, Key, Path};

/// The sections that had no news and have a heartbeat nevertheless, each second, in turn.
pub(super) const IDLE_HEARTBEATS: usize = 32;

/// One section's place in its chain.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) path: Path,
    pub(super) topic: Bytes,
    pub(super) id: u64,
    /// The last transaction that touched it.
    pub(super) last: u64,
    /// When that was.
    pub(super) touched: Duration,
}

/// All chains. A number names one as long as there is anything of it in the ring.
#[derive(Debug, Default)]
pub(super) struct Chains {
    all: Vec<Option<Chain>>,
    vacant: Vec<usize>,
    by_path: HashMap<Path, usize>,
    /// Those that changed since the last heartbeat.
    news: BTreeSet<usize>,
    /// The next one to have a heartbeat in turn.
    turn: usize,
}

impl Chains {
    /// The chain of a section of this model, which begins if there is none.
    pub(super) fn of(&mut self, model: &str, section: &[Key], now: Duration) -> usize {
        if let Some(&known) = self.by_path.get(section) {
            return known;
        }
        let chain = Chain {
            path: section.to_vec(),
            topic: path::topic(model, section).into(),
            id: section_id(section),
            last: 0,
            touched: now,
        };
        let at = self.vacant.pop().unwrap_or(self.all.len());
        if at == self.all.len() {
            self.all.push(None);
        }
        self.all[at] = Some(chain);
        self.by_path.insert(section.to_vec(), at);
        at
    }

    /// The chain of a section, if there is one.
    pub(super) fn find(&self, section: &[Key]) -> Option<usize> {
        self.by_path.get(section).copied()
    }

    /// A chain.
    ///
    /// # Panics
    /// If there is none of this number.
    pub(super) fn get(&self, at: usize) -> &Chain {
        self.all[at].as_ref().expect("a chain that is not forgotten")
    }

    /// A transaction touched a section; the one that did before.
    pub(super) fn touch(&mut self, at: usize, seq: u64, now: Duration) -> u64 {
        self.news.insert(at);
        let chain = self.all[at].as_mut().expect("a chain that is not forgotten");
        chain.touched = now;
        std::mem::replace(&mut chain.last, seq)
    }

    /// Any of them may have changed up to this transaction.
    pub(super) fn touch_all(&mut self, seq: u64, now: Duration) {
        for at in 0..self.all.len() {
            if self.all[at].is_some() {
                self.touch(at, seq, now);
            }
        }
    }

    /// Those that are to have a heartbeat: all that have news and some of the others; and which those others are.
    pub(super) fn due(&mut self) -> (BTreeSet<usize>, Vec<usize>) {
        let mut due = std::mem::take(&mut self.news);
        let mut idle = Vec::new();
        for _ in 0..IDLE_HEARTBEATS.min(self.all.len()) {
            let at = self.turn % self.all.len();
            self.turn = (at + 1) % self.all.len();
            if self.all[at].is_some() && due.insert(at) {
                idle.push(at);
            }
        }
        (due, idle)
    }

    /// Forgets a chain: its section begins anew if it ever comes again.
    pub(super) fn forget(&mut self, at: usize) {
        if let Some(chain) = self.all[at].take() {
            self.by_path.remove(&chain.path);
            self.vacant.push(at);
        }
    }
}
