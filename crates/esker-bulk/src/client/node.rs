//! One worker, as a client knows it: the way to it, and which of the client's batches it has acknowledged.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::bulk::{Ask, Head, Reply, Request};
use esker_wire::fault::Fault;
use esker_wire::member::NodeId;

use crate::client::directory::Route;
use crate::worker::Local;

/// Requests and answers of more than this go another way than the rest, which never waits behind them, in bytes.
pub(crate) const BULKY: usize = 64 * 1024;

/// A worker.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) node: NodeId,
    way: Way,
    batches: Mutex<Batches>,
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

/// Batches by their numbers.
#[derive(Debug, Default)]
struct Batches {
    next: u32,
    under_way: BTreeSet<u32>,
}

/// A batch under way; it is not any more when this is dropped.
pub(crate) struct Turn<'a> {
    node: &'a Node,
    pub(crate) seq: u32,
    pub(crate) floor: u32,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.node.batches().under_way.remove(&self.seq);
    }
}

impl Node {
    pub(crate) fn new(node: NodeId, way: Way) -> Self {
        Self { node, way, batches: Mutex::default() }
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().expect("nothing panics while it holds the numbers of batches")
    }

    /// The number of the next batch.
    pub(crate) fn turn(&self) -> Turn<'_> {
        let mut batches = self.batches();
        let seq = batches.next;
        batches.next += 1;
        batches.under_way.insert(seq);
        let floor = batches.under_way.first().copied().unwrap_or(seq);
        Turn { node: self, seq, floor }
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

    /// Tells it what it does not know yet of a space, or of where it is.
    pub(crate) async fn tell(&self, route: &Route, wait: Duration) -> Result<(), Fault> {
        let request = Request::Open(route.tell());
        let head = route.head(request.op());
        match self.ask(&Ask { head, request }, wait).await? {
            Reply::Refused(_, fault) => Err(fault),
            _ => Ok(()),
        }
    }
}
