//! A client of the cluster: finds the worker that has an id, and asks it. Everything may be under way at once; what
//! writes is done once, however often it has to be asked.

mod directory;
pub(crate) mod lease;
mod long;
mod node;
mod read;
mod send;
mod spaces;
mod task;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_cluster::asked::{Carry, Keeps};
use esker_cluster::cluster::{Cluster, Options as Joined, Ping};
use esker_wire::bulk::{Ask, ID_MAX, Key, PART_MAX, Reply, Request, Status, TableNode, is_id};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};

pub use lease::Heir;
pub use spaces::Init;
pub use task::Writer;

use crate::client::directory::Directory;
use crate::client::node::{Callers, Node, Way};
use crate::worker::{Local, Worker};

/// How long a worker may take to say that it is there.
const PING_MAX: Duration = Duration::from_secs(1);
/// How long the worker that keeps the keys of its cluster may take to tell of them.
const KEYS_MAX: Duration = Duration::from_secs(5);

/// What a client does without being told.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long anything may take in all.
    pub deadline: Duration,
    /// Whether contents that become smaller are sent and kept so.
    pub compress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), compress: true }
    }
}

/// A client; clones are the same one.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    bus: Bus,
    cluster: Cluster,
    directory: Directory,
    nodes: Mutex<HashMap<NodeId, Arc<Node>>>,
    /// The worker in this process.
    local: Option<(NodeId, Local)>,
    options: Options,
    /// The task and the attempt that this client's batches are told apart by.
    writer: (u32, u16),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of a cluster; `here` is the worker in this process, if there is one, which is then asked directly.
    ///
    /// # Errors
    /// `unavailable` if what the cluster agrees on cannot be followed.
    pub fn new(
        bus: &Bus,
        cluster: &Cluster,
        here: Option<(NodeId, &Worker)>,
        options: Options,
    ) -> Result<Self, Fault> {
        let directory = Directory::follow(cluster)?;
        let inner = Inner {
            bus: bus.clone(),
            cluster: cluster.clone(),
            directory,
            nodes: Mutex::default(),
            local: here.map(|(node, worker)| (node, worker.local())),
            options,
            writer: writer()?,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits for something on this thread, which must be a plain one.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.inner.bus.block_on(future)
    }

    /// Replaces a content.
    ///
    /// # Errors
    /// `bad-request` for what is no id; `not-writable` if there is no room; `unavailable` or `timeout`: it may have
    /// been done or not.
    pub async fn set(&self, id: impl Into<Bytes>, bytes: impl Into<Bytes>) -> Result<(), Fault> {
        self.set_all(vec![(id.into(), bytes.into())]).await.map(drop)
    }

    /// Replaces contents, each for itself.
    ///
    /// # Errors
    /// As [`Client::set`], of the first that could not be.
    pub async fn set_all(&self, items: Vec<(Bytes, Bytes)>) -> Result<(), Fault> {
        let (short, long): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|(_, bytes)| bytes.len() <= PART_MAX);
        for (id, bytes) in long {
            self.inner.set_long(&id, &bytes).await?;
        }
        let items = self.inner.stores(short)?;
        self.inner.write_all(None, items, Request::Set).await.map(drop)
    }

    /// Adds to a content; its length then.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub async fn append(
        &self,
        id: impl Into<Bytes>,
        bytes: impl Into<Bytes>,
    ) -> Result<u64, Fault> {
        let lengths = self.append_all(vec![(id.into(), bytes.into())]).await?;
        Ok(lengths.last().copied().unwrap_or(0))
    }

    /// Adds to contents; their lengths then. What is longer than a part is added part by part.
    ///
    /// # Errors
    /// As [`Client::set`], of the first that could not be.
    pub async fn append_all(&self, items: Vec<(Bytes, Bytes)>) -> Result<Vec<u64>, Fault> {
        let mut pieces = Vec::with_capacity(items.len());
        let mut lasts = Vec::with_capacity(items.len());
        for (id, mut bytes) in items {
            while bytes.len() > PART_MAX {
                pieces.push((id.clone(), bytes.split_to(PART_MAX)));
            }
            pieces.push((id, bytes));
            lasts.push(pieces.len() - 1);
        }
        let lengths =
            self.inner.write_all(None, self.inner.stores(pieces)?, Request::Append).await?;
        Ok(lasts.into_iter().map(|last| lengths[last]).collect())
    }

    /// A content; nothing if there is none.
    ///
    /// # Errors
    /// `bad-request` for what is no id; `unavailable` or `timeout`; `internal` if it is damaged.
    pub async fn get(&self, id: impl Into<Bytes>) -> Result<Option<Bytes>, Fault> {
        let mut found = self.get_all(vec![id.into()]).await?;
        Ok(found.pop().flatten())
    }

    /// Contents, in the order of the ids.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_all(&self, ids: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Fault> {
        ids.iter().try_for_each(|id| check_id(id))?;
        let mut contents = vec![None; ids.len()];
        let found = self.inner.read_all(&ids).await?;
        for (place, value) in found.into_iter().enumerate() {
            let Some(value) = value else { continue };
            contents[place] = Some(self.inner.whole(&ids[place], value).await?);
        }
        Ok(contents)
    }

    /// Some bytes of a content: as many as there are from `offset` on, at most so many.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_range(
        &self,
        id: impl Into<Bytes>,
        offset: u64,
        length: u64,
    ) -> Result<Option<Bytes>, Fault> {
        let id = id.into();
        check_id(&id)?;
        self.inner.range(&id, (offset, length)).await
    }

    /// How long a content is; nothing if there is none.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn stat(&self, id: impl Into<Bytes>) -> Result<Option<u64>, Fault> {
        let id = id.into();
        check_id(&id)?;
        let keys = vec![Key { id }];
        let lengths = self.inner.ask_keys(keys, Request::Stat).await?;
        Ok(lengths.into_iter().next().flatten())
    }

    /// Removes contents; how many there were.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub async fn remove_all(&self, ids: Vec<Bytes>) -> Result<usize, Fault> {
        ids.iter().try_for_each(|id| check_id(id))?;
        let keys = ids.into_iter().map(|id| Key { id }).collect();
        let found = self.inner.ask_keys(keys, Request::Remove).await?;
        Ok(found.into_iter().flatten().count())
    }

    /// The nodes that have an id, or would, the primary first. Nobody is asked.
    ///
    /// # Errors
    /// `bad-request` for what is no id, `unavailable` if no worker is known.
    pub async fn node_ids(&self, id: impl AsRef<[u8]>) -> Result<Vec<TableNode>, Fault> {
        check_id(id.as_ref())?;
        let known = self.inner.directory.ready(self.inner.options.deadline).await?;
        let route = known.route(id.as_ref());
        Ok(route.map(|route| route.owners().into_iter().cloned().collect()).unwrap_or_default())
    }
}

