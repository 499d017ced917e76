//! A hub, if none runs here, and a runner for one command, on free ports: other commands work meanwhile as with `esker up`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_pipeline::engine::Engine;
use esker_pipeline::engine::status::Status;
use indicatif::MultiProgress;

use super::{ServedHub, Start};
use crate::cli::{Log, Ports};
use crate::endpoints::Presence;
use crate::project::{Place, Project};
use crate::reach;
use crate::replication::Replication;

/// What works for one command, and ends with it.
pub(crate) struct Once {
    start: Start,
    hub: Endpoint,
    served: Option<(Server, Presence, Replication)>,
    engine: Option<(Engine, Presence)>,
}

impl Once {
    /// Serves the project's store, unless somebody does.
    pub(crate) fn serve(place: &Place, project: &Project) -> Result<Self> {
        crate::logging::quiet();
        let start = Start::logged(project.clone(), MultiProgress::new(), false)?;
        let is_served = place.hub.is_some() || reach::running(project).is_some();
        if is_served {
            let hub = start.hub_elsewhere(place);
            hub.check()?;
            return Ok(Self { start, hub, served: None, engine: None });
        }
        let replication = Replication::push(&start.project, &start.definition)?;
        let ports = Ports { port_base: Some(0), log: Log { json: false } };
        let ServedHub { server, presence, .. } = start.serve_hub(&ports, &replication)?;
        let hub = server.local();
        Ok(Self { start, hub, served: Some((server, presence, replication)), engine: None })
    }

    /// Starts running these sources and stages.
    pub(crate) fn run(&mut self, only: BTreeSet<String>) -> Result<()> {
        let options = self.start.engine_options(&self.hub)?;
        let started = Engine::start_once(options, only);
        self.engine = Some(self.start.announce_engine(started)?);
        Ok(())
    }

    /// How everything stands, once it has been looked at.
    pub(crate) fn status(&self) -> Option<Arc<Status>> {
        self.engine.as_ref().map(|(engine, _)| engine.status())
    }

    /// Waits; true if it is time to end.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        self.start.stop.wait(at_most)
    }

    /// Ends what runs, then what serves.
    pub(crate) fn end(self) {
        if let Some((engine, presence)) = self.engine {
            drop(presence);
            engine.shutdown();
        }
        if let Some((server, presence, replication)) = self.served {
            drop(presence);
            server.shutdown();
            replication.shutdown();
        }
    }
}
