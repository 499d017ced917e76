//! A service at work: its thread, its sockets, and how they end.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use esker_wire::fault::{Code, Fault};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::bus::{Binds, Bus, Limits};
use crate::endpoint::{Endpoint, LocalEndpoint};
use crate::envelope;
use crate::outbox::Outbox;
use crate::owner::{self, Loud, Outlets};
use crate::queue::{Back, Peer, Queue};
use crate::service::{Frames, Outcome, Prompt, Service};
use crate::zmq::{Client, Publisher, Router};

/// The events that may wait for a follower in this process; one that is further behind is told so.
const EVENTS_WAITING_MAX: usize = 4096;

/// How long answers may take to leave when a server ends.
const DRAIN_MAX: Duration = Duration::from_secs(1);

/// A service at work. Dropping it is [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    /// Keeps the threads that talk.
    _bus: Bus,
    local: LocalEndpoint,
    requests: Vec<String>,
    events: Vec<String>,
    stop: watch::Sender<bool>,
    owner: Option<JoinHandle<()>>,
    closed: mpsc::Receiver<()>,
}

/// The sockets of a server.
struct Sockets {
    outbox: Option<Arc<Outbox>>,
    publisher: Option<Arc<Publisher>>,
    requests: Vec<String>,
    events: Vec<String>,
}

/// Wakes a service whose state others in this process feed.
#[derive(Debug, Clone)]
pub struct Waker(Queue);

impl Waker {
    /// Has [`Service::wake`] called soon, once for all times until then.
    pub fn wake(&self) {
        self.0.wake();
    }
}

impl Server {
    pub(crate) fn start(
        bus: &Bus,
        name: &str,
        (service, prompt): (impl Service, Option<Arc<dyn Prompt>>),
        binds: &Binds,
    ) -> Result<Self, Fault> {
        let limits = binds.limits.clone();
        let sockets = bus.run(open(bus.handle().clone(), binds.clone()))?;
        let (queue, lines) = Queue::new(&limits);
        let (events, _) = broadcast::channel(EVENTS_WAITING_MAX);
        let outlets = Outlets { publisher: sockets.publisher.clone(), local: events.clone() };
        let owner_limits = limits.clone();
        let (ended, owner_ended) = watch::channel(());
        let runtime = bus.handle().clone();
        let owner = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                owner::run(service, lines, (&outlets, &runtime), &owner_limits);
                drop(ended);
            })
            .map_err(|error| {
                let message = format!("cannot start the thread {name}: {error}");
                Fault::new(Code::Unavailable, message)
            })?;
        let (stop, stopped) = watch::channel(false);
        let (closing, closed) = mpsc::sync_channel(1);
        let local = LocalEndpoint { queue: queue.clone(), events, limits: limits.clone() };
        let intake = Intake { queue, prompt, limits };
        let Sockets { outbox, publisher, requests, events } = sockets;
        // The task says that it has ended by dropping `closing`; its handle is of no use.
        drop(bus.handle().spawn(async move {
            intake.run(outbox.as_ref(), stopped).await;
            close(owner_ended, outbox, publisher).await;
            drop(closing);
        }));
        Ok(Self { _bus: bus.clone(), local, requests, events, stop, owner: Some(owner), closed })
    }

    /// Where callers and followers in this process find the service.
    pub fn local(&self) -> Endpoint {
        Endpoint::Local(self.local.clone())
    }

    /// What wakes the service.
    pub fn waker(&self) -> Waker {
        Waker(self.local.queue.clone())
    }

    /// The addresses that take requests, with their real ports.
    pub fn requests(&self) -> &[String] {
        &self.requests
    }

    /// The addresses that publish events, with their real ports.
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// Accepts nothing more, answers what was accepted, gives the answers a second to leave, and ends the
    /// threads. Waits for all that: not for asynchronous code.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(owner) = self.owner.take() else {
            return;
        };
        self.stop.send_replace(true);
        // A panic of the owner would have ended the process.
        drop(owner.join());
        // It never sends: the channel breaks when the sockets are closed.
        let _ = self.closed.recv();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn open(runtime: tokio::runtime::Handle, binds: Binds) -> Result<Sockets, Fault> {
    let limits = &binds.limits;
    let mut sockets =
        Sockets { outbox: None, publisher: None, requests: Vec::new(), events: Vec::new() };
    if !binds.requests.is_empty() {
        let (router, bound) = Router::bind(&binds.requests, limits).await?;
        let outbox = Outbox::new(router, runtime, limits.message_max);
        sockets.outbox = Some(Arc::new(outbox));
        sockets.requests = bound;
    }
    if !binds.events.is_empty() {
        match Publisher::bind(&binds.events, limits).await {
            Ok((publisher, bound)) => {
                sockets.publisher = Some(Arc::new(publisher));
                sockets.events = bound;
            }
            Err(fault) => {
                close_all(sockets.outbox, None).await;
                return Err(fault);
            }
        }
    }
    Ok(sockets)
}

