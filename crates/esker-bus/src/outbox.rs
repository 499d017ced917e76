//! The way out to the peers of a request socket. A peer that does not read its answers delays no other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::envelope;
use crate::queue::Ticket;
use crate::service::Frames;
use crate::zmq::{Router, Sent};

/// How long a peer may leave an answer unread before the answers it has waiting are dropped.
const UNREAD_MAX: Duration = Duration::from_secs(10);

/// The answers that may wait for one peer; it has no more requests than that under way, unless it goes on
/// asking when it is told to wait.
const WAITING_MAX: usize = 10_000;

/// Sends answers to peers.
pub(crate) struct Outbox {
    router: Router,
    runtime: Handle,
    /// The bytes that may wait for one peer.
    waiting_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By identity: who has answers waiting; each has one task that sends them.
    slow: HashMap<Bytes, Waiting>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Waiting {
    answers: VecDeque<(Frames, Ticket)>,
    bytes: usize,
}

impl Outbox {
    /// An outbox over a socket whose tasks run on `runtime`.
    pub(crate) fn new(router: Router, runtime: Handle, message_max: usize) -> Self {
        Self {
            router,
            runtime,
            waiting_max: message_max.saturating_mul(2),
            state: Mutex::default(),
        }
    }

    /// The socket.
    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// Sends `frames`, the first of which is the peer's identity. Never waits.
    pub(crate) fn send(self: &Arc<Self>, frames: Frames, ticket: Ticket) {
        let mut state = self.lock();
        let identity = frames.first().map(Bytes::as_ref).unwrap_or_default();
        if let Some(waiting) = state.slow.get_mut(identity) {
            let bytes = envelope::size(&frames);
            let fits = waiting.bytes.saturating_add(bytes) <= self.waiting_max;
            if fits && waiting.answers.len() < WAITING_MAX {
                waiting.bytes += bytes;
                waiting.answers.push_back((frames, ticket));
            }
            return;
        }
        let Sent::Full(frames) = self.router.try_send(frames) else {
            return;
        };
        let identity = frames.first().cloned().unwrap_or_default();
        let waiting =
            Waiting { bytes: envelope::size(&frames), answers: VecDeque::from([(frames, ticket)]) };
        state.slow.insert(identity.clone(), waiting);
        while state.tasks.try_join_next().is_some() {}
        let task = Arc::clone(self).drain(identity);
        state.tasks.spawn_on(task, &self.runtime);
    }

    async fn drain(self: Arc<Self>, identity: Bytes) {
        while let Some((frames, ticket)) = self.next(&identity) {
            let sent = tokio::time::timeout(UNREAD_MAX, self.router.send(frames)).await;
            drop(ticket);
            if !matches!(sent, Ok(Ok(()))) {
                self.lock().slow.remove(&identity);
                return;
            }
        }
    }

    /// The next answer for a peer; one who has none is slow no longer.
    fn next(&self, identity: &Bytes) -> Option<(Frames, Ticket)> {
        let mut state = self.lock();
        let waiting = state.slow.get_mut(identity)?;
        let next = waiting.answers.pop_front();
        match &next {
            Some((frames, _)) => waiting.bytes -= envelope::size(frames),
            None => drop(state.slow.remove(identity)),
        }
        next
    }

    /// Sends what is still waiting, for at most `wait`, and closes the socket.
    pub(crate) async fn close(&self, wait: Duration) {
        let mut tasks = std::mem::take(&mut self.lock().tasks);
        let all = async { while tasks.join_next().await.is_some() {} };
        // Who still does not read has had the time.
        drop(tokio::time::timeout(wait, all).await);
        self.router.close().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the outbox")
    }
}
