//! The one thread that owns a service: it takes what is waiting, has it answered, publishes, then replies.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use crate::bus::Limits;
use crate::envelope;
use crate::queue::{Asked, Back, Mail};
use crate::service::{Frames, Outcome, Service};
use crate::work::Workers;
use crate::zmq::Publisher;

/// The time between two ticks.
const TICK: Duration = Duration::from_secs(1);

/// Where events go.
pub(crate) struct Outlets {
    /// The event socket, if one is bound.
    pub(crate) publisher: Option<Arc<Publisher>>,
    /// The followers in this process.
    pub(crate) local: broadcast::Sender<Frames>,
}

impl Outlets {
    fn publish(&self, event: Frames) {
        if let Some(publisher) = &self.publisher {
            publisher.publish(&event);
        }
        // Without a follower there is nobody to tell.
        drop(self.local.send(event));
    }
}

/// Stops the process if the thread that holds it panics: a service that may be half way through a change must
/// not go on, nor leave its callers waiting. The panic's message is out by then.
struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

/// Runs a service until it is told to stop and everything accepted is answered.
pub(crate) fn run(
    mut service: impl Service,
    mail: &Receiver<Mail>,
    outlets: &Outlets,
    limits: &Limits,
) {
    let _loud = Loud;
    let mut workers = Workers::new();
    let mut next_tick = Instant::now();
    let mut stopping = false;
    loop {
        let now = Instant::now();
        if now >= next_tick {
            for event in service.tick() {
                outlets.publish(event);
            }
            next_tick = now + TICK;
        }
        let wait = if stopping { Duration::ZERO } else { next_tick.saturating_duration_since(now) };
        let first = match mail.recv_timeout(wait) {
            Ok(Mail::Asked(asked)) => asked,
            Ok(Mail::Stop) => {
                stopping = true;
                continue;
            }
            Err(RecvTimeoutError::Timeout) if !stopping => continue,
            Err(_) => return,
        };
        let batch = gather(first, mail, limits, &mut stopping);
        answer(&mut service, batch, (outlets, &mut workers), limits);
    }
}

/// The way back of one request.
struct Way {
    id: Option<String>,
    back: Back,
    share: OwnedSemaphorePermit,
    /// Whether something was changed, so that the reply may not be `busy`: that would ask for it again.
    changed: bool,
}

impl Way {
    fn reply(self, request: &Frames, reply: Frames, limits: &Limits) {
        let Self { id, back, share, changed } = self;
        let fits = envelope::check_size("answer", &reply, limits.message_max);
        let unread_max = if changed { usize::MAX } else { limits.unread_max };
        let tracked = fits.and_then(|()| back.track(reply, unread_max));
        let reply = match tracked {
            Ok(reply) if reply.is_empty() => vec![Bytes::new()],
            Ok(reply) => envelope::number(reply, id.as_deref()),
            Err(fault) => envelope::refusal(request, &fault),
        };
        back.reply(reply);
        drop(share);
    }
}

/// Everything that is waiting, as far as one batch goes.
fn gather(first: Asked, mail: &Receiver<Mail>, limits: &Limits, stopping: &mut bool) -> Vec<Asked> {
    let mut bytes = envelope::size(&first.frames);
    let mut batch = vec![first];
    while batch.len() < limits.batch_max && bytes < limits.batch_bytes_max {
        match mail.try_recv() {
            Ok(Mail::Asked(asked)) => {
                bytes += envelope::size(&asked.frames);
                batch.push(asked);
            }
            Ok(Mail::Stop) => *stopping = true,
            Err(_) => break,
        }
    }
    batch
}

/// Has a batch answered: as much at a time as the service takes, so that large answers leave before more are
/// made.
fn answer(
    service: &mut impl Service,
    batch: Vec<Asked>,
    (outlets, workers): (&Outlets, &mut Workers),
    limits: &Limits,
) {
    let mut requests = Vec::with_capacity(batch.len());
    let mut backs = Vec::with_capacity(batch.len());
    for asked in batch {
        let id = envelope::id(&asked.frames);
        requests.push(asked.frames);
        backs.push(Way { id, back: asked.back, share: asked.share, changed: false });
    }
    let mut backs = backs.into_iter();
    while !requests.is_empty() {
        let outcomes = service.handle(&requests);
        let answered = outcomes.len();
        let owed = (1..=requests.len()).contains(&answered);
        assert!(owed, "a service owes an outcome for at least the first request, and for no more");
        let mut replies = Vec::with_capacity(answered);
        for Outcome { reply, events, later } in outcomes {
            let changed = !events.is_empty();
            for event in events {
                outlets.publish(event);
            }
            replies.push((reply, later, changed));
        }
        let answered = requests.drain(..answered);
        for ((request, (reply, later, changed)), mut way) in
            answered.zip(replies).zip(backs.by_ref())
        {
            way.changed = changed;
            match later {
                None => way.reply(&request, reply, limits),
                Some(work) => {
                    let limits = limits.clone();
                    workers.work(Box::new(move || way.reply(&request, work(), &limits)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
