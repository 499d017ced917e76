//! `esker log` and `ls`: what there is, what there was.

use anyhow::Result;
use esker_wire::name::Branch;
use esker_wire::revision::At;
use esker_wire::snapshot::{self, Entry};
use serde_json::Value;

use crate::cli::{History, List};
use crate::commands::entry_json;
use crate::project::Place;
use crate::reach::{Hub, resource_at};
use crate::say;

/// Prints the versions of a resource, or of all, newest first.
pub(crate) fn log(place: &Place, history: &History) -> Result<()> {
    let named = history.resource.as_deref().map(resource_at).transpose()?;
    let (resource, at) = match named {
        Some((resource, at)) => (Some(resource), at),
        None => (None, At::head()),
    };
    let log = snapshot::Log { resource, at, branch: Branch::main(), limit: history.limit };
    let entries = Hub::find(place)?.call(&log)?;
    if history.json {
        return print_json(&entries);
    }
    if entries.is_empty() {
        say::note(
            "nothing yet: `esker up` pulls the sources, `esker put raw/NAME < FILE` puts by hand",
        );
        return Ok(());
    }
    let rows = entries.iter().map(|entry| {
        vec![
            entry.revision.short(),
            say::time(entry.time),
            entry.resource.to_string(),
            if entry.blob.is_some() { say::size(entry.size) } else { "removed".to_owned() },
            entry.summary.clone(),
        ]
    });
    Ok(say::table(&["revision", "time", "resource", "size", "what"], rows.collect())?)
}

/// Prints the resources as of a version.
pub(crate) fn ls(place: &Place, list: &List) -> Result<()> {
    let at = list.at.parse()?;
    let listing = Hub::find(place)?.call(&snapshot::List { at, branch: Branch::main() })?;
    if list.json {
        return print_json(&listing.entries);
    }
    if listing.entries.is_empty() {
        say::note(
            "no resources yet: `esker up` pulls the sources, `esker put raw/NAME < FILE` puts by hand",
        );
        return Ok(());
    }
    let rows = listing.entries.iter().map(|entry| {
        vec![
            entry.resource.to_string(),
            entry.revision.short(),
            say::size(entry.size),
            say::time(entry.time),
        ]
    });
    Ok(say::table(&["resource", "revision", "size", "time"], rows.collect())?)
}

fn print_json(entries: &[Entry]) -> Result<()> {
    let entries: Vec<Value> = entries.iter().map(entry_json).collect();
    Ok(say::json(&Value::from(entries))?)
}
