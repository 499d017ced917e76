//! Workers that answer or do not, and waiting for what is to come.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esker_cluster::cluster::{Cluster, Options, Ping};
use esker_cluster::consul::token::Token;
use esker_cluster::membership::Membership;
use esker_wire::member::{Member, NodeId};

/// How long anything may take, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A worker as far as a cluster is concerned: an identity, and an address that takes connections.
pub(crate) struct Worker {
    pub(crate) member: Member,
    /// While it is kept, the worker answers.
    pub(crate) listener: Option<TcpListener>,
}

pub(crate) fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 16])
}

pub(crate) fn member(number: u8, address: &str) -> Member {
    Member {
        node: node(number),
        name: format!("node{number}"),
        control: format!("tcp://{address}"),
        bulk: format!("tcp://{address}"),
        cpus: 2,
        memory: 2 << 30,
        free: 64,
    }
}

impl Worker {
    /// One that answers at an address.
    pub(crate) fn at(number: u8, host: &str) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { member: member(number, &address), listener: Some(listener) }
    }
}

/// Connects to members.
pub(crate) fn ping() -> Ping {
    Arc::new(|member| {
        let address = member.control.strip_prefix("tcp://").unwrap().parse().unwrap();
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    })
}

/// Options of a test: short waits, and no token of whoever runs it.
pub(crate) fn options() -> Options {
    let mut options = Options::new(ping());
    options.token = Token::Anonymous;
    options.wait = Duration::from_secs(2);
    options
}

pub(crate) fn join(address: &str) -> Cluster {
    Cluster::join(&address.parse().unwrap(), options()).unwrap()
}

pub(crate) fn numbers(membership: &Membership) -> Vec<u8> {
    membership.members.iter().map(|member| member.node.to_bytes()[0]).collect()
}

/// Waits until these are the members.
pub(crate) fn see(cluster: &Cluster, wanted: &[u8]) -> Arc<Membership> {
    let waited = cluster.wait_for(|membership| numbers(membership) == wanted, PATIENCE);
    waited.unwrap_or_else(|fault| panic!("{wanted:?}: {fault}; {:?}", cluster.members()))
}

/// Waits until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All memberships from this one on, for what must never have been.
pub(crate) fn history(cluster: &Cluster) -> (Arc<Mutex<Vec<Membership>>>, impl Drop + use<>) {
    let history = Arc::new(Mutex::new(vec![Membership::clone(&cluster.members())]));
    let kept = Arc::clone(&history);
    let subscription = cluster.subscribe(move |membership| {
        kept.lock().unwrap().push(Membership::clone(membership));
    });
    (history, subscription)
}

/// Those who were there all the time.
pub(crate) fn always(history: &Mutex<Vec<Membership>>) -> BTreeSet<u8> {
    let history = history.lock().unwrap();
    let sets = history.iter().map(|membership| numbers(membership).into_iter().collect());
    sets.reduce(|a: BTreeSet<u8>, b: BTreeSet<u8>| &a & &b).unwrap_or_default()
}
