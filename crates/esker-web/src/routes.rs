//! Every route there is: how it is asked for, what role that needs, what it is called, who answers.
//!
//! The router is made from this table, the door goes by it, and a test holds `openapi.json` against it.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Extension, FromRef, Request, State, WebSocketUpgrade};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, middleware};
use esker_wire::fault::{Code, Fault};
use esker_wire::role::Role;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::access::oidc::flow;
use crate::access::{Gate, Who, door, login};
use crate::answer::{Failed, Refused};
use crate::cluster::Finder;
use crate::graphql::{self, Graph};
use crate::hub::Hub;
use crate::hubs::{self, Hubs};
use crate::metrics::{self, Metrics};
use crate::project::Project;
use crate::server::Place;
use crate::sync::{self, Relay};
use crate::{api, app, cluster, health, overrides, page, problems, runs, tags, whatif};

/// What there is over HTTP, as OpenAPI tells it.
const OPENAPI: &str = include_str!("openapi.json");
/// Where a project is, as it stands there first: what is the server's own says so of itself.
const SERVERS: &str = "\"servers\": [\n  {\n   \"url\": \"/\"\n  }\n ]";

/// All that answers go by.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) hub: Hub,
    /// The live model, if there is one.
    pub(crate) relay: Option<Relay>,
    pub(crate) graph: Graph,
    pub(crate) gate: Arc<Gate>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who finds where ids of the cluster are.
    pub(crate) finder: Finder,
    pub(crate) project: watch::Receiver<Arc<Project>>,
    /// The project's folder.
    pub(crate) dir: Arc<Path>,
    /// What it is of all that the server shows.
    pub(crate) part: Part,
    /// The others.
    pub(crate) hubs: Hubs,
}

/// What part of a server's pages something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of them: one project.
    Whole,
    /// What there is once for several projects.
    Front,
    /// One of several projects, below this: `/NAME`.
    Below(Arc<str>),
}

impl Part {
    /// What stands before every path.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Whole | Self::Front => "",
            Self::Below(prefix) => prefix,
        }
    }
}

/// What a route is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// One project.
    Project,
    /// The server: there is one, whatever is shown.
    Server,
    /// What is shown there: a project, or all of them.
    Either,
}

impl About {
    /// Whether there is such a route there.
    fn is_in(self, part: &Part) -> bool {
        match part {
            Part::Whole => true,
            Part::Front => self != Self::Project,
            Part::Below(_) => self != Self::Server,
        }
    }
}

impl FromRef<Web> for Hub {
    fn from_ref(web: &Web) -> Self {
        web.hub.clone()
    }
}

impl FromRef<Web> for Finder {
    fn from_ref(web: &Web) -> Self {
        web.finder.clone()
    }
}

impl FromRef<Web> for Graph {
    fn from_ref(web: &Web) -> Self {
        web.graph.clone()
    }
}

/// A route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What whoever asks must at least be allowed; none where anybody may ask.
    pub(crate) needs: Option<Role>,
    pub(crate) about: About,
    /// What it is called in OpenAPI, in the log and where it is counted.
    pub(crate) id: &'static str,
    serve: fn(MethodFilter) -> MethodRouter<Web>,
}

const ANYBODY: Option<Role> = None;
const VIEW: Option<Role> = Some(Role::View);
const WHAT_IF: Option<Role> = Some(Role::WhatIf);
const OPERATE: Option<Role> = Some(Role::Operate);

const PROJECT: About = About::Project;
const SERVER: About = About::Server;
const EITHER: About = About::Either;

