//! The steps of a run that are taken again for inputs of the past: nothing is stored, nothing is kept aside.

use std::collections::BTreeMap;

use bytes::Bytes;
use esker_wire::name::Resource;
use esker_wire::provenance::Provenance;

use crate::definition::Stage;
use crate::plan::Run;

use super::line::Line;
use super::{Began, Bench, Halt, Keep, Made};
use super::{compute, gate, memo, overlay, plain_key, stamp, store};

/// When a step began, for what is said of it later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start(Began);

impl Start {
    pub(crate) fn now() -> Self {
        Self(Began::now())
    }
}

/// What an earlier run has made for the same key, if one has.
pub(crate) fn recall(
    (bench, line): (&Bench, &Line),
    run: &Run,
    stage: &Stage,
) -> Result<Option<Made>, Halt> {
    line.heed()?;
    let known = memo::find((bench, line), run, &plain_key(run, stage))?;
    known.map(|made| overlay::apply((bench, line), run, made)).transpose()
}

/// What the program makes.
pub(crate) fn make((bench, line): (&Bench, &Line), run: &Run, stage: &Stage) -> Result<Made, Halt> {
    line.heed()?;
    let made = compute((bench, line), run, stage, Keep::Nothing)?;
    overlay::apply((bench, line), run, made)
}

/// Holds it against the stage's checks, with these contents as the versions before; what warnings there are.
pub(crate) fn judge(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (stage, contents): (&Stage, Vec<(Resource, Bytes)>),
    before: BTreeMap<Resource, Option<Bytes>>,
) -> Result<Vec<String>, Halt> {
    let made = Made::new(contents, None);
    gate::pass_then((bench, line), run, (&stage.gate, made), before).map(|made| made.warnings)
}

/// Whether it is in essence what is at the heads the run names, as the stage's `stamp` sees it.
pub(crate) fn is_same(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (stage, contents): (&Stage, Vec<(Resource, Bytes)>),
) -> Result<bool, Halt> {
    match &stage.stamp {
        Some(stamp) => stamp::is_same((bench, line), run, stamp, &Made::new(contents, None)),
        None => Ok(false),
    }
}

/// What a run of the past says of itself.
pub(crate) fn provenance(bench: &Bench, run: &Run, start: Start, exit: i32) -> Provenance {
    store::provenance(bench, run, start.0, exit)
}
