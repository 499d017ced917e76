//! Many PUTs of one input, as fast as they are taken: few runs, the last one's result, and no more memory.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::chain::{SUM, result, table};
use super::client::Client;
use super::pair::Pair;
use crate::bench::Bench;
use crate::bench::load::{Asking, Crew};
use crate::bench::process::Running;
use crate::bench::table::{Bound, Case, Rounds, Unit};
use esker_bus::service::Frames;
use esker_wire::message::Request;
use esker_wire::snapshot::Put;

/// The clients that put.
const CLIENTS: usize = 32;

/// How many runs of a stage a burst may start, at most and at best.
const RUNS: Bound = Bound::Within(20.0, 2.0);

/// How much more memory the runner may have after a burst.
const MEMORY: Bound = Bound::AtMost(1.5, 1.1);

/// Runs the case.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let puts = bench.sizes.pipeline.burst;
    bench.begin(&format!("a burst of {puts} PUTs of one input"));
    let dir = bench.path("burst");
    // The shell says of each run that it was started.
    let count = format!("echo run >> {}; exec sort", dir.with_extension("runs").display());
    let definition = format!(
        "[stage.sort]\ninput = \"raw/t\"\nrun = [\"sh\", \"-c\", \"{count}\"]\noutput = \"mid/t\"\n\
         [stage.sum]\ninput = \"mid/t\"\nrun = [\"awk\", '{SUM}']\noutput = \"out/t\"\n"
    );
    let mut pair = Pair::start(&bench.bus, &dir, &definition)?;
    let mut burst = Burst { puts, number: 0, runs: dir.with_extension("runs") };
    // The first brings everything to where it is in use.
    burst.once(bench, &pair)?;
    let before = memory(&pair)?;
    let (mut runs, mut times, mut after) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..bench.sizes.rounds {
        let (started, time) = burst.once(bench, &pair)?;
        runs.push(started);
        times.push(time);
        after = memory(&pair)?;
    }
    pair.stop()?;
    let what = format!("{puts} PUTs of one input at once");
    let case =
        Case::new("burst-runs", format!("{what}: runs started"), Rounds::new(Unit::Count, runs));
    bench.table.push(case.bound(RUNS));
    let seconds = Rounds::new(Unit::Seconds, times);
    let case =
        Case::new("burst-last", format!("{what}: from the last answer to its result"), seconds);
    bench.table.push(case);
    let bytes = |value| Rounds::one(Unit::Bytes, value);
    let what = format!("memory of the runner after {} of them", bench.sizes.rounds);
    let case = Case::new("burst-memory", what, bytes(after)).aged("before", bytes(before));
    bench.table.push(case.bound(MEMORY));
    Ok(())
}

fn memory(pair: &Pair) -> Result<f64> {
    let runner = pair.runner().context("a runner")?;
    Running::settle(runner);
    Ok(runner.memory() as f64)
}

/// Bursts, each of other contents.
struct Burst {
    puts: u64,
    number: u64,
    /// The file that has a line for each run.
    runs: std::path::PathBuf,
}

impl Burst {
    /// One burst: how many runs it started, and how soon the last one's result was there, in seconds.
    fn once(&mut self, bench: &Bench, pair: &Pair) -> Result<(f64, f64)> {
        let before = self.count();
        let crew = Crew::new(&bench.bus, pair.client.endpoint(), CLIENTS, 1);
        let each = (self.puts / CLIENTS as u64).max(1);
        let (first, lanes) = (self.number, CLIENTS as u64);
        let put = move |lane: usize, turn: u64| put(first + turn * lanes + lane as u64);
        self.number += each * lanes;
        crew.run(&Asking::times(each, put)).whole()?;
        let ended = Instant::now();
        let last = self.last(&pair.client)?;
        ensure!(
            pair.client.wait_for("out/t", &result(last))?,
            "the last one's result does not come"
        );
        Ok((self.count() - before, ended.elapsed().as_secs_f64()))
    }

    /// The number of the content that is there now: any of them may have been the last.
    fn last(&self, client: &Client) -> Result<u64> {
        let (_, content) = client.get("raw/t")?.context("the input")?;
        let sum = String::from_utf8_lossy(&content).into_owned();
        let first = sum.lines().next().and_then(|line| line.split(' ').nth(1));
        let number = first.and_then(|word| word.parse().ok()).context("a number")?;
        ensure!(content == table(number), "the input is not what was put");
        Ok(number)
    }

    fn count(&self) -> f64 {
        std::fs::read(&self.runs).unwrap_or_default().split(|byte| *byte == b'\n').count() as f64
    }
}

fn put(number: u64) -> Frames {
    match "raw/t".parse() {
        Ok(name) => Put::one(name, table(number)).to_message().to_frames(),
        // It is a good name.
        Err(_) => Frames::new(),
    }
}
