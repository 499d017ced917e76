//! Runs of the past once more: what a stage makes of its inputs as they were, stored nowhere.
//!
//! Whoever asks decides what to compare it with and where to put it. Many are run at once, and told in order.

pub mod order;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::Revision;

use crate::definition::{Definition, Stage, nearest};
use crate::engine::host;
use crate::fingerprint::Fingerprints;
use crate::key::{self, Print, sha256};
use crate::plan::{Run, Task};
use crate::rejected;
use crate::run::past::Start;
use crate::run::{self, Bench, Halt};

use self::order::Hand;

/// What the names of the branches of backfills begin with.
pub const BACKFILLS: &str = "backfill/";
/// How much of a hash is part of a backfill's id.
const ID_HASH: usize = 8;

/// What to run, and with what.
pub struct Options {
    /// The folder the program runs in, with its code and the files of its checks.
    pub dir: PathBuf,
    /// This very program, whose hidden subcommand `supervise` runs programs.
    pub esker: PathBuf,
    /// The snapshot service.
    pub caller: Caller,
    /// Where the stage is defined.
    pub definition: Definition,
    /// Its name.
    pub stage: String,
    /// What to run in place of its program.
    pub with: Option<Vec<String>>,
    /// Whether what an earlier run made for the same key is taken without running the program.
    pub recall: bool,
}

/// Why a stage cannot be run for inputs of the past.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such stage; which there are.
    #[error("there is no stage {0}")]
    NoStage(String, String),
    /// It reads no inputs.
    #[error("{0} is a source: what the world outside was like cannot be asked again")]
    Source(String),
    /// This machine does not let it.
    #[error("cannot make a folder for the runs: {0}")]
    Machine(#[from] io::Error),
}

impl Error {
    /// What to do; may be empty.
    pub fn hint(&self) -> String {
        match self {
            Self::NoStage(_, near) => near.clone(),
            Self::Source(_) => "name a stage".to_owned(),
            Self::Machine(_) => "is the disk full?".to_owned(),
        }
    }
}

/// A stage that is run for inputs of the past.
pub struct Past {
    bench: Bench,
    /// The stage alone: a print is taken of a definition.
    alone: Definition,
    stage: Stage,
    /// Held while what earlier runs left is looked through, so that it is read once; none if nobody looks.
    recall: Option<Mutex<()>>,
    fingerprints: Mutex<Fingerprints>,
    print: Print,
    /// Where the scratch folders of the runs are; it goes with this.
    _scratch: tempfile::TempDir,
}

/// The inputs of one run as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Then {
    /// A commit at which the inputs had these revisions.
    pub at: Revision,
    /// The inputs and their contents, in the definition's order.
    pub inputs: Vec<(Input, Revision)>,
    /// The outputs as they were before the run.
    pub before: Vec<(Resource, Option<Revision>)>,
    /// The overrides of the outputs and their contents.
    pub overrides: Vec<(Input, Revision)>,
}

impl Then {
    /// The inputs alone.
    pub fn inputs(&self) -> Vec<Input> {
        self.inputs.iter().map(|(input, _)| input.clone()).collect()
    }
}

/// What a run made: the contents of all outputs.
pub type Contents = Vec<(Resource, Bytes)>;

/// What one run came to.
#[derive(Debug)]
pub struct Ended {
    /// What it made; nothing if the program says that nothing has changed.
    pub made: Result<Option<Contents>, Broken>,
    /// What it is remembered by.
    pub provenance: Provenance,
}

/// Why a run made nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// One line.
    pub summary: String,
    /// What to do, one line; may be empty.
    pub hint: String,
    /// The end of what the program said, or what the checks found.
    pub detail: String,
    /// Whether it may be another time: it was stopped, or the store did not answer.
    pub is_passing: bool,
}

impl Broken {
    fn of(halt: Halt) -> Self {
        match halt {
            Halt::Broken(broken) => Self {
                summary: broken.summary,
                hint: broken.hint,
                detail: broken.detail,
                is_passing: false,
            },
            Halt::Again(why) => {
                Self { summary: why, hint: String::new(), detail: String::new(), is_passing: true }
            }
            Halt::Unchanged => Self {
                summary: "the program says that nothing has changed".to_owned(),
                hint: String::new(),
                detail: String::new(),
                is_passing: false,
            },
        }
    }
}

impl Past {
    /// Finds the stage and takes the print of its program.
    ///
    /// # Errors
    /// No such stage, or no folder for its runs.
    pub fn open(options: Options) -> Result<Self, Error> {
        let mut alone = options.definition;
        let name = options.stage;
        if alone.sources.iter().any(|source| source.name == name) {
            return Err(Error::Source(name));
        }
        let known: Vec<&str> = alone.stages.iter().map(|stage| stage.name.as_str()).collect();
        let near = nearest(&name, &known);
        alone.sources.clear();
        alone.stages.retain(|stage| stage.name == name);
        let Some(stage) = alone.stages.first_mut() else {
            return Err(Error::NoStage(name, near));
        };
        if let Some(argv) = options.with {
            stage.program.argv = argv;
        }
        let stage = stage.clone();
        let mut fingerprints = Fingerprints::default();
        let print = fingerprints.take(&options.dir, &alone).remove(&name).unwrap_or_default();
        let scratch = tempfile::Builder::new().prefix("esker-past-").tempdir()?;
        let bench = Bench {
            dir: options.dir,
            branch: Branch::main(),
            guard: None,
            esker: options.esker,
            caller: options.caller,
            host: host(),
            scratch: scratch.path().to_owned(),
            memo: Arc::default(),
            recall: Arc::default(),
            load: Arc::default(),
        };
        let recall = options.recall && crate::run::is_known_again(&stage);
        Ok(Self {
            bench,
            alone,
            stage,
            recall: recall.then(Mutex::default),
            fingerprints: Mutex::new(fingerprints),
            print,
            _scratch: scratch,
        })
    }

