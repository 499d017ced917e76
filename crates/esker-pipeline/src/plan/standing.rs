//! How one source or stage stands against its own inputs, without regard to the others.

use std::time::Duration;

use esker_wire::name::Resource;
use esker_wire::overrides;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::Revision;
use jiff::{SignedDuration, Timestamp};

use crate::definition::{Origin, Source, Stage};
use crate::key;
use crate::record::is_asked;
use crate::retry::ASKED_MAX;

use super::each::{self, Version};
use super::{Head, Run, State, Task, World};

/// What one source or stage would do if it were alone.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is running; what it will leave is not known, but it may be known already that it will not be wanted.
    Busy { overtaken: bool },
    /// Nothing; it runs next at the time, if there is one.
    Fresh { next: Option<Timestamp>, settle: Option<Box<RunRecord>> },
    /// Run.
    Ready(Box<Run>),
    /// Wait for an input that does not exist.
    Missing(Resource),
    /// Wait for the time to try again.
    Retry(Timestamp),
    /// Wait for a change, or for the schedule.
    Problem { next: Option<Timestamp> },
}

impl Standing {
    /// Whether its outputs are about to change, so that a join must not use them yet. What waits for a
    /// person, or for an input from outside, does not count: joins go on with its last good outputs.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Ready(_) | Self::Retry(_))
    }

    /// Whether it runs for what is no longer the newest, and is not to go on with that.
    pub(super) fn is_overtaken(&self) -> bool {
        matches!(self, Self::Busy { overtaken: true })
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        match self {
            Self::Fresh { next, .. } | Self::Problem { next } => *next,
            _ => None,
        }
    }

    pub(super) fn wake(&self) -> Option<Timestamp> {
        match self {
            Self::Retry(not_before) => Some(*not_before),
            _ => self.next(),
        }
    }

    pub(super) fn settle(&self) -> Option<&RunRecord> {
        match self {
            Self::Fresh { settle, .. } => settle.as_deref(),
            _ => None,
        }
    }

    pub(super) fn run(&self) -> Option<&Run> {
        match self {
            Self::Ready(run) => Some(run),
            _ => None,
        }
    }

    pub(super) fn state(&self) -> State {
        match self {
            Self::Busy { .. } => State::Running,
            Self::Fresh { .. } => State::Fresh,
            Self::Ready(_) => State::Stale,
            Self::Missing(input) => {
                State::Waiting(format!("for {input}, which does not exist yet"))
            }
            Self::Retry(not_before) => State::Retry(*not_before),
            Self::Problem { .. } => State::Problem,
        }
    }
}

pub(super) fn of_stage(world: &World<'_>, stage: &Stage) -> Standing {
    let busy = world.busy.get(&stage.name);
    if busy.is_some() && !stage.ways.preempt {
        return Standing::Busy { overtaken: false };
    }
    if each::input(stage).is_some() && busy.is_none() {
        return of_each(world, stage);
    }
    let mut inputs = Vec::new();
    for resource in &stage.inputs {
        match world.heads.get(resource) {
            Some(head) => inputs.push((resource, head.version())),
            None if stage.ways.optional.contains(resource) => {}
            None if busy.is_some() => return Standing::Busy { overtaken: false },
            None => return Standing::Missing(resource.clone()),
        }
    }
    let run = run(world, stage, (world.at, &inputs));
    match busy {
        Some(key) => Standing::Busy { overtaken: *key != run.run_key },
        None => by_content(world, run),
    }
}

/// A stage that sees every version of its input: the next of those it has not seen. When it has seen all, it stands
/// as any other, and has time for what it passed over.
fn of_each(world: &World<'_>, stage: &Stage) -> Standing {
    let input = &stage.inputs[0];
    let at = |version: &Version| (Some(version.revision), [(input, *version)]);
    if let Some(next) = each::pending(world, stage).first() {
        let (at, inputs) = at(next);
        let run = run(world, stage, (at, &inputs));
        let record = world.records.get(&stage.name);
        let same = record.filter(|record| record.run_key == run.run_key);
        return match same.map(|record| record.ended) {
            Some(Ended::Retry) => retry(world, run, same),
            _ => Standing::Ready(Box::new(run)),
        };
    }
    let Some(head) = world.heads.get(input) else {
        return Standing::Missing(input.clone());
    };
    let standing = by_content(world, run(world, stage, (world.at, &[(input, head.version())])));
    let again = world.queues.get(&stage.name).and_then(|queue| queue.again.as_ref());
    match (&standing, again) {
        (Standing::Fresh { settle: None, .. }, Some((version, record))) => {
            let (at, inputs) = at(version);
            let run = run(world, stage, (at, &inputs));
            retry(world, Run { again: true, ..run }, Some(record))
        }
        _ => standing,
    }
}

