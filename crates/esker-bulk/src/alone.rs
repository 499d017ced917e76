//! A cluster of one worker in this process, which is asked directly: for what shuffles on one machine.

use std::path::PathBuf;
use std::sync::Arc;

use esker_bus::bus::Bus;
use esker_cluster::cluster::{Cluster, Options as Joined};
use esker_cluster::join::{Join, Roster};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};

use crate::client::{Client, Options};
use crate::tables::Keeper;
use crate::worker::{self, Worker};

/// A worker, and what belongs to it; dropped in this order.
#[derive(Debug)]
pub struct Alone {
    client: Client,
    _keeper: Keeper,
    _cluster: Cluster,
    _worker: Worker,
}

impl Alone {
    /// Starts it with so much memory, and a folder of its own for what has no room there.
    ///
    /// # Errors
    /// As [`Worker::start`].
    pub fn start(memory: u64, spill: PathBuf, options: Options) -> Result<Self, Fault> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Fault::new(Code::Internal, format!("no random numbers: {error}")))?;
        let node = NodeId::from_bytes(bytes);
        let bus = Bus::start()?;
        let given = worker::Options { node, memory, spill: Some(spill), binds: Vec::new() };
        let worker = Worker::start(&bus, &given)?;
        // Nobody else knows it, so that nobody asks there.
        let address = "tcp://127.0.0.1:1".to_owned();
        let member = Member {
            node,
            name: "here".to_owned(),
            control: address.clone(),
            bulk: address,
            cpus: 1,
            memory,
            free: 64,
        };
        let join = Join::Static(Roster::Given(vec![member]));
        let cluster = Cluster::join(&join, Joined::new(Arc::new(|_| true)))?;
        let keeper = Keeper::start(&cluster, node)?;
        let client = Client::new(&bus, &cluster, Some((node, &worker)), options)?;
        Ok(Self { client, _keeper: keeper, _cluster: cluster, _worker: worker })
    }

    /// Its client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
