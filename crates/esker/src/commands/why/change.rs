//! The changes of one cell: the history of a resource is walked back, and the cell is looked up in each version.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_wire::name::Resource;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, Get, Log};
use jiff::Timestamp;

use super::cell::{Spot, Wanted};
use crate::commands::pages;
use crate::reach::{Hub, found};
use crate::say::{self, hinted};

/// How many versions are looked at.
const VERSIONS_MAX: usize = 5_000;
/// How long the history is walked.
const WALK_MAX: Duration = Duration::from_secs(60);
/// How many rows are named where several are meant.
const NAMED_MAX: usize = 5;

/// A change of the cell.
pub(super) struct Change {
    pub(super) entry: Entry,
    pub(super) spot: Option<Spot>,
    pub(super) before: Option<Spot>,
}

/// What walking back has found.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) changes: Vec<Change>,
    /// How many versions were looked at.
    pub(super) looked: usize,
    /// The last one looked at, if there are more.
    pub(super) cut: Option<(Revision, Timestamp)>,
    /// Whether the cell was in any of them.
    pub(super) is_known: bool,
    /// Where it was last seen, which says which of several is meant.
    label: Option<String>,
}

/// Walks back from a version: to the last change, or to all of them.
pub(super) fn walk(
    hub: &Hub,
    (resource, at, since): (&Resource, At, Option<At>),
    wanted: &Wanted,
    all: bool,
) -> Result<Walk> {
    let begun = Instant::now();
    let filter = Filter { since, ..Filter::default() };
    let log = Log { resource: Some(resource.clone()), at, filter, ..Log::newest(0) };
    let mut walk = Walk::default();
    let mut known: Option<(Revision, Option<Spot>)> = None;
    pages::walk(hub, &log, |entry| {
        if walk.looked == VERSIONS_MAX || begun.elapsed() > WALK_MAX {
            walk.cut = Some((entry.revision, entry.time));
            return Ok(ControlFlow::Break(()));
        }
        let spot = match known.take() {
            Some((revision, spot)) if revision == entry.revision => spot,
            _ => walk.look(hub, (&entry.resource, entry.revision), wanted)?,
        };
        walk.looked += 1;
        let before = match entry.previous {
            Some(previous) => walk.look(hub, (&entry.resource, previous), wanted)?,
            None => None,
        };
        known = entry.previous.map(|previous| (previous, before.clone()));
        let value = |spot: &Option<Spot>| spot.as_ref().map(|spot| spot.value.clone());
        if value(&spot) != value(&before) {
            walk.changes.push(Change { entry, spot, before });
            if !all {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(walk)
}

impl Walk {
    /// The cell in one version.
    fn look(
        &mut self,
        hub: &Hub,
        (resource, revision): (&Resource, Revision),
        wanted: &Wanted,
    ) -> Result<Option<Spot>> {
        let get = Get { at: revision.into(), ..Get::head(resource.clone()) };
        let content = found(hub.call(&get));
        let content = content
            .with_context(|| format!("cannot look at {} of {resource}", revision.short()))?;
        // Where it was removed there is no cell.
        let Some(content) = content else {
            return Ok(None);
        };
        let content = content.bytes.unwrap_or_default();
        let spots = wanted.find(&content).map_err(anyhow::Error::msg);
        let spots = spots.with_context(|| format!("cannot read {}", revision.short()))?;
        let spot = match (&self.label, spots.as_slice()) {
            (None, [_, _, ..]) => return Err(ambiguous(resource, wanted, &spots)),
            (Some(label), _) => spots.iter().find(|spot| spot.label == *label),
            (None, spots) => spots.first(),
        };
        if let Some(spot) = spot {
            self.label = Some(spot.label.clone());
            self.is_known = true;
        }
        Ok(spot.cloned())
    }
}

fn ambiguous(resource: &Resource, wanted: &Wanted, spots: &[Spot]) -> anyhow::Error {
    let labels: Vec<&str> = spots.iter().take(NAMED_MAX).map(|spot| spot.label.as_str()).collect();
    let what = format!(
        "{} rows of {resource} have {}: {}",
        spots.len(),
        wanted.keys.join(" "),
        labels.join(", ")
    );
    hinted(what, "name one row: --key COLUMN=CELL, several times, or --stream STREAM")
}

/// What is to be said where there is no change to tell.
pub(super) fn nothing(resource: &Resource, wanted: &Wanted, walk: &Walk) -> anyhow::Error {
    let key = if wanted.keys.is_empty() {
        "".to_owned()
    } else {
        format!(" of {}", wanted.keys.join(" "))
    };
    let field = &wanted.field;
    if !walk.is_known && walk.cut.is_none() {
        let what = format!("no version of {resource} looked at has a {field}{key}");
        return hinted(what, format!("`esker get {resource}` shows its rows and columns"));
    }
    let looked = format!("{field}{key} did not change in the {} versions looked at", walk.looked);
    match walk.cut {
        Some((revision, time)) => {
            let what = format!("{looked}, back to {}", say::time(time));
            let hint = format!("look further back from there: esker why {resource}@{revision} …");
            hinted(what, hint)
        }
        None => hinted(looked, "without --since the whole history is looked at"),
    }
}
