//! Workers of one process, each with sockets of its own, and clients that know of them by a list.

use std::fmt::Write as _;
use std::path::PathBuf;
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
        let mut list = String::new();
        let mut workers = Vec::new();
        for number in 0..count {
            let spill = folder.path().join(format!("spill{number}"));
            let binds = vec!["tcp://127.0.0.1:0".to_owned()];
            let worker = start(&bus, number, memory, (binds, spill));
            let address = &worker.addresses()[0];
            writeln!(
                list,
                "[[member]]\nname = \"n{number}\"\nnode = \"{}\"\ncontrol = \"{address}\"\nbulk = \"{address}\"\ncpus = 1\nmemory = {memory}",
                node(number)
            )
            .expect("written");
            workers.push(worker);
        }
        let path = folder.path().join("members.toml");
        std::fs::write(&path, list).expect("written");
        let join = Join::Static(Roster::File(path));
        let cluster =
            Cluster::join(&join, ClusterOptions::new(Arc::new(|_| true))).expect("joined");
        Self { bus, workers, cluster, folder, _keepers: Vec::new() }
    }

    pub(crate) fn client(&self) -> Client {
        let here = self.workers[0].addresses().is_empty().then(|| (node(0), &self.workers[0]));
        Client::new(&self.bus, &self.cluster, here, ClientOptions::default()).expect("a client")
    }

    /// What a worker says of itself.
    pub(crate) fn standing(&self, worker: usize) -> serde_json::Value {
        serde_json::from_slice(&self.workers[worker].standing()).expect("JSON")
    }
}
