//! `esker why`: what a resource was made from, back to its sources.

use anyhow::Result;
use esker_wire::snapshot::{self, WhyNode};
use serde_json::Value;

use crate::cli::Why;
use crate::commands::entry_json;
use crate::commands::tree::Trunk;
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
    let depths: Vec<u32> = nodes.iter().map(|node| node.depth).collect();
    for (index, node) in nodes.iter().enumerate() {
        for line in lines(node, &Trunk::of(&depths, index)) {
            say::line(line)?;
        }
    }
    Ok(())
}

/// One step: what, which revision, when; then by which program, where and how long.
fn lines(node: &WhyNode, trunk: &Trunk) -> [String; 2] {
    let entry = &node.entry;
    let what = format!(
        "{}{} {}  {DIM}{}{DIM:#}",
        trunk.first,
        entry.resource,
        entry.revision.short(),
        say::time(entry.time)
    );
    let how = match &entry.provenance {
        Some(made) => format!(
            "by {}: {} ({} ms, exit {}, {} on {})",
            made.stage, made.program, made.duration_ms, made.exit, made.engine, made.host
        ),
        None => format!("put by {}: {}", entry.author, entry.summary),
    };
    [what, format!("{}{DIM}{how}{DIM:#}", trunk.rest)]
}
