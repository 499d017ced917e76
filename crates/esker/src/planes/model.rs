//! The model `project`: what a hub knows, live. Whoever follows it sees a new version of a large table as the few cells that
//! changed.

mod content;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::Follow;
use esker_bus::server::Server;
use esker_replica::json::{self, Json};
use esker_replica::live::{self, Source};
use esker_replica::path::{Key, path};
use esker_replica::publisher::Options;
use esker_replica::section::Junctions;
use esker_replica::tree::Tree;
use esker_web::looks::Looks;
use esker_web::project::Project as Shown;
use esker_wire::event::TOPIC;
use esker_wire::fault::Fault;
use esker_wire::name::Resource;
use esker_wire::snapshot::Get;
use tokio::sync::watch;

use crate::stop::Stop;

/// The model's name.
const NAME: &str = "project";

/// How long an answer of the hub may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How often to look at the hub although no event came: the definition may have changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long events are collected before the hub is looked at: a run makes several at once.
const COALESCE: Duration = Duration::from_millis(20);

/// How many times longer than a look took the hub is left alone.
const RESTS: u32 = 4;

/// How long it is left alone at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// The lists in what is known of a hub, and by which field those in them are told apart.
const LISTS: [(&str, &str); 4] =
    [("resources", "resource"), ("stages", "name"), ("problems", "id"), ("views", "name")];

/// The model of a project, published.
pub(crate) struct ProjectModel {
    server: Server,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl ProjectModel {
    /// Publishes what the hub knows, from this start of it on.
    pub(crate) fn start(
        bus: &Bus,
        hub: &Endpoint,
        epoch: u64,
        (binds, shown): (&Binds, watch::Receiver<Arc<Shown>>),
    ) -> Result<Self> {
        let junctions = Junctions::new([path(["content"])]);
        let options = Options { junctions, ..Options::new(NAME, epoch) };
        let (server, source) = live::serve(bus, &options, None, binds)?;
        let stop = Stop::default();
        let caller = bus.caller(hub);
        let watcher = Watcher {
            bus: bus.clone(),
            looks: Looks::new(caller.clone()),
            caller,
            events: bus.follow(hub, &[TOPIC]),
            shown,
            source,
            contents: BTreeMap::new(),
            seen: String::new(),
        };
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("project model".to_owned())
            .spawn(move || watcher.run(&stopped))?;
        Ok(Self { server, stop, thread: Some(thread) })
    }

    /// Where it is in this process.
    pub(crate) fn local(&self) -> Endpoint {
        self.server.local()
    }

    /// Its addresses for requests.
    pub(crate) fn requests(&self) -> &[String] {
        self.server.requests()
    }

    /// Its addresses for events.
    pub(crate) fn events(&self) -> &[String] {
        self.server.events()
    }

    /// Ends the looking, then the publishing.
    pub(crate) fn shutdown(mut self) {
        self.stop.pull();
        if let Some(thread) = self.thread.take() {
            // Its panic was printed.
            drop(thread.join());
        }
        self.server.shutdown();
    }
}

/// Looks at the hub whenever something happens there.
struct Watcher {
    bus: Bus,
    looks: Looks,
    caller: Caller,
    events: Follow,
    shown: watch::Receiver<Arc<Shown>>,
    source: Source,
    /// The blobs whose contents the model has.
    contents: BTreeMap<String, String>,
    /// What the last look told.
    seen: String,
}

impl Watcher {
    fn run(mut self, stop: &Stop) {
        while !stop.is_pulled() {
            let begun = Instant::now();
            if let Err(fault) = self.look() {
                tracing::warn!(%fault, "cannot tell the model what the hub has");
            }
            let rest = COALESCE.max(begun.elapsed().saturating_mul(RESTS)).min(REST_MAX);
            let is_told = self.events.recv_timeout(LOOK_EVERY).is_some();
            if stop.wait(if is_told { rest } else { Duration::ZERO }) {
                break;
            }
            while self.events.recv_timeout(Duration::ZERO).is_some() {}
        }
    }

