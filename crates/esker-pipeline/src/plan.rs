//! The planner: what to run now, decided from values alone.
//!
//! It compares what is with what should be and remembers nothing: a lost, repeated or late event changes
//! when it is asked, never what it answers. Whatever it is asked from must be one cut of the store.

pub(crate) mod each;
mod join;
mod standing;

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use esker_wire::name::Resource;
use esker_wire::overrides;
use esker_wire::provenance::Input;
use esker_wire::record::{DEFINITION, RunRecord};
use esker_wire::revision::Revision;
use jiff::Timestamp;

use crate::definition::ways::Join;
use crate::definition::{Definition, Source, Stage};
use crate::key::Print;

use self::each::{Queue, Version};
use self::standing::Standing;

/// The newest version of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The commit that made it.
    pub(crate) revision: Revision,
    /// Its content.
    pub(crate) blob: Revision,
    /// The run that made it, if one did.
    pub(crate) made: Option<Made>,
    /// What it is called now, where it is found by an older name.
    pub(crate) now: Option<Resource>,
}

impl Head {
    /// It as a version.
    pub(crate) fn version(&self) -> Version {
        Version { revision: self.revision, blob: self.blob }
    }
}

/// The run that made a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// Its key.
    pub(crate) run_key: String,
    /// When it began.
    pub(crate) started: Timestamp,
    /// What it read.
    pub(crate) inputs: Vec<Input>,
}

/// Everything the planner looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    /// What should be.
    pub(crate) definition: &'a Definition,
    /// The commit the heads were read at; none before the first.
    pub(crate) at: Option<Revision>,
    /// The heads of `main`, all as of `at`.
    pub(crate) heads: &'a BTreeMap<Resource, Head>,
    /// The record of each last run, by source or stage.
    pub(crate) records: &'a BTreeMap<String, RunRecord>,
    /// What each source and stage depends on besides its inputs, by name.
    pub(crate) prints: &'a BTreeMap<String, Print>,
    /// What stages that see every version of their input have before them, by name.
    pub(crate) queues: &'a BTreeMap<String, Queue>,
    /// What is running, and the key it runs for.
    pub(crate) busy: &'a BTreeMap<String, String>,
    /// What is to be left alone for a moment, because nothing came of its last runs.
    pub(crate) held: &'a BTreeSet<String>,
    /// The time.
    pub(crate) now: Timestamp,
}

/// What to do, and how everything stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Plan {
    /// Start these; they fit within the definition's `jobs` together with what is running.
    pub(crate) runs: Vec<Run>,
    /// Stop these, and run them again for what is newer.
    pub(crate) stop: Vec<String>,
    /// Look again at this time at the latest.
    pub(crate) wake: Option<Timestamp>,
    /// How every source and stage stands.
    pub(crate) states: BTreeMap<String, State>,
    /// When each source that has a schedule runs next.
    pub(crate) next: BTreeMap<String, Timestamp>,
    /// Records to write: of failures that are over without a run, because the outputs are what they should be.
    pub(crate) settle: Vec<RunRecord>,
    /// Names whose records belong to nothing in the definition any more.
    pub(crate) forget: Vec<String>,
}

/// How a source or stage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its outputs are what they should be.
    Fresh,
    /// It is running.
    Running,
    /// It is to run as soon as it may.
    Stale,
    /// It cannot run yet; the text says what for it waits.
    Waiting(String),
    /// It failed and is tried again by itself then.
    Retry(Timestamp),
    /// It failed and is not tried again until something changes or someone asks.
    Problem,
}

/// What runs: a part of the definition, as it was when the run was planned.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// A source.
    Source(Source),
    /// A stage.
    Stage(Stage),
}

