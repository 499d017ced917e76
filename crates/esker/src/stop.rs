//! When to stop: SIGINT or SIGTERM once ends gently, twice at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Tells every part of the program that it is to end.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// A stop that signals pull.
    pub(crate) fn on_signals() -> Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
        let pulled = stop.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if pulled.is_pulled() {
                    // The default deed of a signal is to end the process at once.
                    drop(signal_hook::low_level::emulate_default_handler(signal));
                }
                pulled.pull();
            }
        })?;
        Ok(stop)
    }

    /// Pulls it.
    pub(crate) fn pull(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it was pulled.
    pub(crate) fn is_pulled(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is pulled, or for this long; says whether it was.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        let pulled = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(pulled, at_most, |pulled| !*pulled);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
