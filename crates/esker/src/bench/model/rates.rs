//! Changes through a publisher to a replica, and replicas that come late: beside the seed's way, a bucket of NATS that is
//! watched, and what the sockets alone can do.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use esker_replica::digest::{Digest, Hasher};
use esker_replica::follow::Follow;
use esker_replica::model::{Branch, Found, Model, TOGETHER};
use esker_replica::op::Op;
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::value::Value;

use super::limits::{self, Limits};
use super::nats::{self, Nats};
use super::raw::Raw;
use super::stage::{self, Changed, NAME, Stage};
use super::{BATCH, made};
use crate::bench::Bench;
use crate::bench::peers::{self, SeedModel};
use crate::bench::table::{Bound, Case, Rounds, Table, Unit};

/// What part of their rate changes must keep although every frame's digest is checked.
const CHECKED: Bound = Bound::AtLeast(0.90, 0.95);

/// How many times sooner than the seed's way a late joiner must have a large model.
const JOINS: Bound = Bound::AtLeast(7.0, 12.0);

/// What part of the speed of a plain answer with the same, as JSON, a late joiner of a large model must reach.
const PLAIN: Bound = Bound::AtLeast(0.2, 0.6);

/// How long it may take to know whether a model is the same.
const VERIFIED: Bound = Bound::Within(1e-3, 1e-3);

/// How often a model is verified, to be measured.
const VERIFICATIONS: u32 = 1_000;

/// Which model, and what is expected of it.
#[derive(Clone, Copy)]
pub(super) struct What {
    /// The keys on each level.
    pub(super) width: usize,
    /// How many times faster than the seed's way changes must get through.
    pub(super) rate: Bound,
    /// Whether it is the one that late joiners are measured with.
    pub(super) is_large: bool,
}

/// What one round of each side gave.
#[derive(Default)]
struct Measured {
    rate: Vec<f64>,
    /// What the rate would be if the digests took no time.
    unchecked: Vec<f64>,
    join: Vec<f64>,
    /// As long as that, and until every leaf was looked at.
    seen: Vec<f64>,
    chunks: Vec<f64>,
    verify: Vec<f64>,
    raw: Vec<f64>,
    seed: Vec<SeedModel>,
    nats: Vec<f64>,
    nats_join: Vec<f64>,
    echo: Vec<f64>,
    tcp: Vec<f64>,
}

/// Runs the cases of one model.
pub(super) fn run(bench: &mut Bench, what: What) -> Result<()> {
    let leaves = what.width.pow(3);
    bench.begin(&format!("a model of {leaves} leaves"));
    let sizes = bench.sizes.model;
    let (seed, nats) =
        (bench.tools.zmq().map(Path::to_owned), bench.tools.nats().map(Path::to_owned));
    let mut peer = match &nats {
        Ok(program) => Some(Nats::start(program, bench.folder.path(), what.width)?),
        Err(_) => None,
    };
    let mut ours = Ours::new(what.width)?;
    let limits = match what.is_large {
        true => Some(Limits::new(&ours.stage.source.model()?, bench.folder.path())?),
        false => None,
    };
    let mut all = Measured::default();
    for round in 0..bench.sizes.rounds {
        bench.go_on()?;
        ours.round(round, sizes.changes, &mut all)?;
        if let Ok(python) = &seed {
            let sizes = (what.width, sizes.peer_changes);
            all.seed.push(peers::seed_model(python, bench.folder.path(), sizes)?);
        }
        if let Some(peer) = &mut peer {
            let mut dice = made::Dice::of_round(round);
            let changes = nats::changes(&mut dice, what.width, sizes.nats_changes);
            all.nats.push(peer.change(&changes)?);
            // With a million keys it looks for the last value of each for longer than anybody waits.
            if !what.is_large {
                all.nats_join.push(peer.join()?);
            }
        }
        if let Some(limits) = &limits {
            all.echo.push(limits.echo(&bench.bus)?);
            all.tcp.push(limits.tcp()?);
        }
    }
    let [seed, nats] = [seed.err(), nats.err()];
    let told = Told { what, leaves, seed, nats };
    told.rates(&mut bench.table, &all);
    told.joins(&mut bench.table, &all);
    Ok(())
}

