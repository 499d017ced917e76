//! One worker, as a client knows it: the way to it, and which of the client's batches it has acknowledged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::bulk::{Ask, Head, Reply, Request};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::NodeId;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::client::directory::Route;
use crate::worker::Local;

/// Requests and answers of more than this go another way than the rest, which never waits behind them, in bytes.
pub(crate) const BULKY: usize = 64 * 1024;

/// The most requests of one client to one worker that are under way at once; more wait here.
const UNDER_WAY_MAX: usize = 500;

/// A worker.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) node: NodeId,
    way: Way,
    pub(crate) turns: Turns,
    /// A worker refuses a client that has twice as many under way.
    room: Semaphore,
    /// How often it was told something, and who is about to.
    told: AtomicU64,
    telling: tokio::sync::Mutex<()>,
}

/// The way to it.
#[derive(Debug)]
pub(crate) enum Way {
    /// It is in this process.
    Local(Local),
    /// Two connections.
    Bus(Box<Callers>),
}

/// The connections to a worker behind an address.
#[derive(Debug)]
pub(crate) struct Callers {
    pub(crate) small: Caller,
    pub(crate) bulky: Caller,
}

/// The numbers of a writer's batches.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Batches>);

/// Batches by their numbers.
#[derive(Debug, Default)]
struct Batches {
    next: u32,
    under_way: BTreeSet<u32>,
}

/// A batch under way; it is not any more when this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    pub(crate) seq: u32,
    pub(crate) floor: u32,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.batches().under_way.remove(&self.seq);
    }
}

impl Turns {
    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.0.lock().expect("nothing panics while it holds the numbers of batches")
    }

    /// The number of the next batch.
    pub(crate) fn turn(&self) -> Turn<'_> {
        let mut batches = self.batches();
        let seq = batches.next;
        batches.next += 1;
        batches.under_way.insert(seq);
        let floor = batches.under_way.first().copied().unwrap_or(seq);
        Turn { turns: self, seq, floor }
    }
}

impl Node {
    pub(crate) fn new(node: NodeId, way: Way) -> Self {
        Self {
            node,
            way,
            turns: Turns::default(),
            room: Semaphore::new(UNDER_WAY_MAX),
            told: AtomicU64::new(0),
            telling: tokio::sync::Mutex::default(),
        }
    }

    /// Waits until one more request may be under way; it is not any more when this is dropped.
    ///
    /// # Errors
    /// `timeout` if there is no room by then.
    pub(crate) async fn room(&self, wait: Duration) -> Result<SemaphorePermit<'_>, Fault> {
        let room = tokio::time::timeout(wait, self.room.acquire()).await;
        room.ok().and_then(Result::ok).ok_or_else(|| {
            let text = format!("{UNDER_WAY_MAX} requests to a worker are under way, and none ends");
            Fault::new(Code::Timeout, text)
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// `timeout` or `unavailable`: it may have been done or not.
    pub(crate) async fn ask(&self, ask: &Ask, wait: Duration) -> Result<Reply, Fault> {
        let callers = match &self.way {
            Way::Local(local) => return Ok(local.ask(ask.clone())),
            Way::Bus(callers) => callers,
        };
        let frames = ask.to_frames();
        let is_bulky = matches!(ask.request, Request::Get(_) if ask.head.flags & Head::RANGE != 0)
            || frames.iter().map(|frame| frame.len()).sum::<usize>() > BULKY;
        let caller = if is_bulky { &callers.bulky } else { &callers.small };
        let frames = caller.exchange(frames, wait).await?;
        Reply::from_frames(&frames).map(|(_, reply)| reply)
    }

    /// How often it was told something.
    pub(crate) fn told(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    /// Tells it what it does not know yet of a space, or of where it is; nothing if it was told something since it had
    /// been told so often, which may be that.
    pub(crate) async fn tell(
        &self,
        route: &Route,
        before: u64,
        wait: Duration,
    ) -> Result<(), Fault> {
        let telling = tokio::time::timeout(wait, self.telling.lock()).await;
        let _telling = telling.map_err(|_| {
            Fault::new(Code::Timeout, "a worker does not take what it has to know of a space")
        })?;
        if self.told() != before {
            return Ok(());
        }
        let request = Request::Open(route.tell());
        let head = route.head(request.op());
        match self.ask(&Ask { head, request }, wait).await? {
            Reply::Refused(_, fault) => Err(fault),
            _ => {
                self.told.fetch_add(1, Ordering::Release);
                Ok(())
            }
        }
    }
}
