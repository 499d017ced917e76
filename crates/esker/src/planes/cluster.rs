//! The worker that `esker up` has, and how its cluster stands, as part of the model. Whatever goes wrong here is told, and the rest of
//! `esker up` goes on: it is tried again until it works.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use esker_bulk::client::{Client, Options};
use esker_bulk::survey::{Survey, Surveyor};
use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::join::Join;
use esker_pipeline::definition::cluster::Cluster as Defined;
use esker_replica::json;
use esker_replica::live::Source;
use esker_replica::path::Key;
use esker_replica::tree::Tree;
use esker_web::cluster::{Find, Finding, Owner};
use esker_wire::fault::{Code, Fault};
use serde_json::{Value, json};

use super::model::change;
use super::ports::moved;
use super::{Start, with_sources};
use crate::endpoints::{Endpoints, Presence, WorkerAddresses};
use crate::joined;
use crate::project::Project;
use crate::stop::Stop;
use crate::working::{Spill, Wanted, Working};

/// Where it is in the model.
const CLUSTER: &str = "cluster";

/// How much a worker may hold in memory if nothing is said, in bytes.
const MEMORY: u64 = 256 << 20;
/// The worker's folder for what has no room in memory, in the project's.
const SPILL: &str = ".esker/spill";
/// Where a worker of this machine alone listens if nothing is said: others find it by the project's file.
const ANY: &str = "127.0.0.1:0";
/// Where one of a cluster does, and the port that `--port-base` counts from.
const BIND: &str = "127.0.0.1:5060";
const PORT: u16 = 5060;

/// How often it is looked how the cluster stands, which is how often changes are told at most.
const LOOK: Duration = Duration::from_secs(1);
/// How much longer for each worker: all of them together are asked fifty times a second at most.
const LOOK_EACH: Duration = Duration::from_millis(20);
/// How long until what failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long it may take to find where an id is.
const FIND_MAX: Duration = Duration::from_secs(3);

/// What a project has to do with a cluster, at work.
pub(super) struct InCluster {
    stop: Stop,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What others want of it.
#[derive(Default)]
struct Shared {
    client: Mutex<Option<Client>>,
    trouble: Mutex<Option<String>>,
}

/// What is needed to begin, again if need be.
struct Beginning {
    bus: Bus,
    project: Project,
    defined: Defined,
    has_worker: bool,
    port_base: Option<u16>,
}

/// What has begun: a worker and the cluster it is in, or no more than a look at one.
enum Part {
    Worker { client: Client, ours: Box<Ours> },
    Look { client: Client, cluster: Cluster },
}

/// The worker of this process, and how others find it.
struct Ours {
    _presence: Option<Presence>,
    working: Working,
}

impl InCluster {
    /// Begins, with a worker where the definition has one and this process is one that has; nothing where there is
    /// neither a worker nor a cluster.
    pub(super) fn start(
        start: &Start,
        has_worker: bool,
        port_base: Option<u16>,
        source: Source,
    ) -> Result<Option<Self>> {
        let defined = start.definition.cluster.clone();
        let has_worker = has_worker && defined.worker;
        if !has_worker && defined.join.is_none() {
            return Ok(None);
        }
        let (bus, project) = (start.bus.clone(), start.project.clone());
        let beginning = Beginning { bus, project, defined, has_worker, port_base };
        let shared = Arc::new(Shared::default());
        let stop = Stop::default();
        let first = shared.note(beginning.begin());
        if let Some(Part::Worker { ours, .. }) = &first {
            start.announce("worker", &ours.working.member().control);
        }
        let thread = std::thread::Builder::new().name("cluster".to_owned()).spawn({
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            move || run(&beginning, first, (&shared, &source), &stop)
        })?;
        Ok(Some(Self { stop, shared, thread: Some(thread) }))
    }

    /// Who finds where an id is.
    pub(super) fn find(&self) -> Find {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |id| {
            let client = lock(&shared.client).clone();
            Box::pin(async move {
                let client = client.ok_or_else(|| {
                    Fault::new(Code::Unavailable, "the worker of this server has not begun yet")
                        .hint("the page of the cluster says why")
                })?;
                owners(&client, id).await
            })
        })
    }

