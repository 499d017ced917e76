//! A model ten times as large as any other here, which a replica comes late to while it is changed without a pause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_replica::follow::Follow;
use esker_replica::live::Source;
use esker_replica::replica::State;

use super::made::{self, Dice};
use super::stage::{self, Stage};
use super::{BATCH, PATIENCE};
use crate::bench::Bench;
use crate::bench::table::{Case, Rounds, Unit};

/// How often a batch of changes is given: 100,000 changes a second.
const PACE: Duration = Duration::from_millis(10);

/// About how many bytes a leaf takes with all that is done to it here, on both sides.
const LEAF_BYTES: u64 = 600;

/// Runs the case.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let width = bench.sizes.model.far_width;
    let leaves = width.pow(3);
    let key = format!("model-join-{leaves}-changing");
    let what = format!(
        "a replica that comes late to {leaves} leaves, 100,000 of which change every second"
    );
    let needed = leaves as u64 * LEAF_BYTES;
    if bench.lacks_memory(needed, (&key, &what)) {
        return Ok(());
    }
    bench.begin(&format!("a replica comes late to {leaves} leaves that change"));
    let stage = Stage::new(width)?;
    let (source, is_over) = (stage.source.clone(), AtomicBool::new(false));
    let took = std::thread::scope(|scope| {
        let changing = scope.spawn(|| change(&source, width, &is_over));
        let joined = join(&stage);
        is_over.store(true, Ordering::Relaxed);
        changing.join().unwrap_or_else(|_| bail!("the changes have ended"))?;
        let (follow, took) = joined?;
        stage::wait_for(&follow, stage.source.model()?.digest(), Instant::now())?;
        anyhow::Ok(took)
    })?;
    bench.table.push(Case::new(key, what, Rounds::one(Unit::Seconds, took.as_secs_f64())));
    Ok(())
}

/// Changes the model until it is over.
fn change(source: &Source, width: usize, is_over: &AtomicBool) -> Result<()> {
    let mut dice = Dice::new(3);
    let mut next = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        source.push((0..BATCH).map(|_| made::change(&mut dice, width)).collect())?;
        next += PACE;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// A replica, and how long it took until it was in step for the first time.
fn join(stage: &Stage) -> Result<(Follow, Duration)> {
    let begun = Instant::now();
    let follow = stage.follow(1)?;
    while follow.state() != State::Live {
        if begun.elapsed() > PATIENCE {
            bail!("a replica is not in step after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((follow, begun.elapsed()))
}
