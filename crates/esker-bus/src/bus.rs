//! The bus: the threads that talk, and the four verbs' beginnings.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::MESSAGE_MAX;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::envelope;
use crate::follow::Follow;
use crate::hear::Hear;
use crate::server::Server;
use crate::service::{Frames, Prompt, Service};

/// The most threads that talk. They are few: they only move bytes.
const IO_THREADS_MAX: usize = 2;

/// The cores that one thread that talks is worth having for: where there are fewer, a second one is only woken
/// up to find nothing to do.
const CORES_EACH: usize = 2;

/// Where a service listens besides this process; every address is `tcp://HOST:PORT`, port 0 picks a free one.
#[derive(Debug, Clone, Default)]
pub struct Binds {
    /// For requests; may be empty.
    pub requests: Vec<String>,
    /// For events; may be empty.
    pub events: Vec<String>,
    /// What one peer may ask of the service.
    pub limits: Limits,
}

/// What peers may ask of a service.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest request and the largest reply, in bytes.
    pub message_max: usize,
    /// The most requests one peer may have under way.
    pub in_flight_max: usize,
    /// The most requests handed to the service at once.
    pub batch_max: usize,
    /// No request joins a batch that has this many bytes.
    pub batch_bytes_max: usize,
    /// The bytes of all requests under way; peers wait beyond.
    pub queue_bytes_max: usize,
    /// The bytes of large answers one peer may leave unread, one answer apart; it is told `busy` beyond.
    pub unread_max: usize,
    /// The bytes of all requests that have not come in full or wait for the queue; peers wait beyond.
    pub incoming_bytes_max: usize,
    /// How long a request that has begun may stall before its connection is closed.
    pub stall_max: Duration,
    /// The most connections for requests; more wait to be accepted.
    pub clients_max: usize,
    /// The most connections for events; more are closed.
    pub followers_max: usize,
    /// The most connections that may be shaking hands at once.
    pub handshakes_max: usize,
    /// How long a connection may take to shake hands.
    pub handshake_timeout: Duration,
    /// How a request that is refused for these limits is told so.
    pub refusal: fn(&[Bytes], &Fault) -> Frames,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_max: MESSAGE_MAX,
            in_flight_max: 1000,
            batch_max: 512,
            batch_bytes_max: 64 * 1024 * 1024,
            queue_bytes_max: 256 * 1024 * 1024,
            unread_max: 2 * MESSAGE_MAX,
            incoming_bytes_max: 256 * 1024 * 1024,
            stall_max: Duration::from_secs(5),
            clients_max: 4096,
            followers_max: 4096,
            handshakes_max: 4096,
            handshake_timeout: Duration::from_secs(2),
            refusal: envelope::refusal,
        }
    }
}

/// The bus. Clones are the same bus; its threads end with the last clone, server, caller and follower.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        // The last clone may go in an asynchronous task, where waiting is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bus {
    /// Starts the threads that talk.
    ///
    /// # Errors
    /// `unavailable` if the system gives no threads.
    pub fn start() -> Result<Self, Fault> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let io_threads = (cores / CORES_EACH).clamp(1, IO_THREADS_MAX);
        let runtime = Builder::new_multi_thread()
            .worker_threads(io_threads)
            .thread_name("bus")
            .enable_all()
            .build()
            .map_err(|error| {
                Fault::new(Code::Unavailable, format!("cannot start the bus: {error}"))
            })?;
        Ok(Self(Arc::new(Threads { handle: runtime.handle().clone(), runtime: Some(runtime) })))
    }

    /// Runs a service on a thread of its own called `name`, for callers in this process and at the addresses
    /// in `binds`.
    ///
    /// A panic in the service ends the process: the message is printed, then it aborts.
    ///
    /// # Errors
    /// `bad-request` for an address that cannot be read or is not loopback, `unavailable` for one in use.
    pub fn serve(&self, name: &str, service: impl Service, binds: &Binds) -> Result<Server, Fault> {
        Server::start(self, name, (service, None), binds)
    }

    /// The same for a service that also answers at once what comes to the addresses in `binds`; then the first is asked
    /// by callers in this process only, and is told the time.
    ///
    /// # Errors
    /// As [`Bus::serve`].
    pub fn serve_promptly(
        &self,
        name: &str,
        (service, prompt): (impl Service, Arc<dyn Prompt>),
        binds: &Binds,
    ) -> Result<Server, Fault> {
        Server::start(self, name, (service, Some(prompt)), binds)
    }

    /// A caller of the service at `to`. It connects in the background, and again when the connection is lost.
    pub fn caller(&self, to: &Endpoint) -> Caller {
        Caller::new(self, to)
    }

    /// Follows the events of the service at `to` whose topic begins with one of `topics`.
    pub fn follow(&self, to: &Endpoint, topics: &[&str]) -> Follow {
        Follow::new(self, to, topics)
    }

    /// Hears what the service at `to` publishes under topics that begin with one of these, as it is published.
    pub fn hear(&self, to: &Endpoint, topics: Vec<Vec<u8>>) -> Hear {
        Hear::new(self, to, topics)
    }

    /// Runs a task on the bus's threads and waits for it, whatever thread this is.
    ///
    /// # Panics
    /// If the task does.
    pub fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> T {
        let (done, result) = mpsc::sync_channel(1);
        drop(self.handle().spawn(async move {
            // The other end waits below.
            drop(done.send(task.await));
        }));
        result.recv().expect("the bus's threads run as long as the bus")
    }

    /// Waits for something on this thread, which must be a plain one.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle().block_on(future)
    }

    /// Has a task run to its end on the bus's threads; it has to be short.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // It reports to nobody, or by ways of its own.
        drop(self.handle().spawn(task));
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.0.handle
    }
}
