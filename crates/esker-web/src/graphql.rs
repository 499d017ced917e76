//! `/graphql`: what there is, asked for in GraphQL, and followed by WebSocket. Nothing is changed this way: that is REST's.
//!
//! Types are read from what REST tells and from the live model, so that all three say the same.

mod live;
mod query;
mod socket;
mod subscription;
mod told;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{EmptyMutation, Request, Response as Answer, Schema, ServerError, Value};
use axum::Json;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use esker_wire::fault::{Code, Fault};
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};

use self::query::Query;
use self::socket::{PROTOCOL, Sockets};
use self::subscription::Subscription;
use crate::access::Who;
use crate::answer::{Failed, Refused, Said};
use crate::hub::Hub;
use crate::live::Live;
use crate::project::Project;
use crate::routes::{Upgrade, Web, no_socket};
use crate::server::Place;

/// The largest request, in bytes: the query and its variables.
const BODY_MAX: usize = 256 * 1024;

/// The longest query, in bytes.
const QUERY_MAX: usize = 32 * 1024;

/// The deepest query; what clients ask of the schema itself is 15 deep.
const DEPTH_MAX: usize = 16;

/// How much one query may ask for: a field is 1, a content is [`query::CONTENT_COST`], a list as many times what is in it as it
/// may be long.
const COMPLEXITY_MAX: usize = 120_000;

/// The most directives of a field.
const DIRECTIVES_MAX: usize = 8;

/// The most questions that all queries together have at the hub.
const CALLS_MAX: usize = 16;

/// How long the live model may take.
const DEADLINE: Duration = Duration::from_secs(10);

type Graphs = Schema<Query, EmptyMutation, Subscription>;

/// Everything that answers queries. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Graph {
    schema: Graphs,
    sockets: Sockets,
}

/// What queries are answered from.
struct Desk {
    hub: Hub,
    project: watch::Receiver<Arc<Project>>,
    live: Option<Live>,
    calls: Semaphore,
}

impl Graph {
    pub(crate) fn new(
        hub: Hub,
        project: watch::Receiver<Arc<Project>>,
        live: Option<Live>,
    ) -> Self {
        let desk = Arc::new(Desk { hub, project, live, calls: Semaphore::new(CALLS_MAX) });
        Self { schema: schema().data(desk).finish(), sockets: Sockets::default() }
    }
}

fn schema() -> async_graphql::SchemaBuilder<Query, EmptyMutation, Subscription> {
    Schema::build(Query, EmptyMutation, Subscription)
        .limit_depth(DEPTH_MAX)
        .limit_complexity(COMPLEXITY_MAX)
        .limit_directives(DIRECTIVES_MAX)
}

/// What is asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
}

/// `POST /graphql`: answers a query.
pub(crate) async fn ask(
    State(graph): State<Graph>,
    Said(asked): Said<Asked>,
) -> Result<Json<Answer>, Failed> {
    let mut request = Request::new(asked.query);
    request.operation_name = asked.operation_name;
    let variables = serde_json::Value::Object(asked.variables.unwrap_or_default());
    request.variables = async_graphql::Variables::from_json(variables);
    check(&request)?;
    Ok(Json(coded(graph.schema.execute(request).await)))
}

/// `GET /graphql`: queries and subscriptions by WebSocket.
pub(crate) async fn follow(
    State(web): State<Web>,
    Extension(place): Extension<Place>,
    Extension(who): Extension<Who>,
    socket: Upgrade,
) -> Result<Response, Failed> {
    let socket = socket.map_err(|_| no_socket())?;
    let socket = socket.max_message_size(BODY_MAX).max_frame_size(BODY_MAX).protocols([PROTOCOL]);
    if socket.selected_protocol().is_none() {
        return Err(Refused {
            status: StatusCode::BAD_REQUEST,
            code: "bad-request",
            message: format!("this WebSocket speaks {PROTOCOL} alone"),
            hint: "send Sec-WebSocket-Protocol: graphql-transport-ws",
        }
        .into());
    }
    let Graph { schema, sockets } = web.graph;
    let among = sockets.place()?;
    let counted = web.metrics.socket();
    Ok(socket.on_upgrade(async move |socket| {
        socket::serve(schema, socket, who.ended()).await;
        drop((among, counted, place));
    }))
}

/// The body that is read at most.
pub(crate) fn body_max() -> DefaultBodyLimit {
    DefaultBodyLimit::max(BODY_MAX)
}

/// Refuses what is not even read.
fn check(request: &Request) -> Result<(), Fault> {
    let length = request.query.len();
    if length <= QUERY_MAX {
        return Ok(());
    }
    let text = format!("the query has {length} bytes, {QUERY_MAX} are read");
    Err(Fault::new(Code::TooLarge, text).hint("ask for less at once; use fragments and variables"))
}

/// A fault as GraphQL tells it.
#[derive(Clone)]
struct Told(Fault);

impl From<Fault> for Told {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl From<Told> for async_graphql::Error {
    fn from(Told(fault): Told) -> Self {
        use async_graphql::ErrorExtensions as _;
        Self::new(fault.message).extend_with(|_, told| {
            told.set("code", fault.code.as_str());
            told.set("hint", fault.hint.as_str());
            if !fault.candidates.is_empty() {
                told.set("candidates", fault.candidates);
            }
        })
    }
}

/// A fault as the whole answer.
fn refusal(fault: Fault) -> Answer {
    let error = async_graphql::Error::from(Told(fault));
    let mut answer = ServerError::new(error.message, None);
    answer.extensions = error.extensions;
    Answer::from_errors(vec![answer])
}

/// The same, in which what the query itself has wrong has a code, too.
fn coded(mut answer: Answer) -> Answer {
    for error in &mut answer.errors {
        let told = error.extensions.get_or_insert_default();
        if told.get("code").is_none() {
            let is_about = |word| error.message.contains(word);
            let hint = if is_about("mutation") {
                "what changes something is asked for over REST: GET /api tells how"
            } else if is_about("complex") {
                "a list counts as often as its `limit` says, a content as 1,000 fields; 120,000 may be asked for at once"
            } else {
                "{ __schema { queryType { fields { name } } } } tells what there is"
            };
            told.set("code", Code::BadRequest.as_str());
            told.set("hint", Value::from(hint));
        }
    }
    answer
}

#[cfg(test)]
mod tests;
