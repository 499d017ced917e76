//! Stages that see every version of their input: which they have seen, and which is next.
//!
//! How far such a stage is, its own last run says: the record, or the provenance of what it made if the record was
//! lost. Nothing else is kept, so it goes on after a crash where its effects end.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::Revision;

use crate::definition::Stage;
use crate::definition::ways::Mode;

use super::{Head, World};

/// A version of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// The commit that made it.
    pub(crate) revision: Revision,
    /// Its content.
    pub(crate) blob: Revision,
}

/// What a stage that sees every version has before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Queue {
    /// The versions of its input, oldest first: from its [`anchor`] on, or from the first if it has none.
    pub(crate) versions: Vec<Version>,
    /// A version that failed and was passed over, and that somebody wants tried again.
    pub(crate) again: Option<(Version, RunRecord)>,
}

/// The input of a stage that sees every version of it.
pub(crate) fn input(stage: &Stage) -> Option<&Resource> {
    match (stage.ways.mode, stage.inputs.as_slice()) {
        (Mode::Each, [input]) => Some(input),
        _ => None,
    }
}

/// The version of its input that a stage saw last, or is to see once more.
pub(crate) fn anchor(
    stage: &Stage,
    records: &BTreeMap<String, RunRecord>,
    heads: &BTreeMap<Resource, Head>,
) -> Option<Revision> {
    let input = input(stage)?;
    let recorded = records.get(&stage.name).and_then(|record| seen(&record.inputs, input));
    recorded.or_else(|| made_from(stage, input, heads))
}

/// The versions that a stage has yet to see, oldest first.
pub(super) fn pending<'a>(world: &World<'a>, stage: &Stage) -> &'a [Version] {
    let Some(input) = input(stage) else {
        return &[];
    };
    let versions = world.queues.get(&stage.name).map_or(&[][..], |queue| &queue.versions);
    let record = world.records.get(&stage.name).filter(|record| record.ended != Ended::Retry);
    let recorded = record.and_then(|record| seen(&record.inputs, input));
    // Who died between the PUT and the record has seen more than the record says.
    let marks = [recorded, made_from(stage, input, world.heads)];
    let marks = marks.into_iter().flatten();
    let passed = marks.filter_map(|mark| versions.iter().rposition(|one| one.revision == mark));
    let from = passed.max().map_or(0, |last| last + 1);
    &versions[from..]
}

fn made_from(
    stage: &Stage,
    input: &Resource,
    heads: &BTreeMap<Resource, Head>,
) -> Option<Revision> {
    let made = stage.outputs.iter().find_map(|output| heads.get(output)?.made.as_ref());
    made.and_then(|made| seen(&made.inputs, input))
}

/// The version of an input that was read.
pub(crate) fn seen(inputs: &[Input], input: &Resource) -> Option<Revision> {
    inputs.iter().find(|seen| seen.resource == *input).map(|seen| seen.revision)
}
