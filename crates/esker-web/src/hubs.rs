//! Several projects shown by one server: how each stands, told from what is followed of it; and a front page that leads to them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Json;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::routes::Web;
use crate::together;

/// How one of the projects stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// What its hub is called here: its pages are below `/NAME/`.
    pub name: String,
    /// What it calls itself; none before its hub was reached for the first time.
    pub project: Option<String>,
    /// Whether its hub is heard.
    pub reached: bool,
    /// Since when that is so.
    pub since: Timestamp,
    /// When something was put last.
    pub changed: Option<String>,
    /// How many sources and stages it has.
    pub stages: usize,
    /// How many of them are not computed from the newest.
    pub late: usize,
    /// How many of them have no input yet.
    pub waiting: usize,
    /// How many run.
    pub running: usize,
    /// How many problems there are.
    pub problems: usize,
    /// The first of them, in a line.
    pub problem: Option<String>,
    /// Whether a runner works.
    pub runner: bool,
    /// As of when it is, if not of now.
    pub as_of: Option<String>,
    /// Whether its own pages are served here.
    pub app: bool,
}

impl Standing {
    /// That of a hub that is not reached yet.
    pub fn unknown(name: &str, app: bool, since: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            project: None,
            reached: false,
            since,
            changed: None,
            stages: 0,
            late: 0,
            waiting: 0,
            running: 0,
            problems: 0,
            problem: None,
            runner: false,
            as_of: None,
            app,
        }
    }

    /// It as JSON.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).expect("texts and numbers can always be written")
    }
}

/// How all of them stand, in the order of their names.
pub type Standings = watch::Receiver<Arc<Vec<Standing>>>;

/// The projects that one server shows; none where it shows one alone, as if there were no others.
#[derive(Clone)]
pub(crate) struct Hubs {
    pub(crate) standings: Standings,
    /// What is counted of each, by its name.
    pub(crate) metrics: Arc<[(String, Arc<Metrics>)]>,
}

impl Hubs {
    /// Of a server that shows one project alone.
    pub(crate) fn none() -> Self {
        // Whoever looks at it finds what it was made with.
        let (_, standings) = watch::channel(Arc::default());
        Self { standings, metrics: Arc::default() }
    }

    /// What is counted of each.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Option<&str>, &Metrics)> {
        self.metrics.iter().map(|(name, metrics)| (Some(name.as_str()), &**metrics))
    }

    /// Whether a path is the name of one.
    pub(crate) fn is_one(&self, path: &str) -> bool {
        let name = path.strip_prefix('/');
        self.metrics.iter().any(|(one, _)| Some(together::encoded(one).as_str()) == name)
    }

    /// Those that are not heard.
    pub(crate) fn missing(&self) -> Vec<String> {
        let all = self.standings.borrow();
        let missing = all.iter().filter(|standing| !standing.reached);
        missing.map(|standing| standing.name.clone()).collect()
    }
}

/// `GET /api/hubs`: how each stands.
pub(crate) async fn list(State(web): State<Web>) -> Json<Value> {
    let all = Arc::clone(&web.hubs.standings.borrow());
    let hubs: Vec<Value> = all.iter().map(Standing::json).collect();
    Json(json!({ "hubs": hubs }))
}
