//! ZeroMQ: the only file that names its library. Sockets here carry frames and know the limits, nothing else.

use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::MESSAGE_MAX;
use omq_tokio::error::TrySendError;
use omq_tokio::{Error, Message, Options, ReconnectPolicy, Socket, SocketType};
use tokio::runtime::Handle;

mod incoming;
mod router;
mod wire;

pub(crate) use router::{Client, Router};

use crate::address::Address;
use crate::bus::Limits;
use crate::service::Frames;

/// The time between two signs of life on a quiet connection.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long a connection may be silent before it counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// How long a closing socket goes on sending.
const LINGER: Duration = Duration::from_secs(1);

/// The messages that may wait in a connection, each way.
const WAITING_MAX: u32 = 1000;

/// The events that may wait for one subscriber. Beyond, they are dropped, and the chain tells it.
const EVENTS_WAITING_MAX: u32 = 10_000;

/// The bytes of them. A busy publisher has more in one transaction than the library would hold by itself.
const EVENTS_WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The bytes that a subscriber may say at once.
const SUBSCRIPTION_MAX: usize = 64 * 1024;

/// How long publishing waits for the event socket's own queue, whatever the subscribers do.
const PUBLISH_WAIT_MAX: Duration = Duration::from_millis(100);

/// What a message may have beyond its limit: its way back, and the library's own count per frame.
const ENVELOPE_MAX: usize = 1024 * 1024;

/// The messages taken from a socket at once.
const TAKE_MAX: usize = 256;

fn options(limits: &Limits) -> Options {
    Options::default()
        .send_hwm(WAITING_MAX)
        .recv_hwm(WAITING_MAX)
        .linger(LINGER)
        .heartbeat_interval(HEARTBEAT)
        .heartbeat_timeout(SILENCE_MAX)
        .handshake_timeout(limits.handshake_timeout)
        .max_pending_handshakes(limits.handshakes_max)
        .max_message_size(limits.message_max.saturating_add(ENVELOPE_MAX))
}

/// A client has one connection; what waits for an answer is sent again by its owner, never by the socket.
fn client_options() -> Options {
    let limits = Limits { message_max: MESSAGE_MAX, ..Limits::default() };
    options(&limits).linger(Duration::ZERO).reconnect(ReconnectPolicy::Exponential {
        min: Duration::from_millis(20),
        max: Duration::from_millis(500),
    })
}

/// What became of a message that was not to wait.
pub(crate) enum Sent {
    /// It is on its way.
    Done,
    /// The connection has its fill; here it is again.
    Full(Frames),
    /// Nobody to send it to.
    Gone,
}

fn try_send(socket: &Socket, frames: Frames) -> Sent {
    match socket.try_send(Message::multipart(frames)) {
        Ok(()) => Sent::Done,
        Err(TrySendError::Full(message)) => Sent::Full(frames_of(&message)),
        Err(TrySendError::Closed | TrySendError::Error(_)) => Sent::Gone,
    }
}

fn frames_of(message: &Message) -> Frames {
    message.iter().collect()
}

async fn take(socket: &Socket) -> Option<Vec<Frames>> {
    let mut messages = Vec::new();
    socket.recv_many_into(TAKE_MAX, &mut messages).await.ok()?;
    Some(messages.iter().map(frames_of).collect())
}

/// Binds, and says where.
async fn bind(socket: &Socket, binds: &[String]) -> Result<Vec<String>, Fault> {
    let mut bound = Vec::with_capacity(binds.len());
    for text in binds {
        let address = Address::parse(text)?;
        let endpoint =
            socket.bind(address.to_bind()?.as_str()).await.map_err(|error| match error {
                Error::Io(error) => bind_fault("events", text, &error),
                other => bind_fault("events", text, &std::io::Error::other(other)),
            })?;
        bound.push(endpoint.to_string());
    }
    Ok(bound)
}

fn bind_fault(role: &str, address: &str, error: &std::io::Error) -> Fault {
    let in_use = error.kind() == std::io::ErrorKind::AddrInUse;
    let (why, hint) = if in_use {
        (
            "the port is in use".to_owned(),
            "is esker running there already? stop it or choose another port",
        )
    } else {
        (error.to_string(), "choose another address")
    };
    let message = format!("cannot bind {address} for {role}: {why}");
    Fault::new(Code::Unavailable, message).hint(hint)
}

/// The peer of a connection is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// The socket that publishes.
pub(crate) struct Publisher {
    socket: Socket,
    runtime: Handle,
}

impl Publisher {
    /// Binds; also returns the addresses with their real ports.
    ///
    /// # Errors
    /// `bad-request` or `unavailable` naming the address.
    pub(crate) async fn bind(
        binds: &[String],
        limits: &Limits,
    ) -> Result<(Self, Vec<String>), Fault> {
        let options = options(limits)
            .send_hwm(EVENTS_WAITING_MAX)
            .transmit_slot_cap(EVENTS_WAITING_BYTES_MAX)
            .max_pending_handshakes(limits.handshakes_max.min(limits.followers_max))
            .max_message_size(SUBSCRIPTION_MAX);
        let socket = Socket::new(SocketType::Pub, options);
        let bound = bind(&socket, binds).await?;
        // The task ends when the socket does; its handle is of no use.
        drop(tokio::spawn(bound_followers(socket.clone(), limits.followers_max)));
        let runtime = Handle::current();
        Ok((Self { socket, runtime }, bound))
    }

