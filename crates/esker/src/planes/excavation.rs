//! A project as it was, served: the hub, the model, the page and what-ifs; nothing is pulled, computed or told to others.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use esker_pipeline::definition::Definition;
use esker_pipeline::definition::web::Web;
use esker_pipeline::whatif::alone::{Alone, Options};
use esker_wire::event::TOPIC;
use indicatif::MultiProgress;
use tokio::sync::watch;

use crate::cli::{Log, Ports};
use crate::project::Project;
use crate::replication::Replication;
use crate::say::{self, hinted};

use super::told::shown;
use super::{ServedHub, Start, with_sources};

/// How long it listens for what-ifs before it looks whether it is to end.
const LISTEN: Duration = Duration::from_millis(200);

/// A project that was put into a folder.
pub(crate) struct Dug<'a> {
    /// Its folder.
    pub(crate) project: &'a Project,
    /// What it is shown by.
    pub(crate) definition: Definition,
    /// Whether that is the definition of then: otherwise no stage is known, and no what-if is computed.
    pub(crate) is_known: bool,
}

/// Serves a project that was put into a folder until it is told to stop.
pub(crate) fn serve(dug: Dug<'_>, as_of: &str, port_base: u16) -> Result<()> {
    let Dug { project, definition, is_known } = dug;
    let mut start = Start::of((project.clone(), definition), MultiProgress::new(), true)?;
    // What is there of other places is of then.
    start.definition.store.push.clear();
    start.definition.store.blobs = None;
    start.definition.web = Web { app: start.definition.web.app.take(), ..Web::default() };
    let ports = Ports { port_base: Some(port_base), log: Log { json: false } };
    let replication = Replication::push(&start.project, &start.definition)?;
    let served = start.serve_hub(&ports, &replication)?;
    let hub = served.server.local();
    let as_of = Some(as_of.to_owned());
    let shown = esker_web::project::Project { as_of, ..shown(&start.definition, true) };
    let shown = watch::Sender::new(Arc::new(shown));
    let (model, model_presence) = start.serve_model(&served, &ports, shown.subscribe())?;
    let local = model.local();
    let (page, page_presence) =
        start.serve_page((&hub, Some(&local), None), &ports, None, shown.subscribe())?;
    let esker = std::env::current_exe().context("cannot find this program's own file")?;
    let options = Options { dir: start.project.dir.clone(), esker, caller: start.bus.caller(&hub) };
    let what_ifs = is_known.then(|| Alone::start(options)).transpose();
    let what_ifs = what_ifs.map_err(|error| hinted(with_sources(&error), error.hint()))?;
    let mut events = start.bus.follow(&hub, &[TOPIC]);
    let allowed = if is_known { "; what-ifs are allowed" } else { "" };
    say::note(format!("read-only{allowed}; Ctrl-C ends it"));
    while !start.stop.is_pulled() {
        if events.recv_timeout(LISTEN).is_some() {
            what_ifs.iter().for_each(Alone::ring);
        }
    }
    let ServedHub { server, presence, .. } = served;
    drop((what_ifs, page_presence, model_presence, presence));
    page.shutdown();
    model.shutdown();
    server.shutdown();
    replication.shutdown();
    Ok(())
}