/// Closes the sockets once the owner has sent its last answer.
async fn close(
    mut owner: watch::Receiver<()>,
    outbox: Option<Arc<Outbox>>,
    publisher: Option<Arc<Publisher>>,
) {
    // Nothing is ever sent: it returns when the owner drops the other end.
    drop(owner.changed().await);
    close_all(outbox, publisher).await;
}

async fn close_all(outbox: Option<Arc<Outbox>>, publisher: Option<Arc<Publisher>>) {
    let requests = async {
        if let Some(outbox) = &outbox {
            outbox.close(DRAIN_MAX).await;
        }
    };
    let events = async {
        if let Some(publisher) = &publisher {
            publisher.close().await;
        }
    };
    tokio::join!(requests, events);
}

/// Takes requests off the socket into the queue.
#[derive(Clone)]
struct Intake {
    queue: Queue,
    /// What answers at once, if the service can.
    prompt: Option<Arc<dyn Prompt>>,
    limits: Limits,
}

impl Intake {
    async fn run(self, outbox: Option<&Arc<Outbox>>, mut stopped: watch::Receiver<bool>) {
        let mut clients = JoinSet::new();
        while let Some(outbox) = outbox {
            let client = tokio::select! {
                _ = stopped.changed() => None,
                client = outbox.router().client() => client,
            };
            let Some(client) = client else { break };
            while clients.try_join_next().is_some() {}
            clients.spawn(self.clone().serve(Arc::clone(outbox), client));
        }
        if outbox.is_none() {
            // Changed or broken, the server ends.
            drop(stopped.changed().await);
        }
        clients.shutdown().await;
        self.queue.stop();
    }

    /// Takes what one client asks; when there is no room, that client waits and no other.
    async fn serve(self, outbox: Arc<Outbox>, mut client: Client) {
        let peer = Arc::new(Peer::default());
        while let Some(messages) = client.take().await {
            for message in messages {
                self.accept(&outbox, &peer, message).await;
                client.placed();
            }
        }
    }

    async fn accept(&self, outbox: &Arc<Outbox>, peer: &Arc<Peer>, message: Frames) {
        let (way, request) = envelope::split(message, 1);
        let max = self.limits.message_max;
        // A refusal is counted apart: the peer has no ticket to spare.
        let refuse = |way: Frames, fault: &Fault| {
            let ticket = Arc::new(Peer::default()).admit(1);
            if let Ok(ticket) = ticket {
                let back = Back::Peer(Arc::clone(outbox), way, ticket);
                back.reply((self.limits.refusal)(&request, fault));
            }
        };
        if let Err(fault) = envelope::check_size("request", &request, max) {
            return refuse(way, &fault);
        }
        match peer.admit(self.limits.in_flight_max) {
            Err(fault) => refuse(way, &fault),
            Ok(ticket) => {
                let back = Back::Peer(Arc::clone(outbox), way, ticket);
                match &self.prompt {
                    Some(prompt) => self.answer(&**prompt, &request, back).await,
                    // The owner ends after this task does, so there is room for it to be taken.
                    None => drop(self.queue.push(request, back).await),
                }
            }
        }
    }

    /// Answers here and now.
    async fn answer(&self, prompt: &dyn Prompt, request: &Frames, back: Back) {
        let Outcome { reply, later, .. } = {
            let _loud = Loud;
            prompt.answer(request)
        };
        let reply = match later {
            None => reply,
            Some(work) => {
                let made = tokio::task::spawn_blocking(move || {
                    let _loud = Loud;
                    work()
                });
                // It ends before the process does.
                let Ok(reply) = made.await else { return };
                reply
            }
        };
        let (id, limits) = (envelope::id(request), (&self.limits, self.limits.unread_max));
        owner::give((request, id.as_deref()), reply, back, limits);
    }
}
