//! The reasons of a change as a tree of lines for people, and as JSON.

use anyhow::Result;
use esker_wire::snapshot::Entry;
use serde_json::{Value, json};

use super::Changed;
use super::trace::{Cause, Step};
use crate::commands::diff::changes::Page;
use crate::commands::entry_json;
use crate::commands::tree::Trunk;
use crate::say::{self, DIM};

/// What stands at one place of the tree.
struct Node {
    depth: u32,
    lines: Vec<String>,
}

/// Prints a change and what brought it about.
pub(super) fn print(changed: &Changed, field: &str) -> Result<()> {
    let mut lines = vec![
        format!("{field} of {}: {}", changed.label, values(changed)),
        format!("{}", what(&changed.entry)),
        how(&changed.entry),
    ];
    lines.extend(because(&changed.entry, &changed.cause));
    let mut nodes = vec![Node { depth: 0, lines }];
    steps(&changed.cause, 1, &mut nodes);
    let depths: Vec<u32> = nodes.iter().map(|node| node.depth).collect();
    for (index, node) in nodes.iter().enumerate() {
        let trunk = Trunk::of(&depths, index);
        for (place, line) in node.lines.iter().enumerate() {
            let before = if place == 0 { &trunk.first } else { &trunk.rest };
            say::line(format!("{before}{line}"))?;
        }
    }
    Ok(())
}

fn values(changed: &Changed) -> String {
    let shown = |value: &Option<String>| match value {
        Some(value) if value.is_empty() => "\"\"".to_owned(),
        Some(value) => value.clone(),
        None => "(not there)".to_owned(),
    };
    format!("{} → {}", shown(&changed.old), shown(&changed.new))
}

fn steps(cause: &Cause, depth: u32, nodes: &mut Vec<Node>) {
    for step in &cause.steps {
        nodes.push(Node { depth, lines: lines(step) });
        steps(&step.cause, depth + 1, nodes);
    }
}

fn what(entry: &Entry) -> String {
    let (resource, short) = (&entry.resource, entry.revision.short());
    format!("{resource} {short}  {DIM}{}{DIM:#}", say::time(entry.time))
}

/// Who or what made a revision.
fn how(entry: &Entry) -> String {
    match &entry.provenance {
        Some(made) => format!("{DIM}by {}: {} (on {}){DIM:#}", made.stage, made.program, made.host),
        None => format!("{DIM}put by {}: {}{DIM:#}", entry.author, entry.summary),
    }
}

/// What is to be said of the cause besides the inputs that changed.
fn because(entry: &Entry, cause: &Cause) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((old, new)) = &cause.program {
        lines.push(format!("the program changed: {old} → {new}"));
    }
    lines.extend(cause.gone.iter().map(|resource| format!("{resource} is no longer read")));
    if let Some(cut) = cause.cut {
        lines.push(format!("{DIM}({cut}){DIM:#}"));
    }
    let is_stage = entry.provenance.as_ref().is_some_and(|made| !made.inputs.is_empty());
    let is_explained = !lines.is_empty() || !cause.steps.is_empty();
    if is_stage && !is_explained {
        lines.push(
            "no input and no file of the program changed: its definition, environment or checks did, \
             or it does not give the same for the same"
                .to_owned(),
        );
    }
    lines
}

fn lines(step: &Step) -> Vec<String> {
    let mut lines = vec![what(&step.entry), how(&step.entry)];
    let mut page = Page::default();
    step.changes.iter().for_each(|change| page.add(change));
    let told = page.finish().0;
    // How rows are known goes without saying; which stream they are of does not.
    let told = told.into_iter().filter(|(_, line)| !line.starts_with("by "));
    if !step.is_of_key && !step.changes.is_empty() {
        lines.push("nothing of that row; what changed:".to_owned());
    }
    lines.extend(told.map(|(style, line)| format!("{style}{line}{style:#}")));
    if let Some(untold) = &step.untold {
        lines.push(format!("{DIM}({untold}){DIM:#}"));
    }
    if step.others > 0 {
        let word = if step.others == 1 { "change" } else { "changes" };
        lines.push(format!("{DIM}and {} other {word}{DIM:#}", step.others));
    }
    lines.extend(because(&step.entry, &step.cause));
    lines
}

/// A change and what brought it about as JSON.
pub(super) fn json(changed: &Changed) -> Value {
    let mut value = cause_json(&changed.entry, &changed.cause);
    value["of"] = changed.label.clone().into();
    value["old"] = json!(changed.old);
    value["new"] = json!(changed.new);
    value
}

fn cause_json(entry: &Entry, cause: &Cause) -> Value {
    let mut value = entry_json(entry);
    let program = cause.program.as_ref();
    value["program_changed"] = json!(program.map(|(old, new)| json!({ "old": old, "new": new })));
    value["cut"] = json!(cause.cut);
    value["no_longer_read"] = cause.gone.iter().map(ToString::to_string).collect::<Vec<_>>().into();
    value["causes"] = cause.steps.iter().map(step_json).collect::<Vec<_>>().into();
    value
}

fn step_json(step: &Step) -> Value {
    let mut value = cause_json(&step.entry, &step.cause);
    value["changes"] = step.changes.clone().into();
    value["of_key"] = step.is_of_key.into();
    value["other_changes"] = step.others.into();
    value["untold"] = json!(step.untold);
    value
}
