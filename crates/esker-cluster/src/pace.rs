//! How long to wait: between attempts, and until somebody says stop.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The first wait after a failure.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait between attempts: what is back is to be noticed within seconds.
const LAST: Duration = Duration::from_secs(2);

/// How long the first question waits for a change.
const SHORT: Duration = Duration::from_millis(250);

/// The waits after failures one after the other: each twice as long, up to a bound, and less by chance, so that
/// those who failed together do not come again together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// All is well again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        jittered(wait)
    }
}

/// How long questions may wait for a change: each twice as long as the one before, up to a bound. Consul answers a
/// question though whoever asked is gone, keeps its connection until then, and refuses an address with 200 of them:
/// commands that end at once must not leave questions behind that wait for long.
#[derive(Debug)]
pub(crate) struct Patience {
    next: Duration,
    bound: Duration,
}

impl Patience {
    pub(crate) fn up_to(bound: Duration) -> Self {
        Self { next: SHORT.min(bound), bound }
    }

    /// How long the next question may wait.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.bound);
        wait
    }
}

/// Between half of it and all of it.
pub(crate) fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Tells threads to end, and lets them sleep until then.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    pub(crate) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps; whether to end.
    pub(crate) fn sleep(&self, wait: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = self.told.wait_timeout_while(stopped, wait, |stopped| !*stopped);
        *slept.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests;