    /// What is wrong, if something is.
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// Ends it: the worker is taken off the list, and what it held is gone.
    pub(super) fn shutdown(mut self) {
        self.stop.pull();
        if let Some(thread) = self.thread.take() {
            // Its panic was printed.
            drop(thread.join());
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Takes note of how beginning went; each trouble is logged once.
    fn note(&self, begun: Result<Part>) -> Option<Part> {
        let (part, trouble) = match begun {
            Ok(part) => (Some(part), None),
            Err(error) => (None, Some(with_sources(&*error))),
        };
        let client = part.as_ref().map(|part| part.client().clone());
        *lock(&self.client) = client;
        self.trouble(trouble);
        part
    }

    fn trouble(&self, now: Option<String>) {
        let mut trouble = lock(&self.trouble);
        if *trouble == now {
            return;
        }
        match &now {
            Some(why) => tracing::warn!(why, "the cluster: this part does not work, the rest does"),
            None => tracing::info!("the cluster: works again"),
        }
        *trouble = now;
    }
}

impl Beginning {
    fn begin(&self) -> Result<Part> {
        let join = self.defined.join.as_deref();
        let join = join.map(|address| joined::read(address, &self.project.dir)).transpose()?;
        let options = Options { deadline: FIND_MAX, ..Options::default() };
        match join {
            Some(join) if !self.has_worker => {
                let (client, cluster) = joined::client(&self.bus, &join, options)?;
                Ok(Part::Look { client, cluster })
            }
            join => self.worker(join, options),
        }
    }

    fn worker(&self, join: Option<Join>, options: Options) -> Result<Part> {
        let is_alone = join.is_none();
        let usual = if is_alone { ANY } else { BIND };
        let bind = match self.defined.bind.as_deref().unwrap_or(usual) {
            ANY => ANY.to_owned(),
            bind => moved(bind, PORT, self.port_base)?,
        };
        self.project.hidden()?;
        let wanted = Wanted {
            join,
            bind,
            memory: self.defined.memory.unwrap_or(MEMORY),
            spill: Spill::Folder(self.project.dir.join(SPILL)),
            name: self.defined.name.clone(),
        };
        let working = Working::start(&self.bus, wanted)?;
        let client = working.client(options)?;
        let presence = is_alone.then(|| {
            let worker = Some(WorkerAddresses::of(working.member()));
            Presence::announce(&self.project, Endpoints { worker, ..Endpoints::default() })
        });
        let ours = Box::new(Ours { _presence: presence.transpose()?, working });
        Ok(Part::Worker { client, ours })
    }
}

impl Part {
    fn client(&self) -> &Client {
        match self {
            Self::Worker { client, .. } | Self::Look { client, .. } => client,
        }
    }

    fn join(&self) -> &str {
        match self {
            Self::Worker { ours, .. } => ours.working.join_address(),
            Self::Look { cluster, .. } => cluster.join_address(),
        }
    }

    /// Says that the worker is there; why it cannot.
    fn beat(&self) -> Option<Fault> {
        match self {
            Self::Worker { ours, .. } => ours.working.beat(),
            Self::Look { .. } => None,
        }
    }

    /// Which worker is the one of this process.
    fn node(&self) -> Option<String> {
        match self {
            Self::Worker { ours, .. } => Some(ours.working.member().node.to_string()),
            Self::Look { .. } => None,
        }
    }
}

fn run(
    beginning: &Beginning,
    mut part: Option<Part>,
    (shared, source): (&Shared, &Source),
    stop: &Stop,
) {
    let mut told = Value::Null;
    let mut tell = |now: Value| {
        if now == told {
            return;
        }
        match change(source, CLUSTER, &tree(&now)) {
            Ok(()) => told = now,
            Err(fault) => tracing::warn!(%fault, "cannot tell the model how the cluster stands"),
        }
    };
    while part.is_none() {
        let fault = lock(&shared.trouble).clone();
        tell(json!({ "own": own(beginning.has_worker, None, fault.as_deref()) }));
        if stop.wait(RETRY) {
            return;
        }
        part = shared.note(beginning.begin());
    }
    let Some(part) = part else { return };
    let mut surveyor = Surveyor::new(part.client(), part.join());
    loop {
        shared.trouble(part.beat().map(|fault| fault.to_string()));
        let survey = surveyor.look();
        let (node, fault) = (part.node(), lock(&shared.trouble).clone());
        let own = own(beginning.has_worker, node.as_deref(), fault.as_deref());
        let rest = LOOK.max(LOOK_EACH * u32::try_from(survey.workers_count).unwrap_or(u32::MAX));
        tell(with_own(survey, own));
        if stop.wait(rest) {
            break;
        }
    }
    // Nobody asks it any more, and then it is taken off the list.
    *lock(&shared.client) = None;
    drop((surveyor, part));
    // What is in the folder goes with the worker; one that another has begun to use is not empty.
    drop(std::fs::remove_dir(beginning.project.dir.join(SPILL)));
}

/// What this process has to do with the cluster.
fn own(has_worker: bool, node: Option<&str>, fault: Option<&str>) -> Value {
    json!({ "worker": has_worker, "node": node, "fault": fault })
}

fn with_own(survey: Survey, own: Value) -> Value {
    let mut told = serde_json::to_value(survey).expect("texts and numbers can always be written");
    told["own"] = own;
    told
}

/// It as a part of the model: workers by their identity, spaces by their name, so that one that changes is told alone.
fn tree(told: &Value) -> Tree {
    let mut parts = Vec::new();
    for (name, value) in told.as_object().into_iter().flatten() {
        let by = match name.as_str() {
            "workers" => Some("node"),
            "spaces" => Some("name"),
            _ => None,
        };
        let tree =
            match by {
                None => json::tree(value),
                Some(by) => Tree::dict(value.as_array().into_iter().flatten().map(|item| {
                    (Key::new(item[by].as_str().unwrap_or_default()), json::tree(item))
                })),
            };
        parts.push((Key::new(name), tree));
    }
    Tree::dict(parts)
}

async fn owners(client: &Client, id: String) -> Result<Vec<Owner>, Fault> {
    let nodes = client.node_ids(id).await?;
    let owner = |node: esker_wire::bulk::TableNode| Owner {
        node: node.node.to_string(),
        name: node.name,
        bulk: node.bulk,
    };
    Ok(nodes.into_iter().map(owner).collect())
}

/// Who finds where an id is in a process that has no part in the cluster until it is asked: the page's alone.
pub(super) fn find_elsewhere(bus: &Bus, project: &Project) -> Find {
    type Known = Arc<Mutex<Option<(Join, Client, Cluster)>>>;
    let known = Known::default();
    let (bus, project) = (bus.clone(), project.clone());
    Arc::new(move |id| {
        let (bus, project, known) = (bus.clone(), project.clone(), Arc::clone(&known));
        let connect = move || -> Result<Client> {
            let join = joined::of_project(&project)?;
            let mut known = lock(&known);
            if let Some((_, client, _)) = known.as_ref().filter(|(to, ..)| *to == join) {
                return Ok(client.clone());
            }
            let options = Options { deadline: FIND_MAX, ..Options::default() };
            let (client, cluster) = joined::client(&bus, &join, options)?;
            *known = Some((join, client.clone(), cluster));
            Ok(client)
        };
        finding(async move {
            let connected = tokio::task::spawn_blocking(connect).await;
            let connected = connected
                .map_err(|error| Fault::new(Code::Internal, error.to_string()))?
                .map_err(|error| Fault::new(Code::Unavailable, with_sources(&*error)))?;
            owners(&connected, id).await
        })
    })
}

fn finding(found: impl Future<Output = Result<Vec<Owner>, Fault>> + Send + 'static) -> Finding {
    let pinned: Pin<Box<_>> = Box::pin(found);
    pinned
}