/// The table.
#[rustfmt::skip]
pub(crate) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/api", needs: ANYBODY, about: EITHER, id: "openApi", serve: |m| on(m, openapi) },
    Route { method: "GET", path: "/api/openapi.json", needs: ANYBODY, about: EITHER, id: "openApiFile", serve: |m| on(m, openapi) },
    Route { method: "GET", path: "/api/me", needs: VIEW, about: EITHER, id: "me", serve: |m| on(m, login::me) },
    Route { method: "GET", path: "/api/hubs", needs: VIEW, about: SERVER, id: "listHubs", serve: |m| on(m, hubs::list) },
    Route { method: "GET", path: "/api/get", needs: VIEW, about: PROJECT, id: "getContent", serve: |m| on(m, api::get) },
    Route { method: "GET", path: "/api/list", needs: VIEW, about: PROJECT, id: "listResources", serve: |m| on(m, api::list) },
    Route { method: "GET", path: "/api/log", needs: VIEW, about: PROJECT, id: "getLog", serve: |m| on(m, api::log) },
    Route { method: "GET", path: "/api/diff", needs: VIEW, about: PROJECT, id: "getDiff", serve: |m| on(m, api::diff) },
    Route { method: "GET", path: "/api/whatif", needs: VIEW, about: PROJECT, id: "listWhatIfs", serve: |m| on(m, whatif::list) },
    Route { method: "POST", path: "/api/whatif", needs: WHAT_IF, about: PROJECT, id: "makeWhatIf", serve: |m| on(m, whatif::make) },
    Route { method: "GET", path: "/api/whatif/{id}", needs: VIEW, about: PROJECT, id: "getWhatIf", serve: |m| on(m, whatif::show) },
    Route { method: "PUT", path: "/api/whatif/{id}", needs: WHAT_IF, about: PROJECT, id: "amendWhatIf", serve: |m| on(m, whatif::amend) },
    Route { method: "DELETE", path: "/api/whatif/{id}", needs: WHAT_IF, about: PROJECT, id: "discardWhatIf", serve: |m| on(m, whatif::discard) },
    Route { method: "GET", path: "/api/problems", needs: VIEW, about: PROJECT, id: "listProblems", serve: |m| on(m, problems::list) },
    Route { method: "GET", path: "/api/problems/{problem}", needs: VIEW, about: PROJECT, id: "getProblem", serve: |m| on(m, problems::show) },
    Route { method: "POST", path: "/api/problems/{problem}/retry", needs: OPERATE, about: PROJECT, id: "retryProblem", serve: |m| on(m, problems::retry) },
    Route { method: "POST", path: "/api/problems/{problem}/acknowledge", needs: OPERATE, about: PROJECT, id: "acknowledgeProblem", serve: |m| on(m, problems::acknowledge) },
    Route { method: "POST", path: "/api/problems/{problem}/mute", needs: OPERATE, about: PROJECT, id: "muteProblem", serve: |m| on(m, problems::mute) },
    Route { method: "POST", path: "/api/problems/{problem}/clear", needs: OPERATE, about: PROJECT, id: "clearProblem", serve: |m| on(m, problems::clear) },
    Route { method: "GET", path: "/api/runs", needs: VIEW, about: PROJECT, id: "listRuns", serve: |m| on(m, runs::list) },
    Route { method: "GET", path: "/api/runs/{run}", needs: VIEW, about: PROJECT, id: "getRun", serve: |m| on(m, runs::show) },
    Route { method: "GET", path: "/api/overrides", needs: VIEW, about: PROJECT, id: "listOverrides", serve: |m| on(m, overrides::list) },
    Route { method: "POST", path: "/api/overrides/keep", needs: OPERATE, about: PROJECT, id: "keepOverrides", serve: |m| on(m, overrides::keep) },
    Route { method: "POST", path: "/api/overrides/drop", needs: OPERATE, about: PROJECT, id: "dropOverrides", serve: |m| on(m, overrides::leave) },
    Route { method: "GET", path: "/api/tags", needs: VIEW, about: PROJECT, id: "listTags", serve: |m| on(m, tags::list) },
    Route { method: "POST", path: "/api/tags", needs: OPERATE, about: PROJECT, id: "makeTag", serve: |m| on(m, tags::make) },
    Route { method: "GET", path: "/api/cluster/where", needs: VIEW, about: PROJECT, id: "findInCluster", serve: |m| on(m, cluster::find) },
    Route { method: "GET", path: "/sync/1", needs: VIEW, about: EITHER, id: "followModel", serve: |m| on(m, follow_model) },
    Route { method: "POST", path: "/graphql", needs: VIEW, about: PROJECT, id: "askGraphQl", serve: |m| on(m, graphql::ask).layer(graphql::body_max()) },
    Route { method: "GET", path: "/graphql", needs: VIEW, about: PROJECT, id: "followGraphQl", serve: |m| on(m, graphql::follow) },
    Route { method: "GET", path: "/healthz", needs: ANYBODY, about: EITHER, id: "health", serve: |m| on(m, health::health) },
    Route { method: "GET", path: "/readyz", needs: ANYBODY, about: EITHER, id: "ready", serve: |m| on(m, health::ready) },
    Route { method: "GET", path: "/metrics", needs: VIEW, about: SERVER, id: "metrics", serve: |m| on(m, metrics::serve) },
    Route { method: "GET", path: "/login", needs: ANYBODY, about: SERVER, id: "logInPage", serve: |m| on(m, login::page) },
    Route { method: "POST", path: "/login", needs: ANYBODY, about: SERVER, id: "logIn", serve: |m| on(m, login::enter).layer(DefaultBodyLimit::max(login::FORM_MAX)) },
    Route { method: "GET", path: "/login.css", needs: ANYBODY, about: SERVER, id: "logInStyle", serve: |m| on(m, login::style) },
    Route { method: "GET", path: "/login.js", needs: ANYBODY, about: SERVER, id: "logInScript", serve: |m| on(m, login::script) },
    Route { method: "GET", path: flow::BEGIN, needs: ANYBODY, about: SERVER, id: "logInElsewhere", serve: |m| on(m, flow::begin) },
    Route { method: "GET", path: flow::BACK, needs: ANYBODY, about: SERVER, id: "logInBack", serve: |m| on(m, flow::back) },
    Route { method: "POST", path: "/logout", needs: ANYBODY, about: SERVER, id: "logOut", serve: |m| on(m, login::leave) },
];

