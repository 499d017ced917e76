//! Reaching the hub: the running one, or the store itself when none runs.

use std::time::Duration;

use anyhow::Result;
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::Follow;
use esker_bus::server::Server;
use esker_pipeline::definition::Definition;
use esker_store::mirror::replica::Following;
use esker_store::names::{Names, NamesHandle};
use esker_store::service::Snapshots;
use esker_wire::message::Request;
use esker_wire::snapshot::Health;

use crate::endpoints::{Endpoints, HubAddresses};
use crate::planes;
use crate::project::{Place, Project};
use crate::say::hinted;

/// How long a command waits for the hub's answer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A hub to ask, and whatever keeps it alive.
pub(crate) struct Hub {
    caller: Caller,
    endpoint: Endpoint,
    bus: Bus,
    /// The service itself, if it was opened for this command alone; it ends when the command does.
    own: Option<Server>,
}

impl Hub {
    /// The hub `--hub` names; else the project's running hub; else the project's store, opened here.
    pub(crate) fn find(place: &Place) -> Result<Self> {
        if let Some(address) = &place.hub {
            let endpoint = named(address);
            endpoint.check()?;
            return Self::at(endpoint);
        }
        let project = place.project()?;
        if let Some(hub) = Self::running(&project)? {
            return Ok(hub);
        }
        Self::of_store(&project).or_else(|error| {
            // Whoever holds the store may be a hub that has just started to serve.
            Self::running(&project)?.ok_or(error)
        })
    }

    /// The project's hub, if it runs. Another project's hub that has come to listen there is not it.
    fn running(project: &Project) -> Result<Option<Self>> {
        let Some(addresses) = Endpoints::read(project).hub.filter(HubAddresses::accepts) else {
            return Ok(None);
        };
        let hub = Self::at(addresses.endpoint())?;
        let health = hub.call(&Health)?;
        Ok((health.link.epoch.to_string() == addresses.epoch).then_some(hub))
    }

    fn at(endpoint: Endpoint) -> Result<Self> {
        let bus = Bus::start()?;
        Ok(Self { caller: bus.caller(&endpoint), endpoint, bus, own: None })
    }

    fn of_store(project: &Project) -> Result<Self> {
        let bus = Bus::start()?;
        let (name, names) = match Definition::load(&project.dir) {
            Ok(definition) => (definition.project.clone(), planes::names(&definition)),
            Err(_) => {
                let folder = project.dir.file_name().unwrap_or_default();
                (folder.to_string_lossy().into_owned(), Names::default())
            }
        };
        let store = planes::open_store(project, name)?;
        let service = Snapshots::new(store, NamesHandle::new(names))
            .following(Following::of(&project.store()));
        let server = bus.serve("snapshots", service, &Binds::default())?;
        let endpoint = server.local();
        Ok(Self { caller: bus.caller(&endpoint), endpoint, bus, own: Some(server) })
    }

    /// Asks and waits.
    pub(crate) fn call<R: Request>(&self, request: &R) -> Result<R::Reply> {
        Ok(self.caller.call_blocking(request, DEADLINE)?)
    }

    /// Follows what happens.
    pub(crate) fn follow(&self, topics: &[&str]) -> Follow {
        self.bus.follow(&self.endpoint, topics)
    }

    /// Whether this is a hub of its own, opened for this command alone.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }
}

/// The addresses of the project's hub, if it runs.
pub(crate) fn running(project: &Project) -> Option<HubAddresses> {
    let hub = Hub::running(project).ok().flatten();
    hub.and_then(|_| Endpoints::read(project).hub)
}

/// The endpoint of `--hub`: events are published 100 ports above requests, as the defaults are.
pub(crate) fn named(address: &str) -> Endpoint {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let events = port.parse::<u16>().ok().and_then(|port| port.checked_add(100));
    let events = events.map_or_else(|| address.to_owned(), |port| format!("{host}:{port}"));
    Endpoint::Tcp { requests: address.to_owned(), events }
}

/// Splits `raw/plan@HEAD~1` into the resource and the version.
pub(crate) fn resource_at(
    text: &str,
) -> Result<(esker_wire::name::Resource, esker_wire::revision::At)> {
    let (resource, at) = match text.split_once('@') {
        Some((resource, at)) => (
            resource,
            at.parse().map_err(|error| {
                hinted(
                    format!("cannot read the version {at:?}: {error}"),
                    "try HEAD, HEAD~1, a revision, a tag or a date",
                )
            })?,
        ),
        None => (text, esker_wire::revision::At::head()),
    };
    Ok((self::resource(resource)?, at))
}

/// Reads a resource's name.
pub(crate) fn resource(text: &str) -> Result<esker_wire::name::Resource> {
    text.parse().map_err(|error: esker_wire::name::BadName| {
        hinted(error.to_string(), "`esker ls` lists the resources there are")
    })
}
