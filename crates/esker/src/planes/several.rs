//! The pages of several hubs in one process: each is followed as others follow it, and what is seen of it is all that is shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_pipeline::definition::web::hubs::{Hub, check_all};
use esker_replica::follow::Follow;
use esker_replica::json::{self, Json};
use esker_replica::live::{self, Source};
use esker_replica::model::Model;
use esker_replica::path::{Key, path};
use esker_replica::publisher;
use esker_replica::replica::{Options, State};
use esker_replica::tree::Tree;
use esker_web::hubs::Standing;
use esker_web::project::{Project as Shown, Stage};
use esker_web::server::{Below, Server as Pages, Several};
use jiff::Timestamp;
use tokio::sync::watch;

use super::Start;
use super::access::Keeper;
use super::model::change;
use super::told;
use crate::cli::Web;
use crate::project::Project;
use crate::reload::Reload;
use crate::say::hinted;
use crate::stop::Stop;

/// The model of how all of them stand, and its one section.
const NAME: &str = "hubs";

/// The model of a hub, and what of it is followed.
const MODEL: &str = "project";
const SECTIONS: [&str; 4] = ["about", "stages", "runs", "problems"];

/// How often to see whether this is to end while nothing happens.
const WAKE_EVERY: Duration = Duration::from_millis(500);

/// How long a hub is left alone after something has happened there: a run changes several things at once.
const REST: Duration = Duration::from_millis(50);

/// How long the first line of a problem may be, in characters.
const LINE_MAX: usize = 200;

/// Runs the pages of these hubs: of one at `/`, of several below their names.
pub(super) fn web(start: &Start, web: &Web, hubs: &[Hub]) -> Result<()> {
    let hint = "[web.hub.NAME] in esker.toml, or --hub NAME=tcp://HOST:PORT, names each once";
    check_all(hubs).map_err(|why| hinted(format!("cannot show these hubs: {why}"), hint))?;
    let followed = Followed::start(&start.bus, &start.project, hubs)?;
    let (page, presence) = match &followed.each[..] {
        [one] => start.serve_page(
            (&one.hub, Some(&one.model), None),
            &web.ports,
            web.bind,
            one.project.clone(),
        )?,
        each => start.serve_pages(&web.ports, web.bind, |bind, access| {
            let (model, standings) = (followed.model(), followed.standings());
            let project = watch::Sender::new(Arc::new(shown(&Json::Null, None))).subscribe();
            let served = Several { each, model: &model, standings, project, access };
            Pages::several(&start.bus, bind, served)
        })?,
    };
    // What is shown is the hubs' business; that other hubs are named, it says.
    let keeper = Keeper::new(start, &page);
    let reload = Reload::start(&start.project, move |definition, _| keeper.keep(&definition.web))?;
    start.rest();
    drop((reload, presence));
    page.shutdown();
    followed.shutdown();
    Ok(())
}

/// How all of them stand, for who asks and for who follows.
struct Board {
    all: Mutex<BTreeMap<String, Standing>>,
    told: watch::Sender<Arc<Vec<Standing>>>,
    source: Source,
}

impl Board {
    /// Takes down how one stands.
    fn tell(&self, standing: Standing) {
        // Whoever panicked while holding it has left all standings whole.
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(standing.name.clone(), standing);
        self.told.send_replace(Arc::new(all.values().cloned().collect()));
        let each = all.values().map(|one| (Key::new(&one.name), json::tree(&one.json())));
        if let Err(fault) = change(&self.source, NAME, &Tree::dict(each)) {
            tracing::warn!(%fault, "cannot tell how the hubs stand");
        }
    }
}

/// Several hubs, followed.
struct Followed {
    server: Server,
    board: Arc<Board>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    /// What is to be served of each.
    each: Vec<Below>,
}

impl Followed {
    /// Begins to follow these; `project` is where their pages' folders are meant from.
    fn start(bus: &Bus, project: &Project, hubs: &[Hub]) -> Result<Self> {
        let now = Timestamp::now();
        let epoch = u64::try_from(now.as_microsecond()).unwrap_or(1);
        let (server, source) =
            live::serve(bus, &publisher::Options::new(NAME, epoch), None, &Binds::default())?;
        let (told, _) = watch::channel(Arc::default());
        let board = Arc::new(Board { all: Mutex::default(), told, source });
        let mut followed =
            Self { server, board, stop: Stop::default(), threads: Vec::new(), each: Vec::new() };
        for hub in hubs {
            followed.follow(bus, project, hub)?;
        }
        Ok(followed)
    }