/// Ours, and the limit of its sockets.
struct Ours {
    width: usize,
    stage: Stage,
    follow: Follow,
    raw: Raw,
    /// Makes the same frames, without sockets.
    frames: Publisher,
}

impl Ours {
    fn new(width: usize) -> Result<Self> {
        let stage = Stage::new(width)?;
        let (follow, _) = stage.join()?;
        let mut model = Model::default();
        model.take(&made::whole(width), 1);
        let frames = Publisher::with(Options::new(NAME, 1), model);
        Ok(Self { width, stage, follow, raw: Raw::new()?, frames })
    }

    fn round(&mut self, round: usize, count: usize, all: &mut Measured) -> Result<()> {
        let batches = || made::changes(&mut made::Dice::of_round(round), self.width, count);
        let changed = self.stage.change(&self.follow, batches())?;
        let ops = batches().concat();
        let rate = ops.len() as f64 / changed.time.as_secs_f64();
        let share = digests(&ops).as_secs_f64() / changed.processor.as_secs_f64();
        all.rate.push(rate);
        all.unchecked.push(rate / (1.0 - share).max(f64::EPSILON));
        let time = self.raw(&ops, &changed)?;
        all.raw.push(ops.len() as f64 / time.as_secs_f64());
        let (late, took) = self.stage.join()?;
        all.join.push(took.as_secs_f64());
        let begun = Instant::now();
        anyhow::ensure!(leaves(late.model().root()) > 0, "a late joiner has nothing");
        all.seen.push((took + begun.elapsed()).as_secs_f64());
        all.chunks.push(limits::chunks(&self.stage.bus, &self.stage.at())?);
        all.verify.push(self.verify(&late)?);
        Ok(())
    }

    /// How long the same frames take with no model on either side: the same changes in as many transactions.
    fn raw(&mut self, ops: &[Op], changed: &Changed) -> Result<Duration> {
        let transactions = usize::try_from(changed.transactions).unwrap_or(usize::MAX);
        let each = ops.len().div_ceil(transactions.max(1)).max(1);
        let mut frames = Vec::new();
        for ops in ops.chunks(each) {
            let published = self.frames.change(ops, Now::default())?;
            frames.extend(published.into_iter().map(Publication::into));
        }
        self.raw.send(frames)
    }

    /// How long it takes to know whether a replica has the same as its publisher.
    fn verify(&self, late: &Follow) -> Result<f64> {
        let digest = self.stage.source.model()?.digest();
        let begun = Instant::now();
        for _ in 0..VERIFICATIONS {
            anyhow::ensure!(
                black_box(late.model().digest()) == digest,
                "a replica has another model"
            );
        }
        Ok(begun.elapsed().as_secs_f64() / f64::from(VERIFICATIONS))
    }
}

/// Looks at all leaves.
fn leaves(dict: Branch<'_>) -> usize {
    let count = |(_, found): (_, Found<'_>)| match found {
        Found::Leaf(value) => usize::from(black_box(value) != &Value::Null),
        Found::Dict(dict) => leaves(dict),
    };
    dict.children().map(count).sum()
}

/// The processor time of the digests of changes, one after the other. What they are of is at hand, as it is where it is changed.
fn digests(ops: &[Op]) -> Duration {
    let mut hasher = Hasher::default();
    let mut took = Duration::ZERO;
    for ops in ops.chunks(BATCH) {
        digests_of(ops, &mut hasher);
        let before = stage::processor_of_thread();
        digests_of(ops, &mut hasher);
        took += stage::processor_of_thread() - before;
    }
    took
}

/// The publisher and the replica each work out that of a leaf as it becomes, and change the sums of the dicts above it.
fn digests_of(ops: &[Op], hasher: &mut Hasher) {
    for ops in ops.chunks(TOGETHER) {
        for _ in ["publisher", "replica"] {
            let digests: [Digest; TOGETHER] = hasher.leaves(black_box(ops));
            for digest in &digests[..ops.len()] {
                let change = *digest - black_box(Digest::ZERO);
                let mut sums = [Digest::ZERO; 3];
                for sum in &mut sums {
                    *sum += change;
                }
                black_box(sums);
            }
        }
    }
}

