//! A single worker without Consul offers everything, to other processes too; and how a cluster stands is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bulk::client::{Client, Init, Options as ClientOptions, joining};
use esker_bulk::survey::{State, Surveyor};
use esker_bulk::tables::Keeper;
use esker_bulk::worker::{Options, Worker};
use esker_bus::bus::Bus;
use esker_cluster::asked::Keeps;
use esker_cluster::cluster::{Cluster, Options as ClusterOptions};
use esker_cluster::join::{Join, Roster};
use esker_wire::fault::Code;
use esker_wire::member::{Member, NodeId};

use crate::cluster::{MIB, World};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker alone, with its keys, and how others join it.
struct Lone {
    bus: Bus,
    _keeper: Keeper,
    worker: Worker,
    join: Join,
}

impl Lone {
    fn start() -> Self {
        let bus = Bus::start().expect("it works");
        let node = NodeId::from_bytes([9; 16]);
        let binds = vec!["tcp://127.0.0.1:0".to_owned(); 2];
        let options = Options { node, memory: 16 * MIB, spill: None, binds };
        let worker = Worker::start(&bus, &options).expect("it works");
        let [control, bulk] = worker.addresses() else { panic!("two addresses") };
        let member = Member {
            node,
            name: "alone".to_owned(),
            control: control.clone(),
            bulk: bulk.clone(),
            cpus: 2,
            memory: 16 * MIB,
            free: 64,
        };
        let join = Join::Static(Roster::Given(vec![member]));
        let options =
            ClusterOptions { keeps: Keeps::Here, ..ClusterOptions::new(Arc::new(|_| true)) };
        let cluster = Cluster::join(&join, options).expect("it works");
        worker.keep(cluster.kv());
        let keeper = Keeper::start(&cluster, node).expect("it works");
        Self { bus, _keeper: keeper, worker, join }
    }

    /// As another process does.
    fn client(&self) -> Client {
        let bus = Bus::start().expect("it works");
        let cluster = Cluster::join(&self.join, joining(&bus)).expect("it works");
        Client::new(&bus, &cluster, None, ClientOptions::default()).expect("it works")
    }
}

#[test]
fn whoever_joins_a_lone_worker_begins_seals_and_drops_spaces() {
    let lone = Lone::start();
    let (one, other) = (lone.client(), lone.client());
    let init = Init::default();
    one.block_on(one.init_numbered("s/part-{}", 1_000_000, &init)).expect("it works");
    let listed: Vec<Bytes> = ["l/a", "l/b"].map(Bytes::from).to_vec();
    one.block_on(one.init(&listed, &init)).expect("it works");
    // The other hears of it by itself.
    let begun = Instant::now();
    while other.block_on(other.get("s/part-999999")).expect("it works").is_none() {
        assert!(begun.elapsed() < PATIENCE, "the other client hears of the space");
    }
    assert_eq!(other.block_on(other.get("l/b")).expect("it works"), Some(Bytes::new()));
    assert_eq!(other.block_on(other.get("s/part-1000000")).expect("it works"), None);
    other.block_on(other.append("s/part-3", "abc")).expect("it works");
    assert_eq!(one.block_on(one.get("s/part-3")).expect("it works"), Some("abc".into()));
    let again = other.block_on(other.init_numbered("s/part-{}", 2, &init)).unwrap_err();
    assert_eq!(again.code, Code::Conflict);
    one.block_on(one.seal("s", &[])).expect("it works");
    assert_eq!(other.block_on(other.append("s/part-3", "d")).unwrap_err().code, Code::Conflict);
    one.block_on(one.drop_space("l")).expect("it works");
    let survey = Surveyor::new(&one, "here").look();
    assert_eq!(
        survey.spaces.iter().map(|it| (&*it.name, it.count, it.sealed)).collect::<Vec<_>>(),
        [("s", 1_000_000, true)]
    );
    let [worker] = survey.workers.as_slice() else { panic!("one worker") };
    assert_eq!((worker.state, &*worker.name, worker.cpus), (State::Passing, "alone", 2));
    assert_eq!(worker.share.now, 4096);
    assert_eq!(worker.standing["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(worker.standing["ledger"]["budget"], 16 * MIB);
    assert_eq!(survey.membership.unreachable_since, None);
}

#[test]
fn keys_that_a_worker_does_not_keep_are_refused() {
    let lone = Lone::start();
    let node = NodeId::from_bytes([8; 16]);
    let binds = vec!["tcp://127.0.0.1:0".to_owned()];
    let options = Options { node, memory: MIB, spill: None, binds };
    let other = Worker::start(&lone.bus, &options).expect("it works");
    let address = other.addresses()[0].clone();
    let Join::Static(Roster::Given(members)) = &lone.join else { panic!("a list") };
    let member = Member { control: address.clone(), bulk: address, ..members[0].clone() };
    let cluster = Cluster::join(&Join::Static(Roster::Given(vec![member])), joining(&lone.bus))
        .expect("it works");
    let fault = cluster.kv().get("spaces/s").unwrap_err();
    assert!(fault.message.contains("keeps no keys"), "{fault}");
    assert!(lone.worker.free() > 60);
}

#[test]
fn a_worker_that_does_not_answer_is_silent_and_the_rest_are_told() {
    let mut world = World::listed(3, 16 * MIB);
    let client = world.client();
    let mut surveyor = Surveyor::new(&client, "list");
    let all = surveyor.look();
    assert!(all.workers.iter().all(|it| it.state == State::Passing), "{all:?}");
    let shares: usize = all.workers.iter().map(|it| it.share.uniform_nodes).sum();
    assert_eq!((shares, all.workers_count), (4096, 3));
    drop(world.workers.remove(1));
    let after = surveyor.look();
    let states: Vec<State> = after.workers.iter().map(|it| it.state).collect();
    assert_eq!(states, [State::Passing, State::Silent, State::Passing]);
    assert!(after.workers[1].fault.is_some() && after.workers[1].since.is_some());
    // Who is taken off the list is told of as gone for a while.
    let path = world.folder.path().join("members.toml");
    let list = std::fs::read_to_string(&path).expect("it works");
    let without: Vec<&str> =
        list.split_inclusive("[[member]]").filter(|it| !it.contains("\"n1\"")).collect();
    std::fs::write(&path, without.concat()).expect("it works");
    world.cluster.wait_for(|now| now.members.len() == 2, PATIENCE).expect("it works");
    let gone = surveyor.look();
    assert_eq!(gone.workers[1].state, State::Gone);
    assert_eq!((gone.workers.len(), gone.workers_count), (3, 2));
}