    /// The stage as it is run.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether the program, its files or its checks are others than when this was opened.
    pub fn has_changed(&self) -> bool {
        let mut fingerprints = self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner);
        let prints = fingerprints.take(&self.bench.dir, &self.alone);
        prints.get(&self.stage.name) != Some(&self.print)
    }

    /// What tells a backfill by this program from the first version it computes on from others.
    pub fn id(&self, first: Revision) -> String {
        let program = key::of_stage(&self.stage, &self.print, &[]);
        let hash = sha256(format!("{program} {first}").as_bytes());
        format!("{}-{}", rejected::part(&self.stage.name), &hash[..ID_HASH])
    }

    /// The key of a run for these inputs: the same key means the same result.
    pub fn run_key(&self, then: &Then) -> String {
        let inputs = then.inputs.iter().map(|(input, blob)| (&input.resource, *blob));
        key::of_stage(&self.stage, &self.print(then), &inputs.collect::<Vec<_>>())
    }

    /// What it depends on besides its inputs.
    fn print(&self, then: &Then) -> Print {
        let held = then.overrides.iter();
        let held = held.filter_map(|(held, blob)| Some((overrides::whose(&held.resource)?, *blob)));
        Print { overrides: held.collect(), ..self.print.clone() }
    }

    /// Runs it. The calling thread must live until this returns.
    pub fn make(&self, then: &Then, hand: &Hand) -> Ended {
        let (run, start) = (self.run(then), Start::now());
        let made = match self.compute(&run, hand) {
            Ok(made) => Ok(Some(made.contents)),
            Err(Halt::Unchanged) => Ok(None),
            Err(halt) => Err(Broken::of(halt)),
        };
        let exit = i32::from(made.is_err());
        Ended { made, provenance: run::past::provenance(&self.bench, &run, start, exit) }
    }

    fn compute(&self, run: &Run, hand: &Hand) -> Result<run::Made, Halt> {
        let at = (&self.bench, &hand.line);
        if let Some(lock) = &self.recall {
            let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(made) = run::past::recall(at, run, &self.stage)? {
                return Ok(made);
            }
        }
        run::past::make(at, run, &self.stage)
    }

    /// What is remembered of a run that was spared: its result is known.
    pub fn spared(&self, then: &Then) -> Provenance {
        run::past::provenance(&self.bench, &self.run(then), Start::now(), 0)
    }

    /// Holds contents against the stage's checks, these being the versions before; gives what is warned of.
    ///
    /// # Errors
    /// What is refused, and by which check.
    pub fn judge(
        &self,
        then: &Then,
        contents: &Contents,
        before: BTreeMap<Resource, Option<Bytes>>,
        hand: &Hand,
    ) -> Result<Vec<String>, Broken> {
        let (run, at) = (self.run(then), (&self.bench, &hand.line));
        let judged = run::past::judge(at, &run, (&self.stage, contents.clone()), before);
        judged.map_err(Broken::of)
    }

    /// Whether contents are in essence those at these revisions, as the stage's `stamp` sees it.
    ///
    /// # Errors
    /// The stamp failed.
    pub fn is_same(
        &self,
        then: &Then,
        contents: &Contents,
        left: &[Input],
        hand: &Hand,
    ) -> Result<bool, Broken> {
        let left = left.iter().map(|input| (input.resource.clone(), Some(input.revision)));
        let run = Run { outputs: left.collect(), ..self.run(then) };
        let at = (&self.bench, &hand.line);
        let same = run::past::is_same(at, &run, (&self.stage, contents.clone()));
        same.map_err(Broken::of)
    }

    fn run(&self, then: &Then) -> Run {
        Run {
            task: Task::Stage(self.stage.clone()),
            run_key: self.run_key(then),
            print: self.print(then),
            at: Some(then.at),
            inputs: then.inputs(),
            blobs: then.inputs.iter().map(|(_, blob)| *blob).collect(),
            outputs: then.before.clone(),
            overrides: then.overrides.iter().map(|(held, _)| held.clone()).collect(),
            beneath: Vec::new(),
            renamed: Vec::new(),
            failed: None,
            again: false,
        }
    }
}

/// The branch that holds what a backfill made.
pub fn branch(id: &str) -> Option<Branch> {
    format!("{BACKFILLS}{id}").parse().ok().filter(|_| !id.is_empty())
}

#[cfg(test)]
mod tests;
