//! What wakes those who tell others: that the store may have changed, or that they are to end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often it rang, and whether all are to end.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<u64>,
    condition: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung() += 1;
        self.condition.notify_all();
    }

    /// Waits until it rings, or it has rung since, or the time is over; gives how often it rang.
    pub(crate) fn wait(&self, heard: u64, most: Duration) -> u64 {
        let until = Instant::now() + most;
        let mut rung = self.rung();
        while *rung == heard {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.condition.wait_timeout(rung, left);
            rung = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *rung
    }

    fn rung(&self) -> MutexGuard<'_, u64> {
        // A number is whole, whoever panicked.
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
