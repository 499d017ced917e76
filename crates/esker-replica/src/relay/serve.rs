//! A relay at work: a replica that follows over the bus, and a service beside it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::server::{Server, Waker};
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::fault::Fault;
use esker_wire::message::Message;

use super::Relay;
use crate::ask::{Ask, Put};
use crate::follow::{self, Follow, Shared};
use crate::live::{self, DEAR};
use crate::publisher::{Now, Publication};
use crate::replica::Replica;

/// A model that is followed and published again. Dropping it ends both.
#[derive(Debug)]
pub struct Relaying {
    /// Ends first: nothing is answered without a replica.
    pub server: Server,
    /// The replica.
    pub follow: Follow,
}

/// Follows a model, and publishes it again.
///
/// # Errors
/// As [`Bus::serve`] and [`Follow::start`].
pub fn serve(bus: &Bus, to: &Endpoint, model: &str, binds: &Binds) -> Result<Relaying, Fault> {
    let (relay, replica) = Relay::new(model, follow::random());
    let relay = Arc::new(Mutex::new(relay));
    let waker = Arc::new(OnceLock::<Waker>::new());
    let begun = Instant::now();
    let (taking, waking) = (Arc::clone(&relay), Arc::clone(&waker));
    let after = Box::new(move |replica: &mut Replica| {
        let mut relay = lock(&taking);
        relay.take(replica, Now::at(begun));
        if relay.has_news()
            && let Some(waker) = waking.get()
        {
            waker.wake();
        }
    });
    let follow = Follow::with((bus, to, model), replica, &[], after)?;
    let served = Served {
        relay: Arc::clone(&relay),
        replica: follow.shared(),
        begun,
        caller: bus.caller(to),
        model: model.to_owned(),
    };
    let server = bus.serve("relay", served, binds)?;
    lock(&relay).at(server.events().first().cloned().unwrap_or_default());
    // It is set here alone; what came before is waited for by nobody else.
    drop(waker.set(server.waker()));
    server.waker().wake();
    Ok(Relaying { server, follow })
}

fn lock(relay: &Mutex<Relay>) -> MutexGuard<'_, Relay> {
    // A panic with it leaves at worst a gap, which followers find.
    relay.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The service of a relay. Where both are locked, the replica is locked first.
struct Served {
    relay: Arc<Mutex<Relay>>,
    replica: Arc<Shared>,
    begun: Instant,
    /// Asks the publisher.
    caller: Caller,
    model: String,
}

impl Served {
    fn answer(&self, request: &Frames) -> Result<Outcome, Fault> {
        let message = Message::from_frames(request)?;
        live::is_model(&message, &self.model)?;
        let ask = Ask::from_message(&message)?;
        let replica = self.replica.replica();
        let mut relay = lock(&self.relay);
        if let Some(epoch) = message.head().parse("epoch")? {
            relay.is_epoch(epoch)?;
        }
        if let Ask::Put(put) = ask {
            relay.is_live(Now::at(self.begun))?;
            return Ok(self.forward(put));
        }
        let reply = relay.answer(&replica, &ask, Now::at(self.begun))?;
        Ok(live::outcome(reply, relay.epoch()))
    }

    /// Has the publisher answer.
    fn forward(&self, put: Put) -> Outcome {
        let (caller, model) = (self.caller.clone(), self.model.clone());
        let asked =
            async move { live::to_frames(follow::ask(&caller, &model, &Ask::Put(put)).await) };
        Outcome { awaited: Some(Box::pin(asked)), ..Outcome::default() }
    }
}

impl Service for Served {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|request| self.answer(request).into()).collect()
    }

    fn is_dear(&self, request: &Frames) -> bool {
        live::asks_one_of(request, &DEAR)
    }

    fn wake(&mut self) -> Vec<Frames> {
        lock(&self.relay).published().into_iter().map(Publication::into).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        let replica = self.replica.replica();
        let published = lock(&self.relay).tick(&replica, Now::at(self.begun));
        published.into_iter().map(Publication::into).collect()
    }

    fn end(&mut self) -> Vec<Frames> {
        let replica = self.replica.replica();
        let mut relay = lock(&self.relay);
        let mut published = relay.published();
        published.extend(relay.bye(&replica, Now::at(self.begun)));
        published.into_iter().map(Publication::into).collect()
    }
}
