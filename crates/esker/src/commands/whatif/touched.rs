//! Which resources are otherwise in a what-if.

use std::collections::BTreeSet;

use anyhow::Result;
use bytes::Bytes;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::revision::At;
use esker_wire::snapshot::{Diff, Difference, Filter, Form, Get, Log, Stat};
use esker_wire::whatif::{self, state::State};

use crate::commands::{diff, pages};
use crate::reach::{Hub, found};

use super::Case;

/// How many names are told one by one.
const NAMED_MAX: usize = 5;

/// A resource that is otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Other,
    New,
    Gone,
}

impl How {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Other => "another",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// The resources that have another content than at the base, by name; the what-if's own are left out, and overrides:
/// what they make of others is told.
pub(super) fn all(hub: &Hub, case: &Case) -> Result<Vec<(Resource, How)>> {
    let filter = Filter { since: Some(At::from(case.about.base)), ..Filter::default() };
    let log = Log { branch: case.branch.clone(), filter, ..Log::newest(1) };
    let mut names = BTreeSet::new();
    pages::walk(hub, &log, |entry| {
        let name = &entry.resource;
        if !name.as_str().starts_with(whatif::OWN) && !overrides::is_beside(name) {
            names.insert(entry.resource);
        }
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    let mut all = Vec::new();
    for resource in names {
        let blob = |at: At, branch: &Branch| -> Result<_> {
            let stat = Stat { resource: resource.clone(), at, branch: branch.clone() };
            Ok(found(hub.call(&stat))?.and_then(|entry| entry.blob))
        };
        let old = blob(At::from(case.about.base), &Branch::main())?;
        let new = blob(At::head(), &case.branch)?;
        all.extend(match (old, new) {
            (old, new) if old == new => None,
            (None, _) => Some((resource, How::New)),
            (_, None) => Some((resource, How::Gone)),
            _ => Some((resource, How::Other)),
        });
    }
    Ok(all)
}

/// What came of it, in one sentence.
pub(super) fn told(hub: &Hub, case: &Case, state: &State) -> Result<String> {
    let touched = all(hub, case)?;
    let is_edited = |resource: &Resource| state.edited.contains(resource);
    let (edited, made): (Vec<_>, Vec<_>) = touched.iter().partition(|(name, _)| is_edited(name));
    let mut parts = Vec::new();
    for (resource, how) in edited.iter().take(NAMED_MAX) {
        let summary = match how {
            How::Other => difference(hub, case, resource, Form::Auto).ok(),
            _ => None,
        };
        let summary = summary.map(|difference| diff::summary(&difference)).transpose()?;
        parts.push(format!("{resource}: {}", summary.as_deref().unwrap_or(how.word())));
    }
    if edited.len() > NAMED_MAX {
        parts.push(format!("{} more are changed", edited.len() - NAMED_MAX));
    }
    parts.extend(match made.as_slice() {
        [] => None,
        [(only, how)] => Some(format!("{only} is {}", how.word())),
        several => {
            let names = several.iter().take(NAMED_MAX).map(|(name, _)| name.as_str());
            let more = match several.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Some(format!("{}{more} are others", names.collect::<Vec<_>>().join(", ")))
        }
    });
    Ok(if parts.is_empty() { "nothing is otherwise".to_owned() } else { parts.join("; ") })
}

/// How a resource differs from what it is at the base.
pub(super) fn difference(
    hub: &Hub,
    case: &Case,
    resource: &Resource,
    form: Form,
) -> Result<Difference> {
    hub.call(&Diff {
        resource: resource.clone(),
        from: Some(At::from(case.about.base)),
        to: At::head(),
        branch: case.branch.clone(),
        form,
        key: Vec::new(),
    })
}

/// What a resource holds on a branch; nothing if it is not there.
pub(super) fn content(
    hub: &Hub,
    resource: &Resource,
    (branch, at): (&Branch, At),
) -> Result<Bytes> {
    let get = Get { at, branch: branch.clone(), ..Get::head(resource.clone()) };
    Ok(found(hub.call(&get))?.and_then(|content| content.bytes).unwrap_or_default())
}
