//! `.esker/endpoints.json`: what runs for a project, and where. Processes that are killed cannot take their entry
//! back, so every reader checks that it is still true.

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use esker_bus::endpoint::Endpoint;
use esker_wire::member::Member;
use serde::{Deserialize, Serialize};

use crate::project::Project;

/// How long a running hub may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_millis(500);

/// What runs for a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// The project's folder: a copy of it is another project.
    #[serde(default)]
    pub(crate) dir: PathBuf,
    /// The hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hub: Option<HubAddresses>,
    /// The live model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<ModelAddresses>,
    /// The page: `http://HOST:PORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) web: Option<String>,
    /// The worker, if it is for this machine alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<WorkerAddresses>,
    /// The runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runner: Option<Process>,
}

/// Where a hub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HubAddresses {
    /// Requests: `tcp://HOST:PORT`.
    pub(crate) requests: String,
    /// Events: `tcp://HOST:PORT`.
    pub(crate) events: String,
    /// The start of the hub that listens there, as its events tell it.
    #[serde(default)]
    pub(crate) epoch: String,
}

/// Where a model is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelAddresses {
    /// Requests: `tcp://HOST:PORT`.
    pub(crate) requests: String,
    /// Events: `tcp://HOST:PORT`.
    pub(crate) events: String,
}

/// Where a worker is, and all that others have to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WorkerAddresses {
    /// Who it is: another worker may come to listen there.
    pub(crate) node: String,
    /// What it is called.
    pub(crate) name: String,
    /// Small requests: `tcp://HOST:PORT`.
    pub(crate) control: String,
    /// Bulk data: `tcp://HOST:PORT`.
    pub(crate) bulk: String,
    /// The cores it may use.
    pub(crate) cpus: u32,
    /// The bytes it may hold in memory.
    pub(crate) memory: u64,
}

/// A process of this machine, told from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pid: u32,
    /// When it started, in the kernel's ticks since boot.
    start: u64,
}

impl Process {
    /// This process.
    pub(crate) fn this() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { pid, start: start(pid)? })
    }

    pub(crate) fn is_alive(&self) -> bool {
        start(self.pid) == Some(self.start)
    }
}

/// The start of a process: field 22 of `/proc/PID/stat`, the 20th after the name in parentheses.
fn start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

impl ModelAddresses {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp { requests: self.requests.clone(), events: self.events.clone() }
    }
}

impl WorkerAddresses {
    pub(crate) fn of(member: &Member) -> Self {
        Self {
            node: member.node.to_string(),
            name: member.name.clone(),
            control: member.control.clone(),
            bulk: member.bulk.clone(),
            cpus: member.cpus,
            memory: member.memory,
        }
    }

    /// The worker as a member of its cluster; none if this cannot be one.
    pub(crate) fn member(&self) -> Option<Member> {
        Some(Member {
            node: self.node.parse().ok()?,
            name: self.name.clone(),
            control: self.control.clone(),
            bulk: self.bulk.clone(),
            cpus: self.cpus,
            memory: self.memory,
            free: 64,
        })
    }

    /// Whether something accepts connections there.
    pub(crate) fn accepts(&self) -> bool {
        accepts(&self.control)
    }
}

impl HubAddresses {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp { requests: self.requests.clone(), events: self.events.clone() }
    }

    /// Whether something accepts connections there.
    pub(crate) fn accepts(&self) -> bool {
        accepts(&self.requests)
    }
}

fn accepts(address: &str) -> bool {
    let Some(address) = address.strip_prefix("tcp://") else {
        return false;
    };
    let addresses = address.to_socket_addrs().into_iter().flatten();
    addresses.into_iter().any(|at| TcpStream::connect_timeout(&at, CONNECT_MAX).is_ok())
}

impl Endpoints {
    pub(crate) fn read(project: &Project) -> Self {
        let text = fs::read_to_string(project.endpoints()).unwrap_or_default();
        let endpoints: Self = serde_json::from_str(&text).unwrap_or_default();
        if endpoints.dir == project.dir { endpoints } else { Self::default() }
    }

    /// Whether a runner works on the project.
    pub(crate) fn has_runner(&self) -> bool {
        self.runner.as_ref().is_some_and(Process::is_alive)
    }

    /// Changes what the file says, whole, while no other process does.
    fn update(project: &Project, change: impl FnOnce(&mut Self)) -> Result<()> {
        let hidden = project.hidden()?;
        let lock = File::create(hidden.join("endpoints.lock"))?;
        lock.lock()?;
        let mut endpoints = Self::read(project);
        change(&mut endpoints);
        endpoints.dir.clone_from(&project.dir);
        let mut file = tempfile::NamedTempFile::new_in(&hidden)?;
        serde_json::to_writer_pretty(&mut file, &endpoints)?;
        file.write_all(b"\n")?;
        file.persist(project.endpoints())?;
        Ok(())
    }
}

/// What this process has announced; dropping it takes it back, unless another has announced itself since.
pub(crate) struct Presence {
    project: Project,
    ours: Endpoints,
}

impl Presence {
    /// Announces what `ours` names.
    pub(crate) fn announce(project: &Project, ours: Endpoints) -> Result<Self> {
        Endpoints::update(project, |all| {
            all.hub = ours.hub.clone().or_else(|| all.hub.take());
            all.model = ours.model.clone().or_else(|| all.model.take());
            all.web = ours.web.clone().or_else(|| all.web.take());
            all.worker = ours.worker.clone().or_else(|| all.worker.take());
            all.runner = ours.runner.clone().or_else(|| all.runner.take());
        })?;
        Ok(Self { project: project.clone(), ours })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let ours = &self.ours;
        let taken_back = Endpoints::update(&self.project, |all| {
            all.hub = all.hub.take().filter(|hub| Some(hub) != ours.hub.as_ref());
            all.model = all.model.take().filter(|model| Some(model) != ours.model.as_ref());
            all.web = all.web.take().filter(|web| Some(web) != ours.web.as_ref());
            all.worker = all.worker.take().filter(|worker| Some(worker) != ours.worker.as_ref());
            all.runner = all.runner.take().filter(|runner| Some(runner) != ours.runner.as_ref());
        });
        if let Err(error) = taken_back {
            tracing::warn!(%error, "cannot take back what was announced");
        }
    }
}
