//! The table of all nodes, as the cluster agrees on it: made anew when members come or go.
//!
//! Keys, below the cluster's prefix: `tables/root` is that table; `tables/ID` are those that spaces began with, and
//! never change; `spaces/NAME` says what a space is like.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use esker_cluster::cluster::Cluster;
use esker_cluster::membership::Membership;
use esker_wire::bulk::{Table, TableNode, hash};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};

use crate::space::Strategy;

/// Where the table of all nodes is.
pub(crate) const ROOT: &str = "tables/root";
/// What the keys of spaces begin with.
pub(crate) const SPACES: &str = "spaces/";
/// What the keys of tables begin with.
pub(crate) const TABLES: &str = "tables/";

/// How long members have to have been the same before the table is made anew: who comes and goes together is
/// reckoned with once.
const REST: Duration = Duration::from_millis(300);
/// How often it is looked at though nothing was heard.
const LOOK: Duration = Duration::from_secs(10);

/// Keeps the table of all nodes as long as it is held, if its worker is the first of all members.
#[derive(Debug)]
pub struct Keeper {
    bell: mpsc::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to keep it for the worker `me`.
    ///
    /// # Errors
    /// `internal` if the system gives no thread.
    pub fn start(cluster: &Cluster, me: NodeId) -> Result<Self, Fault> {
        let (bell, heard) = mpsc::channel();
        let cluster = cluster.clone();
        let ring = bell.clone();
        let run = move || {
            let _subscription = cluster.subscribe(move |_| {
                // It ends with the thread.
                let _ = ring.send(true);
            });
            keep(&cluster, me, &heard);
        };
        let thread = thread::Builder::new().name("bulk-tables".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Fault::new(Code::Internal, format!("cannot start a thread to keep tables: {error}"))
        })?;
        Ok(Self { bell, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.bell.send(false);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn keep(cluster: &Cluster, me: NodeId, heard: &mpsc::Receiver<bool>) {
    let mut due = Instant::now();
    loop {
        match heard.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(true) => due = Instant::now() + REST,
            Ok(false) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                due = Instant::now() + LOOK;
                let members = cluster.members();
                let is_first = members.members.first().is_some_and(|first| first.node == me);
                if is_first && let Err(fault) = renew(cluster, &members) {
                    tracing::warn!(%fault, "the table of all nodes cannot be made anew: it stays as it is");
                    due = Instant::now() + REST * 10;
                }
            }
        }
    }
}

/// Makes the table of all nodes anew if the members are others than its nodes.
pub(crate) fn renew(cluster: &Cluster, members: &Arc<Membership>) -> Result<(), Fault> {
    let nodes = nodes(&members.members, Strategy::UniformNodes);
    if nodes.is_empty() {
        return Ok(());
    }
    let kv = cluster.kv();
    let known = kv.get(ROOT)?;
    let index = known.as_ref().map_or(0, |pair| pair.index);
    let table = match known.map(|pair| read(&pair.value)).transpose()? {
        Some(table) if table.nodes() == nodes => return Ok(()),
        Some(table) => table.next(nodes),
        None => Table::new(nodes, 0),
    };
    if kv.cas(ROOT, table.to_text().as_bytes(), index)? {
        let (version, nodes) = (table.version(), table.nodes().len());
        tracing::info!(version, nodes, "the table of all nodes was made anew");
    }
    Ok(())
}

/// Reads what was kept under the key of a table.
///
/// # Errors
/// `internal` if it is none.
pub(crate) fn read(value: &[u8]) -> Result<Table, Fault> {
    let table = std::str::from_utf8(value).ok().map(Table::from_text);
    match table {
        Some(Ok(table)) => Ok(table),
        Some(Err(bad)) => Err(Fault::new(Code::Internal, bad.to_string())),
        None => Err(Fault::new(Code::Internal, "a table of slots is no text")),
    }
}

/// Members as the nodes of a table, in the order of their identities.
pub(crate) fn nodes(members: &[Member], strategy: Strategy) -> Vec<TableNode> {
    let weight = |member: &Member| match strategy {
        Strategy::UniformNodes => 1,
        Strategy::UniformCpu => member.cpus,
        // In MiB, so that the weights of all have room in a sum.
        Strategy::UniformMemory => {
            let free = member.memory / 64 * u64::from(member.free);
            u32::try_from(free >> 20).unwrap_or(u32::MAX)
        }
    };
    let mut nodes: Vec<TableNode> =
        members.iter().map(|member| TableNode::new(member, weight(member))).collect();
    nodes.sort_unstable_by_key(|node| node.node);
    nodes
}

/// The key of a table that never changes.
pub(crate) fn key(text: &str) -> String {
    format!("{TABLES}{:016x}", hash(text.as_bytes()))
}
