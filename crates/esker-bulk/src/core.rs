//! All that a worker knows and decides: from requests to answers. No socket, file, clock or thread: the time comes
//! with each request, and what is to be written to or read from disk is told, not done.

mod entries;
mod fifo;
mod ledger;
mod parts;
mod read;
mod relief;
mod root;
mod seen;
mod spaces;
mod write;

use std::collections::HashMap;

use bytes::Bytes;
use esker_wire::bulk::{Ask, Reply, Request, Status, Table};
use esker_wire::fault::Fault;
use esker_wire::member::NodeId;
use serde::Serialize;

pub(crate) use read::Gathered;
pub(crate) use relief::{Job, Landed};

use crate::core::entries::Entries;
use crate::core::fifo::Fifo;
use crate::core::ledger::Ledger;
use crate::core::spaces::Space;

/// How long what is kept aside for a writer stays when nothing is added, in milliseconds.
const STAGED_MAX: u64 = 60_000;
/// How many sealed spaces a worker tells of.
const SEALED_MAX: usize = 256;
/// How long a writer to a cache is known by its batches, in milliseconds.
const WRITER_MAX: u64 = 15 * 60_000;

/// What became of a request.
pub(crate) enum Answer {
    /// This.
    Now(Reply),
    /// It is to be read from disk.
    Read(Gathered),
}

/// What was done since the start.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Tally {
    /// Contents that were asked for and there.
    pub(crate) hits: u64,
    /// Those that were not.
    pub(crate) misses: u64,
    /// Parts that were taken in.
    pub(crate) writes: u64,
    /// Batches that came again and were not stored again.
    pub(crate) duplicates: u64,
    /// Contents that were forgotten for others.
    pub(crate) evicted: u64,
    /// Bytes that were written to disk.
    pub(crate) spilled: u64,
    /// Requests that were sent away since there was no room.
    pub(crate) refused: u64,
}

/// How a worker stands.
#[derive(Debug, Serialize)]
pub(crate) struct Standing<'a> {
    node: String,
    version: &'static str,
    /// When it began, in milliseconds since 1970.
    began: u64,
    ledger: &'a Ledger,
    tally: Tally,
    entries: usize,
    spaces: usize,
    /// The spaces that are sealed, in their order; the first ones.
    sealed: Vec<&'a str>,
    table: u32,
    disk: Option<&'a str>,
}

/// A worker's state.
pub(crate) struct Core {
    node: NodeId,
    ledger: Ledger,
    root: Option<Table>,
    entries: Entries,
    fifo: Fifo,
    spaces: HashMap<u64, Space>,
    tally: Tally,
    /// Why nothing can be written to disk; nothing if it can.
    no_disk: Option<String>,
    jobs: Vec<Job>,
    flights: u64,
    stamps: u64,
    began: u64,
}

impl Core {
    /// A worker that may hold so many bytes in memory. `no_disk` says why it has no disk, if so; contents are told
    /// apart by numbers from `stamps` on, which no earlier worker has used.
    pub(crate) fn new(node: NodeId, budget: u64, no_disk: Option<String>, stamps: u64) -> Self {
        Self {
            node,
            ledger: Ledger::new(budget),
            root: None,
            entries: Entries::default(),
            fifo: Fifo::default(),
            spaces: HashMap::new(),
            tally: Tally::default(),
            no_disk,
            jobs: Vec::new(),
            flights: 0,
            stamps,
            // The first number is the nanoseconds since 1970.
            began: stamps / 1_000_000,
        }
    }

    /// Answers a request at a time, in milliseconds from any beginning.
    pub(crate) fn handle(&mut self, ask: Ask, now: u64) -> Answer {
        let Ask { head, request } = ask;
        let answer = match request {
            Request::Hello | Request::Status => Ok(Reply::Text(self.standing())),
            Request::Get(items) => {
                return match self.reach(&head) {
                    Ok(()) => self.get(&head, &items),
                    Err(refused) => Answer::Now(refused),
                };
            }
            Request::Stat(keys) => self.reach(&head).map(|()| self.stat(&head, &keys)),
            Request::Set(items) => self.write(&head).and_then(|()| self.set(&head, items, now)),
            Request::Append(items) => {
                self.write(&head).and_then(|()| self.append(&head, items, now))
            }
            Request::Remove(keys) => {
                self.write(&head).and_then(|()| self.remove(&head, &keys, now))
            }
            Request::List { prefix, after, limit } => {
                self.reach(&head).map(|()| self.list(&head, (&prefix, &after), limit))
            }
            Request::Open(text) => self.open(&head, &text),
            Request::Share(hashes) => self.reach(&head).and_then(|()| self.share(&head, &hashes)),
            Request::Seal(winners) => self.reach(&head).and_then(|()| self.seal(&head, &winners)),
            Request::About => Ok(self.about(&head)),
            // Its worker answers them itself.
            Request::Keys(_) => Err(refuse(Status::Bad, "this worker keeps no keys", "")),
            Request::Drop => self.reach(&head).map(|()| self.drop_space(head.space)),
        };
        self.relieve();
        Answer::Now(answer.unwrap_or_else(|refused| refused))
    }

    /// How it stands, as JSON.
    pub(crate) fn standing(&self) -> Bytes {
        let standing = Standing {
            node: self.node.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            began: self.began,
            ledger: &self.ledger,
            tally: self.tally,
            entries: self.entries.len(),
            spaces: self.spaces.len(),
            sealed: self.sealed(),
            table: self.root.as_ref().map_or(0, Table::version),
            disk: self.no_disk.as_deref(),
        };
        serde_json::to_vec(&standing).expect("texts and numbers can always be written").into()
    }

    fn sealed(&self) -> Vec<&str> {
        let sealed = self.spaces.values().filter(|space| space.sealed.is_some());
        let mut names: Vec<&str> =
            sealed.filter_map(|space| Some(space.about.as_ref()?.name.as_str())).collect();
        names.sort_unstable();
        names.truncate(SEALED_MAX);
        names
    }

    /// How much of the memory is free, in 64ths; what may be forgotten is.
    pub(crate) fn free(&self) -> u8 {
        let held = self.ledger.memory() - self.ledger.cached;
        let free = self.ledger.budget.saturating_sub(held);
        (u128::from(free) * 64 / u128::from(self.ledger.budget.max(1))) as u8
    }

    /// How much memory it may hold from now on, in bytes.
    pub(crate) fn set_budget(&mut self, budget: u64) {
        self.ledger.budget = budget;
        self.relieve();
    }

    #[cfg(test)]
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

/// A refusal with the status that says why.
fn refuse(status: Status, text: impl Into<String>, hint: &str) -> Reply {
    Reply::Refused(status, Fault::new(status.code(), text).hint(hint))
}

#[cfg(test)]
mod tests;
