//! The definition of a project: `esker.toml`, read, checked and turned into values.
//!
//! Reading collects every defect with its place rather than stopping at the first. What depends on the
//! machine (whether a program is installed) is asked by [`check`] alone: a project whose program is missing
//! just now still runs everything else.

pub mod defect;

mod above;
mod below;
pub mod blobs;
pub mod cluster;
pub mod deliver;
pub mod folder;
pub mod gate;
mod graph;
mod keep;
mod large;
pub mod mentions;
mod origin;
mod page;
mod parts;
mod programs;
pub mod pull;
mod read;
pub mod schema;
pub mod secret;
pub mod split;
mod store;
pub mod tap;
pub mod value;
pub mod ways;
pub mod web;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use esker_wire::blobs::Blobs;
use esker_wire::keep::Keep;
use esker_wire::name::Resource;
use esker_wire::remote::Remote;
use jiff::Timestamp;

use self::cluster::Cluster;
use self::defect::{Defect, Severity};
use self::deliver::{Lineage, Webhook};
use self::folder::Pattern;
use self::gate::Gate;
use self::large::Large;
pub(crate) use self::page::nearest;
use self::pull::Pull;
use self::secret::Secret;
use self::split::Split;
use self::tap::Tap;
use self::value::Schedule;
use self::ways::Ways;
use self::web::Web;
use crate::open;

/// The file's name in the project's folder.
pub const FILE: &str = "esker.toml";

/// The largest definition, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Where what is remembered of sources is kept, each under its name.
const STATE: &str = "state";
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
const GRACE: Duration = Duration::from_secs(5);
/// What one message to the store holds, less some room for its head.
const OUTPUT_MAX: u64 = 64_000_000;

/// The word that stands for this very program in `run`.
pub(crate) const ESKER: &str = "esker";

/// A project as its `esker.toml` describes it.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What the project is called.
    pub project: String,
    /// Where its snapshots are served.
    pub hub: Sockets,
    /// Where its live model is published.
    pub model: Sockets,
    /// What becomes of its snapshots.
    pub store: Store,
    /// Where its web pages are served, and to whom.
    pub web: Web,
    /// The worker it has, and the cluster that takes part in.
    pub cluster: Cluster,
    /// Other names for resources, as the seeds' clients use them.
    pub aliases: BTreeMap<String, Resource>,
    /// How much of their past resources keep; all of it where nothing is said.
    pub keep: BTreeMap<Resource, Keep>,
    /// Where data comes from, in the order of the file.
    pub sources: Vec<Source>,
    /// What is computed, in the order of the file.
    pub stages: Vec<Stage>,
    /// What people see, in the order of the file.
    pub views: Vec<View>,
    /// How many programs may run at once.
    pub jobs: usize,
    /// How many of those may be stages of a pool, by its name.
    pub pools: BTreeMap<String, usize>,
    /// Where what runs is told as OpenLineage says.
    pub lineage: Option<Lineage>,
    /// Who else is told of what happens.
    pub webhooks: Vec<Webhook>,
}

/// What becomes of the snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    /// Which contents are large ones.
    pub large: Large,
    /// The git repositories every commit is pushed to; relative paths are meant from the project's folder.
    pub push: Vec<Remote>,
    /// The bucket that large contents are copied to.
    pub blobs: Option<Blobs>,
}

/// The addresses of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sockets {
    /// Requests: `tcp://HOST:PORT`.
    pub requests: String,
    /// Events: `tcp://HOST:PORT`.
    pub events: String,
}

/// Where data comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name; no stage has the same.
    pub name: String,
    /// How it is read.
    pub origin: Origin,
    /// When it is read; a source without one, as every file, is read when its file, program or definition changes.
    pub schedule: Option<Schedule>,
    /// What it makes.
    pub output: Resource,
    /// Prints the essence of what it makes: a change of anything else is none.
    pub stamp: Option<Program>,
    /// Whether nothing at all is an acceptable content.
    pub allow_empty: bool,
    /// What the content must be like to be published.
    pub gate: Gate,
}

