//! Accepts connections within limits and sends each request on its way.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::{Request, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::hub::Hub;
use crate::live::{self, News};
use crate::project::Project;
use crate::sync::{self, Relay};
use crate::{api, guard, page, whatif};

/// The most browsers' connections at once.
const CONNECTIONS_MAX: usize = 1_024;

/// How long a client may take to say what it wants.
const HEADERS_MAX: Duration = Duration::from_secs(10);

/// How long a request may take in all, its body and its answer's beginning.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// The longest message a browser may send over the WebSocket, in bytes; it has nothing to say.
const HEARD_MAX: usize = 4 * 1024;

/// Where the live model is, version and all.
const MODEL: &str = "/sync/1";

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something else listens there.
    #[error("cannot serve the page: port {} of {} is in use", address.port(), address.ip())]
    InUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Beyond loopback anyone could read everything.
    #[error("cannot serve the page on {address}: it is not a loopback address")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be bound.
    #[error("cannot serve the page on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// No threads.
    #[error("cannot start the page's threads")]
    Threads(#[source] std::io::Error),
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InUse { .. } => {
                "stop the other program, or choose another port: [web] bind in esker.toml or --port-base"
            }
            Self::NotLoopback { .. } => {
                "set [web] bind in esker.toml to 127.0.0.1:8000, for example"
            }
            Self::Bind { .. } => "set [web] bind in esker.toml to an address of this machine",
            Self::Threads(_) => "the machine is out of threads or memory",
        }
    }
}

/// A browser's place among [`CONNECTIONS_MAX`].
type Place = Arc<OwnedSemaphorePermit>;

/// The page being served.
pub struct Server {
    address: SocketAddr,
    runtime: Runtime,
}

impl Server {
    /// Serves the page of the hub at `hub` on `bind`, port 0 takes a free one, and the live model that is published at
    /// `model`.
    ///
    /// # Errors
    /// [`Error`] names the address.
    pub fn start(
        bus: &Bus,
        hub: &Endpoint,
        bind: SocketAddr,
        project: watch::Receiver<Arc<Project>>,
        model: Option<&Endpoint>,
    ) -> Result<Self, Error> {
        let (runtime, listener, address) = listen(bind)?;
        let caller = Hub::new(bus.caller(hub));
        let news = News::new();
        let events = bus.follow(hub, &[esker_wire::event::TOPIC]);
        let relay = model.map(|model| relay(&runtime, bus, model));
        runtime.spawn(live::follow(caller.clone(), events, project, news.clone()));
        runtime.spawn(accept(listener, routes(caller, news, relay)));
        Ok(Self { address, runtime })
    }

    /// Serves a live model alone on `bind`, and what pages need to follow it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn model(bus: &Bus, model: &Endpoint, bind: SocketAddr) -> Result<Self, Error> {
        let (runtime, listener, address) = listen(bind)?;
        let relay = relay(&runtime, bus, model);
        let routes = Router::new()
            .route("/esker.js", get(page::serve))
            .route("/esker.d.ts", get(page::serve))
            .merge(self::model(Some(relay)))
            .layer(middleware::from_fn(guard::check));
        runtime.spawn(accept(listener, routes));
        Ok(Self { address, runtime })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection.
    pub fn shutdown(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// The threads of a server, and its socket with its real address.
fn listen(bind: SocketAddr) -> Result<(Runtime, TcpListener, SocketAddr), Error> {
    if !bind.ip().is_loopback() {
        return Err(Error::NotLoopback { address: bind });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("esker-web")
        .enable_all()
        .build()
        .map_err(Error::Threads)?;
    let listener = runtime.block_on(TcpListener::bind(bind)).map_err(|source| {
        if source.kind() == std::io::ErrorKind::AddrInUse {
            Error::InUse { address: bind }
        } else {
            Error::Bind { address: bind, source }
        }
    })?;
    let bound = listener.local_addr().map_err(|source| Error::Bind { address: bind, source })?;
    Ok((runtime, listener, bound))
}

/// A relay that hears the model.
fn relay(runtime: &Runtime, bus: &Bus, model: &Endpoint) -> Relay {
    let relay = Relay::new(bus, model);
    runtime.spawn(relay.clone().hear(bus.clone(), model.clone()));
    relay
}

fn routes(hub: Hub, news: News, relay: Option<Relay>) -> Router {
    let upgrade = async |State(news): State<News>,
                         Extension(place): Extension<Place>,
                         socket: WebSocketUpgrade|
           -> Response {
        let socket = socket.max_message_size(HEARD_MAX).max_frame_size(HEARD_MAX);
        socket.on_upgrade(async move |socket| {
            live::serve(socket, news).await;
            drop(place);
        })
    };
    Router::new()
        .route("/api/get", get(api::get))
        .route("/api/list", get(api::list))
        .route("/api/log", get(api::log))
        .route("/api/diff", get(api::diff))
        .route("/api/whatif", get(whatif::list).post(whatif::make))
        .route("/api/whatif/{id}", get(whatif::show).put(whatif::amend).delete(whatif::discard))
        .layer(DefaultBodyLimit::max(whatif::BODY_MAX))
        .route("/healthz", get(api::health))
        .with_state(hub)
        .merge(Router::new().route("/api/live", get(upgrade)).with_state(news))
        .merge(model(relay))
        .fallback(get(page::serve))
        .layer(middleware::from_fn(guard::check))
}

/// The live model, or the answer that there is none.
fn model(relay: Option<Relay>) -> Router {
    let Some(relay) = relay else {
        let none = async || (StatusCode::NOT_FOUND, format!("{}\n", sync::none()));
        return Router::new().route(MODEL, get(none));
    };
    let upgrade = async |State(relay): State<Relay>,
                         Extension(place): Extension<Place>,
                         socket: WebSocketUpgrade|
           -> Response {
        let Some(among) = relay.place() else {
            let text = format!("{} browsers follow the model already\n", sync::SOCKETS_MAX);
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        };
        let socket = socket
            .read_buffer_size(sync::READ_BUFFER)
            .max_message_size(sync::REQUEST_MAX)
            .max_frame_size(sync::REQUEST_MAX);
        socket.on_upgrade(async move |socket| {
            relay.serve(socket).await;
            drop((among, place));
        })
    };
    Router::new().route(MODEL, get(upgrade)).with_state(relay)
}

async fn accept(listener: TcpListener, routes: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, or the peer has gone: others may still come.
                tracing::warn!(%error, "cannot accept a browser");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(connection(stream, routes.clone(), Arc::new(place)));
    }
}

/// Serves one browser. Each request holds the place too: a WebSocket outlives its connection's own future.
async fn connection(stream: TcpStream, routes: Router, place: Place) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let mut routes = routes.clone();
        request.extensions_mut().insert(Arc::clone(&place));
        async move {
            let answer = tower_service::Service::call(&mut routes, request);
            let Ok(response) = tokio::time::timeout(REQUEST_MAX, answer).await else {
                let late = (StatusCode::REQUEST_TIMEOUT, "the request took too long\n");
                return Ok::<_, Infallible>(late.into_response());
            };
            Ok(response.unwrap_or_else(|never| match never {}))
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a browser's connection broke");
    }
}