/// The route that is asked for so.
pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|route| route.path == path && route.method == method.as_str())
}

/// The least role that any route of a path needs.
pub(crate) fn least(path: &str) -> Option<Role> {
    ROUTES.iter().filter(|route| route.path == path).map(|route| route.needs).min().flatten()
}

/// All of it.
pub(crate) fn router(web: Web) -> Router {
    let mut router = Router::new();
    for route in ROUTES.iter().filter(|route| route.about.is_in(&web.part)) {
        let method = Method::from_bytes(route.method.as_bytes()).ok();
        let filter = method.and_then(|method| MethodFilter::try_from(method).ok());
        let filter = filter.expect("the table has methods that there are");
        router = router.route(route.path, (route.serve)(filter));
    }
    router
        .layer(DefaultBodyLimit::max(whatif::BODY_MAX))
        .method_not_allowed_fallback(async || Refused::method())
        .fallback(fallback)
        .layer(middleware::from_fn_with_state(web.clone(), door::pass))
        .with_state(web)
}

/// A file of the project's own pages, or of the page; the way to one of several projects.
async fn fallback(state: State<Web>, request: Request) -> Response {
    match request.uri().path() {
        path if state.part != Part::Front && (path == app::PATH || path.starts_with("/app/")) => {
            app::serve(state, request).await
        }
        path if state.hubs.is_one(path) => Redirect::permanent(&format!("{path}/")).into_response(),
        _ => page::serve(&state.part, request).await,
    }
}

/// `GET /api`: what there is, and below what.
async fn openapi(State(web): State<Web>) -> Response {
    let servers = match &web.part {
        Part::Whole => None,
        Part::Below(prefix) => Some(json!([{ "url": &**prefix }])),
        Part::Front => Some(each_below(&web.hubs)),
    };
    let text = servers.map_or_else(
        || OPENAPI.to_owned(),
        |servers| OPENAPI.replacen(SERVERS, &format!("\"servers\": {servers}"), 1),
    );
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Where projects are, if there are several.
fn each_below(hubs: &Hubs) -> Value {
    let names: Vec<&str> = hubs.metrics.iter().map(|(name, _)| name.as_str()).collect();
    let hub = json!({ "default": names.first(), "enum": names });
    json!([{ "url": "/{hub}", "variables": { "hub": hub } }])
}

/// What is asked for by WebSocket, asked for by other means.
pub(crate) type Upgrade =
    Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>;

pub(crate) fn no_socket() -> Failed {
    Refused {
        status: StatusCode::UPGRADE_REQUIRED,
        code: "upgrade-required",
        message: "this is asked for by WebSocket".to_owned(),
        hint: "send Upgrade: websocket",
    }
    .into()
}

/// `GET /sync/1`: the live model.
async fn follow_model(
    State(web): State<Web>,
    Extension(place): Extension<Place>,
    Extension(who): Extension<Who>,
    socket: Upgrade,
) -> Result<Response, Failed> {
    let Some(relay) = web.relay else {
        return Err(sync::none().into());
    };
    let socket = socket.map_err(|_| no_socket())?;
    let counted = web.metrics.socket();
    let until = async move {
        who.ended().await;
        drop(counted);
    };
    relayed(relay, place, socket, until)
}

/// The live model alone, without what a hub knows.
pub(crate) async fn follow_alone(
    State(relay): State<Relay>,
    Extension(place): Extension<Place>,
    socket: Upgrade,
) -> Result<Response, Failed> {
    relayed(relay, place, socket.map_err(|_| no_socket())?, std::future::pending())
}

fn relayed(
    relay: Relay,
    place: Place,
    socket: WebSocketUpgrade,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<Response, Failed> {
    let Some(among) = relay.place() else {
        let text = format!("{} browsers follow the model already", sync::SOCKETS_MAX);
        return Err(Fault::new(Code::Busy, text).into());
    };
    let socket = socket
        .read_buffer_size(sync::READ_BUFFER)
        .max_message_size(sync::REQUEST_MAX)
        .max_frame_size(sync::REQUEST_MAX);
    Ok(socket.on_upgrade(async move |socket| {
        tokio::select! {
            () = relay.serve(socket) => {}
            () = until => {}
        }
        drop((among, place));
    }))
}

#[cfg(test)]
mod tests;
