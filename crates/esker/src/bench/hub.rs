//! The hub under test: this same program in a process and a project of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_pipeline::definition::FILE;
use esker_wire::snapshot::Health;

use super::process::{PATIENCE, Running};
use crate::endpoints::Endpoints;
use crate::project::Project;

/// How often to look whether it is there.
const LOOK: Duration = Duration::from_micros(500);

/// What is logged: what is wrong, and what the runner does.
const LOG: &str = "warn,esker_pipeline::engine=debug";

/// A project to measure in.
#[derive(Clone)]
pub(crate) struct Ground {
    project: Project,
}

impl Ground {
    /// Makes a project in a new folder.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        Self::with(dir, "")
    }

    /// The same, with more in its definition.
    pub(crate) fn with(dir: &Path, definition: &str) -> Result<Self> {
        fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let ground = Self { project: Project { dir: dir.canonicalize()? } };
        ground.define(definition)?;
        Ok(ground)
    }

    /// Writes the definition anew.
    pub(crate) fn define(&self, definition: &str) -> Result<()> {
        let text = format!("[project]\nname = \"bench\"\n{definition}");
        Ok(fs::write(self.dir().join(FILE), text)?)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.project.dir
    }

    /// What is said by what is started here.
    pub(crate) fn log(&self) -> PathBuf {
        self.project.dir.join("hub.log")
    }

    /// This same program, to be started here.
    pub(crate) fn esker(&self, arguments: &[&str]) -> Result<Command> {
        let mut esker = Command::new(std::env::current_exe()?);
        esker.args(arguments).current_dir(&self.project.dir);
        esker.env("ESKER_LOG", LOG).stdout(Stdio::null());
        Ok(esker)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.project.store()
    }

    /// What the store takes on the disk, in bytes.
    pub(crate) fn size(&self) -> Result<u64> {
        taken(&self.store())
    }

    /// Starts a hub on free ports and waits until it answers, and its model is published.
    pub(crate) fn hub(&self, bus: &Bus) -> Result<Hub> {
        self.start(bus, "hub", |endpoints| endpoints.model.is_some()).map(|(hub, _)| hub)
    }

    /// Starts everything, page and runner too: from the start to the hub's first answer.
    pub(crate) fn up(&self, bus: &Bus) -> Result<(Hub, Duration)> {
        self.start(bus, "up", |endpoints| endpoints.web.is_some())
    }

    /// Starts the page of a hub that runs, in a process of its own: where it is served.
    pub(crate) fn web(&self) -> Result<(Running, SocketAddr)> {
        let mut esker = self.esker(&["web", "--bind", "127.0.0.1:0"])?;
        let mut running = Running::start(&mut esker, &self.log())?;
        let url = self.found("the page", &mut running, |endpoints| endpoints.web.clone())?;
        let at = url.trim_start_matches("http://").parse();
        Ok((running, at.with_context(|| format!("the page is at {url}"))?))
    }

    fn start(
        &self,
        bus: &Bus,
        command: &str,
        is_there: impl Fn(&Endpoints) -> bool,
    ) -> Result<(Hub, Duration)> {
        // What a killed one has left behind says nothing about this one.
        drop(fs::remove_file(self.project.endpoints()));
        let mut esker = self.esker(&[command, "--port-base", "0"])?;
        let begun = Instant::now();
        let mut running = Running::start(&mut esker, &self.log())?;
        let addresses = self.found("the hub", &mut running, |endpoints| {
            endpoints.hub.clone().filter(|_| is_there(endpoints))
        })?;
        let endpoint = addresses.endpoint();
        bus.caller(&endpoint).call_blocking(&Health, PATIENCE)?;
        Ok((Hub { running, endpoint }, begun.elapsed()))
    }

    /// What a process that was started says of itself, once it does.
    fn found<T>(
        &self,
        what: &str,
        running: &mut Running,
        find: impl Fn(&Endpoints) -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = find(&Endpoints::read(&self.project)) {
                return Ok(found);
            }
            if running.has_ended() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(self.log()).unwrap_or_default();
                bail!("{what} under test does not start: {said}");
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A running hub.
pub(crate) struct Hub {
    pub(crate) running: Running,
    pub(crate) endpoint: Endpoint,
}

/// What the files of a folder take on the disk.
fn taken(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(at) if at.is_dir() => taken(&entry.path())?,
            Ok(at) => at.blocks() * 512,
            // The hub at work may have moved it away meanwhile.
            Err(_) => 0,
        };
    }
    Ok(bytes)
}
