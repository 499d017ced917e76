//! The way into a service: a queue bounded by bytes, and the count of what each peer has under way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::bus::Limits;
use crate::envelope;
use crate::lines::Lines;
use crate::outbox::Outbox;
use crate::service::Frames;

/// Bytes per permit; a semaphore counts to less than the bytes of a large queue.
const UNIT: usize = 1024;

/// What reaches a service's owner.
pub(crate) enum Mail {
    /// A request.
    Asked(Asked),
    /// A dear request is done.
    Done,
    /// Somebody in this process has something for the service.
    Wake,
    /// Nothing is accepted any more: answer what is here and end.
    Stop,
}

/// A request and the way back to who asked.
pub(crate) struct Asked {
    /// The request, without any envelope.
    pub(crate) frames: Frames,
    /// Where the reply goes.
    pub(crate) back: Back,
    /// Its share of the queue, held until it is answered.
    pub(crate) share: OwnedSemaphorePermit,
}

/// The way back. Dropping it without an answer tells a local caller that nobody is there.
pub(crate) enum Back {
    /// To a caller in this process.
    Local(oneshot::Sender<Frames>, Ticket),
    /// To a peer of the request socket: the identity and the envelope as they came.
    Peer(Arc<Outbox>, Frames, Ticket),
}

impl Back {
    /// Whose it is: the same for all that one peer asks, as long as any of it is under way.
    pub(crate) fn peer(&self) -> usize {
        let (Self::Local(_, Ticket(peer)) | Self::Peer(_, _, Ticket(peer))) = self;
        Arc::as_ptr(peer).addr()
    }

    /// Counts the reply's large frames as unread until the peer's connection has taken them.
    ///
    /// # Errors
    /// `busy` if the peer leaves too much unread already.
    pub(crate) fn track(&self, reply: Frames, unread_max: usize) -> Result<Frames, Fault> {
        match self {
            Self::Local(..) => Ok(reply),
            Self::Peer(_, _, Ticket(peer)) => peer.track(reply, unread_max),
        }
    }

    /// Sends the reply.
    pub(crate) fn reply(self, reply: Frames) {
        match self {
            Self::Local(to, ticket) => {
                drop(ticket);
                // A caller that has given up is no loss.
                drop(to.send(reply));
            }
            Self::Peer(outbox, mut way, ticket) => {
                way.extend(reply);
                outbox.send(way, ticket);
            }
        }
    }
}

/// Frames of at least this many bytes are counted as unread; the others are bounded by their number.
const LARGE: usize = 64 * 1024;

/// What one peer has under way.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    /// Its requests.
    in_flight: AtomicUsize,
    /// The bytes of large frames that its connection has not taken yet.
    unread: AtomicUsize,
}

/// A large frame on its way to a peer; dropping it counts it as taken.
struct Unread {
    bytes: Bytes,
    peer: Arc<Peer>,
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.peer.unread.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl Peer {
    /// Counts one more request.
    ///
    /// # Errors
    /// `busy` if the peer has its fill.
    pub(crate) fn admit(self: &Arc<Self>, in_flight_max: usize) -> Result<Ticket, Fault> {
        let ticket = Ticket(Arc::clone(self));
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < in_flight_max {
            return Ok(ticket);
        }
        let message = format!("{in_flight_max} requests of this client are under way already");
        Err(Fault::new(Code::Busy, message).hint("wait for answers before asking more"))
    }

    fn track(self: &Arc<Self>, reply: Frames, unread_max: usize) -> Result<Frames, Fault> {
        let large = |frame: &Bytes| frame.len() >= LARGE;
        let bytes: usize = reply.iter().filter(|frame| large(frame)).map(Bytes::len).sum();
        if bytes == 0 {
            return Ok(reply);
        }
        // One answer is always allowed, however large.
        let unread = self.unread.load(Ordering::Relaxed);
        if unread > 0 && unread.saturating_add(bytes) > unread_max {
            let message = format!("{unread} bytes of answers to this client are unread");
            return Err(Fault::new(Code::Busy, message).hint("read answers before asking more"));
        }
        self.unread.fetch_add(bytes, Ordering::Relaxed);
        let track = |frame: Bytes| match large(&frame) {
            true => Bytes::from_owner(Unread { bytes: frame, peer: Arc::clone(self) }),
            false => frame,
        };
        Ok(reply.into_iter().map(track).collect())
    }
}

/// One request under way; dropping it counts it as done.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Peer>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The sending end of a service's queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    mail: mpsc::Sender<Mail>,
    space: Arc<Semaphore>,
    open: Arc<AtomicBool>,
    space_max: usize,
    /// Whether a [`Mail::Wake`] is on its way.
    woken: Arc<AtomicBool>,
}

impl Queue {
    /// A queue and its receiving end: a line for each peer.
    pub(crate) fn new(limits: &Limits) -> (Self, Lines) {
        let (mail, owner) = mpsc::channel();
        let largest = limits.message_max + envelope::FRAMES_MAX * UNIT;
        let space_max = limits.queue_bytes_max.max(largest) / UNIT + 1;
        let queue = Self {
            mail: mail.clone(),
            space: Arc::new(Semaphore::new(space_max)),
            open: Arc::new(AtomicBool::new(true)),
            space_max,
            woken: Arc::default(),
        };
        let lines = Lines::new((mail, owner), Arc::clone(&queue.woken));
        (queue, lines)
    }

    /// Waits until a request has room. Cancelling this forgets the request.
    ///
    /// # Errors
    /// `unavailable` if the service has ended.
    pub(crate) async fn push(&self, frames: Frames, back: Back) -> Result<(), Fault> {
        let units = (envelope::weight(&frames) / UNIT + 1).min(self.space_max);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let space = Arc::clone(&self.space);
        let share = space.acquire_many_owned(units).await.map_err(|_| ended())?;
        if !self.open.load(Ordering::Acquire) {
            return Err(ended());
        }
        self.mail.send(Mail::Asked(Asked { frames, back, share })).map_err(|_| ended())
    }

    /// Wakes the owner, unless that is on its way already.
    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            // The owner may have ended already.
            drop(self.mail.send(Mail::Wake));
        }
    }

    /// Accepts nothing more.
    pub(crate) fn stop(&self) {
        self.open.store(false, Ordering::Release);
        // The owner may have ended already.
        drop(self.mail.send(Mail::Stop));
    }
}

/// What a caller hears whose service has ended.
pub(crate) fn ended() -> Fault {
    Fault::new(Code::Unavailable, "the service in this process has ended")
        .hint("esker is shutting down")
}

#[cfg(test)]
mod tests;
