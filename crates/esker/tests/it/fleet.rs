//! Clients of a hub that is killed again and again: each asks wherever it serves now, and knows how it went.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_wire::fault::Fault;
use esker_wire::message::{self, Message, Request};
use tokio::sync::watch;

use crate::world::{PATIENCE, Running, World};

/// How often the hub is killed if the environment does not say.
pub(crate) fn kills(ordinary: u32) -> u32 {
    let asked = std::env::var("ESKER_KILLS").ok();
    asked.map_or(ordinary, |text| text.parse().expect("ESKER_KILLS is a number"))
}

/// A hub at one of its addresses: every start has another.
#[derive(Clone)]
struct Serving {
    /// Which start it is.
    start: u32,
    endpoint: Endpoint,
    /// When it had begun to answer.
    since: Instant,
}

/// A hub that is killed, and what its clients share.
pub(crate) struct Fleet<'a> {
    world: &'a World,
    hub: Option<Running>,
    serving: watch::Sender<Serving>,
    /// How many requests were answered, refusals too.
    answered: Arc<AtomicU64>,
    /// Whether the clients made so far are to end.
    done: Arc<AtomicBool>,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let hub = Some(world.hub());
        let serving = watch::Sender::new(serving(world, 0));
        Self { world, hub, serving, answered: Arc::default(), done: Arc::default() }
    }

    /// One more client.
    pub(crate) fn client(&self) -> Client {
        Client {
            bus: Bus::start().expect("threads"),
            caller: None,
            serving: self.serving.subscribe(),
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

    /// Kills the hub in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.hub.take().expect("it runs").kill();
    }

    /// Starts it again on the same store.
    pub(crate) fn restart(&mut self) {
        self.hub = Some(self.world.hub());
        let start = self.serving.borrow().start + 1;
        self.serving.send_replace(serving(self.world, start));
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

fn serving(world: &World, start: u32) -> Serving {
    let endpoints = world.endpoints();
    let address = |name: &str| endpoints["hub"][name].as_str().expect("an address").to_owned();
    let endpoint = Endpoint::Tcp { requests: address("requests"), events: address("events") };
    Serving { start, endpoint, since: Instant::now() }
}

/// One client with a thread and a connection of its own.
pub(crate) struct Client {
    bus: Bus,
    /// The connection, and to which start of the hub.
    caller: Option<(u32, Caller)>,
    serving: watch::Receiver<Serving>,
    answered: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
}

/// How a request went.
pub(crate) struct Asked<T> {
    pub(crate) begun: Instant,
    /// When it was over. One whose hub was killed is over when the next one serves: from then on it can no
    /// longer be done.
    pub(crate) ended: Instant,
    /// The answer, or the refusal; none if the hub was killed before either came.
    pub(crate) reply: Option<Result<T, Fault>>,
}

impl Client {
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Asks once, never again: whoever does not know what came of it must say so.
    pub(crate) fn ask<R: Request>(&mut self, request: &R) -> Asked<R::Reply> {
        let frames = request.to_message().to_frames();
        let (start, caller) = self.connect();
        let mut serving = self.serving.clone();
        let begun = Instant::now();
        let reply = self.bus.run(async move {
            let mut answer = pin!(caller.exchange(frames, PATIENCE));
            let mut next = pin!(serving.changed());
            poll_fn(|context| {
                if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                    return Poll::Ready(answer.ok());
                }
                next.as_mut().poll(context).map(|_| None)
            })
            .await
        });
        let ended = Instant::now();
        let Some(frames) = reply else {
            return Asked { begun, ended: self.next_start(start), reply: None };
        };
        self.answered.fetch_add(1, Ordering::AcqRel);
        let message = Message::from_frames(&frames).expect("an answer of our form");
        Asked { begun, ended, reply: Some(message::answer::<R>(&message)) }
    }

    /// Asks until it is answered.
    pub(crate) fn insist<R: Request>(&mut self, request: &R) -> Result<R::Reply, Fault> {
        loop {
            if let Some(reply) = self.ask(request).reply {
                return reply;
            }
        }
    }

    fn connect(&mut self) -> (u32, Caller) {
        let serving = self.serving.borrow_and_update().clone();
        match &self.caller {
            Some((start, caller)) if *start == serving.start => (*start, caller.clone()),
            _ => {
                let caller = self.bus.caller(&serving.endpoint);
                self.caller = Some((serving.start, caller.clone()));
                (serving.start, caller)
            }
        }
    }

    /// Waits until the hub serves again: since when.
    fn next_start(&self, start: u32) -> Instant {
        let mut serving = self.serving.clone();
        self.bus.run(async move {
            let next = serving.wait_for(|serving| serving.start > start);
            let next = tokio::time::timeout(PATIENCE, next).await.expect("the hub to serve again");
            next.expect("the test goes on").since
        })
    }
}

/// Chance that can be had again: the same seed, the same numbers.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One that was never before, and its seed.
    pub(crate) fn fresh() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        now.as_micros() as u64
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
