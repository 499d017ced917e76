//! `esker get`: a version of a resource, exactly its bytes.

use anyhow::{Context, Result};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Resolve, Stat};

use crate::cli;
use crate::commands::backfill::recomputed;
use crate::commands::{entry_json, large, problems, whatif};
use crate::planes::maker;
use crate::project::Place;
use crate::reach::{Hub, found, resource_at, version};
use crate::say;
use crate::write::write_whole;

/// Writes the bytes to standard output or a file, or describes them as JSON.
pub(crate) fn get(place: &Place, get: &cli::Get) -> Result<()> {
    let (resource, at) = resource_at(&get.resource)?;
    let hub = Hub::find(place)?;
    let since = get.if_changed_since.as_deref();
    let within = whatif::branch(&hub, &get.within)?;
    let unless =
        since.map(|since| revision_at(&hub, (&resource, &within), since)).transpose()?.flatten();
    let (branch, at) = match (&get.rejected, &get.recomputed) {
        (Some(stage), _) => (problems::rejected(&hub, stage)?, at),
        (None, Some(id)) => {
            let (branch, revision) = recomputed(&hub, (&resource, &at), id)?;
            (branch, revision.into())
        }
        (None, None) => (within, at),
    };
    let ask = Get { at, branch, range: get.range, unless, ..Get::head(resource.clone()) };
    let (hub, asked) = large::call(place, hub, &ask);
    if asked.as_ref().is_err_and(large::is_too_large) {
        return large::get(place, hub, get, ask);
    }
    let content = asked.map_err(|error| with_hint((place, &hub), &ask, error))?;
    let is_unchanged = content.bytes.is_none();
    if get.json {
        let mut value = entry_json(&content.entry);
        value["at"] = content.at.to_string().into();
        if since.is_some() {
            value["unchanged"] = is_unchanged.into();
        }
        say::json(&value)?;
        return Ok(());
    }
    if let (Some(since), true) = (since, is_unchanged) {
        let revision = content.entry.revision.short();
        say::note(format!("{resource} is unchanged since {since}: it is of {revision}"));
        return Ok(());
    }
    let bytes = content.bytes.context("the hub answered without the content")?;
    match &get.output {
        Some(path) => write_whole(path, &bytes),
        None => Ok(say::bytes(&bytes)?),
    }
}

/// The revision a resource had at a version; none if it was not there.
fn revision_at(
    hub: &Hub,
    (resource, branch): (&Resource, &Branch),
    text: &str,
) -> Result<Option<Revision>> {
    let (at, branch) = (version(text)?, branch.clone());
    // A version nobody can mean is an error; one at which the resource was not there is not.
    hub.call(&Resolve { at: at.clone(), branch: branch.clone(), zone: None })?;
    let there = found(hub.call(&Stat { resource: resource.clone(), at, branch }))?;
    Ok(there.map(|entry| entry.revision))
}

/// A resource that is not there yet may be about to be made, or its maker may have failed; one that is there now was
/// not yet there at the version asked for.
fn with_hint((place, hub): (&Place, &Hub), ask: &Get, error: anyhow::Error) -> anyhow::Error {
    let missing = error.downcast_ref::<Fault>().filter(|fault| fault.code == Code::NotFound);
    let Some(fault) = missing.filter(|fault| fault.hint.is_empty()) else {
        return error;
    };
    let resource = &ask.resource;
    let head = Stat { resource: resource.clone(), at: At::head(), branch: ask.branch.clone() };
    if !ask.at.is_head() && hub.call(&head).is_ok() {
        return fault.clone().hint(format!("`esker log {resource}` lists its versions")).into();
    }
    match maker(place, resource) {
        Some(maker) => fault
            .clone()
            .hint(format!("{maker} makes it: not yet, or it failed; `esker problems` tells"))
            .into(),
        None => error,
    }
}
