//! The whole history of a resource, page by page, so that its length does not matter.

use std::ops::ControlFlow;

use anyhow::Result;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::At;
use esker_wire::snapshot::{Entry, Log};

use crate::reach::Hub;

/// How many revisions are asked for at once.
const PAGE: u32 = 1_000;

/// Visits the revisions of a resource as of a version, newest first, until told to stop.
pub(super) fn walk(
    hub: &Hub,
    resource: &Resource,
    at: At,
    visit: impl FnMut(Entry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let page = |at| {
        let (resource, branch) = (Some(resource.clone()), Branch::main());
        hub.call(&Log { resource, at, branch, limit: PAGE })
    };
    turn(page, at, visit)
}

/// Asks for page after page: the next one begins at the revision before the last one of this.
fn turn(
    mut page: impl FnMut(At) -> Result<Vec<Entry>>,
    at: At,
    mut visit: impl FnMut(Entry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut next = Some(at);
    while let Some(at) = next.take() {
        for entry in page(at)? {
            next = entry.previous.map(At::from);
            if visit(entry)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
