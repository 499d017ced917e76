//! A worker: its core behind a lock, its disk, and the sockets it answers on.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus, Limits};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Prompt, Service};
use esker_cluster::kv::Kv;
use esker_wire::bulk::{Ask, BULK_MAX, Head, Op, Reply, Request, Status};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::NodeId;

use crate::core::{Answer, Core};
use crate::spill::Disk;

/// The least a worker can do with, in bytes.
pub const MEMORY_MIN: u64 = 1024 * 1024;
/// The most bytes of requests that may wait.
const QUEUE_MAX: usize = 64 * 1024 * 1024;

/// What a worker is given.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who it is.
    pub node: NodeId,
    /// How much it may hold in memory, in bytes.
    pub memory: u64,
    /// The folder, of this worker alone, for what has no room there; nothing if it is to have none.
    pub spill: Option<PathBuf>,
    /// Where it takes requests besides this process: `tcp://HOST:PORT`.
    pub binds: Vec<String>,
}

/// A worker at work. It ends when it is dropped, and what it held is gone.
#[derive(Debug)]
pub struct Worker {
    local: Local,
    server: Server,
}

/// A worker in this process, as clients know it.
#[derive(Clone)]
pub(crate) struct Local(Arc<Shared>);

struct Shared {
    core: Mutex<Core>,
    disk: OnceLock<Disk>,
    /// What its cluster agrees on, if this is where that is kept.
    keys: OnceLock<Kv>,
    begun: Instant,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts a worker.
    ///
    /// # Errors
    /// `bad-request` for too little memory or an address that cannot be read, `unavailable` for one in use,
    /// `not-writable` for a folder that cannot be written to.
    pub fn start(bus: &Bus, options: &Options) -> Result<Self, Fault> {
        check_memory(options.memory)?;
        let no_disk = options.spill.is_none().then(|| "it was given no folder".to_owned());
        // Numbers that no earlier worker with the same address has used: it cannot count faster than that.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let stamps = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let core = Core::new(options.node, options.memory, no_disk, stamps);
        let (disk, keys) = (OnceLock::new(), OnceLock::new());
        let shared = Shared { core: Mutex::new(core), disk, keys, begun: Instant::now() };
        let local = Local(Arc::new(shared));
        if let Some(folder) = &options.spill {
            let weak = Arc::downgrade(&local.0);
            let disk = Disk::open(folder, move |landed, why| {
                if let Some(shared) = weak.upgrade() {
                    Local(shared).landed(landed, why);
                }
            })?;
            local.0.disk.set(disk).expect("nobody else sets it");
        }
        let queue = (options.memory / 4).clamp(2 * BULK_MAX as u64, QUEUE_MAX as u64) as usize;
        let limits = Limits {
            message_max: BULK_MAX,
            queue_bytes_max: queue,
            incoming_bytes_max: queue,
            unread_max: 8 * BULK_MAX,
            refusal: over_limit,
            ..Limits::default()
        };
        let binds = Binds { requests: options.binds.clone(), events: Vec::new(), limits };
        let handler = || Handler { local: local.clone() };
        let server = bus.serve_promptly("bulk", (handler(), Arc::new(handler())), &binds)?;
        Ok(Self { local, server })
    }

    /// Where it takes requests, with real ports.
    pub fn addresses(&self) -> &[String] {
        self.server.requests()
    }

    /// Where others in this process find it through the bus.
    pub fn endpoint(&self) -> Endpoint {
        self.server.local()
    }

    /// The worker as a client in this process asks it: directly.
    pub(crate) fn local(&self) -> Local {
        self.local.clone()
    }

    /// How it stands, as JSON.
    pub fn standing(&self) -> Bytes {
        self.local.core().standing()
    }

    /// How much of what it may hold in memory is free, in 64ths.
    pub fn free(&self) -> u8 {
        self.local.core().free()
    }

    /// Has it answer others who ask for the keys of its cluster, which are kept here: it is the only worker.
    pub fn keep(&self, keys: Kv) {
        // Whoever was first stays.
        drop(self.local.0.keys.set(keys));
    }

    /// What says how much it may hold.
    pub fn budget(&self) -> Budget {
        Budget(self.local.clone())
    }
}

/// Says how much a worker may hold.
#[derive(Debug, Clone)]
pub struct Budget(Local);

