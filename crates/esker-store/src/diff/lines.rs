//! The answer of a structured difference: JSON objects, one a line, within its limits of lines, bytes and time.

use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;

/// How many changes one answer tells.
const CHANGES_MAX: usize = 100_000;
/// How many bytes of changes one answer tells; a single change may go beyond.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why comparing ends early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The answer holds no more; what it has is told.
    #[error("the answer is full")]
    Full,
    /// The time is up.
    #[error("the time is up")]
    Late,
    /// A content is not of the form to compare.
    #[error("{0}")]
    Unreadable(String),
    /// A content has more parts than are compared.
    #[error("{0}")]
    TooLarge(String),
    /// The key names a column that is nowhere.
    #[error("{0}")]
    NoColumn(String),
}

/// The answer so far.
#[derive(Debug)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    changes: usize,
    until: Instant,
}

impl Lines {
    /// What comparing tells before this time; what goes beyond the answer's limits is cut.
    pub(super) fn collect(
        until: Instant,
        compare: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<Bytes, Stop> {
        let mut lines = Self { bytes: Vec::new(), changes: 0, until };
        match compare(&mut lines) {
            Ok(()) => {}
            Err(Stop::Full) => {
                lines.tell(&serde_json::json!({ "op": "cut", "changes": lines.changes }));
            }
            Err(stop) => return Err(stop),
        }
        Ok(lines.bytes.into())
    }

    /// Adds a line that says how the next ones are meant.
    pub(super) fn tell(&mut self, line: &impl Serialize) {
        serde_json::to_writer(&mut self.bytes, line).expect("keys are texts, memory takes all");
        self.bytes.push(b'\n');
    }

    /// Adds a change.
    pub(super) fn change(&mut self, change: &impl Serialize) -> Result<(), Stop> {
        if self.changes == CHANGES_MAX || self.bytes.len() > BYTES_MAX {
            return Err(Stop::Full);
        }
        self.changes += 1;
        self.tell(change);
        self.in_time()
    }

    /// Whether there is time left.
    pub(super) fn in_time(&self) -> Result<(), Stop> {
        in_time(self.until)
    }

    /// When half of the time that is left will be over: for a search that must leave time to tell what it finds.
    pub(super) fn until_half(&self) -> Instant {
        let now = Instant::now();
        now + self.until.saturating_duration_since(now) / 2
    }
}

/// Whether a time is yet to come.
pub(super) fn in_time(until: Instant) -> Result<(), Stop> {
    if Instant::now() < until { Ok(()) } else { Err(Stop::Late) }
}
