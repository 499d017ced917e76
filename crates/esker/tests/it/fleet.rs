//! Clients of a hub, each with a thread and a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_wire::fault::Fault;
use esker_wire::message::Request;

use crate::world::{PATIENCE, Running, World};

/// A hub, and what its clients share.
pub(crate) struct Fleet<'a> {
    world: &'a World,
    hub: Option<Running>,
    endpoint: Endpoint,
    /// How many requests were answered, refusals too.
    answered: Arc<AtomicU64>,
    /// Whether the clients made so far are to end.
    done: Arc<AtomicBool>,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let hub = Some(world.hub());
        let endpoints = world.endpoints();
        let address = |name: &str| endpoints["hub"][name].as_str().expect("an address").to_owned();
        let endpoint = Endpoint::Tcp { requests: address("requests"), events: address("events") };
        Self { world, hub, endpoint, answered: Arc::default(), done: Arc::default() }
    }

    /// One more client.
    pub(crate) fn client(&self) -> Client {
        let bus = Bus::start().expect("threads");
        Client {
            caller: bus.caller(&self.endpoint),
            answered: Arc::clone(&self.answered),
            done: Arc::clone(&self.done),
        }
    }

    /// Waits until so many more requests were answered, and a little longer.
    pub(crate) fn let_answer(&self, more: u64, pause: Duration) {
        let answered = || self.answered.load(Ordering::Acquire);
        let wanted = answered() + more;
        self.world.wait_for("requests to be answered", || answered() >= wanted);
        std::thread::park_timeout(pause);
    }

    /// Tells the clients there are to end after the request they are at.
    pub(crate) fn dismiss(&mut self) {
        std::mem::take(&mut self.done).store(true, Ordering::Release);
    }

    /// Ends the hub in peace.
    pub(crate) fn stop(mut self) {
        self.hub.take().expect("it runs").stop();
    }
}

impl Drop for Fleet<'_> {
    /// A test that fails must not wait for its clients for ever.
    fn drop(&mut self) {
        self.dismiss();
    }
}

/// One client.
pub(crate) struct Client {
    caller: Caller,
    answered: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
}

impl Client {
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask<R: Request>(&mut self, request: &R) -> Result<R::Reply, Fault> {
        let answer = self.caller.call_blocking(request, PATIENCE);
        self.answered.fetch_add(1, Ordering::AcqRel);
        answer
    }
}
