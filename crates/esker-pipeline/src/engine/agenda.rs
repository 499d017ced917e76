//! When the engine is to look again.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How long after a look the hints are gathered before the next: the first of a burst is not kept waiting, the
/// rest are one change.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(50);
/// How often it looks although nothing was heard.
const RESYNC: Duration = Duration::from_secs(60);
/// How often files are looked at although nothing was seen.
const POLL: Duration = Duration::from_secs(2);
/// The longest wait for a store that cannot be reached.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// When the engine is to look again.
#[derive(Debug)]
pub(super) struct Agenda {
    due: Instant,
    looked: Option<Instant>,
    poll: Instant,
    failures: u32,
}

impl Agenda {
    /// Look at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now, looked: None, poll: now + POLL, failures: 0 }
    }

    /// How long to wait for mail.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.due.min(self.poll).saturating_duration_since(now)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// Whether to poll; the next time is set.
    pub(super) fn is_poll_due(&mut self, now: Instant) -> bool {
        let due = self.poll <= now;
        if due {
            self.poll = now + POLL;
        }
        due
    }

    /// Something happened that may come in a burst.
    pub(super) fn hinted(&mut self, now: Instant) {
        let gathered = self.looked.map_or(now, |looked| looked + DEBOUNCE);
        self.within(now, gathered.saturating_duration_since(now));
    }

    /// Files have changed, which may come in a burst too.
    pub(super) fn seen(&mut self, now: Instant) {
        self.poll = self.poll.min(now + DEBOUNCE);
    }

    /// Look within this time.
    pub(super) fn within(&mut self, now: Instant, wait: Duration) {
        self.due = self.due.min(now + wait);
    }

    /// The engine has looked; the next time is `wake` at the latest.
    pub(super) fn looked(&mut self, now: Instant, wake: Option<Timestamp>, clock: Timestamp) {
        self.failures = 0;
        self.looked = Some(now);
        let wake = wake.and_then(|wake| Duration::try_from(wake.duration_since(clock)).ok());
        self.due = now + wake.map_or(RESYNC, |wake| wake.min(RESYNC));
    }

    /// The engine could not look.
    pub(super) fn failed(&mut self, now: Instant) {
        let wait = Duration::from_secs(1 << self.failures.min(10)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        self.due = now + wait;
    }
}
