//! Asking a service: typed or raw, from asynchronous code or a plain thread, always with a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use esker_wire::message::{self, MESSAGE_MAX, Message, Request};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Timeout;

use crate::bus::Bus;
use crate::endpoint::{Endpoint, LocalEndpoint};
use crate::envelope;
use crate::link::{self, Command};
use crate::queue::{self, Back, Peer};
use crate::service::Frames;

/// How long a call waits for a connection before it says that nobody is there, whatever its deadline.
pub const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// The requests that may wait for a connection's attention.
const COMMANDS_MAX: usize = 1000;

/// Asks one service. Clones share the connection and the limit of requests under way.
#[derive(Debug, Clone)]
pub struct Caller {
    bus: Bus,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Local {
        to: LocalEndpoint,
        peer: Arc<Peer>,
    },
    Tcp {
        address: Arc<str>,
        commands: mpsc::Sender<Command>,
        connected: watch::Receiver<bool>,
    },
    /// The address cannot be read.
    Nowhere(Fault),
}

impl Caller {
    pub(crate) fn new(bus: &Bus, to: &Endpoint) -> Self {
        let way = match (to, to.check()) {
            (_, Err(fault)) => Way::Nowhere(fault),
            (Endpoint::Local(to), _) => Way::Local { to: to.clone(), peer: Arc::default() },
            (Endpoint::Tcp { requests, .. }, _) => {
                let (commands, taken) = mpsc::channel(COMMANDS_MAX);
                let (state, connected) = watch::channel(false);
                // The task ends when the last clone of this caller does; its handle is of no use.
                drop(bus.handle().spawn(link::run(requests.clone(), taken, state)));
                Way::Tcp { address: requests.as_str().into(), commands, connected }
            }
        };
        Self { bus: bus.clone(), way }
    }

    /// Asks another service, over the same bus.
    #[must_use]
    pub fn elsewhere(&self, to: &Endpoint) -> Self {
        Self::new(&self.bus, to)
    }

    /// Asks and waits for the answer. An idempotent request is asked again if the connection is lost.
    ///
    /// # Errors
    /// The service's fault; `timeout` or `unavailable` naming the address; `busy` or `too-large`.
    pub async fn call<R: Request>(
        &self,
        request: &R,
        deadline: Duration,
    ) -> Result<R::Reply, Fault> {
        let frames = request.to_message().to_frames();
        let reply = self.ask(frames, R::IDEMPOTENT, deadline).await?;
        message::answer::<R>(&Message::from_frames(&reply)?)
    }

    /// [`Caller::call`] from a plain thread.
    ///
    /// # Errors
    /// As [`Caller::call`].
    ///
    /// # Panics
    /// In asynchronous code, which must not be blocked.
    pub fn call_blocking<R: Request>(
        &self,
        request: &R,
        deadline: Duration,
    ) -> Result<R::Reply, Fault> {
        self.bus.handle().block_on(self.call(request, deadline))
    }

    /// Asks, and has the answer taken on a thread of the bus, which is not to be held up.
    pub fn call_then<R>(
        &self,
        request: R,
        deadline: Duration,
        then: impl FnOnce(Result<R::Reply, Fault>) + Send + 'static,
    ) where
        R: Request + Send + Sync + 'static,
        R::Reply: Send,
    {
        let caller = self.clone();
        // Nobody waits for the task itself.
        drop(self.bus.handle().spawn(async move { then(caller.call(&request, deadline).await) }));
    }

    /// Asks in any form of message and returns the reply as it came. Never asked twice.
    ///
    /// # Errors
    /// `timeout` or `unavailable` naming the address; `busy` or `too-large`.
    pub async fn exchange(&self, frames: Frames, deadline: Duration) -> Result<Frames, Fault> {
        self.ask(frames, false, deadline).await
    }

    async fn ask(
        &self,
        frames: Frames,
        idempotent: bool,
        deadline: Duration,
    ) -> Result<Frames, Fault> {
        match &self.way {
            Way::Nowhere(fault) => Err(fault.clone()),
            Way::Local { to, peer } => {
                let asked = ask_local(to, peer, frames);
                let in_time = within(self.bus.handle(), deadline, asked);
                in_time.await.unwrap_or_else(|_| Err(late("the service in this process", deadline)))
            }
            Way::Tcp { address, commands, connected } => {
                envelope::check_size("request", &frames, MESSAGE_MAX)?;
                let began = Instant::now();
                self.await_connection(address, connected.clone(), deadline).await?;
                let left = deadline.saturating_sub(began.elapsed());
                let (reply, answered) = oneshot::channel();
                let command = Command { frames, idempotent, reply };
                let asked = async {
                    let sent = commands.send(command).await;
                    sent.map_err(|_| queue::ended())?;
                    answered.await.map_err(|_| queue::ended())?
                };
                let in_time = within(self.bus.handle(), left, asked).await;
                in_time.unwrap_or_else(|_| {
                    Err(if *connected.borrow() {
                        late(address, deadline)
                    } else {
                        nobody(address, deadline)
                    })
                })
            }
        }
    }

    async fn await_connection(
        &self,
        address: &str,
        mut connected: watch::Receiver<bool>,
        deadline: Duration,
    ) -> Result<(), Fault> {
        if *connected.borrow() {
            return Ok(());
        }
        let wait = deadline.min(CONNECT_WAIT_MAX);
        let there = async { connected.wait_for(|connected| *connected).await.is_ok() };
        match within(self.bus.handle(), wait, there).await {
            Ok(true) => Ok(()),
            _ => Err(nobody(address, wait)),
        }
    }
}

async fn ask_local(to: &LocalEndpoint, peer: &Arc<Peer>, frames: Frames) -> Result<Frames, Fault> {
    envelope::check_size("request", &frames, to.limits.message_max)?;
    let ticket = peer.admit(to.limits.in_flight_max)?;
    let (reply, answered) = oneshot::channel();
    to.queue.push(frames, Back::Local(reply, ticket)).await?;
    answered.await.map_err(|_| queue::ended())
}

/// A deadline kept by the bus's clock, so that any thread or runtime may wait for it.
fn within<F: Future>(clock: &Handle, deadline: Duration, future: F) -> Timeout<F> {
    let _clock = clock.enter();
    tokio::time::timeout(deadline, future)
}

fn late(whom: &str, deadline: Duration) -> Fault {
    let message = format!("no answer from {whom} within {deadline:?}");
    Fault::new(Code::Timeout, message).hint("it is busy or hangs; try again with a longer deadline")
}

fn nobody(address: &str, wait: Duration) -> Fault {
    let message = format!("cannot reach {address}: nobody answered within {wait:?}");
    Fault::new(Code::Unavailable, message).hint("is `esker up` running there?")
}
