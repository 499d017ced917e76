//! Starts the planes: all in this process, or one. The same functions either way; only the endpoint between
//! them differs.

mod access;
mod cluster;
pub(crate) mod excavation;
#[cfg(feature = "graphql")]
mod graph;
mod model;
pub(crate) mod once;
mod ports;
mod several;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_bus::bus::{Binds, Bus, Limits};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_pipeline::definition::web::hubs::Hub as NamedHub;
use esker_pipeline::definition::{Definition, FILE};
use esker_pipeline::engine::{self, Engine};
use esker_store::mirror::shared::Mirrors;
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{LARGE_MAX, LARGE_MIN, Options, Store};
use esker_web::access::Access;
use esker_web::cluster::Find;
use esker_web::project::Project as Shown;
use esker_web::server::{self, Served, Server as Pages};
use esker_wire::name::Resource;
use indicatif::MultiProgress;
use rustix::process::{Resource as Limited, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;

use crate::cli::{Hub, Log, Ports, Up, Web};
use crate::commands;
use crate::endpoints::{Endpoints, HubAddresses, ModelAddresses, Presence, Process};
use crate::project::{Place, Project};
use crate::reach;
use crate::reload::Reload;
use crate::replication::Replication;
use crate::say::{self, hinted};
use crate::status;
use crate::stop::Stop;
use access::Keeper;
use cluster::InCluster;
use model::ProjectModel;
use ports::{PORTS, address, moved};
pub(crate) use told::names;
use told::shown;

/// How long to wait for a store that another process holds.
const HELD_MAX: Duration = Duration::from_secs(2);

/// How often to look whether it is free.
const HELD_LOOK: Duration = Duration::from_millis(20);

/// How long the main thread sleeps between looks at the signals, where nothing else wakes it.
const REST: Duration = Duration::from_secs(3600);

/// How many files may be open at once, if the system lets us: each client is one. Programs get the same; those of old
/// that close every file there may be should not have millions to close.
const FILES_MAX: u64 = 16_384;

/// Everything a plane is started from.
struct Start {
    project: Project,
    definition: Definition,
    bus: Bus,
    stop: Stop,
    bars: MultiProgress,
    read_along: bool,
    /// How many files may be open at once.
    files: u64,
}

/// How many of these files no client may take, or three of four if there are fewer; one of four if that is more.
const FILES_KEPT: u64 = 128;

/// Shells allow 1,024 files, for the sake of programs that cannot count further; this one can. Tells how many it is.
pub(crate) fn allow_files() -> u64 {
    let limit = getrlimit(Limited::Nofile);
    let wanted = limit.maximum.map_or(FILES_MAX, |most| most.min(FILES_MAX));
    let Some(current) = limit.current.filter(|current| *current < wanted) else {
        return wanted;
    };
    let raised = Rlimit { current: Some(wanted), ..limit };
    match setrlimit(Limited::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, "no more files can be open at once than the shell allows");
            current
        }
    }
}

/// How many may be connected where so many files can be open: the store needs some, whoever connects.
fn connections(files: u64) -> Limits {
    let kept = (files / 4).max(FILES_KEPT.min(files / 4 * 3));
    let free = usize::try_from(files - kept).unwrap_or(usize::MAX);
    let followers_max = free / 4;
    Limits { clients_max: free - followers_max, followers_max, ..Limits::default() }
}

/// How many may be connected to the model: of the files that the hub's clients leave, most.
fn model_connections(files: u64) -> Limits {
    let share = |part: u64| usize::try_from(files / part).unwrap_or(usize::MAX).max(16);
    Limits { clients_max: share(16), followers_max: share(8), ..Limits::default() }
}

/// How many may be connected to a model that is served alone: as many hear it as ask.
pub(crate) fn alone_connections(files: u64) -> Limits {
    let kept = (files / 4).max(FILES_KEPT.min(files / 4 * 3));
    let each = usize::try_from((files - kept) / 2).unwrap_or(usize::MAX);
    Limits { clients_max: each, followers_max: each, ..Limits::default() }
}

/// A hub at work.
struct ServedHub {
    server: Server,
    /// Its start, by which its events and its model are told from those of earlier ones.
    epoch: u64,
    names: NamesHandle,
    presence: Presence,
}

impl Start {
    fn new(project: Project, log: &Log) -> Result<Self> {
        let bars = MultiProgress::new();
        crate::logging::start(log.json, &bars);
        Self::logged(project, bars, crate::logging::is_read_along(log.json))
    }

    fn logged(project: Project, bars: MultiProgress, read_along: bool) -> Result<Self> {
        let definition = definition(&project)?;
        Self::of((project, definition), bars, read_along)
    }

