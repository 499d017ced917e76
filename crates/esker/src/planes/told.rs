//! What planes are told of the definition: each only what it has to know.

use std::collections::BTreeSet;

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_pipeline::definition::{Definition, Origin, ViewKind};
use esker_store::names::Names;
use esker_web::live::Live;
use esker_web::project::{Project as Shown, Stage, View};
use esker_wire::name::Resource;

/// The definition as the snapshot service needs it: the names it gives.
pub(crate) fn names(definition: &Definition) -> Names {
    let sources = definition.sources.iter().map(|source| source.output.clone());
    let stages = definition.stages.iter();
    let stages = stages.flat_map(|stage| stage.inputs.iter().chain(&stage.outputs).cloned());
    let views = definition.views.iter().map(|view| view.resource.clone());
    let declared: BTreeSet<Resource> = sources.chain(stages).chain(views).collect();
    let mut aliases = definition.aliases.clone();
    // The first clients subscribe to words in either order, whoever puts.
    for resource in &declared {
        if let Some((stage, name)) = resource.as_str().split_once('/') {
            for words in [format!("{stage} {name}"), format!("{name} {stage}")] {
                aliases.entry(words).or_insert_with(|| resource.clone());
            }
        }
    }
    Names { aliases, declared }
}

/// Who follows a live model in this process for GraphQL, if that is built in.
///
/// # Errors
/// The system gives no thread.
pub(super) fn live(bus: &Bus, model: Option<&Endpoint>) -> std::io::Result<Option<Live>> {
    #[cfg(feature = "graphql")]
    let live = model.map(|model| super::graph::live(bus, model)).transpose();
    #[cfg(not(feature = "graphql"))]
    let live = {
        let _ = (bus, model);
        Ok(None)
    };
    live
}

/// The definition as the page shows it.
pub(super) fn shown(definition: &Definition, has_runner: bool) -> Shown {
    let text =
        |resources: &[Resource]| resources.iter().map(ToString::to_string).collect::<Vec<_>>();
    let sources = definition.sources.iter().map(|source| Stage {
        name: source.name.clone(),
        is_source: true,
        inputs: Vec::new(),
        outputs: text(std::slice::from_ref(&source.output)),
        program: match &source.origin {
            Origin::File { path, .. } => path.clone(),
            Origin::Folder(pattern) => pattern.to_string(),
            Origin::Run(program) => program.argv.join(" "),
            Origin::Tap(tap) => tap.program.argv.join(" "),
            Origin::Pull(pull) => pull.title(),
        },
    });
    let stages = definition.stages.iter().map(|stage| Stage {
        name: stage.name.clone(),
        is_source: false,
        inputs: text(&stage.inputs),
        outputs: text(&stage.outputs),
        program: stage.program.argv.join(" "),
    });
    let views = definition.views.iter().map(|view| View {
        name: view.name.clone(),
        title: view.title.clone().unwrap_or_else(|| view.name.clone()),
        resource: view.resource.to_string(),
        kind: match view.kind {
            Some(ViewKind::Plan) => "plan",
            Some(ViewKind::Chart) => "chart",
            Some(ViewKind::Table) => "table",
            Some(ViewKind::Text) | None => "text",
        }
        .to_owned(),
    });
    Shown {
        name: definition.project.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        stages: sources.chain(stages).collect(),
        views: views.collect(),
        app: definition.web.app.clone(),
        as_of: None,
        has_runner,
    }
}
