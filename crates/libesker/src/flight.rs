//! What is under way for C: started in one call, and waited for in others.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::fault::Fault;

use crate::client::Connected;
use crate::error::{self, ESK_BUSY, Failure};

/// The most that may be under way in one client.
const COUNT_MAX: usize = 4096;
/// The most bytes that may be on their way to workers, one content apart.
const BYTES_MAX: usize = 256 << 20;

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    Done,
    Length(u64),
    Content(Bytes),
    Absent,
}

/// Something under way, or what came of it.
#[derive(Default)]
pub(crate) struct Flight {
    ended: Mutex<Option<Result<Ended, Failure>>>,
    bell: Condvar,
}

/// How much is under way in a client.
#[derive(Debug, Default)]
pub(crate) struct Load {
    count: usize,
    bytes: usize,
}

/// What has to be said when something ends, however it ends.
struct Landing {
    flight: Arc<Flight>,
    connected: Arc<Connected>,
    bytes: usize,
}

impl Flight {
    /// Starts something that has so many bytes to send, unless too much is under way.
    pub(crate) fn start(
        connected: &Arc<Connected>,
        bytes: usize,
        task: impl Future<Output = Result<Ended, Fault>> + Send + 'static,
    ) -> Result<Arc<Self>, Failure> {
        {
            let mut load = connected.load();
            let is_full = load.count >= COUNT_MAX || load.bytes.saturating_add(bytes) > BYTES_MAX;
            if load.count > 0 && is_full {
                let message = format!("{} under way, with {} bytes", load.count, load.bytes);
                return Err(Failure::new(ESK_BUSY, message, "wait for some of them first"));
            }
            load.count += 1;
            load.bytes += bytes;
        }
        let flight = Arc::new(Self::default());
        let connected = Arc::clone(connected);
        let landing = Landing { flight: Arc::clone(&flight), connected, bytes };
        let bus = landing.connected.bus.clone();
        bus.spawn(async move {
            let ended = task.await;
            landing.flight.end(ended.map_err(Failure::from));
        });
        Ok(flight)
    }

    fn ended(&self) -> MutexGuard<'_, Option<Result<Ended, Failure>>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, how: Result<Ended, Failure>) {
        self.ended().get_or_insert(how);
        self.bell.notify_all();
    }

    /// Waits so long, or without end; nothing if it is not over by then.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Option<Result<Ended, Failure>> {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let mut ended = self.ended();
        while ended.is_none() {
            let Some(until) = until else {
                ended = self.bell.wait(ended).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.bell.wait_timeout(ended, left);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        ended.clone()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        {
            let mut load = self.connected.load();
            load.count -= 1;
            load.bytes -= self.bytes;
        }
        // Only one that panicked, or was dropped with its threads, has not said how it ended.
        self.flight.end(Err(error::internal("what was under way was broken off")));
    }
}

impl Connected {
    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