    /// The same by this definition, whatever the folder's is.
    fn of(
        (project, definition): (Project, Definition),
        bars: MultiProgress,
        read_along: bool,
    ) -> Result<Self> {
        project.hidden()?;
        if let Err(error) = commands::schema::keep(&project) {
            tracing::debug!(%error, "cannot keep the schema of esker.toml for editors");
        }
        let files = allow_files();
        Ok(Self {
            files,
            project,
            definition,
            bus: Bus::start()?,
            stop: Stop::on_signals()?,
            bars,
            read_along,
        })
    }

    fn serve_hub(&self, ports: &Ports, replication: &Replication) -> Result<ServedHub> {
        let names = NamesHandle::new(names(&self.definition));
        let hub = &self.definition.hub;
        let binds = Binds {
            requests: vec![moved(&hub.requests, PORTS[0], ports.port_base)?],
            events: vec![moved(&hub.events, PORTS[1], ports.port_base)?],
            limits: connections(self.files),
        };
        let store = open_store(&self.project, &options(&self.definition))?;
        let epoch = store.epoch();
        let service = Snapshots::new(store, names.clone())
            .mirrored(replication.mirrors())
            .following(replication.following());
        let server = self.bus.serve("snapshots", service, &binds).map_err(|fault| {
            let hint = format!("{}: `--port-base 6000`, or [hub] in {FILE}", fault.hint);
            fault.hint(hint)
        })?;
        let addresses = HubAddresses {
            requests: server.requests().first().cloned().unwrap_or_default(),
            events: server.events().first().cloned().unwrap_or_default(),
            epoch: epoch.to_string(),
        };
        self.announce("requests", &addresses.requests);
        self.announce("events", &addresses.events);
        let ours = Endpoints { hub: Some(addresses), ..Endpoints::default() };
        let presence = Presence::announce(&self.project, ours)?;
        Ok(ServedHub { server, epoch, names, presence })
    }

    /// Publishes the model of what the hub knows.
    fn serve_model(
        &self,
        hub: &ServedHub,
        ports: &Ports,
        shown: watch::Receiver<Arc<Shown>>,
    ) -> Result<(ProjectModel, Presence)> {
        let sockets = &self.definition.model;
        let binds = Binds {
            requests: vec![moved(&sockets.requests, PORTS[2], ports.port_base)?],
            events: vec![moved(&sockets.events, PORTS[3], ports.port_base)?],
            limits: model_connections(self.files),
        };
        let local = hub.server.local();
        let model = ProjectModel::start(&self.bus, &local, hub.epoch, (&binds, shown));
        let model = model.map_err(|error| {
            hinted(error.to_string(), format!("`--port-base 6000`, or [model] in {FILE}"))
        })?;
        let first = |addresses: &[String]| addresses.first().cloned().unwrap_or_default();
        let addresses =
            ModelAddresses { requests: first(model.requests()), events: first(model.events()) };
        self.announce("model", &addresses.requests);
        let ours = Endpoints { model: Some(addresses), ..Endpoints::default() };
        Ok((model, Presence::announce(&self.project, ours)?))
    }

    fn start_engine(&self, hub: &Endpoint) -> Result<(Engine, Presence)> {
        self.announce_engine(Engine::start(self.engine_options(hub)?))
    }

    fn engine_options(&self, hub: &Endpoint) -> Result<engine::Options> {
        let esker = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(engine::Options {
            dir: self.project.dir.clone(),
            esker,
            caller: self.bus.caller(hub),
            follow: self.bus.follow(hub, &[esker_wire::event::TOPIC]),
        })
    }

    fn announce_engine(
        &self,
        started: std::result::Result<Engine, engine::Error>,
    ) -> Result<(Engine, Presence)> {
        let engine = started.map_err(|error| hinted(with_sources(&error), error.hint()))?;
        let ours = Endpoints { runner: Process::this(), ..Endpoints::default() };
        Ok((engine, Presence::announce(&self.project, ours)?))
    }

    fn serve_page(
        &self,
        (hub, model, find): (&Endpoint, Option<&Endpoint>, Option<Find>),
        ports: &Ports,
        bind: Option<SocketAddr>,
        shown: watch::Receiver<Arc<Shown>>,
    ) -> Result<(Pages, Presence)> {
        let dir = &self.project.dir;
        let live = told::live(&self.bus, model)?;
        self.serve_pages(ports, bind, |bind, access| {
            let served = Served { hub, model, live, find, dir, project: shown, access };
            Pages::start(&self.bus, bind, served)
        })
    }

