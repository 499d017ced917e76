//! What-ifs of two stages, sort and awk: how soon it is said what would be, against DVC's experiments; many at once,
//! large ones, and what they take.

mod asker;
mod kept;
mod large;
mod rival;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use esker_wire::snapshot::Put;

use self::asker::Asker;
use self::rival::Experiments;
use super::chain;
use super::client::{Client, Ear};
use crate::bench::Bench;
use crate::bench::hub::{Ground, Hub};
use crate::bench::process::output;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The second program: how many lines, and the sum of their second words and the parameter.
const SUM: &str = "$1 == \"value\" { n += $3 } NF == 2 { n += $2; l += 1 } END { print l, n }";

/// What is changed.
const PARAMETER: &str = "raw/params:value";

/// How many times as fast as DVC's experiment it is.
const FASTER: Bound = Bound::AtLeast(30.0, 100.0);

/// How many times as long the pipeline may take while others ask what would be.
const DELAYED: Bound = Bound::AtMost(1.5, 1.1);

/// How long nothing happens before a change.
const PAUSE: Duration = Duration::from_millis(100);

/// The same while what-ifs run.
const BREATH: Duration = Duration::from_millis(20);

/// How many changes are made while no what-if runs.
const STILL: usize = 5;

fn rows() -> Bytes {
    chain::table(0)
}

/// The parameters, with a number in them.
fn parameters(number: u64) -> Bytes {
    format!("value = {number}\n").into()
}

/// What the two programs make of both.
fn result(number: u64) -> Bytes {
    result_of(0, number)
}

/// The same of another table.
fn result_of(table: u64, number: u64) -> Bytes {
    let rows = chain::table(table);
    let words = String::from_utf8_lossy(&rows).into_owned();
    let sum: u64 = words.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).sum();
    format!("{} {}\n", words.lines().count(), sum + number).into()
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("what would be, in two stages");
    let mut ours = Ours::new(bench)?;
    let dvc = Experiments::new(&bench.tools, &bench.path("whatif-dvc"));
    alone(bench, &mut ours, dvc.as_ref())?;
    many(bench, &mut ours)?;
    drop(ours);
    large::run(bench)?;
    kept::run(bench)
}

/// One at a time.
fn alone(
    bench: &mut Bench,
    ours: &mut Ours,
    dvc: Result<&Experiments, &anyhow::Error>,
) -> Result<()> {
    // Each of them is one by the wire, one known, one typed, and one on `main`.
    let times = bench.sizes.pipeline.changes.div_ceil(3);
    let (mut cli, mut known, mut main) = (Vec::new(), Vec::new(), Vec::new());
    let [wire, experiments] = bench.rounds([
        &mut |_| {
            let mut all = [const { Vec::new() }; 4];
            for _ in 0..times {
                all[0].push(ours.new_one()?);
                all[1].push(ours.known()?);
                all[2].push(ours.command()?);
                std::thread::sleep(PAUSE);
                all[3].push(ours.change()?);
            }
            let [new, old, typed, change] = all.map(middle);
            known.push(old);
            cli.push(typed);
            main.push(change);
            Ok(new)
        },
        &mut |_| dvc.map_or(Ok(0.0), Experiments::run),
    ])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = "PUT of a what-if until it is done and its result is read, two stages";
    let case = Case::new("whatif", what, seconds(wire.clone()));
    bench.table.push(case.beside("PUT to result on main", seconds(main)));
    let command = "`esker whatif new`, the whole process";
    for (key, what, values) in
        [("whatif-dvc", "the same", wire.clone()), ("whatif-cli-dvc", command, cli)]
    {
        bench.table.push(match dvc {
            Ok(_) => Case::new(key, what, seconds(values))
                .against("dvc exp run", seconds(experiments.clone()))
                .bound(FASTER),
            Err(reason) => Case::not_run(key, what, reason.to_string()),
        });
    }
    let what = "a what-if that changes the same as one before";
    let case = Case::new("whatif-known", what, seconds(known));
    bench.table.push(case.against("computed anew", seconds(wire)));
    Ok(())
}

