//! The last transactions as they were published, to be replayed.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use crate::ask::{Replay, Replayed};

/// What one REPLAY answers at most, in bytes, one transaction apart.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// The frames one REPLAY answers at most, one transaction apart.
const FRAMES_MAX: usize = 10_000;

/// One transaction of more than this is not replayed: no replica has room for it, and DIFF tells it in pages.
const ONE_MAX: (usize, usize) = (4096, 16 * 1024 * 1024);

#[derive(Debug)]
struct Kept {
    seq: u64,
    section: usize,
    frame: Bytes,
    at: Duration,
}

/// Transactions in order, the oldest going first; only whole ones are kept.
#[derive(Debug)]
pub(super) struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
    bytes_max: usize,
    age_max: Duration,
    /// The transaction that was too large for it: what more comes of it is not kept.
    too_large: u64,
}

impl Ring {
    pub(super) fn new(bytes_max: usize, age_max: Duration) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, bytes_max, age_max, too_large: 0 }
    }

    /// Keeps a frame of a transaction.
    pub(super) fn push(&mut self, (seq, section): (u64, usize), frame: [&Bytes; 2], at: Duration) {
        if seq == self.too_large {
            return;
        }
        let frame = Bytes::from([&frame[0][..], &frame[1][..]].concat());
        self.bytes += frame.len();
        self.kept.push_back(Kept { seq, section, frame, at });
        while self.bytes > self.bytes_max {
            self.forget_oldest();
        }
        if self.kept.is_empty() {
            self.too_large = seq;
        }
    }

    /// Forgets what is too old.
    pub(super) fn forget(&mut self, now: Duration) {
        while self.kept.front().is_some_and(|oldest| oldest.at + self.age_max < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.kept.front().map(|oldest| oldest.seq) else { return };
        while let Some(frame) = self.kept.pop_front_if(|kept| kept.seq == oldest) {
            self.bytes -= frame.frame.len();
        }
    }

    /// The oldest transaction that is kept, or the next one if none is.
    pub(super) fn first(&self, seq: u64) -> u64 {
        self.kept.front().map_or(seq + 1, |oldest| oldest.seq)
    }

    /// The transactions after one.
    pub(super) fn replay(
        &self,
        asked: &Replay,
        sections: Option<&BTreeSet<usize>>,
        seq: u64,
    ) -> Result<Replayed, Fault> {
        let first = self.first(seq);
        if asked.after + 1 < first {
            let text =
                format!("transaction {} is no longer kept, {first} is the oldest", asked.after + 1);
            return Err(Fault::new(Code::Gone, text).hint("ask DIFF, or CUT and NODES"));
        }
        let bytes_max = asked.bytes_max.min(ANSWER_MAX);
        let begin = self.kept.partition_point(|kept| kept.seq <= asked.after);
        let mut replayed = Replayed { seq: asked.after, more: false, frames: Vec::new() };
        let mut bytes = 0;
        let mut one = (asked.after, 0, 0);
        for kept in self.kept.range(begin..) {
            let is_full = bytes >= bytes_max || replayed.frames.len() >= FRAMES_MAX;
            if is_full && kept.seq != replayed.seq {
                replayed.more = true;
                return Ok(replayed);
            }
            replayed.seq = kept.seq;
            if sections.is_none_or(|wanted| wanted.contains(&kept.section)) {
                bytes += kept.frame.len();
                replayed.frames.push(kept.frame.clone());
                let (_, frames, size) = if one.0 == kept.seq { one } else { (kept.seq, 0, 0) };
                one = (kept.seq, frames + 1, size + kept.frame.len());
                if (one.1 > ONE_MAX.0) || (one.2 > ONE_MAX.1 && one.1 > 1) {
                    let text = format!("transaction {} is too large to be replayed", kept.seq);
                    return Err(Fault::new(Code::Gone, text).hint("ask DIFF, or CUT and NODES"));
                }
            }
        }
        replayed.seq = seq;
        Ok(replayed)
    }
}

#[cfg(test)]
mod tests;