/// What is told of the rounds.
struct Told {
    what: What,
    leaves: usize,
    /// Why a peer was not measured.
    seed: Option<&'static str>,
    nats: Option<&'static str>,
}

impl Told {
    fn rates(&self, table: &mut Table, all: &Measured) {
        let leaves = self.leaves;
        let ours = || Rounds::new(Unit::PerSecond, all.rate.clone());
        let beside = |values: Vec<f64>| Rounds::new(Unit::PerSecond, values);
        let what =
            format!("changes of a model of {leaves} leaves, until a replica has verified them");
        let key = format!("model-rate-{leaves}");
        let seed = beside(all.seed.iter().map(|seed| seed.rate).collect());
        let case = |ours| {
            Case::new(&key, &what, ours).against("the seed's way", seed).bound(self.what.rate)
        };
        table.push(or_not_run((&key, &what), self.seed, ours(), case));
        let (key, what) =
            (key + "-nats", "the same beside a bucket of NATS that is watched".to_owned());
        let nats = beside(all.nats.clone());
        let case =
            |ours| Case::new(&key, &what, ours).against("NATS, in memory, nothing verified", nats);
        table.push(or_not_run((&key, &what), self.nats, ours(), case));
        let what = "the same beside the same frames with no model on either side";
        let case = Case::new(format!("model-rate-{leaves}-raw"), what, ours());
        table.push(case.against("PUB/SUB alone", beside(all.raw.clone())));
        let what = "the same if the digests took no time";
        let case = Case::new(format!("model-rate-{leaves}-digests"), what, ours());
        table.push(case.against("without them", beside(all.unchecked.clone())).bound(CHECKED));
    }

    fn joins(&self, table: &mut Table, all: &Measured) {
        let leaves = self.leaves;
        let ours = || Rounds::new(Unit::Seconds, all.join.clone());
        let beside = |values: Vec<f64>| Rounds::new(Unit::Seconds, values);
        let what =
            format!("a replica that comes late to {leaves} leaves, until it has verified all");
        let key = format!("model-join-{leaves}");
        let seed = beside(all.seed.iter().map(|seed| seed.join).collect());
        let case = |ours| {
            let case = Case::new(&key, &what, ours).against("the seed's way", seed);
            if self.what.is_large { case.bound(JOINS) } else { case }
        };
        table.push(or_not_run((&key, &what), self.seed, ours(), case));
        if !self.what.is_large {
            let (key, what) = (key + "-nats", "the same beside a watcher of NATS".to_owned());
            let nats = beside(all.nats_join.clone());
            let case = |ours| {
                Case::new(&key, &what, ours).against("NATS, in memory, nothing verified", nats)
            };
            table.push(or_not_run((&key, &what), self.nats, ours(), case));
            return;
        }
        let what = "the same beside its answers, read by nobody";
        let case = Case::new(format!("model-join-{leaves}-chunks"), what, ours());
        let nobody = beside(all.chunks.clone());
        table.push(case.against("the same sockets and questions", nobody));
        let what = "the same, and until every leaf was looked at";
        table.push(Case::new(format!("model-join-{leaves}-seen"), what, beside(all.seen.clone())));
        let what = "the same beside one answer with the same as JSON";
        let case = Case::new(format!("model-join-{leaves}-echo"), what, ours());
        table.push(case.against("echo", beside(all.echo.clone())).bound(PLAIN));
        let what = "the same beside the same bytes through a bare socket";
        let case = Case::new(format!("model-join-{leaves}-tcp"), what, ours());
        table.push(case.against("TCP", beside(all.tcp.clone())));
        let (key, what) =
            (format!("model-verify-{leaves}"), format!("whether {leaves} leaves are the same"));
        let seed = beside(all.seed.iter().map(|seed| seed.checksum).collect());
        let case =
            |ours| Case::new(&key, &what, ours).against("the seed's way", seed).bound(VERIFIED);
        table.push(or_not_run((&key, &what), self.seed, beside(all.verify.clone()), case));
    }
}

/// A case, unless its peer is missing.
fn or_not_run(
    (key, what): (&str, &str),
    missing: Option<&'static str>,
    ours: Rounds,
    case: impl FnOnce(Rounds) -> Case,
) -> Case {
    match missing {
        Some(missing) => Case::not_run(key, what, missing),
        None => case(ours),
    }
}
