//! `esker mv`: another name for a resource.

use anyhow::Result;
use esker_pipeline::definition::FILE;
use esker_pipeline::definition::mentions::{Mention, mentions};
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::Move;
use serde_json::{Value, json};

use crate::cli::Mv;
use crate::commands::put;
use crate::project::Place;
use crate::reach::{Hub, resource};
use crate::say;

/// Gives the resource its new name; prints the revision, and what to change in the definition.
pub(crate) fn mv(place: &Place, mv: &Mv) -> Result<()> {
    let (from, to) = (resource(&mv.from)?, resource(&mv.to)?);
    let if_head = put::if_head(mv.if_head.as_deref())?;
    let moved = Hub::find(place)?.call(&Move {
        resource: from.clone(),
        to: to.clone(),
        branch: Branch::main(),
        if_head,
        message: mv.message.clone(),
        author: put::author(),
    })?;
    let named = named(place, &from);
    if mv.json {
        let named = named
            .iter()
            .map(|one| json!({ "line": one.line, "column": one.column, "role": one.role }));
        return Ok(say::json(&json!({
            "resource": to.as_str(),
            "moved_from": from.as_str(),
            "revision": moved.revision.to_string(),
            "previous": moved.previous.to_string(),
            "changed": moved.is_changed(),
            "named": named.collect::<Vec<Value>>(),
        }))?);
    }
    if !moved.is_changed() {
        say::note(format!("unchanged: {from} is called {to} already"));
    }
    for Mention { line, column, role } in &named {
        say::note(format!("{FILE}:{line}:{column}: {role} says {from}: write {to}"));
    }
    if !named.is_empty() {
        say::note(format!("until then {from} goes on meaning {to}"));
    }
    Ok(say::line(moved.revision.to_string())?)
}

/// Where the project's definition says the older name.
fn named(place: &Place, from: &Resource) -> Vec<Mention> {
    place.project().map_or(Vec::new(), |project| mentions(&project.dir, from))
}
