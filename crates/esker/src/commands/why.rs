//! `esker why`: what a resource was made from, back to its sources; or why one cell of it changed.

mod cell;
mod change;
mod tell;
mod trace;

use anyhow::Result;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::At;
use esker_wire::snapshot::{self, Entry, WhyNode};
use serde_json::{Value, json};

use crate::cli::Why;
use crate::commands::entry_json;
use crate::commands::tree::Trunk;
use crate::project::Place;
use crate::reach::{Hub, resource_at, version};
use crate::say::{self, DIM, hinted};
use cell::Wanted;
use trace::{Cause, Trace};

/// One change of a cell, and what brought it about.
struct Changed {
    entry: Entry,
    /// Which row.
    label: String,
    old: Option<String>,
    new: Option<String>,
    cause: Cause,
}

/// Prints the tree.
pub(crate) fn why(place: &Place, why: &Why) -> Result<()> {
    let (resource, at) = resource_at(&why.resource)?;
    let hub = Hub::find(place)?;
    if let Some(field) = &why.field {
        if why.key.is_empty() && !field.starts_with('/') {
            let hint = "name its row: --key TASK-17, or in JSON a path: --field /a/b";
            return Err(hinted(format!("which {field}?"), hint));
        }
        let (keys, stream) = (why.key.clone(), why.stream.clone());
        return of_cell(&hub, (&resource, at), &Wanted { keys, field: field.clone(), stream }, why);
    }
    let nodes = hub.call(&snapshot::Why { resource, at, branch: Branch::main() })?;
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
            "by {}: {} ({} ms, exit {}, {} on {}){}",
            made.stage,
            made.program,
            made.duration_ms,
            made.exit,
            made.engine,
            made.host,
            without(&made.failed_parts)
        ),
        None => format!("put by {}: {}", entry.author, entry.summary),
    };
    [what, format!("{}{DIM}{how}{DIM:#}", trunk.rest)]
}

/// Which parts of an input are not in what was made.
fn without(failed: &[String]) -> String {
    match failed {
        [] => String::new(),
        failed => format!(", without {}", failed.join(", ")),
    }
}

/// Prints why a cell changed: the last time, or each time.
fn of_cell(hub: &Hub, (resource, at): (&Resource, At), wanted: &Wanted, why: &Why) -> Result<()> {
    let since = why.since.as_deref().map(version).transpose()?;
    let walk = change::walk(hub, (resource, at, since), wanted, why.all)?;
    if walk.changes.is_empty() {
        return Err(change::nothing(resource, wanted, &walk));
    }
    let mut told = Vec::new();
    for change in &walk.changes {
        let spot = change.spot.as_ref().or(change.before.as_ref());
        let (label, columns) = spot.map(|spot| (spot.label.clone(), spot.columns.clone())).unzip();
        // Each is explained in full, whatever the one before it has in common with it.
        let mut trace = Trace::new(hub, wanted, columns.unwrap_or_default());
        told.push(Changed {
            entry: change.entry.clone(),
            label: label.unwrap_or_default(),
            old: change.before.as_ref().map(|spot| spot.value.clone()),
            new: change.spot.as_ref().map(|spot| spot.value.clone()),
            cause: trace.cause(&change.entry, 0)?,
        });
    }
    let cut = walk.cut.filter(|_| why.all);
    if why.json {
        return Ok(say::json(&json!({
            "resource": resource.as_str(),
            "key": wanted.keys,
            "field": wanted.field,
            "changes": told.iter().map(tell::json).collect::<Vec<_>>(),
            "looked": walk.looked,
            "cut": cut.map(|(revision, _)| revision.to_string()),
        }))?);
    }
    for (index, changed) in told.iter().enumerate() {
        if index > 0 {
            say::line("")?;
        }
        tell::print(changed, &wanted.field)?;
    }
    if let Some((revision, time)) = cut {
        say::note(format!(
            "{} versions looked at, back to {}; go on from there: esker why {resource}@{revision} …",
            walk.looked,
            say::time(time)
        ));
    }
    Ok(())
}
