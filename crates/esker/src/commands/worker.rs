//! `esker worker`: a worker of a cluster, in a process of its own.

use std::time::Duration;

use anyhow::{Context, Result};
use esker_bulk::client::ping;
use esker_bulk::tables::Keeper;
use esker_bulk::worker::{Budget, Options, Worker};
use esker_bus::bus::Bus;
use esker_cluster::announce::Check;
use esker_cluster::cluster::{Cluster, Options as Joined, listed_node};
use esker_cluster::join::Join;
use esker_cluster::kv::{Pair, Target, Watch};
use esker_pipeline::definition::value::any_size;
use esker_wire::member::{Member, NodeId};
use indicatif::MultiProgress;
use tempfile::TempDir;

use crate::cli;
use crate::say::{self, hinted};
use crate::stop::Stop;

/// How long a worker may be silent until it is off the list.
const CHECK: Duration = Duration::from_secs(10);
/// How often it looks how much is free.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a worker until it is told to stop.
pub(crate) fn worker(asked: &cli::Worker) -> Result<()> {
    crate::logging::start(asked.log.json, &MultiProgress::new());
    crate::planes::allow_files();
    let stop = Stop::on_signals()?;
    let working = Working::start(asked)?;
    working.until(&stop);
    tracing::info!("stopping: what this worker held is gone with it");
    Ok(())
}

/// A worker and what belongs to it; dropped in this order: first nobody is sent here any more.
struct Working {
    announced: esker_cluster::announce::Announced,
    _memory: Option<Watch>,
    _keeper: Keeper,
    _cluster: Cluster,
    worker: Worker,
    _folder: Option<TempDir>,
}

impl Working {
    fn start(asked: &cli::Worker) -> Result<Self> {
        let join: Join = asked.joining.join.parse()?;
        let name = match &asked.name {
            Some(name) => name.clone(),
            None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        };
        let node = match &join {
            // A list says who there is; only Consul can be told.
            Join::Static(_) => listed_node(&name),
            Join::Consul(_) => random_node()?,
        };
        let (spill, folder) = spill(asked)?;
        let bus = Bus::start()?;
        let options = Options { node, memory: asked.memory, spill, binds: binds(&asked.bind)? };
        let worker = Worker::start(&bus, &options)?;
        let [control, bulk] = worker.addresses() else {
            return Err(hinted("a worker takes requests at two addresses", ""));
        };
        let cpus = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let member = Member {
            node,
            name,
            control: control.clone(),
            bulk: bulk.clone(),
            cpus,
            memory: asked.memory,
            free: 64,
        };
        let cluster = Cluster::join(&join, Joined::new(ping(&bus)))?;
        let memory =
            cluster.kv().is_shared().then(|| watch_memory(&cluster, worker.budget(), &member));
        let memory = memory.transpose()?;
        let keeper = Keeper::start(&cluster, node)?;
        let announced =
            cluster.announce(member.clone(), Check::Ttl(CHECK), env!("CARGO_PKG_VERSION"))?;
        let memory_said = say::size(asked.memory);
        tracing::info!(%node, name = member.name, control, bulk, memory = memory_said, join = asked.joining.join, "worker");
        Ok(Self {
            announced,
            _memory: memory,
            _keeper: keeper,
            _cluster: cluster,
            worker,
            _folder: folder,
        })
    }

    fn until(&self, stop: &Stop) {
        let mut fault = None;
        while !stop.wait(LOOK) {
            self.announced.update(self.worker.free());
            let now = self.announced.fault();
            if now != fault {
                match &now {
                    Some(fault) => tracing::warn!(%fault, "others cannot be told of this worker"),
                    None => tracing::info!("others are told of this worker"),
                }
                fault = now;
            }
        }
    }
}

/// Where it puts what has no room in memory: where it is told, or in a folder that goes with it.
fn spill(asked: &cli::Worker) -> Result<(Option<std::path::PathBuf>, Option<TempDir>)> {
    if asked.no_spill {
        return Ok((None, None));
    }
    match &asked.spill {
        Some(folder) => Ok((Some(folder.clone()), None)),
        None => {
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
