//! The limit of what a replica can hear: the same frames through the same sockets, with no model on either side.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::hear::Hear;
use esker_bus::server::{Server, Waker};
use esker_bus::service::{Frames, Outcome, Service};

use super::{PATIENCE, stage};

/// The bytes that may be under way: fewer than what the socket would begin to drop at.
const UNDER_WAY_MAX: usize = 256 * 1024;

/// The frames that are taken at once.
const TAKEN_AT_ONCE: usize = 256;

/// What is published until somebody is known to hear it.
const PROBE: &[u8] = b"probe";

/// How long a probe may take to come.
const PROBE_WAIT: Duration = Duration::from_millis(20);

/// What waits, and the bytes that are under way.
#[derive(Default)]
struct Way {
    waiting: Mutex<VecDeque<Frames>>,
    under_way: AtomicUsize,
}

impl Way {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Frames>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(frames: &Frames) -> usize {
    frames.iter().map(Bytes::len).sum()
}

/// Publishes what waits.
struct Publishing(Arc<Way>);

impl Service for Publishing {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|_| Outcome::default()).collect()
    }

    fn wake(&mut self) -> Vec<Frames> {
        let before = self.0.under_way.load(Ordering::Acquire);
        let mut added = 0;
        let mut waiting = self.0.waiting();
        let fits = |frames: &Frames| {
            added += size(frames);
            before == 0 && added == size(frames) || before + added <= UNDER_WAY_MAX
        };
        let count = waiting.iter().map(fits).take_while(|fits| *fits).count();
        let published: Vec<Frames> = waiting.drain(..count).collect();
        self.0.under_way.fetch_add(published.iter().map(size).sum(), Ordering::AcqRel);
        published
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// A publisher of frames, and one who hears them.
pub(super) struct Raw {
    /// Ends last.
    _server: Server,
    waker: Waker,
    way: Arc<Way>,
    hear: Hear,
    bus: Bus,
}

impl Raw {
    /// Begins, and waits until what is published is heard.
    pub(super) fn new() -> Result<Self> {
        let way = Arc::new(Way::default());
        let service = Publishing(Arc::clone(&way));
        let server = Bus::start()?.serve("raw", service, &stage::free_ports())?;
        let bus = Bus::start()?;
        let hear = bus.hear(&stage::at(&server), vec![Vec::new()]);
        let mut raw = Self { waker: server.waker(), _server: server, way, hear, bus };
        let begun = Instant::now();
        while raw.take(PROBE_WAIT).is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("what is published is not heard");
            }
            raw.publish([vec![PROBE.into()]]);
        }
        Ok(raw)
    }

    /// How long it takes until all of them are heard.
    pub(super) fn send(&mut self, frames: Vec<Frames>) -> Result<Duration> {
        let mut left = frames.len();
        let begun = Instant::now();
        self.publish(frames);
        while left > 0 {
            match self.take(PATIENCE) {
                Some(heard) => left = left.saturating_sub(heard),
                None => bail!("{left} frames are not heard"),
            }
            self.waker.wake();
        }
        Ok(begun.elapsed())
    }

    fn publish(&self, frames: impl IntoIterator<Item = Frames>) {
        self.way.waiting().extend(frames);
        self.waker.wake();
    }

    /// How many frames come next, probes left out; nothing if that takes longer.
    fn take(&mut self, wait: Duration) -> Option<usize> {
        let Self { hear, bus, .. } = self;
        let heard = bus
            .block_on(async { tokio::time::timeout(wait, hear.next_many(TAKEN_AT_ONCE)).await })
            .ok()?;
        self.way.under_way.fetch_sub(heard.iter().map(size).sum(), Ordering::AcqRel);
        Some(heard.iter().filter(|frames| frames[0] != PROBE).count())
    }
}
