//! What is read for a wish: resources and their overrides, as of one commit.

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides::{self, Override};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, List};

use crate::run::Halt;

use super::case::{Case, passing};
use super::wish::Refusal;

/// Overrides, and since when they are these.
pub(super) type Held = (Vec<Override>, Revision);

/// A content that was found.
pub(super) struct Found {
    /// What the resource is called now.
    pub(super) resource: Resource,
    pub(super) bytes: Bytes,
    /// The commit that gave it.
    pub(super) revision: Revision,
    pub(super) content_type: Option<String>,
}

/// A resource at a commit of `main`.
pub(super) fn version(
    case: &Case<'_>,
    resource: &Resource,
    at: Revision,
) -> Result<Option<Found>, Halt> {
    get(case, resource, (Branch::main(), At::from(at)))
}

/// A resource on the what-if's own branch.
pub(super) fn own(case: &Case<'_>, resource: &Resource) -> Result<Option<Found>, Halt> {
    get(case, resource, (case.bench.branch.clone(), At::head()))
}

fn get(
    case: &Case<'_>,
    resource: &Resource,
    (branch, at): (Branch, At),
) -> Result<Option<Found>, Halt> {
    let get = Get { at, branch, ..Get::head(resource.clone()) };
    match case.ask(&get)? {
        Ok(content) => {
            let Entry { resource, revision, content_type, .. } = content.entry;
            Ok(content.bytes.map(|bytes| Found { resource, bytes, revision, content_type }))
        }
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(passing(fault)),
    }
}

/// The older names of resources of `main`, and what they are called now.
pub(super) fn renamed(case: &Case<'_>) -> Result<Vec<(Resource, Resource)>, Halt> {
    let prefix = overrides::PREFIX.to_owned();
    let list = List { prefix, older: true, ..List::all(Branch::main()) };
    Ok(case.ask(&list)?.map_err(passing)?.older)
}

/// The overrides of a resource at a commit of `main`, if there are any; why they cannot be read, if so.
pub(super) fn held(
    case: &Case<'_>,
    resource: &Resource,
    at: Revision,
) -> Result<Result<Option<Held>, Refusal>, Halt> {
    let Some(name) = overrides::of(resource) else {
        return Ok(Ok(None));
    };
    let Some(Found { bytes, revision, .. }) = version(case, &name, at)? else {
        return Ok(Ok(None));
    };
    Ok(match overrides::read(&bytes) {
        Ok(all) => Ok(Some((all, revision))),
        Err(fault) => Err(format!("{name}: {}", fault.message)),
    })
}
