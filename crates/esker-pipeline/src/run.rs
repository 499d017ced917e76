//! One run from its inputs to its record: read, feed, judge, store, remember.
//!
//! The outputs are stored by one PUT that is refused if the heads have moved, so a run that was started twice,
//! or that died between its PUT and its record, has its effect once.

pub(crate) mod failure;
pub(crate) mod file;
mod gate;
mod gather;
pub(crate) mod line;
pub(crate) mod load;
pub(crate) mod memo;
pub(crate) mod output;
mod overlay;
pub(crate) mod past;
mod split;
mod stamp;
mod store;

use std::ffi::OsString;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::record::{Ended, RunRecord};
use esker_wire::snapshot::Item;
use jiff::Timestamp;

use crate::child::said::Said;
use crate::child::{self, End, Finished, Order, Stdin};
use crate::definition::{Origin, Program, Stage};
use crate::key::{self, Print};
use crate::plan::{Run, Task};
use crate::pull;
use crate::pull::recall::Recall;
use crate::pull::secrets::Secrets;
use crate::retry;

use self::failure::Broken;
use self::file::{PATIENCE, Wanted};
use self::line::{Line, Tale};
use self::load::Load;
use self::memo::Memo;

/// The esker that runs, as provenance names it.
pub(crate) const ENGINE: &str = concat!("esker ", env!("CARGO_PKG_VERSION"));

/// How long the store may take to answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the scratch folders of runs are, in the project's folder.
pub(crate) const SCRATCH: &str = ".esker/scratch";

/// What all runs of a project share.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    /// The project's folder.
    pub(crate) dir: PathBuf,
    /// Where inputs are read and outputs put: `main`, or a what-if's own.
    pub(crate) branch: Branch,
    /// What every PUT of outputs goes with, so that it is refused where that is another by now.
    pub(crate) guard: Option<Item>,
    /// This very program.
    pub(crate) esker: PathBuf,
    /// The snapshot service.
    pub(crate) caller: Caller,
    /// This machine.
    pub(crate) host: String,
    /// Where the scratch folders of runs are.
    pub(crate) scratch: PathBuf,
    /// What earlier runs left.
    pub(crate) memo: Arc<Memo>,
    /// How many programs run.
    pub(crate) load: Arc<Load>,
    /// What sources have found out about time.
    pub(crate) recall: Arc<Recall>,
}

/// What became of a run.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is over; the record is to be kept.
    Done(Box<RunRecord>),
    /// The world has changed under it, or the store cannot be used, or it was asked to end: nothing to remember,
    /// decide anew. The text says which.
    Again(String),
}

/// Why a run ends without outputs.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It failed; people should know.
    Broken(Broken),
    /// See [`Outcome::Again`].
    Again(String),
    /// The outputs are what they should be.
    Unchanged,
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        let summary = format!("cannot start a run: {error}");
        let hint = "is the disk full, or a limit of processes or files reached?";
        Self::Broken(Broken::new(summary, hint).temporary())
    }
}

/// What a program or file gave.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) contents: Vec<(Resource, Bytes)>,
    /// What they are, if that is known.
    pub(crate) content_type: Option<&'static str>,
    /// What is remembered of a source, to be stored with them.
    pub(crate) state: Option<(Resource, Bytes)>,
    /// What checks say of it that let it pass.
    warnings: Vec<String>,
    /// The parts of the input whose results are not in it.
    failed_parts: Vec<String>,
    /// What overrides leave beside them: what was made, and what is left of overrides of which some are over.
    beside: Vec<Item>,
}

