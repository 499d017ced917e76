//! Accepts connections within limits and sends each request on its way.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Router, extract, middleware};
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::access::{Access, Gate, Peer};
use crate::answer::Refused;
use crate::cluster::{Find, Finder};
use crate::crowd::{Among, Crowd};
use crate::graphql::Graph;
use crate::guard::{self, Site};
use crate::hub::Hub;
use crate::hubs::{Hubs, Standings};
use crate::live::Live;
use crate::metrics::{Counted, Metrics};
use crate::page;
use crate::project::Project;
use crate::routes::{self, Part, Web};
use crate::sync::Relay;
use crate::tls::Tls;
use crate::together::{self, Together};

/// The most browsers' connections at once.
const CONNECTIONS_MAX: usize = 1_024;

/// How long a client may take to say what it wants.
const HEADERS_MAX: Duration = Duration::from_secs(10);

/// How long a request may take in all, its body and its answer's beginning.
const REQUEST_MAX: Duration = Duration::from_secs(30);

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
    #[error(
        "cannot serve the page on {address}: it is not a loopback address, and not everybody who gets there may come in"
    )]
    NotProtected {
        /// The address asked for.
        address: SocketAddr,
    },
    /// People who log in elsewhere would not find back.
    #[error("cannot serve the page on {address}: [web.oidc] has nowhere to send people back to")]
    NoWayBack {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Only a page with everything that keeps others out is served beyond loopback.
    #[error("cannot serve the model alone on {address}: it is not a loopback address")]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// A name for others, and nobody who is let in.
    #[error("cannot serve the page as {public}: nobody is let in")]
    Nobody {
        /// What people would type.
        public: String,
    },
    /// A password's hash that is none.
    #[error("cannot let {user} in: their password in esker.toml is no hash of one: {why}")]
    Password {
        /// Whose it is.
        user: String,
        /// What is wrong with it.
        why: String,
    },
    /// A token that can be guessed.
    #[error("cannot let {name} in: its token has less than {least} characters")]
    Token {
        /// What it is called.
        name: String,
        /// How many it has at least.
        least: usize,
    },
    /// A certificate or key that cannot be used.
    #[error("cannot speak TLS with {}: {why}", file.display())]
    Tls {
        /// Where it is.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
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
            Self::NotProtected { .. } | Self::Nobody { .. } => {
                "write in esker.toml [web] tls = { cert = \"cert.pem\", key = \"key.pem\" }, and \
                 [web.user.NAME] with a role and the password that `esker web password` prints, or \
                 [web.oidc]; \
                 or bind 127.0.0.1"
            }
            Self::NoWayBack { .. } => "write in esker.toml [web] public = \"https://NAME:PORT\"",
            Self::NotLoopback { .. } => "give an address such as 127.0.0.1:8000",
            Self::Password { .. } => "`esker web password` makes one",
            Self::Token { .. } => "`openssl rand -hex 32` makes one",
            Self::Tls { .. } => "cert and key are files with PEM: -----BEGIN CERTIFICATE-----",
            Self::Bind { .. } => "set [web] bind in esker.toml to an address of this machine",
            Self::Threads(_) => "the machine is out of threads or memory",
        }
    }
}

/// A browser's place among [`CONNECTIONS_MAX`] and among those of its address, counted.
pub(crate) type Place = Arc<(OwnedSemaphorePermit, Among, Counted)>;

/// What is served.
pub struct Served<'a> {
    /// The hub whose page it is.
    pub hub: &'a Endpoint,
    /// Where the live model is published, if it is.
    pub model: Option<&'a Endpoint>,
    /// Who follows it in this process, for GraphQL, if that is built in.
    pub live: Option<Live>,
    /// Who finds where ids of the cluster are, if somebody does.
    pub find: Option<Find>,
    /// The project's folder.
    pub dir: &'a Path,
    /// What the page must know of the definition.
    pub project: watch::Receiver<Arc<Project>>,
    /// Who is let in.
    pub access: Access,
}

/// One of several projects that are served.
pub struct Below {
    /// What its hub is called here.
    pub name: String,
    /// The hub.
    pub hub: Endpoint,
    /// Where its live model is published.
    pub model: Endpoint,
    /// Who follows it in this process, for GraphQL, if that is built in.
    pub live: Option<Live>,
    /// What its page must know of the definition; where its own pages are is absolute.
    pub project: watch::Receiver<Arc<Project>>,
}

