//! What a mirror's thread shares with the rest: how it stands, and what wakes it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use esker_wire::snapshot::MirrorReport;
use jiff::Timestamp;

use super::push::Trouble;

/// One mirror, as its thread and the others see it.
#[derive(Debug)]
pub(crate) struct Mirror {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    report: MirrorReport,
    trouble: Option<Trouble>,
    /// Whether there is news since it was last asked.
    rung: bool,
    /// When all must be over, once it is to end.
    end: Option<Instant>,
}

/// What may end a wait before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wakes {
    /// News, and the end.
    News,
    /// The end alone.
    End,
}

impl Mirror {
    /// A mirror at a URL without secrets.
    pub(crate) fn new(url: String) -> Self {
        let report = MirrorReport { url, ..MirrorReport::default() };
        Self {
            state: Mutex::new(State { report, trouble: None, rung: false, end: None }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn report(&self) -> MirrorReport {
        self.lock().report.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut MirrorReport)) {
        change(&mut self.lock().report);
    }

    /// Tells how it went: to whoever asks, and in the log once when it begins to lag, once when it has caught up.
    pub(crate) fn tell(&self, trouble: Option<Trouble>, name: &str) {
        let mut state = self.lock();
        let report = &mut state.report;
        report.trouble = trouble.as_ref().map(|trouble| trouble.text().to_owned());
        if trouble.is_none() {
            report.behind = Some(0);
            report.since = None;
        } else {
            report.since.get_or_insert_with(Timestamp::now);
        }
        let (mirror, behind) = (report.url.clone(), report.behind);
        match (&state.trouble, &trouble) {
            (None, None)
            | (Some(Trouble::Failed(_)), Some(Trouble::Failed(_)))
            | (Some(Trouble::Diverged(_)), Some(Trouble::Diverged(_))) => {}
            (Some(_), None) => tracing::info!(mirror, "{name} has caught up"),
            (_, Some(trouble)) => {
                tracing::warn!(mirror, behind, why = trouble.text(), "{name} lags behind");
            }
        }
        state.trouble = trouble;
    }

    /// Tells that there is news.
    fn ring(&self) {
        self.lock().rung = true;
        self.changed.notify_all();
    }

    /// Tells that all is to be over by then.
    pub(crate) fn end_by(&self, at: Instant) {
        self.lock().end = Some(at);
        self.changed.notify_all();
    }

    /// Whether the time to end is over.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().end.is_some_and(|end| Instant::now() >= end)
    }

    /// Waits for so long, for news, or for the end; tells whether it is to end. News stays until it is waited for.
    pub(crate) fn wait(&self, at_most: Duration, wakes: Wakes) -> bool {
        let goes_on =
            |state: &mut State| state.end.is_none() && !(state.rung && wakes == Wakes::News);
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, goes_on);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.rung &= wakes != Wakes::News;
        state.end.is_some()
    }
}

/// The mirrors a store is pushed to, for those who ask how they stand and those who have news.
#[derive(Clone, Default)]
pub struct Mirrors(pub(crate) Vec<Arc<Mirror>>);

impl Mirrors {
    /// How each stands, in the order of the definition.
    pub fn reports(&self) -> Vec<MirrorReport> {
        self.0.iter().map(|mirror| mirror.report()).collect()
    }

    /// Tells that something was stored. Its branch may move on disk a little later.
    pub(crate) fn ring(&self) {
        for mirror in &self.0 {
            mirror.ring();
        }
    }
}

impl fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.reports()).finish()
    }
}