/// The run of a stage for these versions of its inputs, read at this commit.
fn run(
    world: &World<'_>,
    stage: &Stage,
    (at, inputs): (Option<Revision>, &[(&Resource, Version)]),
) -> Run {
    let (print, Beside { overrides, beneath, renamed }) = print(world, &stage.name, &stage.outputs);
    let contents: Vec<_> = inputs.iter().map(|(name, version)| (*name, version.blob)).collect();
    let blobs = inputs.iter().map(|(_, version)| version.blob).collect();
    let inputs = inputs.iter();
    let inputs = inputs
        .map(|(name, version)| Input { resource: (*name).clone(), revision: version.revision });
    Run {
        run_key: key::of_stage(stage, &print, &contents),
        task: Task::Stage(stage.clone()),
        print,
        at,
        inputs: inputs.collect(),
        blobs,
        outputs: outputs(world, &stage.outputs),
        overrides,
        beneath,
        renamed,
        failed: None,
        again: false,
    }
}

pub(super) fn of_source(world: &World<'_>, source: &Source) -> Standing {
    if world.busy.contains_key(&source.name) {
        return Standing::Busy { overtaken: false };
    }
    let output = std::slice::from_ref(&source.output);
    let (print, Beside { overrides, beneath, renamed }) = print(world, &source.name, output);
    let run = Run {
        task: Task::Source(source.clone()),
        run_key: key::of_source(source, &print),
        print,
        at: world.at,
        inputs: Vec::new(),
        blobs: Vec::new(),
        outputs: outputs(world, &source.outputs()),
        overrides,
        beneath,
        renamed,
        failed: None,
        again: false,
    };
    match &source.origin {
        Origin::File { .. } | Origin::Folder(_) => by_content(world, run),
        Origin::Run(_) | Origin::Pull(_) | Origin::Tap(_) => by_time(world, source, run),
    }
}

/// A stage, or a file: fresh if its outputs were made for the key or verified for it.
fn by_content(world: &World<'_>, run: Run) -> Standing {
    let record = world.records.get(run.name());
    if let Some(record) = record.filter(|record| is_asked(record)) {
        return asked(world, run, record);
    }
    let same = record.filter(|record| record.run_key == run.run_key);
    let verified = same.is_some_and(|record| is_success(record) && left(record) == now_there(&run));
    if verified || made_for(world, &run) {
        let settle = record.filter(|record| !is_success(record));
        let settle = settle.map(|record| Box::new(settled(&run, record)));
        return Standing::Fresh { next: None, settle };
    }
    match same.map(|record| record.ended) {
        Some(Ended::Problem) if !is_answered(world, &run, same) => Standing::Problem { next: None },
        Some(Ended::Problem | Ended::Retry) => retry(world, run, same),
        _ => Standing::Ready(Box::new(run)),
    }
}

/// Somebody asks for a run, whatever there is.
fn asked(world: &World<'_>, run: Run, record: &RunRecord) -> Standing {
    let since = record.failure.as_ref().map_or(world.now, |failure| failure.since);
    Standing::Ready(Box::new(Run { failed: Some((0, since)), ..run }))
}

/// Whether something has changed that a check held the outputs against when they were refused: what the record
/// names beside the inputs.
fn is_answered(world: &World<'_>, run: &Run, record: Option<&RunRecord>) -> bool {
    let read = |resource: &Resource| run.inputs.iter().any(|input| input.resource == *resource);
    let head = |resource: &Resource| world.heads.get(resource).map(|head| head.revision);
    let held = record.into_iter().flat_map(|record| &record.inputs);
    held.filter(|input| !read(&input.resource))
        .any(|input| head(&input.resource) != Some(input.revision))
}

/// A program that asks the world outside: its last run is good until the schedule says otherwise.
fn by_time(world: &World<'_>, source: &Source, run: Run) -> Standing {
    let record = world.records.get(run.name());
    if let Some(record) = record.filter(|record| is_asked(record)) {
        return asked(world, run, record);
    }
    let same = record.filter(|record| record.run_key == run.run_key);
    // Of a tap it is its state that is always there.
    let head = run.outputs.first().and_then(|(name, _)| world.heads.get(name));
    let made = head.and_then(|head| head.made.as_ref());
    let made = made.filter(|made| made.run_key == run.run_key);
    let times = [same.map(|record| record.started), made.map(|made| made.started)];
    let lost = head.is_none() && same.is_some_and(is_success);
    // What was overridden is not any more, and still looks as if it were.
    let is_other = |record| is_success(record) && left(record) != now_there(&run);
    let over = run.overrides.is_empty() && !run.beneath.is_empty() && same.is_none_or(is_other);
    if lost || over || times == [None; 2] {
        return Standing::Ready(Box::new(run));
    }
    // A run in the future means that the clock was set back since: to a schedule it is as if it had not been, or
    // one that stays there would make it due at once after every other.
    let last = times.into_iter().flatten().filter(|time| *time <= world.now).max();
    let next = source.schedule.as_ref().and_then(|schedule| match last {
        Some(last) => schedule.next_after(last),
        None => Some(world.now),
    });
    let waits =
        matches!(source.origin, Origin::Pull(_) | Origin::Tap(_)) && same.is_some_and(is_retry);
    if waits && let Standing::Retry(time) = retry(world, run.clone(), same) {
        // A server that asks to be left alone is, whatever the schedule says.
        return Standing::Retry(time);
    }
    if next.is_some_and(|next| next <= world.now) {
        let failed = same.and_then(|record| record.failure.as_ref());
        let failed = failed.map(|failure| (failure.count, failure.since));
        return Standing::Ready(Box::new(Run { failed, ..run }));
    }
    match same.map(|record| record.ended) {
        Some(Ended::Problem) => Standing::Problem { next },
        Some(Ended::Retry) => retry(world, run, same),
        _ => Standing::Fresh { next, settle: None },
    }
}

