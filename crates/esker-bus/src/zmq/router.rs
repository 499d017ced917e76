//! The socket that takes requests: a connection for each client, bounded in number, each with its own way in and out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::fault::Fault;
use omq_tokio::engine::{
    ConnectionDriver, PeerDriverCommand, PeerDriverConfig, PeerDriverData, PeerEvent,
};
use omq_tokio::proto::{Connection, ConnectionConfig, Event, Role};
use omq_tokio::{Message, SocketType};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::Address;
use crate::bus::Limits;
use crate::service::Frames;
use crate::zmq::incoming::{Held, Room, Watched};
use crate::zmq::{
    ENVELOPE_MAX, Gone, HEARTBEAT, LINGER, Sent, TAKE_MAX, WAITING_MAX, bind_fault, frames_of,
};

/// How long a client may be silent between its messages. It is long, for one whose message waits for room is not
/// heard.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The messages that may wait between a connection and the queue.
const IN_WAITING_MAX: usize = 16;

/// How long to wait when the system gives no connection.
const REFUSED_WAIT: Duration = Duration::from_millis(50);

/// The least time between two lines of the log about too many clients.
const FULL_TOLD: Duration = Duration::from_secs(10);

/// The frames above this size are read straight into their place.
const LARGE: usize = 64 * 1024;

/// The socket that takes requests.
pub(crate) struct Router {
    shared: Arc<Shared>,
    clients: tokio::sync::Mutex<mpsc::Receiver<Client>>,
}

struct Shared {
    peers: Mutex<Peers>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

#[derive(Default)]
struct Peers {
    last: u64,
    ways: HashMap<Bytes, Way>,
}

/// The way to a client.
#[derive(Clone)]
struct Way {
    messages: mpsc::Sender<PeerDriverData>,
    commands: mpsc::Sender<PeerDriverCommand>,
}

/// What has come from one client.
pub(crate) struct Client {
    /// Its name on this socket.
    pub(crate) identity: Bytes,
    came: mpsc::Receiver<(u64, PeerEvent)>,
    held: Arc<Held>,
    taken: u64,
}

impl Client {
    /// The next messages, each with the identity first; nothing once the connection is lost. Cancelling this loses
    /// nothing.
    pub(crate) async fn take(&mut self) -> Option<Vec<Frames>> {
        let mut events = Vec::new();
        if self.came.recv_many(&mut events, TAKE_MAX).await == 0 {
            return None;
        }
        let message = |event| match event {
            (_, PeerEvent::Event(Event::Message(message))) => {
                let mut frames = Vec::with_capacity(message.len() + 1);
                frames.push(self.identity.clone());
                frames.extend(message.iter());
                Some(frames)
            }
            _ => None,
        };
        Some(events.into_iter().filter_map(message).collect())
    }

    /// Says that the next of the messages that were taken has found its place.
    pub(crate) fn placed(&mut self) {
        self.taken += 1;
        self.held.release(self.taken);
    }
}

impl Router {
    /// Binds; also returns the addresses with their real ports.
    ///
    /// # Errors
    /// `bad-request` or `unavailable` naming the address.
    pub(crate) async fn bind(
        binds: &[String],
        limits: &Limits,
    ) -> Result<(Self, Vec<String>), Fault> {
        let mut bound = Vec::with_capacity(binds.len());
        let mut listeners = Vec::with_capacity(binds.len());
        for text in binds {
            let address = Address::parse(text)?.to_bind()?;
            let bare = address.trim_start_matches("tcp://");
            let listener = async {
                let listener = TcpListener::bind(bare).await?;
                Ok((listener.local_addr()?, listener))
            };
            let (address, listener) =
                listener.await.map_err(|error| bind_fault("requests", text, &error))?;
            bound.push(format!("tcp://{address}"));
            listeners.push(listener);
        }
        let shared = Arc::new(Shared {
            peers: Mutex::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        });
        let (found, clients) = mpsc::channel(1);
        let door = Door {
            shared: Arc::clone(&shared),
            found,
            limits: limits.clone(),
            room: Room::new(limits),
            places: Arc::new(Semaphore::new(limits.clients_max)),
            handshakes: Arc::new(Semaphore::new(limits.handshakes_max)),
        };
        for listener in listeners {
            shared.tasks.spawn(door.clone().open(listener));
        }
        Ok((Self { shared, clients: tokio::sync::Mutex::new(clients) }, bound))
    }

    /// The next client; nothing once the socket is closed. Cancelling this loses nothing.
    pub(crate) async fn client(&self) -> Option<Client> {
        self.clients.lock().await.recv().await
    }

    /// Sends to the peer the first frame names, unless its connection has its fill.
    pub(crate) fn try_send(&self, mut frames: Frames) -> Sent {
        let Some(way) = self.way(&frames) else { return Sent::Gone };
        let identity = frames.remove(0);
        match way.messages.try_send(data(frames)) {
            Ok(()) => Sent::Done,
            Err(mpsc::error::TrySendError::Full(PeerDriverData::SendMessage(message))) => {
                let mut frames = vec![identity];
                frames.extend(frames_of(&message));
                Sent::Full(frames)
            }
            Err(_) => Sent::Gone,
        }
    }

