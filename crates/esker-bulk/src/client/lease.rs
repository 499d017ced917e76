//! Spaces that are forgotten with the process that has begun them, however that ends.
//!
//! While it lives, a session of its own holds the key `lease/NAME` of the space. When Consul has ended the session and
//! the key is still there, the first of all workers has the space forgotten.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::kv::{Kv, Pair, Target};
use esker_cluster::session::{Session, Terms};
use esker_wire::bulk::{Ask, Request};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::NodeId;

use crate::client::send::{Patience, Unsent};
use crate::client::{Client, Inner, Options};

/// What the keys of leases begin with.
const LEASES: &str = "lease/";
/// How long is waited until what could not be forgotten is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// How long one worker is asked to forget before it is looked whether it is there at all.
const ASKED: Duration = Duration::from_secs(2);

/// Says that whoever has begun a space lives.
pub(crate) struct Lease {
    kv: Kv,
    key: String,
    session: Session,
}

impl Lease {
    /// Whether the cluster takes the space's owner for gone, or may do so.
    pub(crate) fn is_lost(&self) -> bool {
        self.session.lost_since().is_some()
    }

    /// The space is forgotten: nobody else has to see to it.
    pub(crate) fn end(self) -> Result<(), Fault> {
        self.kv.delete(&self.key)
    }
}

impl Client {
    /// Has a space that is begun after this forgotten when this process is gone; nothing where the cluster has no place
    /// to agree on spaces.
    pub(crate) fn lease(&self, space: &str) -> Result<Option<Lease>, Fault> {
        let cluster = &self.inner.cluster;
        let kv = cluster.kv();
        if !kv.is_shared() {
            return Ok(None);
        }
        let (key, session) = (format!("{LEASES}{space}"), cluster.session(&Terms::named(space))?);
        if session.acquire(&key, b"")? {
            Ok(Some(Lease { kv, key, session }))
        } else {
            let text = format!("the space {space} belongs to another process");
            Err(Fault::new(Code::Conflict, text).hint("choose another name"))
        }
    }

    /// The names of the nodes of a space that are members no more: what they held of it is gone.
    pub(crate) fn gone(&self, space: &str) -> Vec<String> {
        let members = self.inner.cluster.members();
        let nodes = self.inner.directory.known().nodes(space.as_bytes());
        let is_gone = |node: NodeId| members.get(node).is_none();
        nodes.into_iter().filter(|it| is_gone(it.node)).map(|it| it.name).collect()
    }
}

impl Inner {
    /// Has all nodes forget a space, but those that are members no more: what these held is gone with them.
    pub(crate) async fn forget(&self, space: &str) -> Result<(), Fault> {
        let mut patience = Patience::new(self.options.deadline);
        let known = self.directory.ready(patience.left()).await?;
        let route = known.space_route(space.as_bytes());
        let route = route.ok_or_else(|| Fault::new(Code::Unavailable, "no worker is known"))?;
        for owner in known.nodes(space.as_bytes()) {
            let node = self.node(&owner);
            let ask = Ask { head: route.head(Request::Drop.op()), request: Request::Drop };
            loop {
                let mut once = Patience::new(ASKED.min(patience.left()));
                let Err(unsent) = self.send((&node, &route), &ask, &mut once).await else { break };
                if self.cluster.members().get(owner.node).is_none() {
                    break;
                }
                match unsent {
                    Unsent::Fault(_) if patience.wait().await => {}
                    unsent => return Err(super::spaces::given_up(unsent)),
                }
            }
        }
        Ok(())
    }
}

enum Heard {
    /// Spaces whose owners are gone.
    Orphans(Vec<String>),
    Stop,
}

/// Has spaces forgotten whose owners are gone, as long as it is held, if its worker is the first of all members.
pub struct Heir {
    bell: mpsc::Sender<Heard>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Heir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heir").finish_non_exhaustive()
    }
}

impl Heir {
    /// Begins to look for the worker `me`.
    ///
    /// # Errors
    /// `internal` if the system gives no thread, `bad-request` for a list of members, where nobody agrees on spaces.
    pub fn start(bus: &Bus, cluster: &Cluster, me: NodeId) -> Result<Self, Fault> {
        let (bell, heard) = mpsc::channel();
        let ring = bell.clone();
        let leases = cluster.kv().watch(Target::Prefix(LEASES.to_owned()), move |pairs| {
            // It ends with the thread.
            drop(ring.send(Heard::Orphans(orphans(pairs))));
        })?;
        let (bus, cluster) = (bus.clone(), cluster.clone());
        let run = move || {
            let _leases = leases;
            inherit((&bus, &cluster), me, &heard);
        };
        let thread = thread::Builder::new().name("bulk-leases".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            Fault::new(Code::Internal, format!("cannot start a thread for leases: {error}"))
        })?;
        Ok(Self { bell, thread: Some(thread) })
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        // Nobody hears it if the thread has ended.
        drop(self.bell.send(Heard::Stop));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }
}

fn orphans(leases: &[Pair]) -> Vec<String> {
    let free = leases.iter().filter(|pair| pair.session.is_none());
    free.filter_map(|pair| pair.key.strip_prefix(LEASES)).map(str::to_owned).collect()
}

fn inherit((bus, cluster): (&Bus, &Cluster), me: NodeId, heard: &mpsc::Receiver<Heard>) {
    let mut open: Vec<String> = Vec::new();
    loop {
        match heard.recv_timeout(AGAIN) {
            Ok(Heard::Orphans(orphans)) => open = orphans,
            Ok(Heard::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let is_first = cluster.members().members.first().is_some_and(|first| first.node == me);
        if open.is_empty() || !is_first {
            continue;
        }
        match forget_all(bus, cluster, &open) {
            Ok(()) => open.clear(),
            Err(fault) => tracing::warn!(%fault, "spaces whose owners are gone stay for now"),
        }
    }
}

fn forget_all(bus: &Bus, cluster: &Cluster, spaces: &[String]) -> Result<(), Fault> {
    let client = Client::new(bus, cluster, None, Options::default())?;
    for space in spaces {
        client.block_on(client.drop_space(space))?;
        cluster.kv().delete(&format!("{LEASES}{space}"))?;
        tracing::info!(space, "forgotten: the process that had begun it is gone");
    }
    Ok(())
}