fn retry(world: &World<'_>, run: Run, record: Option<&RunRecord>) -> Standing {
    let failure = record.and_then(|record| record.failure.as_ref());
    let not_before = failure.and_then(|failure| failure.not_before);
    // A time further off than any wait was written by a clock that has since been set back.
    let horizon = SignedDuration::try_from(ASKED_MAX + Duration::from_secs(1)).unwrap_or_default();
    let horizon = world.now.saturating_add(horizon).unwrap_or(Timestamp::MAX);
    match not_before.filter(|time| *time > world.now && *time <= horizon) {
        Some(time) => Standing::Retry(time),
        None => {
            let failed = failure.map(|failure| (failure.count, failure.since));
            Standing::Ready(Box::new(Run { failed, ..run }))
        }
    }
}

fn is_retry(record: &RunRecord) -> bool {
    record.ended == Ended::Retry
}

fn is_success(record: &RunRecord) -> bool {
    matches!(record.ended, Ended::Stored | Ended::Unchanged)
}

/// What the recorded run left, to compare with [`now_there`].
fn left(record: &RunRecord) -> Vec<(&Resource, Option<Revision>)> {
    let outputs = record.outputs.iter();
    outputs.map(|output| (&output.resource, Some(output.revision))).collect()
}

fn now_there(run: &Run) -> Vec<(&Resource, Option<Revision>)> {
    run.outputs.iter().map(|(name, head)| (name, *head)).collect()
}

/// Whether every output is there and was made by a run for this key.
fn made_for(world: &World<'_>, run: &Run) -> bool {
    let made = |head: &Head| {
        let made = head.made.as_ref();
        made.is_some_and(|made| made.run_key == run.run_key)
    };
    let mut outputs = run.outputs.iter();
    outputs.all(|(name, _)| world.heads.get(name).is_some_and(made))
}

/// The record that replaces one of a failure that is over.
fn settled(run: &Run, failed: &RunRecord) -> RunRecord {
    RunRecord {
        stage: run.name().to_owned(),
        run_key: run.run_key.clone(),
        ended: Ended::Unchanged,
        inputs: run.read(),
        outputs: run.there(),
        started: failed.started,
        duration_ms: failed.duration_ms,
        failure: None,
        warnings: Vec::new(),
    }
}

/// What lies beside a run's outputs.
#[derive(Default)]
struct Beside {
    overrides: Vec<Input>,
    beneath: Vec<Input>,
    renamed: Vec<(Resource, Resource)>,
}

/// What a source or stage depends on besides its inputs, and what lies beside its outputs.
fn print(world: &World<'_>, name: &str, outputs: &[Resource]) -> (key::Print, Beside) {
    let mut print = world.prints.get(name).cloned().unwrap_or_default();
    let mut beside = Beside::default();
    for output in outputs {
        let now = world.heads.get(output).and_then(|head| head.now.as_ref());
        let called = now.unwrap_or(output);
        let head = |name: Option<Resource>| name.and_then(|name| world.heads.get_key_value(&name));
        let known = |(resource, head): (&Resource, &Head)| Input {
            resource: resource.clone(),
            revision: head.revision,
        };
        if let Some((held, head)) = head(overrides::of(called)) {
            print.overrides.push((output.clone(), head.blob));
            beside.overrides.push(known((held, head)));
        }
        beside.beneath.extend(head(overrides::beneath(called)).map(known));
        beside.renamed.extend(now.map(|now| (output.clone(), now.clone())));
    }
    (print, beside)
}

fn outputs(world: &World<'_>, names: &[Resource]) -> Vec<(Resource, Option<Revision>)> {
    let head = |name: &Resource| world.heads.get(name).map(|head| head.revision);
    names.iter().map(|name| (name.clone(), head(name))).collect()
}