    /// Serves pages, of whatever it may be, where the definition says and to whom.
    fn serve_pages(
        &self,
        ports: &Ports,
        bind: Option<SocketAddr>,
        start: impl FnOnce(SocketAddr, Access) -> std::result::Result<Pages, server::Error>,
    ) -> Result<(Pages, Presence)> {
        let bind = match bind {
            Some(bind) => bind,
            None => address(&moved(&self.definition.web.bind, PORTS[4], ports.port_base)?)?,
        };
        let access = access::of(&self.project, &self.definition.web)?;
        let scheme = if access.tls.is_some() { "https" } else { "http" };
        let server =
            start(bind, access).map_err(|error| hinted(with_sources(&error), error.hint()))?;
        let url = format!("{scheme}://{}", server.address());
        self.announce("page", self.definition.web.public.first().unwrap_or(&url));
        let ours = Endpoints { web: Some(url), ..Endpoints::default() };
        Ok((server, Presence::announce(&self.project, ours)?))
    }

    /// Says where something is served: to a person as a line, to a machine as a log record.
    fn announce(&self, what: &str, address: &str) {
        if self.read_along {
            say::note(format!("  {what:<9} {address}"));
        } else {
            tracing::info!(what, address, "serving");
        }
    }

    fn title(&self) {
        if self.read_along {
            say::note(format!("esker {} · {}", env!("CARGO_PKG_VERSION"), self.definition.project));
        }
    }

    /// Waits for a signal.
    fn rest(&self) {
        while !self.stop.wait(REST) {}
        tracing::info!("stopping");
    }

    /// The hub of another process: as `--hub` says, as the project's file says, or where the definition puts it.
    fn hub_elsewhere(&self, place: &Place) -> Endpoint {
        let hub = &self.definition.hub;
        let defined = Endpoint::Tcp { requests: hub.requests.clone(), events: hub.events.clone() };
        match &place.hub {
            Some(address) => reach::named(address),
            None => reach::running(&self.project).map_or(defined, |addresses| addresses.endpoint()),
        }
    }
}

/// Runs everything in this process.
pub(crate) fn up(place: &Place, up: &Up) -> Result<()> {
    let start = Start::new(place.project_in(up.folder.as_deref())?, &up.ports.log)?;
    start.title();
    let replication = Replication::push(&start.project, &start.definition)?;
    let served = start.serve_hub(&up.ports, &replication)?;
    let hub = served.server.local();
    let shown = watch::Sender::new(Arc::new(shown(&start.definition, true)));
    let (mut model, model_presence) = start.serve_model(&served, &up.ports, shown.subscribe())?;
    let local = model.local();
    let cluster = InCluster::start(&start, true, up.ports.port_base, model.source())?;
    let seen = (&hub, Some(&local), cluster.as_ref().map(InCluster::find));
    let (page, page_presence) = start.serve_page(seen, &up.ports, up.bind, shown.subscribe())?;
    let (engine, runner_presence) = start.start_engine(&hub)?;
    model.tell_runs(engine.statuses())?;
    let ServedHub { server, names: names_handle, presence: hub_presence, .. } = served;
    let keeper = Keeper::new(&start, &page);
    let reload = Reload::start(&start.project, move |definition, has_runner| {
        keeper.keep(&definition.web);
        names_handle.replace(names(definition));
        shown.send_replace(Arc::new(self::shown(definition, has_runner)));
    })?;
    let mirrors = replication.mirrors();
    let trouble = || cluster.as_ref().and_then(InCluster::trouble);
    let seen = (&engine, &mirrors, &trouble as &dyn Fn() -> Option<String>);
    status::show(seen, &start.bars, start.read_along, &start.stop);
    tracing::info!("stopping");
    drop((reload, runner_presence));
    engine.shutdown();
    drop((page_presence, model_presence, hub_presence));
    page.shutdown();
    if let Some(cluster) = cluster {
        cluster.shutdown();
    }
    model.shutdown();
    server.shutdown();
    replication.shutdown();
    Ok(())
}

/// Runs the hub alone.
pub(crate) fn hub(place: &Place, hub: &Hub) -> Result<()> {
    let start = Start::new(place.project()?, &hub.ports.log)?;
    start.title();
    let replication = Replication::follow(&start.project, &start.definition, hub, &start.stop)?;
    let served = start.serve_hub(&hub.ports, &replication)?;
    let has_runner = Endpoints::read(&start.project).has_runner();
    let shown = watch::Sender::new(Arc::new(shown(&start.definition, has_runner)));
    let (model, model_presence) = start.serve_model(&served, &hub.ports, shown.subscribe())?;
    let cluster = InCluster::start(&start, false, hub.ports.port_base, model.source())?;
    let ServedHub { server, names: names_handle, presence, .. } = served;
    let reload = Reload::start(&start.project, move |definition, has_runner| {
        names_handle.replace(names(definition));
        shown.send_replace(Arc::new(self::shown(definition, has_runner)));
    })?;
    start.rest();
    drop((reload, model_presence, presence));
    if let Some(cluster) = cluster {
        cluster.shutdown();
    }
    model.shutdown();
    server.shutdown();
    replication.shutdown();
    Ok(())
}

