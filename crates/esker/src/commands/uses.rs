//! `esker uses`: what is made from a resource, and who shows it, as the definition says.

use std::collections::BTreeSet;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_wire::name::Resource;
use serde_json::{Value, json};

use crate::cli::Uses;
use crate::commands::tree::Trunk;
use crate::planes;
use crate::project::Place;
use crate::reach;
use crate::say::{self, DIM, hinted};

/// What a node is.
const STAGE: &str = "stage";
/// See [`STAGE`].
const VIEW: &str = "view";

/// One line of the tree.
struct Node {
    depth: u32,
    kind: &'static str,
    name: String,
    outputs: Vec<Resource>,
    /// Whether what comes below it was printed before.
    is_again: bool,
}

/// Prints the tree.
pub(crate) fn uses(place: &Place, uses: &Uses) -> Result<()> {
    let definition = planes::definition(&place.project()?)?;
    let named = reach::resource(&uses.resource)?;
    let resource = definition.aliases.get(named.as_str()).cloned().unwrap_or(named);
    let nodes = below(&definition, &resource);
    let makes = |output: &Resource| *output == resource;
    let is_made = definition.sources.iter().any(|source| makes(&source.output))
        || definition.stages.iter().any(|stage| stage.outputs.iter().any(makes));
    if nodes.is_empty() && !is_made {
        let what = format!("nothing in esker.toml makes, reads or shows {resource}");
        return Err(hinted(what, "`esker ls` lists what is stored, `esker check` what is wrong"));
    }
    if uses.json {
        let nodes = nodes.iter().map(|node| {
            let outputs: Vec<&str> = node.outputs.iter().map(Resource::as_str).collect();
            json!({ "depth": node.depth, "kind": node.kind, "name": node.name, "outputs": outputs })
        });
        return Ok(say::json(&Value::from(nodes.collect::<Vec<_>>()))?);
    }
    if nodes.is_empty() {
        say::note(format!("nothing reads or shows {resource}"));
    }
    say::line(resource.as_str())?;
    let depths: Vec<u32> = nodes.iter().map(|node| node.depth).collect();
    for (index, node) in nodes.iter().enumerate() {
        say::line(format!("{}{}", Trunk::of(&depths, index).first, line(node)))?;
    }
    Ok(())
}

/// Everything below a resource, in the order it is printed; what is below a stage only once, for a diamond may be met
/// many times.
fn below(definition: &Definition, resource: &Resource) -> Vec<Node> {
    let (mut nodes, mut seen) = (Vec::new(), BTreeSet::new());
    // Not one call inside another: chains may be long.
    let mut open = readers(definition, resource, 1);
    open.reverse();
    while let Some(mut node) = open.pop() {
        let is_stage = node.kind == STAGE;
        node.is_again = is_stage && !seen.insert(node.name.clone());
        if is_stage && !node.is_again {
            let outputs = node.outputs.iter();
            let next = outputs.flat_map(|output| readers(definition, output, node.depth + 1));
            let next: Vec<Node> = next.collect();
            open.extend(next.into_iter().rev());
        }
        nodes.push(node);
    }
    nodes
}

/// Who reads or shows a resource.
fn readers(definition: &Definition, resource: &Resource, depth: u32) -> Vec<Node> {
    let stages = definition.stages.iter().filter(|stage| stage.inputs.contains(resource));
    let stages = stages.map(|stage| Node {
        depth,
        kind: STAGE,
        name: stage.name.clone(),
        outputs: stage.outputs.clone(),
        is_again: false,
    });
    let views = definition.views.iter().filter(|view| view.resource == *resource);
    let views = views.map(|view| Node {
        depth,
        kind: VIEW,
        name: view.name.clone(),
        outputs: Vec::new(),
        is_again: false,
    });
    stages.chain(views).collect()
}

fn line(node: &Node) -> String {
    let outputs: Vec<&str> = node.outputs.iter().map(Resource::as_str).collect();
    let again = if node.is_again { "  (see above)" } else { "" };
    match node.kind {
        STAGE => format!("{STAGE} {} → {}{DIM}{again}{DIM:#}", node.name, outputs.join(", ")),
        kind => format!("{kind} {}", node.name),
    }
}
