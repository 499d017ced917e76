//! Workers of one process, each with sockets of its own, and clients that know of them by a list.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use esker_bulk::client::{Client, Options as ClientOptions};
use esker_bulk::tables::Keeper;
use esker_bulk::worker::{Options, Worker};
use esker_bus::bus::Bus;
use esker_cluster::cluster::{Cluster, Options as ClusterOptions};
use esker_cluster::join::{Join, Roster};
use esker_wire::member::{Member, NodeId};
use tempfile::TempDir;

/// One mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

/// Workers and what is around them.
pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) workers: Vec<Worker>,
    pub(crate) cluster: Cluster,
    pub(crate) folder: TempDir,
    _keepers: Vec<Keeper>,
}

fn node(number: usize) -> NodeId {
    NodeId::from_bytes([number as u8 + 1; 16])
}

fn start(bus: &Bus, number: usize, memory: u64, (binds, spill): (Vec<String>, PathBuf)) -> Worker {
    let options = Options { node: node(number), memory, spill: Some(spill), binds };
    Worker::start(bus, &options).expect("a worker")
}

fn member(number: usize, address: &str) -> Member {
    Member {
        node: node(number),
        name: format!("n{number}"),
        control: address.to_owned(),
        bulk: address.to_owned(),
        cpus: 1,
        memory: MIB,
        free: 64,
    }
}

/// A cluster of workers at these addresses, known by a list.
fn list(path: &Path, addresses: &[&str]) -> Cluster {
    let mut list = String::new();
    for (number, address) in addresses.iter().enumerate() {
        writeln!(
            list,
            "[[member]]\nname = \"n{number}\"\nnode = \"{}\"\ncontrol = \"{address}\"\nbulk = \"{address}\"\ncpus = 1\nmemory = {MIB}",
            node(number)
        )
        .expect("written");
    }
    std::fs::write(path, list).expect("written");
    let join = Join::Static(Roster::File(path.to_owned()));
    Cluster::join(&join, ClusterOptions::new(Arc::new(|_| true))).expect("joined")
}

impl World {
    /// One worker, asked directly.
    pub(crate) fn here(memory: u64) -> Self {
        let (bus, folder) = (Bus::start().expect("a bus"), TempDir::new().expect("a folder"));
        let worker = start(&bus, 0, memory, (Vec::new(), folder.path().join("spill")));
        let join = Join::Static(Roster::Given(vec![member(0, "tcp://127.0.0.1:1")]));
        let cluster =
            Cluster::join(&join, ClusterOptions::new(Arc::new(|_| true))).expect("joined");
        let keeper = Keeper::start(&cluster, node(0)).expect("a keeper");
        Self { bus, workers: vec![worker], cluster, folder, _keepers: vec![keeper] }
    }

    /// So many workers behind sockets, known by a list.
    pub(crate) fn listed(count: usize, memory: u64) -> Self {
        let (bus, folder) = (Bus::start().expect("a bus"), TempDir::new().expect("a folder"));
        let start = |number: usize| {
            let spill = folder.path().join(format!("spill{number}"));
            start(&bus, number, memory, (vec!["tcp://127.0.0.1:0".to_owned()], spill))
        };
        let workers: Vec<Worker> = (0..count).map(start).collect();
        let addresses: Vec<&str> = workers.iter().map(|it| it.addresses()[0].as_str()).collect();
        let cluster = list(&folder.path().join("members.toml"), &addresses);
        Self { bus, workers, cluster, folder, _keepers: Vec::new() }
    }

    /// A cluster of the same workers at other addresses.
    pub(crate) fn list(&self, addresses: &[&str]) -> Cluster {
        list(&self.folder.path().join("others.toml"), addresses)
    }

    pub(crate) fn client(&self) -> Client {
        self.client_of(&self.cluster)
    }

    pub(crate) fn client_of(&self, cluster: &Cluster) -> Client {
        let here = self.workers[0].addresses().is_empty().then(|| (node(0), &self.workers[0]));
        Client::new(&self.bus, cluster, here, ClientOptions::default()).expect("a client")
    }

    /// What a worker says of itself.
    pub(crate) fn standing(&self, worker: usize) -> serde_json::Value {
        serde_json::from_slice(&self.workers[worker].standing()).expect("JSON")
    }
}