impl Made {
    pub(crate) fn new(
        contents: Vec<(Resource, Bytes)>,
        content_type: Option<&'static str>,
    ) -> Self {
        Self {
            contents,
            content_type,
            state: None,
            warnings: Vec::new(),
            failed_parts: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// The same with what is to be remembered.
    pub(crate) fn with_state(self, state: Option<(Resource, Bytes)>) -> Self {
        Self { state, ..self }
    }
}

/// When a run began, for people and for its duration.
#[derive(Debug, Clone, Copy)]
struct Began {
    at: Timestamp,
    clock: Instant,
}

impl Began {
    fn now() -> Self {
        Self { at: Timestamp::now(), clock: Instant::now() }
    }

    fn duration_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Runs one source or stage. The thread that calls this must live until it returns.
pub(crate) fn run(bench: &Bench, run: &Run, line: &Line) -> Outcome {
    unharmed(|| attempt(bench, run, line))
}

/// What comes of a run, even if it ends in a fault of ours: whoever waits for its end hears of it.
fn unharmed(attempt: impl FnOnce() -> Outcome) -> Outcome {
    let caught = panic::catch_unwind(AssertUnwindSafe(attempt));
    caught.unwrap_or_else(|_| Outcome::Again("esker itself failed; its log says where".to_owned()))
}

fn attempt(bench: &Bench, run: &Run, line: &Line) -> Outcome {
    let began = Began::now();
    let mut run = run.clone();
    let made = make(bench, &mut run, line);
    let made = made.and_then(|made| changed((bench, line), &run, made));
    let made = match made {
        Err(Halt::Unchanged) => overlay::as_it_was((bench, line), &run),
        made => made,
    };
    let made = made.and_then(|made| overlay::apply((bench, line), &run, made));
    let made = made.and_then(|made| gate::pass((bench, line), &mut run, made, began));
    let mut record = match made.and_then(|made| store::put((bench, line), &run, made, began)) {
        Ok(record) => record,
        Err(Halt::Again(why)) => return Outcome::Again(why),
        Err(Halt::Unchanged) => unchanged(&run, began),
        Err(Halt::Broken(broken)) => failure::record(&run, broken, began, Timestamp::now()),
    };
    let warned = line.warned().into_iter().map(|text| format!("{}: {text}", run.name()));
    record.warnings.extend(warned);
    Outcome::Done(Box::new(record))
}

/// What was made, unless it is in essence what is there already.
fn changed((bench, line): (&Bench, &Line), run: &Run, made: Made) -> Result<Made, Halt> {
    let stamp = match &run.task {
        Task::Source(source) => source.stamp.as_ref(),
        Task::Stage(stage) => stage.stamp.as_ref(),
    };
    match stamp {
        Some(stamp) if stamp::is_same((bench, line), run, stamp, &made)? => Err(Halt::Unchanged),
        _ => Ok(made),
    }
}

/// The record of a run whose program says that nothing has changed.
fn unchanged(run: &Run, began: Began) -> RunRecord {
    if let Some((name, _)) = run.outputs.iter().find(|(_, head)| head.is_none()) {
        let code = retry::NO_CHANGE;
        let summary =
            format!("the program exited {code} (nothing has changed), but there is no {name} yet");
        let broken = Broken::new(summary, "have it print the first version, and exit 0");
        return failure::record(run, broken, began, Timestamp::now());
    }
    RunRecord {
        stage: run.name().to_owned(),
        run_key: run.run_key.clone(),
        ended: Ended::Unchanged,
        inputs: run.read(),
        outputs: run.there(),
        started: began.at,
        duration_ms: began.duration_ms(),
        failure: None,
        warnings: Vec::new(),
    }
}

/// Makes the outputs. The run of a file becomes one for what was read.
fn make(bench: &Bench, run: &mut Run, line: &Line) -> Result<Made, Halt> {
    match &run.task.clone() {
        Task::Source(source) => match &source.origin {
            Origin::File { path, sheets } => {
                let wanted = Wanted { source, path, patience: PATIENCE };
                file::read((bench, line), run, &wanted, sheets)
            }
            Origin::Folder(pattern) => {
                let path = pattern.to_string();
                let wanted = Wanted { source, path: &path, patience: PATIENCE };
                file::read_folder((bench, line), run, &wanted, pattern)
            }
            Origin::Tap(tap) => pull::tap::fetch((bench, line), run, (source, tap)),
            Origin::Pull(pull) => pull::fetch((bench, line), run, (source, pull)),
            Origin::Run(program) => {
                let printed = execute(bench, run, program, (Bytes::new().into(), line))?;
                output::take(run, printed, source.allow_empty)
            }
        },
        Task::Stage(stage) => {
            let known = match is_known_again(stage) {
                true => memo::find((bench, line), run, &plain_key(run, stage))?,
                false => None,
            };
            if let (Some(made), false) = (&known, run.is_asked()) {
                return Ok(made.clone());
            }
            let mut made = compute((bench, line), run, stage, Keep::Parts)?;
            if known.is_some_and(|known| known.contents != made.contents) {
                let name = &stage.name;
                made.warnings.push(format!(
                    "{name} made something else of the same inputs than before: it is not deterministic (pure = false says so)"
                ));
            }
            Ok(made)
        }
    }
}

/// The key by which a result is known that no override has changed.
fn plain_key(run: &Run, stage: &Stage) -> String {
    if run.overrides.is_empty() {
        return run.run_key.clone();
    }
    let print = Print { overrides: Vec::new(), ..run.print.clone() };
    let names = run.inputs.iter().map(|input| &input.resource);
    let contents: Vec<_> = names.zip(run.blobs.iter().copied()).collect();
    key::of_stage(stage, &print, &contents)
}

/// Whether the outputs of an earlier run for the same key are what another would make.
pub(crate) fn is_known_again(stage: &Stage) -> bool {
    let is_whole = stage.split.as_ref().is_none_or(|split| !split.partial);
    stage.ways.pure && !stage.program.previous && is_whole
}

/// Whether what is made of the parts of an input is kept for later runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Parts,
    Nothing,
}

/// Has a stage's program make the outputs, whatever is known of earlier runs.
fn compute(
    (bench, line): (&Bench, &Line),
    run: &Run,
    stage: &Stage,
    keep: Keep,
) -> Result<Made, Halt> {
    if let Some(split) = &stage.split {
        return split::make((bench, line), run, (stage, split), keep);
    }
    let input = gather::inputs((bench, line), run, stage.inputs.len())?;
    let printed = execute(bench, run, &stage.program, (input, line))?;
    output::take(run, printed, stage.allow_empty)
}

/// Runs a program to its end.
fn start(
    bench: &Bench,
    run: &Run,
    (program, secrets): (&Program, &Secrets),
    (stdin, line): (Stdin, &Line),
) -> Result<Finished, Halt> {
    std::fs::create_dir_all(&bench.scratch)?;
    let scratch = tempfile::Builder::new().prefix("run-").tempdir_in(&bench.scratch)?;
    let mut env = variables(bench, run, scratch.path());
    env.extend(line.part.iter().map(|part| ("ESKER_PART".into(), part.into())));
    if program.previous {
        env.extend(gather::previous((bench, line), run, scratch.path())?);
    }
    let given = program.secrets.iter();
    env.extend(given.map(|(name, secret)| (name.into(), secrets.of(secret).into())));
    env.extend(secrets.given().iter().map(|(name, value)| (name.into(), value.into())));
    let says = |said| line.tell(Tale::Said(said_without(secrets, said)));
    let order = Order { esker: &bench.esker, dir: &bench.dir, program, env, stdin, says: &says };
    Ok(child::run(&order, &line.mailbox)?)
}

fn said_without(secrets: &Secrets, said: Said) -> Said {
    match said {
        Said::Progress(text) => Said::Progress(secrets.redact(&text)),
        Said::Warning(text) => Said::Warning(secrets.redact(&text)),
    }
}

/// Runs the program and gives what it printed, if it ended well.
fn execute(
    bench: &Bench,
    run: &Run,
    program: &Program,
    input: (Stdin, &Line),
) -> Result<Bytes, Halt> {
    let secrets = Secrets::open(&bench.dir, program.secrets.iter().map(|(_, secret)| secret))?;
    execute_with(bench, run, (program, &secrets), input)
}

/// The same with secrets that are open already; none of them is told.
pub(crate) fn execute_with(
    bench: &Bench,
    run: &Run,
    (program, secrets): (&Program, &Secrets),
    (stdin, line): (Stdin, &Line),
) -> Result<Bytes, Halt> {
    let mut secrets = secrets.clone();
    secrets.hide_variables(&program.env);
    let finished = start(bench, run, (program, &secrets), (stdin, line))?;
    match finished.end {
        End::Exited(0) => Ok(finished.stdout.into()),
        End::Exited(code) if program.ok_exit.contains(&code) => Ok(finished.stdout.into()),
        End::Exited(retry::NO_CHANGE) => Err(Halt::Unchanged),
        End::Stopped => Err(Halt::Again("the engine ends".to_owned())),
        End::Interrupted => Err(Halt::Again("it was asked to end from outside".to_owned())),
        end => {
            let stderr = secrets.redact_stderr(&finished.stderr);
            Err(failure::of_program(program, end, &stderr).into())
        }
    }
}

fn variables(bench: &Bench, run: &Run, scratch: &Path) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("ESKER_STAGE".into(), run.name().into()),
        ("ESKER_RUN_KEY".into(), run.run_key.as_str().into()),
        ("ESKER_PROJECT".into(), bench.dir.as_path().into()),
        (child::SCRATCH_VARIABLE.into(), scratch.into()),
    ];
    for (index, input) in run.inputs.iter().enumerate() {
        let value = format!("{}@{}", input.resource, input.revision);
        variables.push((format!("ESKER_INPUT_{}", index + 1).into(), value.into()));
    }
    variables
}

/// What a program's end means that it did not come to by itself, in words.
pub(crate) fn stopped(program: &Program, end: End) -> String {
    failure::of_program(program, end, &[]).summary
}

/// Whether a fault of the store may pass by itself.
pub(crate) fn may_pass(fault: &Fault) -> bool {
    matches!(fault.code, Code::Timeout | Code::Unavailable | Code::Busy | Code::NotWritable)
}

#[cfg(test)]
mod tests;
