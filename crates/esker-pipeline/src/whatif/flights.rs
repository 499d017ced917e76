//! The same computed once: who would run for a key that somebody runs for just now waits, and then finds its result.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::run::Halt;
use crate::run::line::Line;

/// How soon one that waits heeds that it is to end.
const HEED: Duration = Duration::from_millis(100);

/// The keys that are run for.
#[derive(Debug, Default)]
pub(super) struct Flights {
    keys: Mutex<HashSet<String>>,
    landed: Condvar,
}

/// A key that nobody else runs for as long as this lives.
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    key: String,
}

impl Flights {
    /// Waits until nobody runs for the key.
    pub(super) fn begin(&self, key: &str, line: &Line) -> Result<Flight<'_>, Halt> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        while keys.contains(key) {
            let waited = self.landed.wait_timeout(keys, HEED);
            keys = waited.unwrap_or_else(PoisonError::into_inner).0;
            line.heed()?;
        }
        keys.insert(key.to_owned());
        Ok(Flight { flights: self, key: key.to_owned() })
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut keys = self.flights.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
        self.flights.landed.notify_all();
    }
}