/// One run to start.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The source or stage.
    pub(crate) task: Task,
    /// What it is run for.
    pub(crate) run_key: String,
    /// What its key was made from.
    pub(crate) print: Print,
    /// The commit its inputs are read at.
    pub(crate) at: Option<Revision>,
    /// Its inputs, in the definition's order.
    pub(crate) inputs: Vec<Input>,
    /// The contents of its inputs, in the same order.
    pub(crate) blobs: Vec<Revision>,
    /// Its outputs and their heads at `at`: the outputs are stored only if these are still the heads.
    pub(crate) outputs: Vec<(Resource, Option<Revision>)>,
    /// The overrides of its outputs at `at`, as versions of the resources that hold them.
    pub(crate) overrides: Vec<Input>,
    /// What was made of its outputs before overrides changed it, as far as that is kept.
    pub(crate) beneath: Vec<Input>,
    /// Its outputs that have another name now, and that.
    pub(crate) renamed: Vec<(Resource, Resource)>,
    /// How often the same key has failed before, and since when.
    pub(crate) failed: Option<(u32, Timestamp)>,
    /// Whether it is for a version that failed before and was passed over.
    pub(crate) again: bool,
}

impl PartialEq for Run {
    /// Runs of one name for one key against the same heads are the same run.
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.run_key == other.run_key
            && self.at == other.at
            && self.outputs == other.outputs
    }
}

impl Run {
    /// Everything it reads: its inputs, then the overrides of its outputs.
    pub(crate) fn read(&self) -> Vec<Input> {
        self.inputs.iter().chain(&self.overrides).cloned().collect()
    }

    /// Its outputs as they were when it was planned, as far as they existed.
    pub(crate) fn there(&self) -> Vec<Input> {
        let there = |(name, head): &(Resource, Option<Revision>)| {
            head.map(|revision| Input { resource: name.clone(), revision })
        };
        self.outputs.iter().filter_map(there).collect()
    }

    /// Where what it made last is, before overrides changed it: an output itself, or what is kept of it.
    pub(crate) fn plain(&self, output: &Resource, head: Revision) -> Input {
        let itself = || Input { resource: output.clone(), revision: head };
        self.kept_beneath(output).cloned().unwrap_or_else(itself)
    }

    /// What is kept of an output as it was before overrides changed it.
    pub(crate) fn kept_beneath(&self, output: &Resource) -> Option<&Input> {
        let beneath = overrides::beneath(self.called(output))?;
        self.beneath.iter().find(|kept| kept.resource == beneath)
    }

    /// The output whose overrides a resource holds.
    pub(crate) fn overridden_by(&self, held: &Input) -> Option<Resource> {
        let called = overrides::whose(&held.resource)?;
        let mut outputs = self.outputs.iter().map(|(output, _)| output);
        outputs.find(|output| *self.called(output) == called).cloned()
    }

    /// What an output is called now: the definition may say an older name.
    pub(crate) fn called<'a>(&'a self, output: &'a Resource) -> &'a Resource {
        let now = self.renamed.iter().find(|(older, _)| older == output);
        now.map_or(output, |(_, now)| now)
    }

    /// Whether its inputs may come from different versions of what they have in common.
    fn takes_any(&self) -> bool {
        matches!(&self.task, Task::Stage(stage) if stage.ways.join == Join::Any)
    }

    /// The pool it runs in, if it is in one.
    fn pool(&self) -> Option<&str> {
        match &self.task {
            Task::Source(_) => None,
            Task::Stage(stage) => stage.ways.pool.as_deref(),
        }
    }

    /// Whether somebody asked for it: a failure that counts as none yet.
    pub(crate) fn is_asked(&self) -> bool {
        self.failed.is_some_and(|(count, _)| count == 0)
    }

    /// How much it is preferred to others.
    fn priority(&self) -> u32 {
        match &self.task {
            Task::Source(_) => 0,
            Task::Stage(stage) => stage.ways.priority,
        }
    }

    /// The source's or stage's name.
    pub(crate) fn name(&self) -> &str {
        match &self.task {
            Task::Source(source) => &source.name,
            Task::Stage(stage) => &stage.name,
        }
    }
}

