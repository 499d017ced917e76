//! The one thread that owns a service: it takes what is waiting, has it answered, publishes, then replies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use crate::bus::Limits;
use crate::envelope;
use crate::lines::{Lines, Taken};
use crate::queue::{Asked, Back};
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
pub(crate) struct Loud;

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
    mut lines: Lines,
    (outlets, runtime): (&Outlets, &Handle),
    limits: &Limits,
) {
    let _loud = Loud;
    let mut workers = Workers::new();
    let mut next_tick = Instant::now();
    loop {
        let now = Instant::now();
        if now >= next_tick {
            for event in service.tick() {
                outlets.publish(event);
            }
            next_tick = now + TICK;
        }
        match lines.take(next_tick, limits, |asked| service.is_dear(&asked.frames)) {
            Taken::Batch(batch) => {
                answer(&mut service, batch, (outlets, runtime, &mut workers, &mut lines), limits);
            }
            Taken::Woken => {
                for event in service.wake() {
                    outlets.publish(event);
                }
            }
            Taken::Late => {}
            Taken::Ended => {
                for event in service.end() {
                    outlets.publish(event);
                }
                return;
            }
        }
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
        let unread_max = if changed { usize::MAX } else { limits.unread_max };
        give((request, id.as_deref()), reply, back, (limits, unread_max));
        drop(share);
    }
}

/// Gives an answer to who asked, unless so many bytes are unread there; or says why not.
pub(crate) fn give(
    (request, id): (&Frames, Option<&str>),
    reply: Frames,
    back: Back,
    (limits, unread_max): (&Limits, usize),
) {
    let fits = envelope::check_size("answer", &reply, limits.message_max);
    let tracked = fits.and_then(|()| back.track(reply, unread_max));
    let reply = match tracked {
        Ok(reply) if reply.is_empty() => vec![Bytes::new()],
        Ok(reply) => envelope::number(reply, id),
        Err(fault) => (limits.refusal)(request, &fault),
    };
    back.reply(reply);
}

/// Has a batch answered: as much of it as the service takes. The rest goes back to where it waited, so that large
/// answers leave before more are made and others have their turn.
fn answer(
    service: &mut impl Service,
    batch: Vec<Asked>,
    (outlets, runtime, workers, lines): (&Outlets, &Handle, &mut Workers, &mut Lines),
    limits: &Limits,
) {
    let mut requests = Vec::with_capacity(batch.len());
    let mut ways = Vec::with_capacity(batch.len());
    for Asked { frames, back, share } in batch {
        requests.push(frames);
        ways.push((back, share));
    }
    let outcomes = service.handle(&requests);
    let answered = outcomes.len();
    let owed = (1..=requests.len()).contains(&answered);
    assert!(owed, "a service owes an outcome for at least the first request, and for no more");
    let rest = requests.split_off(answered).into_iter().zip(ways.split_off(answered));
    lines.put_back(rest.map(|(frames, (back, share))| Asked { frames, back, share }));
    let mut replies = Vec::with_capacity(answered);
    for Outcome { reply, events, later, awaited } in outcomes {
        let changed = !events.is_empty();
        for event in events {
            outlets.publish(event);
        }
        replies.push((reply, later, awaited, changed));
    }
    for ((request, (back, share)), (reply, later, awaited, changed)) in
        requests.into_iter().zip(ways).zip(replies)
    {
        let way = Way { id: envelope::id(&request), back, share, changed };
        match (later, awaited) {
            (None, None) => way.reply(&request, reply, limits),
            (None, Some(awaited)) => {
                let limits = limits.clone();
                // It ends with the bus at the latest.
                drop(runtime.spawn(async move { way.reply(&request, awaited.await, &limits) }));
            }
            (Some(work), _) => {
                let (limits, dear) = (limits.clone(), lines.dear());
                workers.work(Box::new(move || {
                    way.reply(&request, work(), &limits);
                    drop(dear);
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests;
