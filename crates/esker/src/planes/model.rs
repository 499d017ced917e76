//! The model `project`: what a hub knows, live. Whoever follows it sees a new version of a large table as the few cells that
//! changed.

mod content;
mod runs;
mod whatifs;

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
use esker_pipeline::engine::status::Status;
use esker_replica::json::{self, Json};
use esker_replica::live::{self, Source};
use esker_replica::path::{Key, path};
use esker_replica::publisher::Options;
use esker_replica::section::Junctions;
use esker_replica::tree::Tree;
use esker_web::looks::Looks;
use esker_web::project::Project as Shown;
use esker_wire::event::TOPIC;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::snapshot::Get;
use tokio::sync::watch;

use crate::stop::Stop;

/// The model's name.
pub(super) const NAME: &str = "project";

/// How long an answer of the hub may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How often to see whether the definition has changed, or the last look is to be made again.
const WAKE_EVERY: Duration = Duration::from_millis(500);

/// How many bytes of contents are told in all, in the order of their names: every replica has to hold them.
const CONTENTS_MAX: u64 = 64 * 1024 * 1024;

/// How long events are collected before the hub is looked at: a run makes several at once.
const COALESCE: Duration = Duration::from_millis(20);

/// How many times longer than a look took the hub is left alone.
const RESTS: u32 = 4;

/// How long it is left alone at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// The lists in what is known of a hub, and by which field those in them are told apart.
const LISTS: [(&str, &str); 4] =
    [("resources", "resource"), ("stages", "name"), ("problems", "id"), ("views", "name")];

/// Has a part of the model be this, by what is otherwise in it.
pub(super) fn change(source: &Source, part: &str, tree: &Tree) -> Result<(), Fault> {
    let model = source.model()?;
    let mut at = path([part]);
    let mut ops = Vec::new();
    tree.change(model.get(&at), &mut at, &mut ops);
    drop(model);
    if ops.is_empty() { Ok(()) } else { source.push(ops) }
}

/// The model of a project, published.
pub(crate) struct ProjectModel {
    server: Server,
    source: Source,
    bus: Bus,
    stop: Stop,
    /// Those that tell what there is.
    threads: Vec<JoinHandle<()>>,
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
            source: source.clone(),
            contents: BTreeMap::new(),
            seen: String::new(),
        };
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("project model".to_owned())
            .spawn(move || watcher.run(&stopped))?;
        let what_ifs = whatifs::tell((bus, hub), source.clone(), &stop)?;
        Ok(Self { server, source, bus: bus.clone(), stop, threads: vec![thread, what_ifs] })
    }

    /// Also tells what the runner of this process is at.
    pub(crate) fn tell_runs(&mut self, statuses: watch::Receiver<Arc<Status>>) -> Result<()> {
        let thread = runs::tell(&self.bus, self.source.clone(), statuses, &self.stop)?;
        self.threads.push(thread);
        Ok(())
    }

    /// What others of this process tell by.
    pub(crate) fn source(&self) -> Source {
        self.source.clone()
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
        for thread in self.threads.drain(..) {
            // Its panic was printed.
            drop(thread.join());
        }
        self.server.shutdown();
    }
}

/// What there is of contents.
struct Contents {
    /// Those that are other ones than the model has; none for resources that are gone.
    changed: BTreeMap<String, Option<Tree>>,
    /// All of them, as [`Watcher::contents`].
    there: BTreeMap<String, String>,
}

/// Looks at the hub whenever something happens there.
struct Watcher {
    bus: Bus,
    looks: Looks,
    caller: Caller,
    events: Follow,
    shown: watch::Receiver<Arc<Shown>>,
    source: Source,
    /// The blobs whose contents the model has, and whether there was room for them.
    contents: BTreeMap<String, String>,
    /// What the last look told.
    seen: String,
}

impl Watcher {
    fn run(mut self, stop: &Stop) {
        while !stop.is_pulled() {
            let begun = Instant::now();
            let looked = self.look();
            if let Err(fault) = &looked {
                tracing::warn!(%fault, "cannot tell the model what the hub has");
            }
            let rest = COALESCE.max(begun.elapsed().saturating_mul(RESTS)).min(REST_MAX);
            self.wait(looked.is_ok(), stop);
            if stop.wait(rest) {
                break;
            }
            while self.events.recv_timeout(Duration::ZERO).is_some() {}
        }
    }

    /// Waits until something happens; who could not look tries again soon.
    fn wait(&mut self, has_looked: bool, stop: &Stop) {
        while !stop.is_pulled() {
            let is_told = self.events.recv_timeout(WAKE_EVERY).is_some();
            if is_told || !has_looked || self.shown.has_changed().unwrap_or(false) {
                return;
            }
        }
    }

    fn look(&mut self) -> Result<(), Fault> {
        let shown = Arc::clone(&self.shown.borrow_and_update());
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
        for (name, tree) in contents.changed {
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
        self.contents = contents.there;
        self.seen = text;
        Ok(())
    }

    /// Which contents there are, and what is in those that are other ones than the model has.
    fn contents(&self, state: &Json) -> Result<Contents, Fault> {
        let mut changed = BTreeMap::new();
        let mut there = BTreeMap::new();
        let mut room = CONTENTS_MAX;
        for entry in state["resources"].as_array().into_iter().flatten() {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let (name, size) = (text("resource"), entry["size"].as_u64().unwrap_or(u64::MAX));
            let is_small = size <= content::SIZE_MAX;
            let fits = is_small && size <= room;
            room -= if fits { size } else { 0 };
            let version = format!("{} {fits}", text("blob"));
            if self.contents.get(&name) != Some(&version) {
                let tree = match (fits, is_small) {
                    (true, _) => self.content(&name, &text("revision"), &entry["content_type"])?,
                    (false, true) => content::none("the contents before it fill the model"),
                    (false, false) => content::none("it is too large to be told cell by cell"),
                };
                changed.insert(name.clone(), Some(tree));
            }
            there.insert(name, version);
        }
        for name in self.contents.keys().filter(|name| !there.contains_key(*name)) {
            changed.insert(name.clone(), None);
        }
        Ok(Contents { changed, there })
    }

    fn content(&self, name: &str, revision: &str, content_type: &Json) -> Result<Tree, Fault> {
        let resource: Resource = name.parse().map_err(Fault::bad_request)?;
        let at = revision.parse().map_err(Fault::bad_request)?;
        let get = Get { at, ..Get::head(resource) };
        match self.caller.call_blocking(&get, DEADLINE) {
            Ok(content) => {
                Ok(content::tree(content_type.as_str(), &content.bytes.unwrap_or_default()))
            }
            // It was pruned, or cannot be read: that is what there is to tell.
            Err(fault) if matches!(fault.code, Code::NotFound | Code::Internal) => {
                Ok(content::none(&fault.message))
            }
            Err(fault) => Err(fault),
        }
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
            None => drop(about.insert(Key::new(name), json::tree(json))),
        }
    }
    sections.insert("about".to_owned(), Tree::Dict(about));
    sections
}