impl Budget {
    /// How much it may hold in memory from now on, in bytes.
    ///
    /// # Errors
    /// `bad-request` for less than [`MEMORY_MIN`]; it goes on with what it had.
    pub fn set(&self, bytes: u64) -> Result<(), Fault> {
        check_memory(bytes)?;
        let mut core = self.0.core();
        core.set_budget(bytes);
        self.0.write_out(&mut core);
        Ok(())
    }
}

fn check_memory(bytes: u64) -> Result<(), Fault> {
    if bytes >= MEMORY_MIN {
        return Ok(());
    }
    let text = format!("a worker cannot do with {bytes} bytes of memory");
    Err(Fault::bad_request(text).hint(format!("give it {MEMORY_MIN} at least")))
}

impl Local {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.0.core.lock().expect("a panic in the core ends the process")
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn answer(&self, ask: Ask) -> Answer {
        if let Request::Keys(question) = &ask.request {
            return Answer::Now(self.keys(question));
        }
        let now = self.now();
        let mut core = self.core();
        let answer = core.handle(ask, now);
        self.write_out(&mut core);
        answer
    }

    /// Answers a question for the keys of the cluster.
    fn keys(&self, question: &Bytes) -> Reply {
        let Some(keys) = self.0.keys.get() else {
            let text = "this worker keeps no keys: it is not the only one of its cluster";
            let hint = "join the cluster as the worker does";
            return Reply::Refused(Status::Bad, Fault::bad_request(text).hint(hint));
        };
        match keys.answer(question) {
            Ok(answer) => Reply::Text(answer.into()),
            Err(fault) if fault.code == Code::TooLarge => Reply::Refused(Status::TooLarge, fault),
            Err(fault) => Reply::Refused(Status::Bad, fault),
        }
    }

    /// Answers a request here and now.
    pub(crate) fn ask(&self, ask: Ask) -> Reply {
        match self.answer(ask) {
            Answer::Now(reply) => reply,
            Answer::Read(gathered) => gathered.read(),
        }
    }

    /// Has written to disk what is to go there.
    fn write_out(&self, core: &mut Core) {
        let jobs = core.take_jobs();
        if let Some(disk) = self.0.disk.get().filter(|_| !jobs.is_empty()) {
            disk.write(jobs);
        }
    }

    fn landed(&self, landed: Vec<crate::core::Landed>, why: Option<String>) {
        let mut core = self.core();
        if let Some(why) = &why {
            tracing::warn!(why, "what has no room in memory cannot be written to disk");
        }
        core.set_disk(why);
        landed.into_iter().for_each(|one| core.land(one));
        core.relieve();
        self.write_out(&mut core);
    }

    fn tick(&self) {
        let mut core = self.core();
        core.try_disk_again(self.0.disk.get().is_some());
        core.tick(self.now());
        self.write_out(&mut core);
    }
}

/// What the bus asks.
struct Handler {
    local: Local,
}

impl Prompt for Handler {
    fn answer(&self, request: &Frames) -> Outcome {
        let ask = match Ask::from_frames(request) {
            Ok(ask) => ask,
            Err(fault) => return refused(&fault),
        };
        let head = ask.head;
        match self.local.answer(ask) {
            Answer::Now(reply) => Outcome::reply(reply.to_frames(&head)),
            Answer::Read(gathered) => Outcome {
                later: Some(Box::new(move || gathered.read().to_frames(&head))),
                ..Outcome::default()
            },
        }
    }
}

impl Service for Handler {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|request| self.answer(request)).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.local.tick();
        Vec::new()
    }
}

/// What is told of a request that is over a limit of the bus.
fn over_limit(request: &[Bytes], fault: &Fault) -> Frames {
    let status = match fault.code {
        Code::Busy => Status::Busy,
        Code::TooLarge => Status::TooLarge,
        _ => Status::Bad,
    };
    let head = Ask::from_frames(request).map_or(Head::new(Op::Status), |ask| ask.head);
    Reply::Refused(status, fault.clone()).to_frames(&head)
}

fn refused(fault: &Fault) -> Outcome {
    let reply = Reply::Refused(Status::Bad, fault.clone());
    Outcome::reply(reply.to_frames(&Head::new(Op::Status)))
}
