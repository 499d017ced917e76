//! The last runs of a stage, as its records tell them and, before those, the commits of its outputs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use anyhow::Result;
use esker_pipeline::definition::Stage;
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Log, Resolve};
use jiff::Timestamp;

use crate::commands::{pages, past};
use crate::reach::{Hub, found};
use crate::say;

/// One run there was.
#[derive(Debug)]
pub(in crate::commands) struct Old {
    /// When it started.
    pub(in crate::commands) started: Timestamp,
    /// What it read.
    pub(in crate::commands) inputs: Vec<Input>,
    /// What it left, or why it failed.
    pub(super) left: Result<Vec<Input>, String>,
}

/// The last runs on different inputs, newest first; of several on the same, the last.
pub(super) fn last(hub: &Hub, stage: &Stage, count: usize) -> Result<Vec<Old>> {
    let mut runs = Runs { seen: BTreeSet::new(), found: Vec::new(), count };
    let resource = RunRecord::resource(&stage.name)?;
    let log = Log { resource: Some(resource.clone()), branch: Branch::records(), ..Log::newest(0) };
    found(pages::walk(hub, &log, |entry| {
        if entry.blob.is_some() {
            runs.recorded(hub, &resource, entry.revision)?;
        }
        Ok(runs.flow())
    }))?;
    let Some(first) = stage.outputs.first().filter(|_| runs.flow().is_continue()) else {
        return Ok(runs.found);
    };
    let log = Log { resource: Some(first.clone()), ..Log::newest(0) };
    found(pages::walk(hub, &log, |entry| {
        runs.stored(hub, stage, &entry)?;
        Ok(runs.flow())
    }))?;
    Ok(runs.found)
}

struct Runs {
    seen: BTreeSet<Vec<Input>>,
    found: Vec<Old>,
    count: usize,
}

impl Runs {
    fn flow(&self) -> ControlFlow<()> {
        if self.found.len() < self.count {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Takes in what a record tells. One that is to be tried again has not ended.
    fn recorded(&mut self, hub: &Hub, resource: &Resource, at: Revision) -> Result<()> {
        let bytes = past::content(hub, resource, (&Branch::records(), at))?;
        let record = match RunRecord::from_bytes(&bytes.unwrap_or_default()) {
            Ok(record) => record,
            Err(fault) => {
                say::note(format!("skipping {resource}@{}: {fault}", at.short()));
                return Ok(());
            }
        };
        let left = match record.ended {
            Ended::Retry => return Ok(()),
            Ended::Stored | Ended::Unchanged => Ok(record.outputs),
            Ended::Problem => Err(record.failure.map(|one| one.summary).unwrap_or_default()),
        };
        self.add(Old { started: record.started, inputs: record.inputs, left });
        Ok(())
    }

    /// Takes in what a commit of an output tells.
    fn stored(&mut self, hub: &Hub, stage: &Stage, entry: &Entry) -> Result<()> {
        let Some(made) = entry.provenance.as_ref().filter(|made| made.stage == stage.name) else {
            return Ok(());
        };
        let mut left = Vec::new();
        for resource in &stage.outputs {
            let there = past::stat(hub, resource, &At::from(entry.revision))?;
            left.extend(
                there.map(|there| Input { resource: resource.clone(), revision: there.revision }),
            );
        }
        self.add(Old { started: made.started, inputs: made.inputs.clone(), left: Ok(left) });
        Ok(())
    }

    fn add(&mut self, run: Old) {
        if self.seen.insert(run.inputs.clone()) {
            self.found.push(run);
        }
    }
}

/// A commit at which the run's inputs were as it read them: that before the commit it made, or the newest of them.
pub(super) fn cut(hub: &Hub, run: &Old) -> Result<Option<Revision>> {
    let mut candidates = Vec::new();
    if let Some(left) = run.left.as_ref().ok().and_then(|left| left.first()) {
        let parent = format!("{}~1", left.revision).parse::<At>()?;
        let ask = Resolve { at: parent, branch: Branch::main(), zone: None };
        candidates.extend(found(hub.call(&ask))?.map(|parent| parent.revision));
    }
    candidates.extend(run.inputs.iter().map(|input| input.revision));
    for commit in candidates {
        if fits(hub, run, commit)? {
            return Ok(Some(commit));
        }
    }
    Ok(None)
}

fn fits(hub: &Hub, run: &Old, commit: Revision) -> Result<bool> {
    for input in &run.inputs {
        let then = past::stat(hub, &input.resource, &At::from(commit))?;
        if then.map(|then| then.revision) != Some(input.revision) {
            return Ok(false);
        }
    }
    Ok(true)
}