/// Several projects that are served, each below its name.
pub struct Several<'a> {
    /// Each of them.
    pub each: &'a [Below],
    /// Where it is published how they stand.
    pub model: &'a Endpoint,
    /// The same.
    pub standings: Standings,
    /// What is known of the server itself.
    pub project: watch::Receiver<Arc<Project>>,
    /// Who is let in: to all of them.
    pub access: Access,
}

/// The page being served.
pub struct Server {
    address: SocketAddr,
    runtime: Runtime,
    /// None where a model is served alone.
    gate: Option<Arc<Gate>>,
}

/// Lets others in while a server serves.
pub struct Admits(Arc<Gate>);

impl Admits {
    /// Lets these in from now on. What was begun by those who are not among them, or may do something else now, ends.
    ///
    /// # Errors
    /// [`Error`] names who cannot be let in; all stays as it was then.
    pub fn replace(&self, access: Access) -> Result<(), Error> {
        self.0.replace(access)
    }
}

impl Server {
    /// Serves a page on `bind`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`Error`] names the address, or who cannot be let in.
    pub fn start(bus: &Bus, bind: SocketAddr, served: Served<'_>) -> Result<Self, Error> {
        let Served { hub, model, live, find, dir, project, access } = served;
        let open = Open::at(bind, access)?;
        let metrics = Arc::new(Metrics::default());
        let caller = Hub::new(bus.caller(hub)).counted(Arc::clone(&metrics));
        let web = Web {
            graph: Graph::new(caller.clone(), project.clone(), live),
            hub: caller,
            relay: model.map(|model| relay(&open.runtime, bus, model, &metrics)),
            gate: Arc::clone(&open.gate),
            metrics: Arc::clone(&metrics),
            finder: Finder(find),
            project,
            dir: dir.into(),
            part: Part::Whole,
            hubs: Hubs::none(),
        };
        Ok(open.serve(routes::router(web), metrics))
    }

