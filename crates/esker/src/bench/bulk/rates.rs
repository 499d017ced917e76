//! How many contents a second are set and got: small ones, large ones, by one client and by many.

use anyhow::Result;

use super::load::{Load, Verb};
use super::peers::{Peers, Who};
use super::stage::Stage;
use super::store::Store;
use super::{MIB, PATIENCE};
use crate::bench::Bench;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// What the worker may hold: more than is sent to it.
const MEMORY: u64 = 2048 * MIB;

/// A case: clients, how many contents they ask for together, and of how many bytes.
struct What {
    key: &'static str,
    name: String,
    verb: Verb,
    clients: usize,
    depth: usize,
    size: usize,
    /// Against whom, and what the ratio must be.
    peers: Vec<(Who, Option<Bound>)>,
}

/// Runs all of them, and looks whether nothing is held when all was forgotten.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let peers = Peers::start(bench)?;
    let stage = Stage::listed(bench, "rates", MEMORY)?;
    for what in small(bench).into_iter().chain(large(bench)) {
        bench.begin(&what.name);
        measure(bench, (&stage, &peers), &what)?;
    }
    let held = emptied(&stage, "")?;
    bench.table.push(
        Case::new("bulk-ledger", "held after all was forgotten", Rounds::one(Unit::Bytes, held))
            .bound(Bound::Zero),
    );
    stage.worker.stop()
}

/// What a worker holds after a space was forgotten.
pub(super) fn emptied(stage: &Stage, space: &str) -> Result<f64> {
    stage.client.block_on(async {
        tokio::time::timeout(PATIENCE, stage.client.drop_space(space)).await
    })??;
    stage.held()
}

fn small(bench: &Bench) -> Vec<What> {
    let crowd = bench.sizes.bulk.crowd;
    let cases = [
        ("one", "one client", 1, 1, Some(Bound::AtLeast(0.28, 0.5))),
        ("batch", "one client, 16 at once", 1, 16, Some(Bound::AtLeast(1.0, 1.5))),
        ("many", "many clients", crowd, 1, Some(Bound::AtLeast(0.55, 1.0))),
        ("many-batch", "many clients, 16 at once", crowd, 16, None),
    ];
    let both = cases.into_iter().flat_map(|case| [(Verb::Set, case), (Verb::Get, case)]);
    both.map(|(verb, (key, name, clients, depth, bound))| What {
        key,
        name: format!("{} of 100 B, {name}", verb.name()),
        verb,
        clients,
        depth,
        size: 100,
        peers: vec![(Who::Redis, bound)],
    })
    .collect()
}

fn large(bench: &Bench) -> Vec<What> {
    let (crowd, longest) = (bench.sizes.bulk.crowd, bench.sizes.bulk.longest);
    let mut all = Vec::new();
    for verb in [Verb::Set, Verb::Get] {
        all.push(What {
            key: "64k",
            name: format!("{} of 64 KiB, one client, 16 at once", verb.name()),
            verb,
            clients: 1,
            depth: 16,
            size: 64 << 10,
            peers: vec![(Who::Redis, Some(Bound::AtLeast(0.7, 1.0)))],
        });
        let redis = if verb == Verb::Set { 0.85 } else { 1.2 };
        all.push(What {
            key: "1m",
            name: format!("{} of 1 MiB, one client", verb.name()),
            verb,
            clients: 1,
            depth: 1,
            size: 1 << 20,
            peers: vec![
                (Who::Bare, Some(Bound::AtLeast(0.8, 0.9))),
                (Who::Redis, Some(Bound::AtLeast(redis, redis))),
            ],
        });
    }
    for (key, size) in [("1m-many", 1 << 20), ("longest-many", longest)] {
        all.push(What {
            key,
            name: format!("get of {} MiB, many clients", size >> 20),
            verb: Verb::Get,
            clients: crowd,
            depth: 1,
            size,
            peers: vec![
                (Who::Redis, Some(Bound::AtLeast(1.5, 1.5))),
                (Who::Memcached, Some(Bound::AtLeast(0.0, 0.6))),
                (Who::Bare, None),
            ],
        });
    }
    all
}

fn measure(bench: &mut Bench, (stage, peers): (&Stage, &Peers), what: &What) -> Result<()> {
    let load = Load::new(what.clients, what.depth, what.size);
    let mut sides = vec![stage.stores(bench, what.clients)?];
    let mut cases = Vec::new();
    for (who, bound) in &what.peers {
        let key = format!("bulk-{}-{}-{}", what.verb.name(), what.key, who.key());
        match peers.clients(*who, what.clients, what.size)? {
            Err(lacking) => bench.table.push(Case::not_run(key, &what.name, lacking)),
            Ok(clients) => {
                sides.push(clients);
                cases.push((key, who.name(), *bound));
            }
        }
    }
    sides.iter_mut().try_for_each(|side| load.fill(&mut *side[0]))?;
    let mut values = vec![Vec::new(); sides.len()];
    for _ in 0..bench.sizes.rounds {
        for (side, values) in sides.iter_mut().zip(&mut values) {
            bench.go_on()?;
            values.push(rate(side, (&load, what), bench)?);
        }
    }
    let mut rounds = values.into_iter().map(|values| Rounds::new(Unit::PerSecond, values));
    let ours = rounds.next().unwrap_or_else(|| Rounds::one(Unit::PerSecond, 0.0));
    for ((key, name, bound), theirs) in cases.into_iter().zip(rounds) {
        let case = Case::new(key, &what.name, ours.clone()).against(name, theirs);
        bench.table.push(match bound {
            Some(bound) => case.bound(bound),
            None => case,
        });
    }
    Ok(())
}

fn rate(side: &mut [Box<dyn Store>], (load, what): (&Load, &What), bench: &Bench) -> Result<f64> {
    load.rate(side, what.verb, bench.sizes.window)
}