/// Decides what to run now. The stages in `fresh` are known to be so.
pub(crate) fn plan(world: &World<'_>, fresh: &HashSet<String>) -> Plan {
    let mut plan = Plan::default();
    let mut ready = Vec::new();
    let standings = standings(world, fresh);
    // Where nothing is to run, nothing has to wait for it.
    let above = LazyCell::new(|| {
        let ancestry = join::Ancestry::of(world.definition);
        let unsettled = standings.iter().filter(|(_, standing)| standing.is_unsettled());
        let unsettled = ancestry.set(unsettled.map(|(name, _)| *name));
        (ancestry, unsettled)
    });
    for (name, standing) in &standings {
        plan.wake = earlier(plan.wake, standing.wake());
        if let Some(next) = standing.next() {
            plan.next.insert((*name).to_owned(), next);
        }
        plan.settle.extend(standing.settle().cloned());
        plan.stop.extend(standing.is_overtaken().then(|| (*name).to_owned()));
        let mut state = standing.state();
        if let Some(run) = standing.run() {
            let (ancestry, unsettled) = &*above;
            let above = ancestry.holds(name, unsettled);
            match above.filter(|_| !run.takes_any()) {
                Some(above) => state = State::Waiting(format!("for stage {above}")),
                None if world.held.contains(*name) => {}
                None => ready.push(run.clone()),
            }
        }
        plan.states.insert((*name).to_owned(), state);
    }
    // Among equals what has not run for the longest goes first, so that a busy stage cannot starve the others.
    ready.sort_by_key(|run| {
        let started = world.records.get(run.name()).map(|record| record.started);
        (Reverse(run.priority()), started)
    });
    plan.runs = fitting(world, ready);
    plan.forget = forgotten(world);
    plan
}

fn standings<'a>(world: &World<'a>, fresh: &HashSet<String>) -> Vec<(&'a str, Standing)> {
    let of_stage = |stage: &Stage| {
        if fresh.contains(&stage.name) {
            return Standing::Fresh { next: None, settle: None };
        }
        standing::of_stage(world, stage)
    };
    let sources = world.definition.sources.iter();
    let stages = world.definition.stages.iter();
    sources
        .map(|source| (source.name.as_str(), standing::of_source(world, source)))
        .chain(stages.map(|stage| (stage.name.as_str(), of_stage(stage))))
        .collect()
}

/// The first of these that fit within the `jobs` of all and of their pools, together with what is running.
fn fitting(world: &World<'_>, ready: Vec<Run>) -> Vec<Run> {
    let definition = world.definition;
    let mut free = definition.jobs.saturating_sub(world.busy.len());
    let mut pools: BTreeMap<&str, usize> =
        definition.pools.iter().map(|(name, jobs)| (name.as_str(), *jobs)).collect();
    let busy = definition.stages.iter().filter(|stage| world.busy.contains_key(&stage.name));
    for pool in busy.filter_map(|stage| stage.ways.pool.as_deref()) {
        pools.entry(pool).and_modify(|left| *left = left.saturating_sub(1));
    }
    let mut fits = |run: &Run| {
        let pool = run.pool().and_then(|pool| pools.get_mut(pool));
        if free == 0 || pool.as_ref().is_some_and(|left| **left == 0) {
            return false;
        }
        free -= 1;
        pool.into_iter().for_each(|left| *left -= 1);
        true
    };
    ready.into_iter().filter(|run| fits(run)).collect()
}

fn forgotten(world: &World<'_>) -> Vec<String> {
    let known: HashSet<&str> = world.definition.names().collect();
    let names = world.records.keys();
    names
        .filter(|name| *name != DEFINITION && !known.contains(name.as_str()))
        .filter(|name| !world.busy.contains_key(*name) && !world.definition.tells(name))
        .cloned()
        .collect()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
