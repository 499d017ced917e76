//! What a backfill makes of the inputs as they were at a version of main.

use anyhow::Result;
use esker_wire::backfill::About;
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::Resolve;

use super::book::Book;
use crate::commands::past;
use crate::reach::Hub;
use crate::say::hinted;

/// Where a resource is as one backfill, or the one adopted last, makes it of the inputs as they were.
pub(crate) fn recomputed(
    hub: &Hub,
    (resource, at): (&Resource, &At),
    id: &str,
) -> Result<(Branch, Revision)> {
    let ask = Resolve { at: at.clone(), branch: Branch::main(), zone: None };
    let commit = hub.call(&ask)?.revision;
    let books = match id {
        "" => adopted(hub, resource)?,
        id => vec![Book::find(hub, id)?],
    };
    let mut why = None;
    for book in books.iter().filter(|book| book.about.outputs.contains(resource)) {
        let Some(inputs) = inputs_at(hub, &book.about, commit)? else {
            continue;
        };
        match book.done.get(&inputs) {
            Some(done) if done.failed.is_none() => return Ok((book.branch.clone(), done.revision)),
            Some(done) => why = why.or(done.failed.clone()),
            None => {}
        }
    }
    let what = match why {
        Some(why) => format!("there is no {resource} recomputed as of {at}: {why}"),
        None => format!("there is no {resource} recomputed as of {at}"),
    };
    Err(hinted(what, "see: esker backfill list; `esker backfill STAGE` computes what is missing"))
}

/// The adopted backfills that make a resource, the one adopted last first.
fn adopted(hub: &Hub, resource: &Resource) -> Result<Vec<Book>> {
    let mut books = Book::all(hub)?;
    books.retain(|book| book.about.adopted.is_some() && book.about.outputs.contains(resource));
    books.sort_by_key(|book| std::cmp::Reverse(book.about.adopted));
    Ok(books)
}

/// The inputs of a backfill as they were at a commit; none if one was missing.
pub(super) fn inputs_at(hub: &Hub, about: &About, commit: Revision) -> Result<Option<Vec<Input>>> {
    let mut inputs = Vec::new();
    for resource in &about.inputs {
        match past::stat(hub, resource, &At::from(commit))? {
            Some(there) => {
                inputs.push(Input { resource: resource.clone(), revision: there.revision });
            }
            None if about.optional.contains(resource) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(inputs))
}
