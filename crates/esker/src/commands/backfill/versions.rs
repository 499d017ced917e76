//! The versions that a stage's inputs went through, in the order of the commits: each is one consistent cut.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use anyhow::Result;
use esker_wire::backfill::About;
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, Log, Stat};
use jiff::Timestamp;

use crate::commands::{pages, past};
use crate::reach::{Hub, found};
use crate::say::hinted;

/// How many versions one backfill goes through.
const VERSIONS_MAX: usize = 200_000;

/// Between which commits: the version that was current at the first, and all later ones up to the last.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    pub(super) from: Option<At>,
    pub(super) to: Option<At>,
}

/// The inputs as they were from one commit on.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// The commit.
    pub(super) commit: Revision,
    /// Its time.
    pub(super) time: Timestamp,
    /// The inputs that were there, and their contents.
    pub(super) inputs: Vec<(Input, Revision)>,
}

impl Version {
    /// The inputs alone.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.inputs.iter().map(|(input, _)| input.clone()).collect()
    }
}

/// The revisions of one input, oldest first.
#[derive(Default)]
struct History {
    steps: Vec<Entry>,
    places: HashMap<Revision, usize>,
    /// Whether the first of them was there before.
    is_begun: bool,
}

/// Every version of what a backfill reads, oldest first.
pub(super) fn all(hub: &Hub, about: &About, span: &Span) -> Result<Vec<Version>> {
    let mut histories = Vec::new();
    for resource in &about.inputs {
        histories.push(History::read(hub, resource, (about, span))?);
    }
    let steps = histories.iter().flat_map(|history| &history.steps);
    let commits: BTreeMap<Revision, Timestamp> =
        steps.map(|step| (step.revision, step.time)).collect();
    if commits.len() > VERSIONS_MAX {
        let what = format!("the inputs have more than {VERSIONS_MAX} versions");
        return Err(hinted(what, "begin later with --from, or end earlier with --to"));
    }
    let mut cuts = Vec::new();
    for (commit, time) in commits {
        if let Some(places) = places(hub, (&about.inputs, &histories), commit)? {
            cuts.push((places, commit, time));
        }
    }
    // Whatever comes later has at least one input further on, and none further back.
    cuts.sort_by_key(|(places, ..)| places.iter().flatten().map(|place| place + 1).sum::<usize>());
    let versions = cuts.into_iter().filter_map(|(places, commit, time)| {
        let inputs = inputs(about, &histories, &places)?;
        Some(Version { commit, time, inputs })
    });
    Ok(versions.collect())
}

/// The inputs at these places; none if one is missing that may not be.
fn inputs(
    about: &About,
    histories: &[History],
    places: &[Option<usize>],
) -> Option<Vec<(Input, Revision)>> {
    let mut inputs = Vec::new();
    for ((resource, history), place) in about.inputs.iter().zip(histories).zip(places) {
        let step = place.and_then(|place| history.steps.get(place));
        match step.and_then(|step| Some((step.revision, step.blob?))) {
            Some((revision, blob)) => {
                inputs.push((Input { resource: resource.clone(), revision }, blob));
            }
            None if about.optional.contains(resource) => {}
            None => return None,
        }
    }
    Some(inputs)
}

/// How far each input was at a commit; none if that was before the span.
fn places(
    hub: &Hub,
    (inputs, histories): (&[Resource], &[History]),
    commit: Revision,
) -> Result<Option<Vec<Option<usize>>>> {
    if let [only] = histories {
        return Ok(Some(vec![only.places.get(&commit).copied()]));
    }
    let mut places = Vec::new();
    for (resource, history) in inputs.iter().zip(histories) {
        let ask = Stat { resource: resource.clone(), at: commit.into(), branch: Branch::main() };
        let there = found(hub.call(&ask))?;
        let place = there.as_ref().and_then(|entry| history.places.get(&entry.revision));
        if place.is_none() && (there.is_some() || history.is_begun) {
            return Ok(None);
        }
        places.push(place.copied());
    }
    Ok(Some(places))
}

impl History {
    fn read(hub: &Hub, resource: &Resource, (about, span): (&About, &Span)) -> Result<Self> {
        let log = Log { resource: Some(resource.clone()), ..Log::newest(1) };
        if found(hub.call(&log))?.is_none() {
            if about.optional.contains(resource) {
                return Ok(Self::default());
            }
            let hint = "there is nothing to compute from; `esker ls` lists what there is";
            return Err(hinted(format!("there is no {resource} yet"), hint));
        }
        let filter =
            Filter { since: span.from.clone(), until: span.to.clone(), ..Filter::default() };
        let mut steps = Vec::new();
        pages::walk(hub, &Log { filter, ..log }, |entry| {
            steps.push(entry);
            let is_full = steps.len() > VERSIONS_MAX;
            Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let before = match (&span.from, steps.last()) {
            (None, _) => None,
            (Some(_), Some(oldest)) => oldest.previous.map(At::from),
            (Some(_), None) => Some(span.to.clone().unwrap_or_else(At::head)),
        };
        let before = before.map(|at| past::stat(hub, resource, &at)).transpose()?.flatten();
        let is_begun = before.is_some();
        steps.extend(before);
        steps.reverse();
        let places = steps.iter().enumerate().map(|(at, step)| (step.revision, at)).collect();
        Ok(Self { steps, places, is_begun })
    }
}
