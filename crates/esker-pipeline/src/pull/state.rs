//! What is remembered of a pull, read from beside what it brought.

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::Get;

use crate::plan::Run;
use crate::run::failure::Broken;
use crate::run::line::Line;
use crate::run::{Bench, Halt, may_pass};

/// A resource's content as of the commit that the run was planned with; none if there was none.
pub(super) fn read(
    place: (&Bench, &Line),
    run: &Run,
    resource: &Resource,
) -> Result<Option<Bytes>, Halt> {
    Ok(at(place, run, resource)?.map(|(_, bytes)| bytes))
}

/// The same, with its revision.
pub(super) fn at(
    (bench, line): (&Bench, &Line),
    run: &Run,
    resource: &Resource,
) -> Result<Option<(Revision, Bytes)>, Halt> {
    let Some(at) = run.at else {
        return Ok(None);
    };
    let request = Get {
        resource: resource.clone(),
        at: At::from(at),
        branch: Branch::main(),
        range: None,
        unless: None,
    };
    match line.ask(bench, &request)? {
        Ok(content) if content.entry.blob.is_none() => Ok(None),
        Ok(content) => Ok(Some((content.entry.revision, content.bytes.unwrap_or_default()))),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) if may_pass(&fault) => {
            Err(Halt::Again(format!("cannot read {resource}: {fault}")))
        }
        Err(fault) => {
            let summary = format!("cannot read {resource}: {}", fault.message);
            Err(Broken::new(summary, fault.hint).into())
        }
    }
}
