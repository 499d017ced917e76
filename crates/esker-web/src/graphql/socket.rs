//! A WebSocket that speaks `graphql-transport-ws`: how many there are, how much each may ask, how long it may be silent or slow.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_graphql::http::{ClientMessage, WebSocket as Spoken, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request, Response};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use esker_wire::fault::{Code, Fault};
use futures_util::stream::{BoxStream, once, unfold};
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::{Graphs, check, coded, refusal};

/// The sub-protocol.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// The most connections at once.
const SOCKETS_MAX: usize = 64;

/// The most queries and subscriptions of one connection at once.
const SUBSCRIPTIONS_MAX: usize = 32;

/// How long a client may take to say `connection_init`.
const INIT_MAX: Duration = Duration::from_secs(10);

/// How long the first answer to anything may take.
const FIRST_MAX: Duration = Duration::from_secs(30);

/// How long a client may take to accept a message before it is let go.
const SEND_MAX: Duration = Duration::from_secs(10);

/// How often a client is asked whether it is there, and how long it may be silent.
const PING_EVERY: Duration = Duration::from_secs(15);
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// The longest reason a WebSocket is closed with, in bytes.
const REASON_MAX: usize = 120;

/// All connections.
#[derive(Clone)]
pub(super) struct Sockets(Arc<Semaphore>);

impl Default for Sockets {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SOCKETS_MAX)))
    }
}

impl Sockets {
    /// A place among [`SOCKETS_MAX`].
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            Fault::new(Code::Busy, format!("{SOCKETS_MAX} others follow in GraphQL already"))
        })
    }
}

/// Answers one connection, as much as it may ask.
#[derive(Clone)]
struct Bounded {
    schema: Graphs,
    places: Arc<Semaphore>,
}

impl Executor for Bounded {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let text = format!("this connection has {SUBSCRIPTIONS_MAX} subscriptions already");
            Fault::new(Code::Busy, text).hint("complete one, or open another connection")
        });
        match check(&request).and(place) {
            Ok(place) => {
                let told = self
                    .schema
                    .execute_stream_with_session_data(request, session.unwrap_or_default());
                first_soon(told, place).map(coded).boxed()
            }
            Err(fault) => once(ready(refusal(fault))).boxed(),
        }
    }
}

/// The same stream, which ends if its first item is late; it keeps its place.
fn first_soon(
    told: BoxStream<'static, Response>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Response> + Send + 'static {
    unfold((Some(told), place, true), |(told, place, is_first)| async move {
        let mut told = told?;
        if !is_first {
            return Some((told.next().await?, (Some(told), place, false)));
        }
        match timeout(FIRST_MAX, told.next()).await {
            Ok(next) => Some((next?, (Some(told), place, false))),
            Err(_) => {
                let late = Fault::new(Code::Timeout, "the query took too long");
                Some((refusal(late.hint("ask for less at once")), (None, place, false)))
            }
        }
    })
}

/// Serves one client until it goes, has nothing to say, is too slow, or may no longer look.
pub(super) async fn serve(schema: Graphs, socket: WebSocket, ended: impl Future<Output = ()>) {
    let (mut sink, stream) = socket.split();
    let (heard, last) = watch::channel(Instant::now());
    let said = pin!(messages(stream, heard));
    let executor = Bounded { schema, places: Arc::new(Semaphore::new(SUBSCRIPTIONS_MAX)) };
    let is_begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&is_begun);
    let spoken = Spoken::from_message_stream(executor, said, WebSocketProtocols::GraphQLWS)
        .on_connection_init(move |_| {
            begins.store(true, Ordering::Relaxed);
            ready(Ok(Data::default()))
        });
    let (mut spoken, mut ended) = (pin!(spoken), pin!(ended));
    let mut init = pin!(sleep(INIT_MAX));
    let mut is_due = true;
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            () = &mut ended => close(4401, "the log-in has ended"),
            () = &mut init, if is_due => {
                is_due = false;
                match is_begun.load(Ordering::Relaxed) {
                    true => continue,
                    false => close(4408, "connection initialisation timeout"),
                }
            }
            _ = ping.tick() => match last.borrow().elapsed() > SILENCE_MAX {
                true => close(4408, "nothing was heard for too long"),
                false => Message::Ping(bytes::Bytes::new()),
            },
            said = spoken.next() => match said {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => close(known(code), &reason),
                None => return,
            },
        };
        let is_last = matches!(message, Message::Close(_));
        if !matches!(timeout(SEND_MAX, sink.send(message)).await, Ok(Ok(()))) {
            tracing::debug!("whoever follows in GraphQL is gone, or too slow");
            return;
        }
        if is_last {
            return;
        }
    }
}

/// What a client says, until it goes.
fn messages(
    stream: impl Stream<Item = Result<Message, axum::Error>>,
    heard: watch::Sender<Instant>,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> {
    let until = stream.take_while(|said| ready(matches!(said, Ok(said) if !is_close(said))));
    until.filter_map(move |said| {
        heard.send_replace(Instant::now());
        ready(match said {
            Ok(Message::Text(text)) => Some(ClientMessage::from_bytes(text.as_bytes())),
            Ok(Message::Binary(bytes)) => Some(ClientMessage::from_bytes(&bytes)),
            // Pings are answered by being read.
            _ => None,
        })
    })
}

fn is_close(message: &Message) -> bool {
    matches!(message, Message::Close(_))
}

/// The code that the sub-protocol has for what the library closes with.
fn known(code: u16) -> u16 {
    match code {
        1002 => 4400,
        1011 => 4401,
        code => code,
    }
}

fn close(code: u16, reason: &str) -> Message {
    let reason = &reason[..reason.floor_char_boundary(REASON_MAX)];
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}
