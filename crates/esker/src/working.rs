//! A worker at work, and the cluster it takes part in: in a process of its own, or in that of `esker up`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use esker_bulk::client::{Client, Heir, Options as Asking, joining};
use esker_bulk::tables::Keeper;
use esker_bulk::worker::{Budget, Options, Worker};
use esker_bus::bus::Bus;
use esker_cluster::announce::{Announced, Check};
use esker_cluster::asked::Keeps;
use esker_cluster::cluster::{Cluster, Options as Joined, listed_node};
use esker_cluster::join::{Join, Roster};
use esker_cluster::kv::{Pair, Target, Watch};
use esker_pipeline::definition::value::any_size;
use esker_wire::fault::Fault;
use esker_wire::member::{Member, NodeId};
use tempfile::TempDir;

use crate::say::{self, hinted};

/// How long a worker may be silent until it is off the list.
const CHECK: std::time::Duration = std::time::Duration::from_secs(10);

/// What a worker is given.
pub(crate) struct Wanted {
    /// The cluster; none for a worker of this machine alone.
    pub(crate) join: Option<Join>,
    /// Where it takes small requests, `HOST:PORT`; bulk data goes by the next port.
    pub(crate) bind: String,
    /// How much it may hold in memory, in bytes.
    pub(crate) memory: u64,
    /// Where it puts what has no room there.
    pub(crate) spill: Spill,
    /// What people call it; the name of this machine if nothing is said.
    pub(crate) name: Option<String>,
}

/// Where a worker puts what has no room in memory.
pub(crate) enum Spill {
    /// Nowhere: it is refused.
    Nowhere,
    /// A folder that goes with the worker.
    Own,
    /// This folder.
    Folder(PathBuf),
}

/// A worker and what belongs to it; dropped in this order: first nobody is sent here any more.
pub(crate) struct Working {
    announced: Announced,
    _memory: Option<Watch>,
    _keeper: Keeper,
    _heir: Option<Heir>,
    cluster: Cluster,
    worker: Worker,
    member: Member,
    bus: Bus,
    _folder: Option<TempDir>,
}

impl Working {
    /// Starts it. Consul may be away: it is told of the worker when it is back.
    pub(crate) fn start(bus: &Bus, wanted: Wanted) -> Result<Self> {
        let Wanted { join, bind, memory, spill, name } = wanted;
        let name = name.unwrap_or_else(machine);
        let node = match &join {
            // A list says who there is; only Consul can be told.
            Some(Join::Static(_)) => listed_node(&name),
            Some(Join::Consul(_)) | None => random_node()?,
        };
        let (spill, folder) = folder(spill)?;
        let options = Options { node, memory, spill, binds: binds(&bind)? };
        let worker = Worker::start(bus, &options)?;
        let [control, bulk] = worker.addresses() else {
            return Err(hinted("a worker takes requests at two addresses", ""));
        };
        let cpus = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let (control, bulk) = (control.clone(), bulk.clone());
        let member = Member { node, name, control, bulk, cpus, memory, free: 64 };
        let is_consul = matches!(join, Some(Join::Consul(_)));
        let join = join.unwrap_or_else(|| Join::Static(Roster::Given(vec![member.clone()])));
        let cluster = Cluster::join(&join, Joined { keeps: Keeps::Here, ..joining(bus) })?;
        let is_shared = cluster.kv().is_shared();
        if is_shared && !is_consul {
            worker.keep(cluster.kv());
        }
        let memory = is_shared.then(|| watch_memory(&cluster, worker.budget(), &member));
        let memory = memory.transpose()?;
        let keeper = Keeper::start(&cluster, node)?;
        let heir = is_shared.then(|| Heir::start(bus, &cluster, node)).transpose()?;
        let version = env!("CARGO_PKG_VERSION");
        let announced = cluster.announce(member.clone(), Check::Ttl(CHECK), version)?;
        let bus = bus.clone();
        let (_memory, _keeper, _heir, _folder) = (memory, keeper, heir, folder);
        Ok(Self { announced, _memory, _keeper, _heir, cluster, worker, member, bus, _folder })
    }

    /// The worker as others know it.
    pub(crate) fn member(&self) -> &Member {
        &self.member
    }

    /// How the cluster was joined, for people.
    pub(crate) fn join_address(&self) -> &str {
        self.cluster.join_address()
    }

    /// Says how much is free; why others cannot be told of the worker, if so.
    pub(crate) fn beat(&self) -> Option<Fault> {
        self.announced.update(self.worker.free());
        self.announced.fault()
    }

    /// A client that asks this worker directly, and others of the cluster by their sockets.
    pub(crate) fn client(&self, options: Asking) -> Result<Client> {
        let here = Some((self.member.node, &self.worker));
        Ok(Client::new(&self.bus, &self.cluster, here, options)?)
    }
}

/// The name of this machine.
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn folder(spill: Spill) -> Result<(Option<PathBuf>, Option<TempDir>)> {
    match spill {
        Spill::Nowhere => Ok((None, None)),
        Spill::Folder(folder) => Ok((Some(folder), None)),
        Spill::Own => {
            let folder = tempfile::Builder::new().prefix("esker-spill-").tempdir();
            let folder = folder.context("cannot make a folder for what has no room in memory")?;
            Ok((Some(folder.path().to_owned()), Some(folder)))
        }
    }
}

/// The addresses of small requests and of bulk data.
fn binds(bind: &str) -> Result<Vec<String>> {
    let bad =
        || hinted(format!("cannot bind {bind:?}"), "write HOST:PORT, for example 127.0.0.1:5060");
    let (host, port) =
        bind.strip_prefix("tcp://").unwrap_or(bind).rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    let next = if port == 0 { 0 } else { port.checked_add(1).ok_or_else(bad)? };
    Ok([port, next].map(|port| format!("tcp://{host}:{port}")).to_vec())
}

fn random_node() -> Result<NodeId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("no random numbers")?;
    Ok(NodeId::from_bytes(bytes))
}

/// Follows what the cluster says about how much this worker may hold: for it alone, or for all.
fn watch_memory(cluster: &Cluster, budget: Budget, member: &Member) -> Result<Watch> {
    let (own, first) = (member.name.clone(), member.memory);
    let told = std::sync::Mutex::new(None);
    let take = move |pairs: &[Pair]| {
        let key = |whose: &str| format!("config/{whose}/max-memory");
        let find = |key: String| pairs.iter().find(|pair| pair.key == key);
        let found = find(key(&own)).or_else(|| find(key("*")));
        let mut told = told.lock().expect("nothing panics while it holds it");
        let value = found.map(|pair| (pair.key.clone(), pair.value.clone()));
        if *told == value {
            return;
        }
        told.clone_from(&value);
        let memory = match &value {
            None => Ok(first),
            Some((_, value)) => std::str::from_utf8(value)
                .map_err(|_| "it is no text".to_owned())
                .and_then(|text| any_size(text.trim())),
        };
        let set = memory.and_then(|memory| {
            budget.set(memory).map(|()| memory).map_err(|fault| fault.to_string())
        });
        let key = value.map(|(key, _)| key).unwrap_or_default();
        match set {
            Ok(memory) => {
                tracing::info!(memory = say::size(memory), key, "how much may be held was changed")
            }
            Err(why) => tracing::warn!(key, why, "how much may be held stays as it is"),
        }
    };
    Ok(cluster.kv().watch(Target::Prefix("config/".to_owned()), take)?)
}