    /// Serves the pages of several projects on `bind`, each below its name, and a page that leads to them.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn several(bus: &Bus, bind: SocketAddr, served: Several<'_>) -> Result<Self, Error> {
        let Several { each, model, standings, project, access } = served;
        let open = Open::at(bind, access)?;
        let metrics = Arc::new(Metrics::default());
        let counts = each.iter().map(|one| (one.name.clone(), Arc::default()));
        let hubs = Hubs { standings, metrics: counts.collect() };
        // Nothing that is asked of all of them is asked of a hub.
        let nobody = Hub::new(bus.caller(model));
        let front = Web {
            graph: Graph::new(nobody.clone(), project.clone(), None),
            hub: nobody,
            relay: Some(relay(&open.runtime, bus, model, &metrics)),
            gate: Arc::clone(&open.gate),
            metrics: Arc::clone(&metrics),
            finder: Finder(None),
            project,
            dir: Path::new("").into(),
            part: Part::Front,
            hubs,
        };
        let below = each.iter().zip(front.hubs.metrics.iter()).map(|(one, (_, metrics))| {
            let name = together::encoded(&one.name);
            let caller = Hub::new(bus.caller(&one.hub)).counted(Arc::clone(metrics));
            let web = Web {
                graph: Graph::new(caller.clone(), one.project.clone(), one.live.clone()),
                hub: caller,
                relay: Some(relay(&open.runtime, bus, &one.model, metrics)),
                metrics: Arc::clone(metrics),
                project: one.project.clone(),
                part: Part::Below(format!("/{name}").into()),
                ..front.clone()
            };
            (name, routes::router(web))
        });
        let each = below.collect();
        let routes = Together { each, front: routes::router(front) }.router();
        Ok(open.serve(routes, metrics))
    }

    /// Serves a live model alone on `bind`, and what pages need to follow it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn model(bus: &Bus, model: &Endpoint, bind: SocketAddr) -> Result<Self, Error> {
        if !bind.ip().is_loopback() {
            return Err(Error::NotLoopback { address: bind });
        }
        let (runtime, listener, address) = listen(bind)?;
        let metrics = Arc::new(Metrics::default());
        let relay = relay(&runtime, bus, model, &metrics);
        let routes = Router::new()
            .route("/esker.js", file())
            .route("/esker.d.ts", file())
            .route("/assets/{*path}", file())
            .route(MODEL, get(routes::follow_alone))
            .with_state(relay);
        let routes = guarded(routes, Site::new(bind, false, &[]));
        runtime.spawn(accept(listener, Accepts { routes, tls: None, metrics }));
        Ok(Self { address, runtime, gate: None })
    }

    /// Lets others in while it serves; none where everybody is.
    pub fn admits(&self) -> Option<Admits> {
        self.gate.clone().map(Admits)
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

/// A socket that is open to those who are let in.
struct Open {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    gate: Arc<Gate>,
}

impl Open {
    fn at(bind: SocketAddr, access: Access) -> Result<Self, Error> {
        let tls = access.tls.clone();
        let gate = Arc::new(Gate::new(access, bind)?);
        let tls = tls.map(Tls::new).transpose()?.map(Arc::new);
        let (runtime, listener, address) = listen(bind)?;
        Ok(Self { runtime, listener, address, tls, gate })
    }

    fn serve(self, routes: Router, metrics: Arc<Metrics>) -> Server {
        let Self { runtime, listener, address, tls, gate } = self;
        let routes = guarded(routes, gate.site.clone());
        runtime.spawn(accept(listener, Accepts { routes, tls, metrics }));
        Server { address, runtime, gate: Some(gate) }
    }
}

/// The threads of a server, and its socket with its real address.
fn listen(bind: SocketAddr) -> Result<(Runtime, TcpListener, SocketAddr), Error> {
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

/// A file that pages need, whatever they are of.
fn file() -> MethodRouter<Relay> {
    get(async |request: extract::Request| page::serve(&Part::Whole, request).await)
}

/// A relay that hears the model.
fn relay(runtime: &Runtime, bus: &Bus, model: &Endpoint, metrics: &Arc<Metrics>) -> Relay {
    let relay = Relay::new(bus, model, Arc::clone(metrics));
    runtime.spawn(relay.clone().hear(bus.clone(), model.clone()));
    relay
}

fn guarded(routes: Router, site: Site) -> Router {
    routes.layer(middleware::from_fn_with_state(Arc::new(site), guard::check))
}

/// What connections are served.
#[derive(Clone)]
struct Accepts {
    routes: Router,
    tls: Option<Arc<Tls>>,
    metrics: Arc<Metrics>,
}

async fn accept(listener: TcpListener, accepts: Accepts) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let crowd = Arc::new(Crowd::default());
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        let (stream, peer) = match listener.accept().await {
            Ok((stream, address)) => (stream, Peer(address.ip())),
            Err(error) => {
                // Out of descriptors, or the peer has gone: others may still come.
                tracing::warn!(%error, "cannot accept a browser");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(among) = crowd.join(peer) else {
            tracing::debug!(address = %peer.0, "too many connections of one address");
            continue;
        };
        let place = Arc::new((place, among, accepts.metrics.connection()));
        tokio::spawn(connection(stream, accepts.clone(), (place, peer)));
    }
}

/// Serves one browser, encrypted where that is asked for.
async fn connection(stream: TcpStream, accepts: Accepts, from: (Place, Peer)) {
    let Accepts { routes, tls, .. } = accepts;
    let Some(tls) = tls else {
        return requests(stream, routes, from).await;
    };
    match tokio::time::timeout(HEADERS_MAX, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, routes, from).await,
        Ok(Err(error)) => tracing::debug!(%error, "a browser does not agree on TLS"),
        Err(_) => tracing::debug!("a browser takes too long to agree on TLS"),
    }
}

/// Serves a browser's requests. Each holds the place too: a WebSocket outlives its connection's own future.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    routes: Router,
    (place, peer): (Place, Peer),
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let mut routes = routes.clone();
        request.extensions_mut().insert(Arc::clone(&place));
        request.extensions_mut().insert(peer);
        async move {
            let answer = tower_service::Service::call(&mut routes, request);
            let Ok(response) = tokio::time::timeout(REQUEST_MAX, answer).await else {
                return Ok::<Response, Infallible>(Refused::late().into_response());
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
