//! A worker asked in its own process, without a socket between, as `esker up` has one.

use std::sync::Arc;

use anyhow::Result;
use esker_bulk::client::{Client, Options};
use esker_bulk::tables::Keeper;
use esker_bulk::worker::{self, Worker};
use esker_cluster::cluster::{Cluster, Options as Joined};
use esker_cluster::join::{Join, Roster};
use esker_wire::member::{Member, NodeId};

use super::MIB;
use super::load::{Load, Verb};
use super::peers::{Peers, Who};
use super::store::{Ours, Store};
use crate::bench::Bench;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// How many times faster than Redis over its socket it must be.
const BOUND: Bound = Bound::AtLeast(5.0, 20.0);

/// What the worker may hold.
const MEMORY: u64 = 256 * MIB;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("a worker in its own process");
    let peers = Peers::start(bench)?;
    let node = NodeId::from_bytes([1; 16]);
    let options = worker::Options { node, memory: MEMORY, spill: None, binds: Vec::new() };
    let worker = Worker::start(&bench.bus, &options)?;
    let nowhere = "tcp://127.0.0.1:1".to_owned();
    let member = Member {
        node,
        name: "here".to_owned(),
        control: nowhere.clone(),
        bulk: nowhere,
        cpus: 1,
        memory: MEMORY,
        free: 64,
    };
    let join = Join::Static(Roster::Given(vec![member]));
    let cluster = Cluster::join(&join, Joined::new(Arc::new(|_| true)))?;
    let _keeper = Keeper::start(&cluster, node)?;
    let client = Client::new(&bench.bus, &cluster, Some((node, &worker)), Options::default())?;
    let mut ours: Vec<Box<dyn Store>> = vec![Box::new(Ours(client))];
    let load = Load::new(1, 1, 100);
    for verb in [Verb::Set, Verb::Get] {
        let (key, what) = (
            format!("bulk-{}-here-redis", verb.name()),
            format!("{} of 100 B, in its own process", verb.name()),
        );
        let mut theirs = match peers.clients(Who::Redis, 1, 100)? {
            Ok(clients) => clients,
            Err(lacking) => {
                bench.table.push(Case::not_run(key, what, lacking));
                continue;
            }
        };
        load.fill(&mut *ours[0])?;
        load.fill(&mut *theirs[0])?;
        let window = bench.sizes.window;
        let [one, other] = bench
            .rounds([&mut |_| load.rate(&mut ours, verb, window), &mut |_| {
                load.rate(&mut theirs, verb, window)
            }])?;
        let [one, other] = [one, other].map(|values| Rounds::new(Unit::PerSecond, values));
        bench.table.push(Case::new(key, what, one).against(Who::Redis.name(), other).bound(BOUND));
    }
    Ok(())
}
