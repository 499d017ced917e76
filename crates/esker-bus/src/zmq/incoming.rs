//! The bytes that come from a client: how far its message is, how much memory it may take, and how long it may stall.
//!
//! The library reads as much as is there, for as long as there is something, and a message half sent is kept for ever.
//! So this stands between it and the connection.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use omq_tokio::engine::driver::DriverStream;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use crate::bus::Limits;
use crate::zmq::wire::Scanner;

/// The bytes of a message that need no room of the common one: most messages have no more.
const FREE: usize = 64 * 1024;

/// Bytes per permit.
const UNIT: usize = 1024;

/// The bytes after which a connection lets its own timers and the other connections have their turn.
const TURN: usize = 1024 * 1024;

/// The fewest bytes that keep a message alive.
const PROGRESS: usize = 64 * 1024;

/// The room that all unfinished messages, and those not yet in the queue, share.
#[derive(Debug, Clone)]
pub(super) struct Room {
    space: Arc<Semaphore>,
    space_max: usize,
    /// Lets one message at a time grow beyond: two that have much and need more would wait for each other for ever.
    beyond: Arc<Semaphore>,
    stall_max: Duration,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        let space_max = limits.incoming_bytes_max.max(limits.message_max) / UNIT + 1;
        Self {
            space: Arc::new(Semaphore::new(space_max)),
            space_max,
            beyond: Arc::new(Semaphore::new(1)),
            stall_max: limits.stall_max,
        }
    }

    /// Waits for room for so many bytes more.
    async fn more(self, bytes: usize, has_some: bool) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from((bytes / UNIT + 1).min(self.space_max)).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            space = self.space.acquire_many_owned(units) => space.ok(),
            beyond = self.beyond.acquire_owned(), if has_some => beyond.ok(),
        }
    }
}

/// The room of messages that have come in full, until they are in the queue.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<VecDeque<(u64, Vec<OwnedSemaphorePermit>)>>);

impl Held {
    /// Gives back the room of a connection's first so many messages.
    pub(super) fn release(&self, count: u64) {
        let mut held = self.lock();
        while held.front().is_some_and(|(number, _)| *number <= count) {
            held.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Vec<OwnedSemaphorePermit>)>> {
        self.0.lock().expect("nothing panics while it holds the list")
    }
}

type Waiting = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// A client's connection as the library sees it.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    peer: SocketAddr,
    room: Room,
    held: Arc<Held>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, room: Room, held: Arc<Held>) -> Self {
        Self { stream, peer, room, held }
    }
}

impl DriverStream for Watched {
    type Reader = Reader;
    type Writer = OwnedWriteHalf;

    fn split(self, _fast_write: bool) -> (Reader, OwnedWriteHalf) {
        let (stream, writer) = self.stream.into_split();
        let reader = Reader {
            stream,
            peer: self.peer,
            room: self.room,
            held: self.held,
            scanner: Scanner::default(),
            permits: Vec::new(),
            waiting: None,
            turn: 0,
            stall: None,
        };
        (reader, writer)
    }
}

/// The reading half.
pub(super) struct Reader {
    stream: OwnedReadHalf,
    peer: SocketAddr,
    room: Room,
    held: Arc<Held>,
    scanner: Scanner,
    /// The room that the message under way has.
    permits: Vec<OwnedSemaphorePermit>,
    /// The wait for more of it.
    waiting: Option<Waiting>,
    /// The bytes of this turn.
    turn: usize,
    /// Since the message under way was waited for.
    stall: Option<Stall>,
}

/// A wait for the rest of a message.
struct Stall {
    end: Pin<Box<Sleep>>,
    /// What has come of it since.
    bytes: usize,
}

impl Reader {
    /// What has come: where messages end, and whether there is room for the rest of the last.
    fn account(&mut self, bytes: &[u8]) {
        let scanner = &mut self.scanner;
        scanner.scan(bytes, |message| {
            let permits = std::mem::take(&mut self.permits);
            if !permits.is_empty() {
                self.held.lock().push_back((message, permits));
            }
        });
        self.turn += bytes.len();
        let goes_on = |stall: &Stall| {
            stall.bytes + bytes.len() < PROGRESS && stall.end.deadline() > Instant::now()
        };
        match &mut self.stall {
            // What comes after the deadline was there before: it was this end that did not read.
            Some(stall) if scanner.is_within_message() && goes_on(stall) => {
                stall.bytes += bytes.len();
            }
            stall => *stall = None,
        }
        if scanner.announced > FREE {
            let bytes = std::mem::take(&mut scanner.announced);
            let more = self.room.clone().more(bytes, !self.permits.is_empty());
            self.waiting = Some(Box::pin(more));
        }
    }

    /// Whether the rest of a message has been waited for too long.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        if !self.scanner.is_within_message() {
            return false;
        }
        let wait = self.room.stall_max;
        let stall = self
            .stall
            .get_or_insert_with(|| Stall { end: Box::pin(tokio::time::sleep(wait)), bytes: 0 });
        stall.end.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(waiting) = &mut this.waiting {
            let permit = ready!(waiting.as_mut().poll(context));
            this.waiting = None;
            this.stall = None;
            this.permits.extend(permit);
        }
        if this.turn >= TURN {
            this.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                this.account(&buffer.filled()[before..]);
                Poll::Ready(result)
            }
            Poll::Pending if this.is_stalled(context) => {
                let (peer, wait) = (this.peer, this.room.stall_max);
                tracing::warn!(%peer, ?wait, "a client's message does not go on; its connection is closed");
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => {
                this.turn = 0;
                Poll::Pending
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.scanner.is_within_message() {
            let peer = self.peer;
            tracing::info!(%peer, "a client's connection ended within a message, which is lost");
        }
    }
}
