//! A cluster as one of its members or clients sees it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};

use crate::announce::{Announced, CHECK_MAX, CHECK_MIN, Check};
use crate::asked::{Asked, Keeps};
use crate::board::{Board, Subscription, Troubles};
use crate::consul::http::Consul;
use crate::consul::register::{Desk, Register};
use crate::consul::tls::Tls;
use crate::consul::token::Token;
use crate::consul::watch::{Places, Watch};
use crate::coordinate::Coordinates;
use crate::join::{Join, Roster};
use crate::kv::{Kv, Store};
use crate::list;
use crate::local::Local;
use crate::membership::{Membership, Origin, defect};
use crate::pace::Stop;
use crate::saved::Saved;
use crate::session::{Session, Terms};

/// Asks a member whether it is there, and the one it says it is, within a second or so. It is called from several
/// threads at the same time.
pub type Ping = Arc<dyn Fn(&Member) -> bool + Send + Sync>;

/// How long a question to Consul may wait for a change.
const WAIT: Duration = Duration::from_secs(10);
const WAIT_MIN: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(300);

/// How a cluster is joined.
#[derive(Clone)]
pub struct Options {
    /// The folder for `members.json`; without it, nothing is known at a start while Consul is away.
    pub state_dir: Option<PathBuf>,
    /// Asks members themselves where Consul's word is doubted.
    pub ping: Ping,
    /// What Consul knows us by.
    pub token: Token,
    /// Whom to believe over TLS.
    pub tls: Tls,
    /// How long a question to Consul may wait for a change; a Consul that is silent is noticed seconds later.
    pub wait: Duration,
    /// Who keeps the keys of a list of one worker.
    pub keeps: Keeps,
}

impl Options {
    /// With token and certificates as the environment says, and nothing saved.
    pub fn new(ping: Ping) -> Self {
        let (token, tls) = (Token::of_environment(), Tls::of_environment());
        Self { state_dir: None, ping, token, tls, wait: WAIT, keeps: Keeps::Nobody }
    }
}

/// A cluster; clones are the same one, and the last that is dropped ends its threads.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    /// How it was joined, for people.
    address: String,
    way: Way,
    board: Arc<Board>,
    stop: Arc<Stop>,
    places: Arc<Places>,
    keeps: Keeps,
    /// What is kept here.
    local: Arc<Local>,
}

/// How members are known.
enum Way {
    Consul(Arc<Consul>),
    File(PathBuf),
    Given,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("members", &self.members()).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Joins, without waiting for Consul: it may be away. A list has to be good.
    pub fn join(join: &Join, options: Options) -> Result<Self, Fault> {
        let stop = Arc::new(Stop::default());
        let places = Arc::new(Mutex::new(Arc::new(Coordinates::default())));
        let keeps = options.keeps.clone();
        let (way, board) = match join {
            Join::Consul(place) => {
                let consul = Consul::new(place.clone(), options.token.clone(), &options.tls)?;
                let consul = Arc::new(consul);
                let board = follow(&consul, options, &stop, &places)?;
                (Way::Consul(consul), board)
            }
            Join::Static(Roster::File(path)) => {
                (Way::File(path.clone()), follow_list(path.clone(), &stop)?)
            }
            Join::Static(Roster::Given(members)) => (Way::Given, given(members)?),
        };
        let local = Arc::default();
        let address = join.to_string();
        Ok(Self { inner: Arc::new(Inner { address, way, board, stop, places, keeps, local }) })
    }

    /// How it was joined, for people.
    pub fn join_address(&self) -> &str {
        &self.inner.address
    }

    /// Who is there now, as believed.
    pub fn members(&self) -> Arc<Membership> {
        self.inner.board.current()
    }

    /// Calls back after each change of members or warnings, one after the other, on the thread that noticed.
    pub fn subscribe(
        &self,
        callback: impl Fn(&Arc<Membership>) + Send + Sync + 'static,
    ) -> Subscription {
        self.inner.board.subscribe(Arc::new(callback))
    }

    /// Waits until the membership is as wanted.
    pub fn wait_for(
        &self,
        is_wanted: impl Fn(&Membership) -> bool,
        deadline: Duration,
    ) -> Result<Arc<Membership>, Fault> {
        let waited = self.inner.board.wait_for(is_wanted, Instant::now() + deadline);
        waited.map_err(|last| {
            let message = format!(
                "the cluster did not become as wanted within {deadline:.0?}: {} members are known",
                last.members.len()
            );
            let hint = last.warnings.first().map(|warning| warning.message.clone());
            Fault::new(Code::Timeout, message).hint(hint.unwrap_or_default())
        })
    }