    fn follow(&mut self, bus: &Bus, project: &Project, hub: &Hub) -> Result<()> {
        let tcp = |requests: &str, events: &str| Endpoint::Tcp {
            requests: requests.to_owned(),
            events: events.to_owned(),
        };
        let at = tcp(&hub.address, &hub.events);
        let model = tcp(&hub.model, &hub.model_events);
        let app = hub.app.as_ref().map(|app| project.dir.join(app).to_string_lossy().into_owned());
        let (told, shown) = watch::channel(Arc::new(shown(&Json::Null, app.clone())));
        let standing = Standing::unknown(&hub.name, app.is_some(), Timestamp::now());
        self.board.tell(standing.clone());
        let sections = SECTIONS.iter().map(|section| path([*section])).collect();
        let replica = Follow::start(bus, &model, MODEL, Options { sections, seed: 0 })?;
        let watcher =
            Watcher { replica, standing, app, shown: told, board: Arc::clone(&self.board) };
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new()
            .name(format!("hub {}", hub.name))
            .spawn(move || watcher.run(&stop))?;
        self.threads.push(thread);
        let live = told::live(bus, Some(&model))?;
        self.each.push(Below { name: hub.name.clone(), hub: at, model, live, project: shown });
        Ok(())
    }

    /// Where it is published how they stand.
    fn model(&self) -> Endpoint {
        self.server.local()
    }

    /// The same, for who asks.
    fn standings(&self) -> watch::Receiver<Arc<Vec<Standing>>> {
        self.board.told.subscribe()
    }

    /// Ends the following, then the publishing.
    fn shutdown(mut self) {
        self.stop.pull();
        for thread in self.threads.drain(..) {
            // Its panic was printed.
            drop(thread.join());
        }
        self.server.shutdown();
    }
}

/// Looks at what is followed of one hub whenever that changes.
struct Watcher {
    replica: Follow,
    /// What was told last.
    standing: Standing,
    app: Option<String>,
    shown: watch::Sender<Arc<Shown>>,
    board: Arc<Board>,
}

impl Watcher {
    fn run(mut self, stop: &Stop) {
        while !stop.is_pulled() {
            if self.replica.recv_timeout(WAKE_EVERY).is_none() {
                continue;
            }
            if stop.wait(REST) {
                return;
            }
            while self.replica.recv_timeout(Duration::ZERO).is_some() {}
            self.look();
        }
    }

    fn look(&mut self) {
        let is_reached = matches!(self.replica.state(), State::Live | State::CatchingUp);
        let found = seen(&self.replica.model());
        let mut standing = self.standing.clone();
        if is_reached != standing.reached {
            standing.reached = is_reached;
            standing.since = Timestamp::now();
            let (hub, since) = (&standing.name, standing.since);
            match is_reached {
                true => tracing::info!(hub, "a hub is reached"),
                false => tracing::warn!(hub, %since, "a hub is not reached"),
            }
        }
        // What was known of it stays where nothing else is known.
        if found["about"].is_object() {
            fill(&mut standing, &found);
            let shown = Arc::new(shown(&found, self.app.clone()));
            self.shown.send_if_modified(|known| {
                let is_other = *known != shown;
                *known = shown;
                is_other
            });
        }
        if standing != self.standing {
            self.standing = standing.clone();
            self.board.tell(standing);
        }
    }
}

/// What is followed of a hub, as JSON.
fn seen(model: &Model) -> Json {
    let found = |section: &str| model.get(&path([section])).map_or(Json::Null, json::of_node);
    Json::Object(SECTIONS.iter().map(|one| ((*one).to_owned(), found(one))).collect())
}

fn text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn each(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_object().into_iter().flat_map(|all| all.values())
}

/// Has a standing say what is known of a project.
fn fill(standing: &mut Standing, found: &Json) {
    let about = &found["about"];
    let stages = || each(&found["stages"]);
    let is_late =
        |stage: &&Json| stage["state"] == "stale" || stage["behind"].as_bool() == Some(true);
    standing.project = text(&about["project"]);
    standing.changed = text(&about["changed"]);
    standing.stages = stages().count();
    standing.late = stages().filter(is_late).count();
    standing.waiting = stages().filter(|stage| stage["state"] == "waiting").count();
    standing.running = each(&found["runs"]).count();
    standing.problems = each(&found["problems"]).count();
    let problem = each(&found["problems"]).next();
    standing.problem = problem.map(|problem| {
        let said = |field: &str| problem[field].as_str().unwrap_or_default();
        format!("{}: {}", said("stage"), said("summary")).chars().take(LINE_MAX).collect()
    });
    standing.runner = about["runner"].as_bool().unwrap_or(true);
    standing.as_of = text(&about["as_of"]);
}

/// What the server has to know of a project that is elsewhere.
fn shown(found: &Json, app: Option<String>) -> Shown {
    let texts = |json: &Json| {
        let all = json.as_array().into_iter().flatten();
        all.filter_map(text).collect::<Vec<_>>()
    };
    let stage = |name: &String| {
        let stage = &found["stages"][name];
        Stage {
            name: name.clone(),
            is_source: stage["kind"] == "source",
            inputs: texts(&stage["inputs"]),
            outputs: texts(&stage["outputs"]),
            program: text(&stage["program"]).unwrap_or_default(),
        }
    };
    let about = &found["about"];
    Shown {
        name: text(&about["project"]).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        stages: texts(&about["stages"]).iter().map(stage).collect(),
        views: Vec::new(),
        app,
        as_of: text(&about["as_of"]),
        has_runner: about["runner"].as_bool().unwrap_or(true),
    }
}

#[cfg(test)]
mod tests;