/// How a client joins a cluster: a list of one worker has its keys there.
pub fn joining(bus: &Bus) -> Joined {
    Joined { keeps: Keeps::Worker(carry(bus)), ..Joined::new(ping(bus)) }
}

/// Carries questions for keys to the worker that keeps them.
fn carry(bus: &Bus) -> Carry {
    let callers = Mutex::new(HashMap::new());
    let bus = bus.clone();
    Arc::new(move |member: &Member, question: &[u8]| {
        let caller = {
            let mut callers = callers.lock().expect("nothing panics while it holds the callers");
            let (requests, events) = (member.control.clone(), member.control.clone());
            let caller = || bus.caller(&Endpoint::Tcp { requests, events });
            callers.entry(member.control.clone()).or_insert_with(caller).clone()
        };
        let frames = Ask::new(Request::Keys(Bytes::copy_from_slice(question))).to_frames();
        let frames = bus.block_on(caller.exchange(frames, KEYS_MAX))?;
        match Reply::from_frames(&frames)?.1 {
            Reply::Text(answer) => Ok(answer.into()),
            Reply::Refused(_, fault) => Err(fault),
            _ => Err(unasked()),
        }
    })
}

/// Asks workers whether they are there, for whoever joins a cluster.
pub fn ping(bus: &Bus) -> Ping {
    let bus = bus.clone();
    Arc::new(move |member: &Member| {
        let (requests, events) = (member.control.clone(), member.control.clone());
        let caller = bus.caller(&Endpoint::Tcp { requests, events });
        let frames = Ask::new(Request::Hello).to_frames();
        bus.block_on(async { caller.exchange(frames, PING_MAX).await.is_ok() })
    })
}

/// What a client's batches are told apart by: a task that is nobody's in particular, and an attempt.
fn writer() -> Result<(u32, u16), Fault> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::new(Code::Internal, format!("no random numbers: {error}")))?;
    let [a, b, c, d, e, f] = bytes;
    Ok((u32::from_le_bytes([a, b, c, d]) | 1 << 31, u16::from_le_bytes([e, f])))
}

fn check_id(id: &[u8]) -> Result<(), Fault> {
    if is_id(id) {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(id).chars().take(40).collect();
    let hint = format!("an id has 1 to {ID_MAX} bytes of UTF-8 without control characters");
    Err(Fault::bad_request(format!("{shown:?} is no id")).hint(hint))
}

fn about_id(id: &[u8], status: Status) -> Fault {
    let shown = String::from_utf8_lossy(id).into_owned();
    Fault::new(status.code(), format!("{shown}: {status:?}").to_lowercase())
}

impl Inner {
    /// A node of a table, as this client knows it.
    fn node(&self, owner: &TableNode) -> Arc<Node> {
        let mut nodes = self.nodes.lock().expect("nothing panics while it holds the nodes");
        if let Some(node) = nodes.get(&owner.node) {
            return Arc::clone(node);
        }
        // Those that are gone are let go when others come.
        let members = self.cluster.members();
        nodes.retain(|node, held| members.get(*node).is_some() || Arc::strong_count(held) > 1);
        let way = match &self.local {
            Some((node, local)) if *node == owner.node => Way::Local(local.clone()),
            _ => {
                let control = members.get(owner.node).map_or(&owner.bulk, |member| &member.control);
                let caller = |address: &String| {
                    let (requests, events) = (address.clone(), address.clone());
                    self.bus.caller(&Endpoint::Tcp { requests, events })
                };
                let (small, bulky) = (caller(control), caller(&owner.bulk));
                Way::Bus(Box::new(Callers { small, bulky }))
            }
        };
        let node = Arc::new(Node::new(owner.node, way));
        nodes.insert(owner.node, Arc::clone(&node));
        node
    }
}

fn unasked() -> Fault {
    Fault::new(Code::Internal, "a worker answered something else than was asked")
}