impl Source {
    /// The resource that what is remembered of it is kept as, if anything is.
    pub(crate) fn state(&self) -> Option<Resource> {
        let has_state = match &self.origin {
            Origin::Pull(pull) => pull.has_state(),
            Origin::Tap(_) => true,
            Origin::File { .. } | Origin::Folder(_) | Origin::Run(_) => false,
        };
        // A source's name is a part of a resource's.
        if has_state { format!("{STATE}/{}", self.name).parse().ok() } else { None }
    }

    /// All that it is known to make: its output, then its state. What a tap's streams are is only known from it.
    pub(crate) fn outputs(&self) -> Vec<Resource> {
        let output = (!self.has_streams()).then(|| self.output.clone());
        output.into_iter().chain(self.state()).collect()
    }

    /// Whether its output is not one resource, but what all of its resources' names begin with.
    pub(crate) fn has_streams(&self) -> bool {
        matches!(self.origin, Origin::Tap(_))
    }
}

/// How a source is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, relative to the project's folder.
    File {
        /// Its path.
        path: String,
        /// The sheets wanted of a workbook, in this order; all of them if none are named.
        sheets: Vec<String>,
    },
    /// The files of a folder.
    Folder(Pattern),
    /// What a program prints.
    Run(Program),
    /// What esker fetches from elsewhere.
    Pull(Pull),
    /// What a tap prints: a program that speaks as Singer says.
    Tap(Tap),
}

/// A computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name; no source has the same.
    pub name: String,
    /// What it reads; at least one.
    pub inputs: Vec<Resource>,
    /// What it makes; at least one.
    pub outputs: Vec<Resource>,
    /// How it goes about its inputs.
    pub ways: Ways,
    /// How its first input is cut into parts, each of which is run for by itself.
    pub split: Option<Split>,
    /// What it runs.
    pub program: Program,
    /// Prints the essence of what it makes: a change of anything else is none.
    pub stamp: Option<Program>,
    /// Whether nothing at all is an acceptable output.
    pub allow_empty: bool,
    /// What the outputs must be like to be published.
    pub gate: Gate,
}

/// A program and the bounds it runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments; at least one word. `esker` is this very program.
    pub argv: Vec<String>,
    /// How long a run may take.
    pub timeout: Duration,
    /// How long it may take to end when asked to.
    pub grace: Duration,
    /// How much it may print, in bytes.
    pub output_max: u64,
    /// How often a failed run is tried again by itself.
    pub retry: u32,
    /// The files and folders that are the program; the files named in `argv` if none are named.
    pub code: Option<Vec<String>>,
    /// The environment variables it is given; their values are part of the run key.
    pub env: Vec<String>,
    /// The variables it is given whose values are nobody else's to see.
    pub secrets: Vec<(String, Secret)>,
    /// The exit codes besides 0 with which it has done its work.
    pub ok_exit: Vec<i32>,
    /// Changed by hand to have everything computed anew; part of the run key.
    pub salt: Option<String>,
    /// Whether it reads what it made last, as the files that `ESKER_PREVIOUS_1` and so on name.
    pub previous: bool,
}

impl Program {
    /// A program in the usual bounds.
    pub(crate) fn new(argv: Vec<String>) -> Self {
        Self {
            argv,
            timeout: TIMEOUT,
            grace: GRACE,
            output_max: OUTPUT_MAX,
            retry: 0,
            code: None,
            env: Vec::new(),
            secrets: Vec::new(),
            ok_exit: Vec::new(),
            salt: None,
            previous: false,
        }
    }
}

/// A page that shows a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub resource: Resource,
    /// How; guessed from the content if it is not said.
    pub kind: Option<ViewKind>,
    /// What stands above it; its name if nothing is said.
    pub title: Option<String>,
}

