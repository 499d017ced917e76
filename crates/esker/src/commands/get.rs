//! `esker get`: a version of a resource, exactly its bytes.

use anyhow::{Context, Result};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::snapshot::Get;

use crate::cli;
use crate::commands::{entry_json, large};
use crate::planes::maker;
use crate::project::Place;
use crate::reach::{Hub, resource_at};
use crate::say;
use crate::write::write_whole;

/// Writes the bytes to standard output or a file, or describes them as JSON.
pub(crate) fn get(place: &Place, get: &cli::Get) -> Result<()> {
    let (resource, at) = resource_at(&get.resource)?;
    let hub = Hub::find(place)?;
    let ask = Get { at, ..Get::head(resource.clone()) };
    let asked = hub.call(&ask);
    if asked.as_ref().is_err_and(large::is_too_large) {
        return large::get(place, hub, get, ask);
    }
    let content = asked.map_err(|error| with_maker(place, &resource, error))?;
    if get.json {
        let mut value = entry_json(&content.entry);
        value["at"] = content.at.to_string().into();
        say::json(&value)?;
        return Ok(());
    }
    let bytes = content.bytes.context("the hub answered without the content")?;
    match &get.output {
        Some(path) => write_whole(path, &bytes),
        None => Ok(say::bytes(&bytes)?),
    }
}

/// A resource that is not there yet may be about to be made, or its maker may have failed.
fn with_maker(place: &Place, resource: &Resource, error: anyhow::Error) -> anyhow::Error {
    let missing = error.downcast_ref::<Fault>().filter(|fault| fault.code == Code::NotFound);
    let Some(fault) = missing.filter(|fault| fault.hint.is_empty()) else {
        return error;
    };
    match maker(place, resource) {
        Some(maker) => fault
            .clone()
            .hint(format!("{maker} makes it: not yet, or it failed; `esker problems` tells"))
            .into(),
        None => error,
    }
}
