//! `esker get`: a version of a resource, exactly its bytes.

use anyhow::{Context, Result};
use esker_wire::snapshot::Get;

use crate::cli;
use crate::commands::entry_json;
use crate::project::Place;
use crate::reach::{Hub, resource_at, write_whole};
use crate::say;

/// Writes the bytes to standard output or a file, or describes them as JSON.
pub(crate) fn get(place: &Place, get: &cli::Get) -> Result<()> {
    let (resource, at) = resource_at(&get.resource)?;
    let content = Hub::find(place)?.call(&Get { at, ..Get::head(resource) })?;
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