    /// Says that this worker is there, until what is returned is dropped. Consul may be away: it is told when it is
    /// back.
    pub fn announce(
        &self,
        member: Member,
        check: Check,
        version: &str,
    ) -> Result<Announced, Fault> {
        let cannot =
            |why: &str| Fault::bad_request(format!("cannot announce {:?}: {why}", member.name));
        if let Some(defect) = defect(&member) {
            return Err(cannot(&defect));
        }
        if !(CHECK_MIN..=CHECK_MAX).contains(&check.time()) {
            return Err(cannot(&format!("its check is not {CHECK_MIN:.0?} to {CHECK_MAX:.0?}")));
        }
        match &self.inner.way {
            Way::Consul(consul) => {
                let (host, port) = host_and_port(&member.control).ok_or_else(|| {
                    cannot("control is not tcp://HOST:PORT, as others have to reach it")
                })?;
                let (consul, desk) = (Arc::clone(consul), Arc::new(Desk::default()));
                let version = version.to_owned();
                Announced::to_consul(Register { consul, desk, member, check, version, host, port })
            }
            Way::File(path) => match self.members().get(member.node) {
                Some(_) => Ok(Announced::listed()),
                None => Err(cannot(&format!("it is not in the list {}", path.display()))
                    .hint("its identity is `node` there, or comes from its `name`")),
            },
            Way::Given => match self.members().get(member.node) {
                Some(_) => {
                    let board = Arc::clone(&self.inner.board);
                    Ok(Announced::here(Box::new(move |free| say(&board, member.node, free))))
                }
                None => Err(cannot("it is none of the members given")),
            },
        }
    }

    /// Keys and values that the members share.
    pub fn kv(&self) -> Kv {
        let store = match &self.inner.way {
            Way::Consul(consul) => Store::Consul(Arc::clone(consul)),
            Way::Given | Way::File(_) => self.kept(),
        };
        Kv { store }
    }

    /// Where the keys are of a cluster that has no Consul: only of a single worker it is known which one keeps them.
    fn kept(&self) -> Store {
        let members = self.members();
        match (&self.inner.keeps, &*members.members) {
            (Keeps::Here, [_]) => Store::Local(Arc::clone(&self.inner.local)),
            (Keeps::Worker(carry), [member]) => {
                let (member, carry) = (member.clone(), Arc::clone(carry));
                Store::Asked(Arc::new(Asked { member, carry }))
            }
            (Keeps::Nobody, [] | [_]) if matches!(self.inner.way, Way::Given) => {
                Store::Local(Arc::clone(&self.inner.local))
            }
            _ => Store::None,
        }
    }

    /// Begins a session, which holds keys.
    pub fn session(&self, terms: &Terms) -> Result<Session, Fault> {
        Session::begin(&self.kv(), terms)
    }

    /// How far nodes are from each other, as last fetched.
    pub fn coordinates(&self) -> Arc<Coordinates> {
        Arc::clone(&self.inner.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The round trip between two nodes of Consul, where it is known; without asking anybody.
    pub fn distance(&self, a: &str, b: &str) -> Option<Duration> {
        self.coordinates().distance(a, b)
    }
}

/// The identity of a member that stands in a list without one.
pub fn listed_node(name: &str) -> NodeId {
    list::node_of(name)
}

fn follow(
    consul: &Arc<Consul>,
    options: Options,
    stop: &Arc<Stop>,
    places: &Arc<Places>,
) -> Result<Arc<Board>, Fault> {
    let place = &consul.place;
    let datacenter = place.datacenter.as_deref().unwrap_or_default();
    let cluster = format!("{} {} {datacenter}", place.service, place.prefix);
    let saved = options.state_dir.map(|folder| Saved::new(folder, cluster));
    let first = saved.as_ref().and_then(Saved::load).unwrap_or_else(Membership::nobody);
    let board = Board::new(first);
    let watch = Watch {
        consul: Arc::clone(consul),
        board: Arc::clone(&board),
        stop: Arc::clone(stop),
        places: Arc::clone(places),
        saved,
        ping: options.ping,
        wait: options.wait.clamp(WAIT_MIN, WAIT_MAX),
    };
    spawn(move || watch.run())?;
    Ok(board)
}

fn follow_list(path: PathBuf, stop: &Arc<Stop>) -> Result<Arc<Board>, Fault> {
    let board = Board::new(Membership::nobody());
    board.post(list::read(&path)?, Origin::Told, &Troubles::new());
    let (watched, stop) = (Arc::clone(&board), Arc::clone(stop));
    spawn(move || list::watch(&path, &watched, &stop))?;
    Ok(board)
}

fn given(members: &[Member]) -> Result<Arc<Board>, Fault> {
    let cannot = |why: String| Fault::bad_request(format!("cannot use the members given: {why}"));
    if let Some((member, defect)) = members.iter().find_map(|one| Some((one, defect(one)?))) {
        return Err(cannot(format!("{:?}: {defect}", member.name)));
    }
    let board = Board::new(Membership::nobody());
    let members = list::in_order(members.to_vec()).map_err(cannot)?;
    board.post(members, Origin::Told, &Troubles::new());
    Ok(board)
}

/// One of the members given says how much of its memory is free.
fn say(board: &Arc<Board>, node: NodeId, free: u8) {
    let change = |mut members: Vec<Member>| {
        if let Some(member) = members.iter_mut().find(|member| member.node == node) {
            member.free = free;
        }
        (members, Vec::new())
    };
    board.change(change, Origin::Told, &Troubles::new());
}

fn spawn(run: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let thread = std::thread::Builder::new().name("members".to_owned()).spawn(run);
    // It ends by itself when the cluster is dropped.
    thread.map(drop).map_err(|error| {
        Fault::new(Code::Internal, format!("cannot start a thread to follow members: {error}"))
    })
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.strip_prefix("tcp://")?.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests;
