//! The whole history of a resource, page by page, so that its length does not matter.

use std::ops::ControlFlow;

use anyhow::Result;
use esker_wire::snapshot::{Entry, Log, Mark, Page};

use crate::reach::Hub;

/// How many revisions are asked for at once.
const PAGE: u32 = 1_000;

/// Visits the revisions of a log, newest first, until told to stop.
pub(super) fn walk(
    hub: &Hub,
    log: &Log,
    visit: impl FnMut(Entry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    turn(|after| hub.call(&Log { limit: PAGE, after, ..log.clone() }), visit)
}

/// Asks for page after page.
fn turn(
    mut page: impl FnMut(Option<Mark>) -> Result<Page>,
    mut visit: impl FnMut(Entry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut after = None;
    loop {
        let Page { entries, next } = page(after)?;
        for entry in entries {
            if visit(entry)?.is_break() {
                return Ok(());
            }
        }
        if next.is_none() {
            return Ok(());
        }
        after = next;
    }
}

#[cfg(test)]
mod tests;