    fn look(&mut self) -> Result<(), Fault> {
        let shown = Arc::clone(&self.shown.borrow());
        let bus = self.bus.clone();
        let text = bus.block_on(self.looks.look(&shown))?;
        if text == self.seen {
            return Ok(());
        }
        let state: Json = serde_json::from_str(&text).map_err(Fault::bad_request)?;
        let contents = self.contents(&state)?;
        let model = self.source.model()?;
        let mut ops = Vec::new();
        for (name, tree) in sections(&state) {
            let found = model.get(&path([&name]));
            tree.change(found, &mut path([&name]), &mut ops);
        }
        for (name, tree) in contents {
            let mut at = path(["content", &name]);
            match tree {
                Some(tree) => tree.change(model.get(&at), &mut at, &mut ops),
                None => ops.push(esker_replica::op::Op::delete(at)),
            }
        }
        drop(model);
        if !ops.is_empty() {
            self.source.change(ops)?;
        }
        self.seen = text;
        Ok(())
    }

    /// The contents that are other ones than the model has; none for resources that are gone.
    fn contents(&mut self, state: &Json) -> Result<BTreeMap<String, Option<Tree>>, Fault> {
        let mut changed = BTreeMap::new();
        let mut there = BTreeMap::new();
        for entry in state["resources"].as_array().into_iter().flatten() {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let (name, blob) = (text("resource"), text("blob"));
            if self.contents.get(&name) != Some(&blob) {
                let is_small = entry["size"].as_u64().is_some_and(|size| size <= content::SIZE_MAX);
                let tree = match is_small {
                    true => {
                        self.content(&name, &text("revision"), entry["content_type"].as_str())?
                    }
                    false => content::none("it is too large to be shown cell by cell"),
                };
                changed.insert(name.clone(), Some(tree));
            }
            there.insert(name, blob);
        }
        for name in self.contents.keys().filter(|name| !there.contains_key(*name)) {
            changed.insert(name.clone(), None);
        }
        self.contents = there;
        Ok(changed)
    }

    fn content(
        &self,
        name: &str,
        revision: &str,
        content_type: Option<&str>,
    ) -> Result<Tree, Fault> {
        let resource: Resource = name.parse().map_err(Fault::bad_request)?;
        let at = revision.parse().map_err(Fault::bad_request)?;
        let get = Get { at, ..Get::head(resource) };
        let content = self.caller.call_blocking(&get, DEADLINE)?;
        Ok(content::tree(content_type, &content.bytes.unwrap_or_default()))
    }
}

/// What is known of a hub, by section: lists by what their items are called, with their order beside them where it matters.
fn sections(state: &Json) -> BTreeMap<String, Tree> {
    let mut sections = BTreeMap::new();
    let mut about = BTreeMap::new();
    for (name, json) in state.as_object().into_iter().flatten() {
        match LISTS.iter().find(|(list, _)| list == name) {
            Some((_, by)) => {
                let items = json.as_array().into_iter().flatten();
                let named = items.map(|item| {
                    let key = item[*by].as_str().unwrap_or_default();
                    (Key::new(key), json::tree(item))
                });
                sections.insert(name.clone(), Tree::dict(named));
                if matches!(name.as_str(), "stages" | "views") {
                    let items = json.as_array().into_iter().flatten();
                    let order = Json::Array(items.map(|item| item[*by].clone()).collect());
                    about.insert(Key::new(name), json::tree(&order));
                }
            }
            // Where the hub's own chain is changes with every event, and is told by that.
            None if matches!(name.as_str(), "type" | "epoch" | "seq") => {}
            None => drop(about.insert(Key::new(name), json::tree(json))),
        }
    }
    sections.insert("about".to_owned(), Tree::Dict(about));
    sections
}