/// Runs the runner alone.
pub(crate) fn runner(place: &Place, log: &Log) -> Result<()> {
    let start = Start::new(place.project()?, log)?;
    start.title();
    let hub = start.hub_elsewhere(place);
    hub.check()?;
    let (engine, presence) = start.start_engine(&hub)?;
    let mirrors = Mirrors::default();
    status::show((&engine, &mirrors, &|| None), &start.bars, start.read_along, &start.stop);
    tracing::info!("stopping");
    drop(presence);
    engine.shutdown();
    Ok(())
}

/// Runs the page alone: of the project's hub, or of those that are named.
pub(crate) fn web(place: &Place, web: &Web, named: Vec<NamedHub>) -> Result<()> {
    let start = Start::new(place.project()?, &web.ports.log)?;
    start.title();
    let defined = if place.hub.is_none() { start.definition.web.hubs.clone() } else { Vec::new() };
    let hubs = if named.is_empty() { defined } else { named };
    if !hubs.is_empty() {
        return several::web(&start, web, &hubs);
    }
    let hub = start.hub_elsewhere(place);
    hub.check()?;
    let has_runner = Endpoints::read(&start.project).has_runner();
    let shown = watch::Sender::new(Arc::new(shown(&start.definition, has_runner)));
    let model = Endpoints::read(&start.project).model.map(|model| model.endpoint());
    let find = cluster::find_elsewhere(&start.bus, &start.project);
    let seen = (&hub, model.as_ref(), Some(find));
    let (page, presence) = start.serve_page(seen, &web.ports, web.bind, shown.subscribe())?;
    let keeper = Keeper::new(&start, &page);
    let reload = Reload::start(&start.project, move |definition, has_runner| {
        keeper.keep(&definition.web);
        shown.send_replace(Arc::new(self::shown(definition, has_runner)));
    })?;
    start.rest();
    drop((reload, presence));
    page.shutdown();
    Ok(())
}

/// Which source or stage of the project makes a resource, if one does.
pub(crate) fn maker(place: &Place, resource: &Resource) -> Option<String> {
    let definition = Definition::load(&place.project().ok()?.dir).ok()?;
    let source = definition.sources.iter().find(|source| source.output == *resource);
    let stage = definition.stages.iter().find(|stage| stage.outputs.contains(resource));
    match source {
        Some(source) => Some(format!("source {}", source.name)),
        None => stage.map(|stage| format!("stage {}", stage.name)),
    }
}

/// How a project's store behaves, as its definition says.
pub(crate) fn options(definition: &Definition) -> Options {
    let large = &definition.store.large;
    Options {
        project: definition.project.clone(),
        large_min: large.min.unwrap_or(LARGE_MIN),
        large_max: large.max.unwrap_or(LARGE_MAX),
        blobs: definition.store.blobs.clone(),
        ..Options::default()
    }
}

/// Opens the project's store.
pub(crate) fn open_store(project: &Project, options: &Options) -> Result<Store> {
    if !project.store().exists() {
        project.hidden()?;
    }
    let begun = Instant::now();
    loop {
        match Store::open(&project.store(), options.clone()) {
            // A command that works on the store itself holds it for a moment only.
            Err(esker_store::error::Error::Held { .. }) if begun.elapsed() < HELD_MAX => {
                std::thread::sleep(HELD_LOOK);
            }
            opened => return Ok(opened?),
        }
    }
}

/// The same for a command: where the disk does not let it be written, it can be read as git sees it.
pub(crate) fn open_or_read_store(project: &Project, options: &Options) -> Result<Store> {
    let cause = match open_store(project, options) {
        Ok(store) => return Ok(store),
        Err(cause) => cause,
    };
    let refused = cause.downcast_ref::<esker_store::error::Error>();
    let is_refused = refused.is_some_and(esker_store::error::Error::is_read_only);
    if !is_refused {
        return Err(cause);
    }
    let store = Store::open_read_only(&project.store(), options.clone())?;
    say::note(format!("{cause}: what git sees of the store is read"));
    Ok(store)
}

/// The definition, or everything that is wrong with it.
pub(crate) fn definition(project: &Project) -> Result<Definition> {
    Definition::load(&project.dir).map_err(|defects| {
        let lines: Vec<String> = defects.iter().map(|defect| format!("  {defect}")).collect();
        let what = format!("cannot use {}:\n{}", project.dir.display(), lines.join("\n"));
        hinted(what, "mend the file; `esker check` looks at it again")
    })
}

/// An error and what caused it, as one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let texts: Vec<String> =
        std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    texts.join(": ")
}
