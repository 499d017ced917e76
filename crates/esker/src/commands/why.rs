//! `esker why`: what a resource was made from, back to its sources.

use anyhow::Result;
use esker_wire::snapshot::{self, WhyNode};
use serde_json::Value;

use crate::cli::Why;
use crate::commands::entry_json;
use crate::project::Place;
use crate::reach::{Hub, resource_at};
use crate::say::{self, DIM};

/// Prints the tree.
pub(crate) fn why(place: &Place, why: &Why) -> Result<()> {
    let (resource, at) = resource_at(&why.resource)?;
    let nodes = Hub::find(place)?.call(&snapshot::Why { resource, at })?;
    if why.json {
        let nodes = nodes.iter().map(|node| {
            let mut value = entry_json(&node.entry);
            value["depth"] = node.depth.into();
            value
        });
        return Ok(say::json(&Value::from(nodes.collect::<Vec<_>>()))?);
    }
    for node in &nodes {
        for line in lines(node) {
            say::line(line)?;
        }
    }
    Ok(())
}

/// One step: what, which revision, when; then by which program, where and how long.
fn lines(node: &WhyNode) -> Vec<String> {
    let entry = &node.entry;
    let indent = "   ".repeat(node.depth as usize);
    let branch = if node.depth == 0 { "" } else { "└─ " };
    let indent = indent.strip_suffix("   ").unwrap_or_default();
    let below = if node.depth == 0 { String::new() } else { format!("{indent}   ") };
    let mut lines = vec![format!(
        "{indent}{branch}{} {}  {DIM}{}{DIM:#}",
        entry.resource,
        entry.revision.short(),
        say::time(entry.time)
    )];
    match &entry.provenance {
        Some(made) => lines.push(format!(
            "{below}{DIM}by {}: {} ({} ms, exit {}, {} on {}){DIM:#}",
            made.stage, made.program, made.duration_ms, made.exit, made.engine, made.host
        )),
        None => {
            lines.push(format!("{below}{DIM}put by {}: {}{DIM:#}", entry.author, entry.summary))
        }
    }
    lines
}
