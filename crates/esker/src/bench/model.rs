//! The cases of the live model: how fast changes get through, how soon a late joiner has all, and what finding again costs.

mod made;
mod ways;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_replica::follow::Follow;
use esker_replica::live::{self, Source};
use esker_replica::publisher::Options;
use esker_replica::replica::{self, State};
use serde_json::{Value, json};

use super::Bench;
use super::peers;
use super::table::{Bound, Case, Rounds, Unit};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The changes that a busy publisher is given at once.
const BATCH: usize = 1000;

/// How much of the model is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The keys of each of three levels, of a small and of a large model.
    pub(super) widths: [usize; 2],
    /// The changes of one round.
    pub(super) changes: usize,
    /// Those of the peer, which is slower.
    pub(super) peer_changes: usize,
}

pub(super) const FULL: Sizes =
    Sizes { widths: [46, 100], changes: 1_000_000, peer_changes: 50_000 };

pub(super) const QUICK: Sizes = Sizes { widths: [22, 46], changes: 200_000, peer_changes: 20_000 };

pub(super) const SMOKE: Sizes = Sizes { widths: [5, 8], changes: 2_000, peer_changes: 200 };

/// How many times faster than the seed's way changes must get through, in a small and in a large model.
const RATES: [Bound; 2] = [Bound::AtLeast(20.0, 36.0), Bound::AtLeast(14.0, 23.0)];

/// How many times sooner than the seed's way a late joiner must have a large model.
const JOINS: Bound = Bound::AtLeast(7.0, 12.0);

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        let leaves = self.widths.map(|width| width.pow(3));
        json!({ "leaves": leaves, "changes": self.changes, "peer-changes": self.peer_changes })
    }
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    for (width, bound) in bench.sizes.model.widths.into_iter().zip(RATES) {
        rates(bench, width, bound)?;
    }
    ways::run(bench)
}

/// A publisher of a model, and the bus it speaks over.
struct Stage {
    /// Ends last.
    server: Server,
    source: Source,
    /// Replicas have threads of their own, as in other processes.
    bus: Bus,
}

impl Stage {
    fn new(width: usize) -> Result<Self> {
        let free = || vec!["tcp://127.0.0.1:0".to_owned()];
        let binds = Binds { requests: free(), events: free(), ..Binds::default() };
        let options = Options::new("bench", 1);
        let (server, source) = live::serve(&Bus::start()?, &options, None, &binds)?;
        for ops in made::whole(width).chunks(BATCH) {
            source.push(ops.to_vec())?;
        }
        source.model()?;
        Ok(Self { server, source, bus: Bus::start()? })
    }

    /// A replica, once it is in step, and how long that took.
    fn join(&self) -> Result<(Follow, Duration)> {
        let [requests, events] =
            [self.server.requests(), self.server.events()].map(|all| all[0].clone());
        let digest = self.source.model()?.digest();
        let begun = Instant::now();
        let to = Endpoint::Tcp { requests, events };
        let follow = Follow::start(&self.bus, &to, "bench", replica::Options::default())?;
        // A shared cut may be a moment old: what came since is heard of with the next heartbeat.
        while follow.state() != State::Live || follow.model().digest() != digest {
            wait(begun)?;
        }
        let took = begun.elapsed();
        Ok((follow, took))
    }

    /// Changes until the replica has the last of them: how many a second.
    fn change(&self, follow: &Follow, batches: Vec<Vec<esker_replica::op::Op>>) -> Result<f64> {
        let count: usize = batches.iter().map(Vec::len).sum();
        let begun = Instant::now();
        for ops in batches {
            self.source.push(ops)?;
        }
        let digest = self.source.model()?.digest();
        while follow.state() != State::Live || follow.model().digest() != digest {
            wait(begun)?;
        }
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }
}

fn wait(begun: Instant) -> Result<()> {
    if begun.elapsed() > PATIENCE {
        bail!("a replica is not in step after {PATIENCE:?}");
    }
    std::thread::sleep(Duration::from_millis(1));
    Ok(())
}

/// Changes through a publisher to a replica, and late joiners, beside the seed's way.
fn rates(bench: &mut Bench, width: usize, bound: Bound) -> Result<()> {
    let leaves = width.pow(3);
    bench.begin(&format!("a model of {leaves} leaves"));
    let sizes = bench.sizes.model;
    let stage = Stage::new(width)?;
    let (follow, _) = stage.join()?;
    let seed = bench.tools.zmq().map(ToOwned::to_owned);
    let (mut joined, mut seed_joined) = (Vec::new(), Vec::new());
    let mut dice = made::Dice::new(7);
    let mut ours = |_: usize| {
        let rate = stage.change(&follow, made::changes(&mut dice, width, sizes.changes))?;
        let (late, took) = stage.join()?;
        drop(late);
        joined.push(took.as_secs_f64());
        Ok(rate)
    };
    let what = format!("changes of a model of {leaves} leaves, until a replica has verified them");
    let key = format!("model-rate-{leaves}");
    let join_key = format!("model-join-{leaves}");
    let join_what =
        format!("a replica that comes late to {leaves} leaves, until it has verified all");
    match seed {
        Ok(python) => {
            let folder = bench.folder.path().to_path_buf();
            let mut theirs = |_: usize| {
                let (rate, join) =
                    peers::seed_model(&python, &folder, (width, sizes.peer_changes))?;
                seed_joined.push(join);
                Ok(rate)
            };
            let [ours, theirs] = bench.rounds([&mut ours, &mut theirs])?;
            let theirs = Rounds::new(Unit::PerSecond, theirs);
            let case = Case::new(key, what, Rounds::new(Unit::PerSecond, ours));
            bench.table.push(case.against("the seed's way", theirs).bound(bound));
            let case = Case::new(join_key, join_what, Rounds::new(Unit::Seconds, joined));
            let theirs = Rounds::new(Unit::Seconds, seed_joined);
            bench.table.push(case.against("the seed's way", theirs).bound(JOINS));
        }
        Err(missing) => {
            bench.table.push(Case::not_run(key, what, missing));
            bench.table.push(Case::not_run(join_key, join_what, missing));
        }
    }
    Ok(())
}
