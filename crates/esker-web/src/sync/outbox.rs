//! What waits to be sent to browsers, and how much of it may.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use esker_bus::service::Frames;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::topic::Filter;
use super::{Outgoing, framing};
use crate::metrics::Metrics;

/// A browser that has more bytes than this waiting loses events until it has fewer: its chain tells it.
const WAITING_MAX: usize = 1024 * 1024;

/// What a reply takes up until it is sent: a place among its browser's, and room among the replies to all.
pub(super) struct Place {
    _own: OwnedSemaphorePermit,
    _room: Option<OwnedSemaphorePermit>,
}

impl Place {
    pub(super) fn with_room(own: OwnedSemaphorePermit, room: OwnedSemaphorePermit) -> Self {
        Self { _own: own, _room: Some(room) }
    }
}

impl From<OwnedSemaphorePermit> for Place {
    fn from(own: OwnedSemaphorePermit) -> Self {
        Self { _own: own, _room: None }
    }
}

/// What waits for one browser.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Nothing before it says what it follows.
    filter: Option<Filter>,
    messages: VecDeque<Outgoing>,
    bytes: usize,
    is_losing: bool,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // What is guarded is whole between any two statements.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a reply sent, however much waits; its request's place is free when it is.
    pub(super) fn reply(&self, reply: &Frames, place: impl Into<Place>) {
        self.waiting().push(framing::join(reply), Some(place.into()));
        self.more.notify_one();
    }

    /// Has a reply sent, and behind it all events that pass, and no others.
    pub(super) fn follow(&self, filter: Filter, reply: &Frames, place: impl Into<Place>) {
        let mut waiting = self.waiting();
        waiting.filter = Some(filter);
        waiting.push(framing::join(reply), Some(place.into()));
        drop(waiting);
        self.more.notify_one();
    }

    /// Has an event sent if it is wanted and there is room. It is put in one piece once for all who want it.
    /// Whether it was not lost.
    fn tell(&self, event: &[Bytes], joined: &mut Option<Bytes>) -> bool {
        let mut waiting = self.waiting();
        let topic = event.first().map(AsRef::as_ref).unwrap_or_default();
        if !waiting.filter.as_ref().is_some_and(|filter| filter.passes(topic)) {
            return true;
        }
        if waiting.bytes > WAITING_MAX {
            if !waiting.is_losing {
                tracing::debug!("a browser is too slow for the model's events and loses some");
            }
            waiting.is_losing = true;
            return false;
        }
        waiting.is_losing = false;
        let joined = joined.get_or_insert_with(|| framing::join(event));
        waiting.push(joined.clone(), None);
        drop(waiting);
        self.more.notify_one();
        true
    }

    /// The next message to send, once there is one.
    pub(super) async fn next(&self) -> Outgoing {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            self.more.notified().await;
        }
    }

    /// The next message to send, if there is one.
    pub(super) fn try_next(&self) -> Option<Outgoing> {
        let mut waiting = self.waiting();
        let next = waiting.messages.pop_front()?;
        waiting.bytes -= next.0.len();
        Some(next)
    }
}

impl Waiting {
    fn push(&mut self, message: Bytes, place: Option<Place>) {
        self.bytes += message.len();
        self.messages.push_back((message, place));
    }
}

/// All browsers that are connected.
#[derive(Default)]
pub(super) struct Listeners {
    all: Mutex<Vec<Arc<Outbox>>>,
    /// Where it is counted what is lost.
    metrics: Arc<Metrics>,
}

/// A browser's place among [`Listeners`], until it is dropped.
pub(super) struct Listening<'a> {
    listeners: &'a Listeners,
    outbox: Arc<Outbox>,
}

impl Listeners {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { all: Mutex::default(), metrics }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Outbox>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a browser told from now on.
    pub(super) fn join(&self, outbox: &Arc<Outbox>) -> Listening<'_> {
        self.all().push(Arc::clone(outbox));
        Listening { listeners: self, outbox: Arc::clone(outbox) }
    }

    /// Tells an event to all who want it.
    pub(super) fn tell(&self, event: &[Bytes]) {
        let mut joined = None;
        for outbox in self.all().iter() {
            if !outbox.tell(event, &mut joined) {
                self.metrics.drop_event();
            }
        }
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.listeners.all().retain(|outbox| !Arc::ptr_eq(outbox, &self.outbox));
    }
}

#[cfg(test)]
mod tests;