/// How a view shows a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// As a plan: manpower, shortages, end dates.
    Plan,
    /// As a chart of such a table's numbers, with the table below it.
    Chart,
    /// As a table of tab- or comma-separated values.
    Table,
    /// As text.
    Text,
}

impl Definition {
    /// Reads the definition in a project's folder.
    ///
    /// # Errors
    /// Every defect, warnings included, if one of them makes the definition unusable.
    pub fn load(dir: &Path) -> Result<Self, Vec<Defect>> {
        let text = read_file(dir).map_err(|defect| vec![defect])?;
        let (definition, defects) = Self::parse(&text, Timestamp::now());
        definition.ok_or(defects)
    }

    /// Reads a definition's text. `now` decides whether a cron pattern can still come true. There is a
    /// definition exactly if no defect is an error.
    pub fn parse(text: &str, now: Timestamp) -> (Option<Self>, Vec<Defect>) {
        let (definition, _, defects) = read::read(text, now);
        finish(definition, defects)
    }

    /// The names of everything that runs: sources, then stages.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let sources = self.sources.iter().map(|source| source.name.as_str());
        sources.chain(self.stages.iter().map(|stage| stage.name.as_str()))
    }

    /// Every gate that judges something, with the name of its source or stage.
    pub(crate) fn gates(&self) -> impl Iterator<Item = (&str, &Gate)> {
        let sources = self.sources.iter().map(|source| (source.name.as_str(), &source.gate));
        let stages = self.stages.iter().map(|stage| (stage.name.as_str(), &stage.gate));
        sources.chain(stages).filter(|(_, gate)| !gate.is_open())
    }

    /// Every program it runs, with the name of its source or stage.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&str, &Program)> {
        let sources = self.sources.iter().filter_map(|source| match &source.origin {
            Origin::Run(program) => Some((source.name.as_str(), program)),
            Origin::Tap(tap) => Some((source.name.as_str(), &tap.program)),
            Origin::File { .. } | Origin::Folder(_) | Origin::Pull(_) => None,
        });
        let stages = self.stages.iter();
        sources.chain(stages.map(|stage| (stage.name.as_str(), &stage.program)))
    }
}

/// Reads the definition and says everything that is wrong with it, on this machine: also programs and files
/// that are missing. There is a definition exactly if no defect is an error.
pub fn check(dir: &Path) -> (Option<Definition>, Vec<Defect>) {
    let text = match read_file(dir) {
        Ok(text) => text,
        Err(defect) => return (None, vec![defect]),
    };
    let (definition, places, mut defects) = read::read(&text, Timestamp::now());
    if let Some(definition) = &definition {
        defects.extend(programs::check(dir, definition, &places));
    }
    finish(definition, defects)
}

fn finish(
    definition: Option<Definition>,
    mut defects: Vec<Defect>,
) -> (Option<Definition>, Vec<Defect>) {
    defects.sort_by_key(|defect| (defect.line, defect.column));
    let usable = !defects.iter().any(Defect::is_error);
    (definition.filter(|_| usable), defects)
}

fn read_file(dir: &Path) -> Result<String, Defect> {
    let defect = |message: String, hint: &str| Defect {
        line: 1,
        column: 1,
        severity: Severity::Error,
        message,
        hint: hint.to_owned(),
    };
    let path = dir.join(FILE);
    let mut bytes = Vec::new();
    let read =
        open::regular(&path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let hint = match error.kind() {
            ErrorKind::NotFound => "run `esker init`, or name the project's folder",
            _ => "it must be a file that can be read",
        };
        return Err(defect(format!("cannot read {}: {error}", path.display()), hint));
    }
    if bytes.len() as u64 > FILE_MAX {
        let message = format!("{} is larger than {FILE_MAX} bytes", path.display());
        return Err(defect(message, "a definition is small; is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Defect { line, ..defect("a byte that is not UTF-8".to_owned(), "save the file as UTF-8") }
    })
}

#[cfg(test)]
mod tests;