    /// Publishes, from a plain thread. What a subscriber has no room for is dropped for that subscriber.
    pub(crate) fn publish(&self, event: &[Bytes]) {
        let mut message = Message::multipart(event.to_vec());
        while let Err(TrySendError::Full(back)) = self.socket.try_send(message) {
            message = back;
            let room = self.runtime.block_on(async {
                tokio::time::timeout(PUBLISH_WAIT_MAX, self.socket.wait_send_ready()).await
            });
            if room.is_err() {
                return;
            }
        }
    }

    /// Sends what is under way and closes.
    pub(crate) async fn close(&self) {
        // What cannot be sent any more has nobody to hear of it.
        drop(self.socket.clone().close().await);
    }
}

/// Closes the newest connections beyond so many: each takes a descriptor that the service may need.
async fn bound_followers(socket: Socket, followers_max: usize) {
    loop {
        let seen = socket.connections_generation();
        let Ok(mut connections) = socket.connections().await else { return };
        connections.sort_unstable_by_key(|connection| connection.connection_id);
        for newest in connections.iter().skip(followers_max) {
            tracing::warn!(followers_max, "no more followers can be connected; one was sent away");
            // It may have gone by itself.
            drop(socket.disconnect_peer(newest.connection_id).await);
        }
        if socket.connections_changed(seen).await.is_err() {
            return;
        }
    }
}

/// A caller's connection to a request socket: it lives for one connection, so nothing is sent late.
pub(crate) struct Dealer {
    socket: Socket,
    connection: u64,
}

impl Dealer {
    /// Connects, trying again until somebody answers.
    ///
    /// # Errors
    /// `bad-request` if the address cannot be read.
    pub(crate) async fn connect(address: &str) -> Result<Self, Fault> {
        let socket = Socket::new(SocketType::Dealer, client_options());
        connect(&socket, address).await?;
        loop {
            let seen = socket.connections_generation();
            if let Some(connection) = ready(&socket).await? {
                return Ok(Self { socket, connection });
            }
            socket.connections_changed(seen).await.map_err(closed)?;
        }
    }

    /// Returns when the connection is lost.
    pub(crate) async fn lost(&self) {
        loop {
            let seen = self.socket.connections_generation();
            match ready(&self.socket).await {
                Ok(Some(connection)) if connection == self.connection => {}
                _ => return,
            }
            if self.socket.connections_changed(seen).await.is_err() {
                return;
            }
        }
    }

    /// What has come; nothing once the socket is closed. Cancelling this loses nothing.
    pub(crate) async fn take(&self) -> Option<Vec<Frames>> {
        take(&self.socket).await
    }

    /// Sends, unless the connection has its fill.
    pub(crate) fn try_send(&self, frames: Frames) -> Sent {
        try_send(&self.socket, frames)
    }

    /// Returns when there is room to send.
    pub(crate) async fn room(&self) {
        self.socket.wait_send_ready().await;
    }
}

async fn connect(socket: &Socket, address: &str) -> Result<(), Fault> {
    let address = Address::parse(address)?.to_connect()?;
    socket.connect(address.as_str()).await.map_err(|error| {
        Fault::new(Code::Unavailable, format!("cannot connect to {address}: {error}"))
    })
}

/// The connection that can carry messages, if there is one.
async fn ready(socket: &Socket) -> Result<Option<u64>, Fault> {
    let connections = socket.connections().await.map_err(closed)?;
    Ok(connections
        .iter()
        .find(|connection| connection.peer_info.is_some())
        .map(|connection| connection.connection_id))
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn closed(error: Error) -> Fault {
    Fault::new(Code::Unavailable, format!("cannot connect: {error}"))
}

/// A follower's connection to an event socket; connects again by itself.
pub(crate) struct Subscriber(Socket);

impl Subscriber {
    /// Subscribes to the topics that begin so and starts to connect.
    ///
    /// # Errors
    /// `bad-request` if the address cannot be read.
    pub(crate) async fn connect(address: &str, topics: &[Vec<u8>]) -> Result<Self, Fault> {
        let options = client_options().recv_hwm(EVENTS_WAITING_MAX);
        let socket = Socket::new(SocketType::Sub, options);
        for topic in topics {
            socket.subscribe(Bytes::copy_from_slice(topic)).await.map_err(closed)?;
        }
        connect(&socket, address).await?;
        Ok(Self(socket))
    }

    /// What has come; nothing once the socket is closed. Cancelling this loses nothing.
    pub(crate) async fn take(&self) -> Option<Vec<Frames>> {
        take(&self.0).await
    }
}
