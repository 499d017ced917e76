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
    mut visit: impl FnMut(Entry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut at = Some(at);
    while let Some(from) = at.take() {
        let branch = Branch::main();
        let log = Log { resource: Some(resource.clone()), at: from, branch, limit: PAGE };
        for entry in hub.call(&log)? {
            at = entry.previous.map(At::from);
            if visit(entry)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