    /// Sends to the peer the first frame names; waits while its connection has its fill.
    ///
    /// # Errors
    /// If the peer is gone.
    pub(crate) async fn send(&self, mut frames: Frames) -> Result<(), Gone> {
        let way = self.way(&frames).ok_or(Gone)?;
        frames.remove(0);
        way.messages.send(data(frames)).await.map_err(|_| Gone)
    }

    /// Sends what is under way and closes.
    pub(crate) async fn close(&self) {
        self.shared.closing.cancel();
        let deadline = Instant::now() + LINGER;
        let ways: Vec<_> = self.shared.peers().ways.drain().collect();
        for (_, way) in &ways {
            let close = PeerDriverCommand::DrainAndClose { deadline: Some(deadline) };
            // A connection that is lost needs no closing.
            drop(way.commands.try_send(close));
        }
        self.shared.tasks.close();
        // Who does not read has had the time.
        drop(tokio::time::timeout(LINGER * 2, self.shared.tasks.wait()).await);
        // Not before: a connection that nobody can tell anything any more ends at once, with what it was yet to send.
        drop(ways);
    }

    fn way(&self, frames: &Frames) -> Option<Way> {
        self.shared.peers().ways.get(frames.first()?).cloned()
    }
}

fn data(frames: Frames) -> PeerDriverData {
    PeerDriverData::SendMessage(Message::multipart(frames))
}

impl Shared {
    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().expect("nothing panics while it holds the peers")
    }
}

/// Lets clients in.
#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    found: mpsc::Sender<Client>,
    limits: Limits,
    room: Room,
    places: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Door {
    async fn open(self, listener: TcpListener) {
        let closing = self.shared.closing.clone();
        let mut told = None;
        let in_all = async {
            loop {
                let place = self.place(&mut told).await;
                match (listener.accept().await, Arc::clone(&self.handshakes).try_acquire_owned()) {
                    (Ok((stream, peer)), Ok(handshake)) => {
                        let guest = self.clone().receive(stream, peer, handshake);
                        self.shared.tasks.spawn(async move {
                            guest.await;
                            drop(place);
                        });
                    }
                    (Ok(_), Err(_)) => {}
                    (Err(_), _) => tokio::time::sleep(REFUSED_WAIT).await,
                }
            }
        };
        tokio::select! {
            () = closing.cancelled() => {}
            () = in_all => {}
        }
    }

    /// A place for one more. Without one clients wait to be accepted, and send nothing before.
    async fn place(&self, told: &mut Option<Instant>) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        if told.is_none_or(|told| told.elapsed() > FULL_TOLD) {
            *told = Some(Instant::now());
            let clients = self.limits.clients_max;
            tracing::warn!(clients, "no more clients can be connected; others wait until one goes");
        }
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Shakes hands with a client, and carries its messages until it goes.
    async fn receive(self, stream: TcpStream, peer: SocketAddr, handshake: OwnedSemaphorePermit) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let (messages, outgoing) = mpsc::channel(WAITING_MAX as usize);
        let (commands, inbox) = mpsc::channel(4);
        let (events, mut came) = mpsc::channel(IN_WAITING_MAX);
        let held = Arc::new(Held::default());
        let config = ConnectionConfig::new(Role::Server, SocketType::Router)
            .max_message_size(self.limits.message_max.saturating_add(ENVELOPE_MAX));
        let cancel = CancellationToken::new();
        let driver = ConnectionDriver::with_config(
            Watched::new(stream, peer, self.room.clone(), Arc::clone(&held)),
            Connection::new(config),
            inbox,
            events,
            0,
            cancel,
            self.timing(),
        )
        .with_data_inbox(outgoing);
        let run = self.shared.tasks.spawn(Box::pin(driver.run()));
        let shaken = matches!(
            came.recv().await,
            Some((_, PeerEvent::Event(Event::HandshakeSucceeded { .. })))
        );
        drop(handshake);
        let identity = shaken.then(|| self.admit(Way { messages, commands: commands.clone() }));
        if let Some(identity) = identity {
            let begun = commands.send(PeerDriverCommand::ActivateDataPlane).await.is_ok();
            let client = Client { identity: identity.clone(), came, held, taken: 0 };
            if begun && self.found.send(client).await.is_ok() {
                drop(commands);
                drop(run.await);
            }
            self.shared.peers().ways.remove(&identity);
        }
    }

    fn admit(&self, way: Way) -> Bytes {
        let mut peers = self.shared.peers();
        peers.last += 1;
        let identity = Bytes::copy_from_slice(&peers.last.to_be_bytes());
        peers.ways.insert(identity.clone(), way);
        identity
    }

    fn timing(&self) -> PeerDriverConfig {
        PeerDriverConfig {
            handshake_timeout: Some(self.limits.handshake_timeout),
            heartbeat_interval: Some(HEARTBEAT),
            heartbeat_timeout: Some(SILENCE_MAX),
            heartbeat_ttl: None,
            large_message_threshold: LARGE,
            recv_rate_limit: None,
        }
    }
}