/// Many at once.
fn many(bench: &mut Bench, ours: &mut Ours) -> Result<()> {
    let count = bench.sizes.pipeline.at_once;
    bench.begin(&format!("{count} what-ifs at once"));
    let (mut each, mut still, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    let [all] = bench.rounds([&mut |_| {
        each.push(ours.new_one()? * count as f64);
        std::thread::sleep(PAUSE);
        still.push(middle((0..STILL).map(|_| ours.change()).collect::<Result<_>>()?));
        busy.push(ours.changes_beside(count)?);
        std::thread::sleep(PAUSE);
        let puts = ours.puts(count)?;
        let begun = Instant::now();
        ours.asker.all(&puts)?;
        Ok(begun.elapsed().as_secs_f64())
    }])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = format!("{count} what-ifs put at once, until all are done");
    let case = Case::new("whatif-many", what, seconds(all));
    bench
        .table
        .push(case.against("as many times one", seconds(each)).bound(Bound::AtLeast(1.0, 1.5)));
    let what = format!("PUT to the event of its result on main, while {count} what-ifs run");
    let case = Case::new("whatif-main", what, seconds(busy));
    bench.table.push(case.aged("while none does", seconds(still)).bound(DELAYED));
    Ok(())
}

fn middle(times: Vec<f64>) -> f64 {
    Rounds::new(Unit::Seconds, times).median()
}

/// Our side.
struct Ours {
    ground: Ground,
    _hub: Hub,
    client: Client,
    ear: Ear,
    asker: Asker,
    /// How many what-ifs there are.
    number: u64,
    /// How many tables there were on `main`.
    table: u64,
}

impl Ours {
    fn new(bench: &Bench) -> Result<Self> {
        let stages = format!(
            "[stage.sort]\ninput = [\"raw/t\", \"raw/params\"]\nrun = [\"sort\"]\noutput = \"mid/t\"\n\
             [stage.sum]\ninput = \"mid/t\"\nrun = [\"awk\", '{SUM}']\noutput = \"out/t\"\n"
        );
        let ground = Ground::with(&bench.path("whatif"), &stages)?;
        let (hub, _) = ground.up(&bench.bus)?;
        let client = Client::new(&bench.bus, &hub.endpoint);
        client
            .put_all(&[("raw/t".to_owned(), rows()), ("raw/params".to_owned(), parameters(0))])?;
        ensure!(client.wait_for("out/t", &result(0))?, "the stages do not run");
        let (ear, asker) = (client.follow("out/t")?, Asker::new(&client)?);
        Ok(Self { ground, _hub: hub, client, ear, asker, number: 0, table: 0 })
    }

    /// A what-if of a number that was never used.
    fn put(&mut self) -> Result<Put> {
        self.number += 1;
        let id = format!("n{}", self.number);
        self.asker.what_if(&id, (PARAMETER, self.number.to_string()))
    }

    fn puts(&mut self, count: usize) -> Result<Vec<Put>> {
        (0..count).map(|_| self.put()).collect()
    }

    /// One, of a pipeline at rest, in seconds.
    fn new_one(&mut self) -> Result<f64> {
        let put = self.put()?;
        self.time(&put)
    }

    /// The same change as the last one.
    fn known(&mut self) -> Result<f64> {
        let id = format!("again{}", self.number);
        let put = self.asker.what_if(&id, (PARAMETER, self.number.to_string()))?;
        self.time(&put)
    }

    fn time(&mut self, put: &Put) -> Result<f64> {
        std::thread::sleep(PAUSE);
        let begun = Instant::now();
        self.asker.one(put)?;
        let there = self.asker.content(&put.branch, "out/t")?;
        let time = begun.elapsed().as_secs_f64();
        ensure!(there == result(self.number), "the result is wrong: {there:?}");
        Ok(time)
    }

    /// The same by a person who types it.
    fn command(&mut self) -> Result<f64> {
        self.number += 1;
        let (id, set) = (format!("c{}", self.number), format!("{PARAMETER}={}", self.number));
        let mut command = self.ground.esker(&["whatif", "new", "--id", &id, "--set", &set])?;
        std::thread::sleep(PAUSE);
        let begun = Instant::now();
        output(&mut command)?;
        let time = begun.elapsed().as_secs_f64();
        let branch = esker_wire::whatif::branch(&id).context("an id")?;
        let there = self.asker.content(&branch, "out/t")?;
        // It is of the newest table.
        ensure!(there == result_of(self.table, self.number), "the result is wrong: {there:?}");
        Ok(time)
    }

    /// Another table on `main`, to the event of its result, in seconds.
    fn change(&mut self) -> Result<f64> {
        std::thread::sleep(BREATH);
        self.table += 1;
        let begun = Instant::now();
        self.client.put("raw/t", chain::table(self.table))?;
        self.ear.next()?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The middle time of the changes on `main` that are made until as many what-ifs are done.
    fn changes_beside(&mut self, count: usize) -> Result<f64> {
        let puts = self.puts(count)?;
        let mut asker = Asker::new(&self.client)?;
        let is_over = &AtomicBool::new(false);
        let times = std::thread::scope(|scope| {
            let asking = scope.spawn(move || {
                let done = asker.all(&puts);
                is_over.store(true, Ordering::Release);
                done
            });
            let mut times = vec![self.change()?];
            while !is_over.load(Ordering::Acquire) {
                times.push(self.change()?);
            }
            asking.join().map_err(|_| anyhow!("a panic"))??;
            anyhow::Ok(times)
        })?;
        let (_, there) = self.client.get("out/t")?.context("a result")?;
        ensure!(there == result_of(self.table, 0), "the result is wrong: {there:?}");
        Ok(middle(times))
    }
}
