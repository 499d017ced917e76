//! What is remembered of a pull, read from beside what it brought.

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::Get;
use serde_json::Value;

use crate::key::sha256;
use crate::plan::Run;
use crate::run::failure::Broken;
use crate::run::line::Line;
use crate::run::{Bench, Halt, Made, may_pass};

use super::Errand;

/// The hash of the content, in what is remembered.
const CONTENT: &str = "content";
/// What the content was fetched for.
const RUN_KEY: &str = "run_key";

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

/// What the last pull has left, if it is of the version that is there, and was asked for as it would be now.
pub(super) fn known(errand: &Errand<'_>) -> Result<Option<Value>, Halt> {
    let [(_, Some(output)), (kept, Some(state))] = errand.run.outputs.as_slice() else {
        return Ok(None);
    };
    // Both are of one commit, or someone else has changed one of them.
    if output != state {
        return Ok(None);
    }
    let bytes = read((errand.bench, errand.line), errand.run, kept)?;
    let value: Value = serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default();
    let is_ours = value.get(RUN_KEY).and_then(Value::as_str) == Some(errand.run.run_key.as_str());
    Ok(is_ours.then_some(value))
}

/// A content and what is to be remembered with it, unless the content is what is there already: then what is
/// remembered of that is as good.
pub(super) fn made(
    errand: &Errand<'_>,
    known: Option<&Value>,
    (bytes, content_type): (Bytes, Option<&'static str>),
    mut kept: Value,
) -> Result<Made, Halt> {
    let hash = sha256(&bytes);
    if known.and_then(|known| known.get(CONTENT)).and_then(Value::as_str) == Some(&hash) {
        return Err(Halt::Unchanged);
    }
    kept[CONTENT] = hash.into();
    kept[RUN_KEY] = errand.run.run_key.as_str().into();
    let state = errand.source.state().map(|name| (name, format!("{kept:#}\n").into()));
    let contents = vec![(errand.source.output.clone(), bytes)];
    Ok(Made::new(contents, content_type).with_state(state))
}
