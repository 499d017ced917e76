//! The hub under test: this same program in a process and a project of its own.

use std::fs;
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

    /// Starts a hub on free ports and waits until it answers.
    pub(crate) fn hub(&self, bus: &Bus) -> Result<Hub> {
        self.start(bus, "hub", |endpoints| endpoints.hub.is_some()).map(|(hub, _)| hub)
    }

    /// Starts everything, page and runner too: from the start to the hub's first answer.
    pub(crate) fn up(&self, bus: &Bus) -> Result<(Hub, Duration)> {
        self.start(bus, "up", |endpoints| endpoints.hub.is_some() && endpoints.web.is_some())
    }

    fn start(
        &self,
        bus: &Bus,
        command: &str,
        is_there: impl Fn(&Endpoints) -> bool,
    ) -> Result<(Hub, Duration)> {
        // What a killed one has left behind says nothing about this one.
        drop(fs::remove_file(self.project.endpoints()));
        let log = self.log();
        let mut esker = self.esker(&[command, "--port-base", "0"])?;
        let begun = Instant::now();
        let mut running = Running::start(&mut esker, &log)?;
        let addresses = loop {
            let endpoints = Endpoints::read(&self.project);
            if let (true, Some(addresses)) = (is_there(&endpoints), endpoints.hub) {
                break addresses;
            }
            if running.has_ended() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("the hub under test does not start: {said}");
            }
            std::thread::sleep(LOOK);
        };
        let endpoint = addresses.endpoint();
        bus.caller(&endpoint).call_blocking(&Health, PATIENCE)?;
        Ok((Hub { running, endpoint }, begun.elapsed()))
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
