//! `/sync/1`: the live model for browsers, as `docs/sync.md` says it: a relay between their WebSockets and one publisher.
//!
//! It forwards bytes, and knows no more of them than how messages are framed, what `FOLLOW` says, and what topics look like.
//! All browsers share one subscription and its bytes; what a browser may have waiting is bounded by its [`Outbox`].

mod framing;
mod outbox;
mod topic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::{Message as Told, WebSocket};
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::Frames;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use outbox::{Listeners, Outbox, Place};
use topic::Filter;

use crate::metrics::Metrics;

/// The most browsers that follow at once: three of four connections, so that there is always one for a request.
pub(crate) const SOCKETS_MAX: usize = 768;

/// The largest message a browser may send, in bytes: a large change of a model that may be written.
pub(crate) const REQUEST_MAX: usize = 4 * 1024 * 1024;

/// The room for reading that each browser is given; larger messages are given more while they come.
pub(crate) const READ_BUFFER: usize = 16 * 1024;

/// The most requests of one browser that are under way or whose replies wait to be sent; it is read no further beyond.
const UNDER_WAY_MAX: usize = 16;

/// The most bytes of replies that wait to be sent to all browsers together, in KiB.
const UNREAD_KIB_MAX: usize = 128 * 1024;

/// How long the publisher may take to answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a browser may take to accept a message before it is let go.
const SEND_MAX: Duration = Duration::from_secs(10);

/// A publisher says something every second. One silent for this long is subscribed to anew.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// The events taken in before others have their turn.
const EVENTS_MAX: usize = 64;

/// The relay. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Relay {
    caller: Caller,
    listeners: Arc<Listeners>,
    places: Arc<Semaphore>,
    /// Room for replies that wait to be sent, in KiB.
    room: Arc<Semaphore>,
    /// When the publisher was heard last.
    heard: watch::Sender<Option<Instant>>,
}

impl Relay {
    /// A relay to the publisher there.
    pub(crate) fn new(bus: &Bus, model: &Endpoint, metrics: Arc<Metrics>) -> Self {
        Self {
            caller: bus.caller(model),
            listeners: Arc::new(Listeners::new(metrics)),
            places: Arc::new(Semaphore::new(SOCKETS_MAX)),
            room: Arc::new(Semaphore::new(UNREAD_KIB_MAX)),
            heard: watch::Sender::new(None),
        }
    }

    /// Whether the publisher is heard.
    pub(crate) fn is_followed(&self) -> bool {
        self.heard.borrow().is_some_and(|heard| heard.elapsed() < SILENCE_MAX)
    }

    /// A place among [`SOCKETS_MAX`], if there is one.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Hears the publisher for ever and tells all browsers.
    pub(crate) async fn hear(self, bus: Bus, model: Endpoint) {
        let topics = || vec![topic::ALL.to_vec()];
        let mut hear = bus.hear(&model, topics());
        loop {
            match timeout(SILENCE_MAX, hear.next_many(EVENTS_MAX)).await {
                Ok(events) => {
                    self.heard.send_replace(Some(Instant::now()));
                    events.iter().for_each(|event| self.listeners.tell(event));
                }
                Err(_) => hear = bus.hear(&model, topics()),
            }
        }
    }

    /// Serves one browser until it goes, or is too slow to accept what it asked for.
    pub(crate) async fn serve(self, socket: WebSocket) {
        let outbox = Arc::new(Outbox::default());
        let listening = self.listeners.join(&outbox);
        let (sink, stream) = socket.split();
        tokio::select! {
            () = send(sink, &outbox) => {}
            () = self.receive(stream, &outbox) => {}
        }
        drop(listening);
    }

    /// Takes what a browser says until it goes.
    async fn receive(&self, mut stream: SplitStream<WebSocket>, outbox: &Arc<Outbox>) {
        let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let mut asked = JoinSet::new();
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            let said = loop {
                match stream.next().await {
                    Some(Ok(Told::Binary(bytes))) => break framing::split(&bytes),
                    Some(Ok(Told::Text(_))) => {
                        break Err(Fault::bad_request(
                            "messages here are binary, this one is text",
                        ));
                    }
                    // Pings are answered by being read.
                    Some(Ok(Told::Ping(_) | Told::Pong(_))) => {}
                    Some(Ok(Told::Close(_)) | Err(_)) | None => return,
                }
            };
            while asked.try_join_next().is_some() {}
            match said {
                Err(fault) => outbox.reply(&Message::error(&fault).to_frames(), place),
                Ok(request) if topic::is_follow(&request) => follow(&request, outbox, place),
                Ok(request) => {
                    let (caller, outbox) = (self.caller.clone(), Arc::clone(outbox));
                    let room = Arc::clone(&self.room);
                    asked.spawn(async move {
                        let reply = match caller.exchange(request.clone(), DEADLINE).await {
                            Ok(reply) => reply,
                            Err(fault) => answer(&request, Message::error(&fault)),
                        };
                        match room.try_acquire_many_owned(kib(&reply)) {
                            Ok(room) => outbox.reply(&reply, Place::with_room(place, room)),
                            Err(_) => outbox.reply(&answer(&request, busy()), place),
                        }
                    });
                }
            }
        }
    }
}

/// How much room a reply takes.
fn kib(reply: &Frames) -> u32 {
    let bytes: usize = reply.iter().map(axum::body::Bytes::len).sum();
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// What is answered while others do not read what they asked for.
fn busy() -> Message {
    let fault = Fault::new(Code::Busy, "too many answers wait to be read by browsers");
    Message::error(&fault.hint("ask again soon"))
}

/// Sets what a browser hears.
fn follow(request: &Frames, outbox: &Outbox, place: OwnedSemaphorePermit) {
    match Filter::read(request) {
        Ok(filter) => outbox.follow(filter, &answer(request, Message::ok()), place),
        Err(fault) => outbox.reply(&answer(request, Message::error(&fault)), place),
    }
}

/// An answer of our own, with the number that the request gave itself.
fn answer(request: &Frames, mut message: Message) -> Frames {
    let asked = Message::from_frames(request).ok();
    if let Some(id) = asked.as_ref().and_then(|asked| asked.head().get("id")) {
        message.head_mut().push("id", id);
    }
    message.to_frames()
}

/// Sends what waits until the browser takes it no more.
async fn send(mut sink: SplitSink<WebSocket, Told>, outbox: &Outbox) {
    loop {
        let mut next = Some(outbox.next().await);
        while let Some((bytes, place)) = next {
            if !is_sent(sink.feed(Told::Binary(bytes))).await {
                return;
            }
            drop(place);
            next = outbox.try_next();
        }
        if !is_sent(sink.flush()).await {
            return;
        }
    }
}

async fn is_sent<E>(sending: impl Future<Output = Result<(), E>>) -> bool {
    matches!(timeout(SEND_MAX, sending).await, Ok(Ok(())))
}

/// One message as it travels to a browser, and the place of the request it answers.
type Outgoing = (Bytes, Option<Place>);

/// What a browser is told that asks for a model where there is none.
pub(crate) fn none() -> Fault {
    Fault::new(Code::NotFound, "no live model is published here")
        .hint("the page of `esker up` has the project's model at /sync/1")
}
