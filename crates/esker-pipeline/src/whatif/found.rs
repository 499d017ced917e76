//! What is read for a wish: resources and their overrides, as of one commit.

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides::{self, Override};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get};

use crate::run::Halt;

use super::case::{Case, passing};

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

/// The overrides of a resource at a commit of `main`, if there are any: where they are, what they are, and since when.
pub(super) fn held(
    case: &Case<'_>,
    resource: &Resource,
    at: Revision,
) -> Result<Option<(Resource, Vec<Override>, Revision)>, Halt> {
    let Some(name) = overrides::of(resource) else {
        return Ok(None);
    };
    let Some(Found { bytes, revision, .. }) = version(case, &name, at)? else {
        return Ok(None);
    };
    let all = overrides::read(&bytes).map_err(|fault| {
        tracing::warn!(%fault, %name, "cannot be read");
        Halt::Again(fault.to_string())
    })?;
    Ok(Some((name, all, revision)))
}
