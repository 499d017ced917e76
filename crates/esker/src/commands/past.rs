//! What replay and backfill share: the stage that is run, and resources as they were.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_pipeline::definition::{Definition, Stage};
use esker_pipeline::past::{Options, Past, Then};
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::provenance::Input;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, Stat};
use indicatif::{ProgressBar, ProgressStyle};

use crate::reach::{Hub, found};
use crate::say::hinted;

/// What is to be run, as the command line says.
pub(super) struct Wanted {
    pub(super) dir: PathBuf,
    pub(super) stage: String,
    pub(super) with: Option<Vec<String>>,
    pub(super) recall: bool,
}

/// The stage, ready to be run.
pub(super) fn open(hub: &Hub, definition: Definition, wanted: Wanted) -> Result<Past> {
    let options = Options {
        dir: wanted.dir,
        esker: std::env::current_exe().context("cannot find this program's own file")?,
        caller: hub.caller(),
        definition,
        stage: wanted.stage,
        with: wanted.with,
        recall: wanted.recall,
    };
    Past::open(options).map_err(|error| hinted(error.to_string(), error.hint()))
}

/// The definition in a folder.
pub(super) fn definition(dir: &std::path::Path) -> Result<Definition> {
    Definition::load(dir).map_err(|_| {
        let what = format!("cannot use the definition in {}", dir.display());
        hinted(what, "run: esker check")
    })
}

/// A resource at a version; none if it was not there.
pub(super) fn stat(hub: &Hub, resource: &Resource, at: &At) -> Result<Option<Entry>> {
    let ask = Stat { resource: resource.clone(), at: at.clone(), branch: Branch::main() };
    let entry = found(hub.call(&ask))?;
    Ok(entry.filter(|entry| entry.blob.is_some()))
}

/// What a resource held; none if it was not there.
pub(super) fn content(
    hub: &Hub,
    resource: &Resource,
    (branch, at): (&Branch, Revision),
) -> Result<Option<Bytes>> {
    let (at, branch) = (At::from(at), branch.clone());
    let ask = Get { at, branch, ..Get::head(resource.clone()) };
    Ok(found(hub.call(&ask))?.and_then(|content| content.bytes))
}

/// The inputs of a stage as of a commit, and its outputs of then; the name of an input that was not there.
pub(super) fn then(
    hub: &Hub,
    stage: &Stage,
    commit: Revision,
) -> Result<std::result::Result<Then, Resource>> {
    let at = At::from(commit);
    let mut inputs = Vec::new();
    for resource in &stage.inputs {
        match stat(hub, resource, &at)? {
            Some(entry) => inputs.extend(entry.blob.map(|blob| {
                (Input { resource: resource.clone(), revision: entry.revision }, blob)
            })),
            None if stage.ways.optional.contains(resource) => {}
            None => return Ok(Err(resource.clone())),
        }
    }
    let (mut before, mut overridden) = (Vec::new(), Vec::new());
    for resource in &stage.outputs {
        let entry = stat(hub, resource, &at)?;
        before.push((resource.clone(), entry.map(|entry| entry.revision)));
        if let Some(held) = overrides::of(resource)
            && let Some(entry) = stat(hub, &held, &at)?
            && let Some(blob) = entry.blob
        {
            overridden.push((Input { resource: held, revision: entry.revision }, blob));
        }
    }
    Ok(Ok(Then { at: commit, inputs, before, overrides: overridden }))
}

/// What outputs held, if the stage has checks that may ask.
pub(super) fn before(
    hub: &Hub,
    stage: &Stage,
    (branch, outputs): (&Branch, &[(Resource, Option<Revision>)]),
) -> Result<BTreeMap<Resource, Option<Bytes>>> {
    let mut held = BTreeMap::new();
    for (resource, revision) in outputs {
        let bytes = match revision {
            Some(revision) if !stage.gate.is_open() => content(hub, resource, (branch, *revision))?,
            _ => None,
        };
        held.insert(resource.clone(), bytes);
    }
    Ok(held)
}

/// `raw/plan 2b7e151628, raw/notes 9d4e1e23bd`.
pub(super) fn named(inputs: &[Input]) -> String {
    let inputs =
        inputs.iter().map(|input| format!("{} {}", input.resource, input.revision.short()));
    inputs.collect::<Vec<_>>().join(", ")
}

/// A bar on standard error, if that is a terminal.
pub(super) fn bar(count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {eta_precise}  {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
