//! Reaching the hub: the running one, or the store itself when none runs.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::Follow;
use esker_bus::server::Server;
use esker_pipeline::definition::Definition;
use esker_pipeline::definition::web::hubs::Hub as NamedHub;
use esker_store::mirror::replica::Following;
use esker_store::names::{Names, NamesHandle};
use esker_store::service::Snapshots;
use esker_store::store::Options;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Request;
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Entry, Health, List, Resolve};

use crate::endpoints::{Endpoints, HubAddresses};
use crate::planes;
use crate::project::{Place, Project};
use crate::say::{self, hinted};

/// How long a command waits for the hub's answer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A hub to ask, and whatever keeps it alive.
pub(crate) struct Hub {
    caller: Caller,
    endpoint: Endpoint,
    bus: Bus,
    /// The service itself, if it was opened for this command alone; it ends when the command does. Nobody takes the
    /// lock: it lets threads share the hub.
    own: Option<Mutex<Server>>,
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

    /// The project's store, opened here.
    pub(crate) fn of_store(project: &Project) -> Result<Self> {
        let bus = Bus::start()?;
        let (options, names) = match Definition::load(&project.dir) {
            Ok(definition) => (planes::options(&definition), planes::names(&definition)),
            Err(_) => {
                let folder = project.dir.file_name().unwrap_or_default();
                let name = folder.to_string_lossy().into_owned();
                (Options { project: name, ..Options::default() }, Names::default())
            }
        };
        let store = planes::open_or_read_store(project, &options)?;
        let service = Snapshots::new(store, NamesHandle::new(names))
            .following(Following::of(&project.store()));
        let server = bus.serve("snapshots", service, &Binds::default())?;
        let endpoint = server.local();
        Ok(Self { caller: bus.caller(&endpoint), endpoint, bus, own: Some(Mutex::new(server)) })
    }

    /// The hub once more after its connection was lost, if it runs; it may have come back elsewhere.
    pub(crate) fn again(place: &Place) -> Option<Self> {
        match &place.hub {
            Some(address) => Self::at(named(address)).ok(),
            None => Self::running(&place.project().ok()?).ok().flatten(),
        }
    }

    /// Asks and waits, no longer than this.
    pub(crate) fn call_within<R: Request>(
        &self,
        request: &R,
        deadline: Duration,
    ) -> Result<R::Reply, Fault> {
        self.caller.call_blocking(request, deadline)
    }

    /// Asks and waits.
    pub(crate) fn call<R: Request>(&self, request: &R) -> Result<R::Reply> {
        let answer = self.caller.call_blocking(request, DEADLINE);
        Ok(answer.map_err(|fault| self.with_times(fault))?)
    }

    /// Every page of a listing.
    pub(crate) fn listing(&self, mut ask: List) -> Result<Vec<Entry>> {
        let mut page = self.call(&ask)?;
        let mut entries = std::mem::take(&mut page.entries);
        while let Some(next) = ask.after(&page) {
            page = self.call(&next)?;
            entries.append(&mut page.entries);
            ask = next;
        }
        Ok(entries)
    }

    /// A fault whose candidates are revisions, with what a person knows them by.
    fn with_times(&self, mut fault: Fault) -> Fault {
        if fault.code != Code::Ambiguous {
            return fault;
        }
        for candidate in &mut fault.candidates {
            let Ok(revision) = candidate.parse::<Revision>() else {
                continue;
            };
            let ask = Resolve { at: revision.into(), branch: Branch::main(), zone: None };
            if let Ok(resolved) = self.caller.call_blocking(&ask, DEADLINE) {
                let time = say::time(resolved.time);
                *candidate = format!("{revision}  {time}  {}", resolved.summary);
            }
        }
        fault
    }

    /// What asks for others.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
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

/// What a hub answers; none for what is not there.
pub(crate) fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    let is_missing = |error: &anyhow::Error| {
        error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == Code::NotFound)
    };
    match answer {
        Err(error) if is_missing(&error) => Ok(None),
        answer => answer.map(Some),
    }
}

/// The addresses of the project's hub, if it runs.
pub(crate) fn running(project: &Project) -> Option<HubAddresses> {
    let hub = Hub::running(project).ok().flatten();
    hub.and_then(|_| Endpoints::read(project).hub)
}

/// What `--hub` says: where one hub is, or where several are that have names, which only the page's server takes.
pub(crate) fn said(hubs: &[String], is_web: bool) -> Result<(Option<String>, Vec<NamedHub>)> {
    match hubs {
        [] => return Ok((None, Vec::new())),
        [one] if !one.contains('=') => return Ok((Some(one.clone()), Vec::new())),
        _ if !is_web => {
            let hint = "only `esker web` takes several, as NAME=ADDRESS";
            return Err(hinted("--hub is where one hub is", hint));
        }
        _ => {}
    }
    let hub = |text: &String| {
        let (name, address) = text.split_once('=').unwrap_or(("", text));
        let hint = "write --hub NAME=tcp://HOST:PORT for each";
        NamedHub::new(name, address)
            .map_err(|why| hinted(format!("cannot take --hub {text}: {why}"), hint))
    };
    Ok((None, hubs.iter().map(hub).collect::<Result<_>>()?))
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
        Some((resource, at)) => (resource, version(at)?),
        None => (text, esker_wire::revision::At::head()),
    };
    Ok((self::resource(resource)?, at))
}

/// Reads a version.
pub(crate) fn version(text: &str) -> Result<esker_wire::revision::At> {
    text.parse().map_err(|error| {
        hinted(
            format!("cannot read the version {text:?}: {error}"),
            "try HEAD, HEAD~1, a revision, a tag or a date",
        )
    })
}

/// Reads a resource's name.
pub(crate) fn resource(text: &str) -> Result<esker_wire::name::Resource> {
    text.parse().map_err(|error: esker_wire::name::BadName| {
        hinted(error.to_string(), "`esker ls` lists the resources there are")
    })
}
