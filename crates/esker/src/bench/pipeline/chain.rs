//! Two stages, sort and awk: how soon the result is there, against the programs alone, make and DVC.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use super::client::{Client, Ear};
use super::rivals::{self, Rival};
use crate::bench::Bench;
use crate::bench::hub::Ground;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The second program: how many lines, and the sum of their second words.
pub(super) const SUM: &str = "{ n += $2 } END { print NR, n }";

/// The lines of one table.
const LINES: u64 = 200;

/// What the pipeline may add to the time of the two programs, in seconds.
const ADDED: Bound = Bound::Within(0.025, 0.008);

/// How long nothing happens before a change: a pipeline at rest is measured, as people find it.
const PAUSE: Duration = Duration::from_millis(100);

/// A table, different for every number.
pub(super) fn table(number: u64) -> Bytes {
    (0..LINES).map(|line| format!("k{} {}\n", line % 17, line + number)).collect::<String>().into()
}

/// What the two programs make of it.
pub(super) fn result(number: u64) -> Bytes {
    let sum: u64 = (0..LINES).map(|line| line + number).sum();
    format!("{LINES} {sum}\n").into()
}

/// The two stages, from `raw/NAME` to `out/NAME`.
pub(super) fn stages(name: &str, more: &str) -> String {
    format!(
        "[stage.sort-{name}]\ninput = \"raw/{name}\"\nrun = [\"sort\"]\noutput = \"mid/{name}\"\n{more}\
         [stage.sum-{name}]\ninput = \"mid/{name}\"\nrun = [\"awk\", '{SUM}']\noutput = \"out/{name}\"\n{more}"
    )
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("a change, and none, in two stages");
    let ground = Ground::with(&bench.path("chain"), &stages("t", ""))?;
    let (hub, _) = ground.up(&bench.bus)?;
    let client = Client::new(&bench.bus, &hub.endpoint);
    let ear = client.follow("out/t")?;
    let mut ours = Ours { client, ear, number: 0, changes: bench.sizes.pipeline.changes };
    ours.change()?;
    let make = rivals::make(&bench.tools, &bench.path("make"));
    let dvc = rivals::dvc(&bench.tools, &bench.path("dvc"));
    changes(bench, &mut ours, [make.as_ref(), dvc.as_ref()])?;
    nothing(bench, &mut ours, [make.as_ref(), dvc.as_ref()])
}

/// Others, or why they are not there.
type Others<'a> = [Result<&'a Rival, &'a anyhow::Error>; 2];

fn changes(bench: &mut Bench, ours: &mut Ours, [make, dvc]: Others<'_>) -> Result<()> {
    let [all, programs, by_make, by_dvc] = bench.rounds([
        &mut |_| ours.change(),
        &mut |_| programs(),
        &mut |_| make.map_or(Ok(0.0), Rival::change),
        &mut |_| dvc.map_or(Ok(0.0), Rival::change),
    ])?;
    let added = all.iter().zip(&programs).map(|(all, programs)| all - programs).collect();
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = "PUT to the event of its result, two stages: over the programs' own time";
    let case = Case::new("result-added", what, seconds(added));
    bench.table.push(case.beside("the programs alone", seconds(programs)).bound(ADDED));
    let what = "the same, all of it";
    for (key, name, rival, theirs) in
        [("result-make", "make", make, by_make), ("result-dvc", "dvc repro", dvc, by_dvc)]
    {
        bench.table.push(match rival {
            Ok(_) => Case::new(key, what, seconds(all.clone())).against(name, seconds(theirs)),
            Err(reason) => Case::not_run(key, what, reason.to_string()),
        });
    }
    Ok(())
}

fn nothing(bench: &mut Bench, ours: &mut Ours, [make, dvc]: Others<'_>) -> Result<()> {
    let [all, by_make, by_dvc] = bench.rounds([
        &mut |_| ours.nothing(),
        &mut |_| make.map_or(Ok(0.0), Rival::nothing),
        &mut |_| dvc.map_or(Ok(0.0), Rival::nothing),
    ])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = "the same input again, until it is known that there is nothing to do";
    for (key, name, rival, theirs) in
        [("nothing-make", "make", make, by_make), ("nothing-dvc", "dvc repro", dvc, by_dvc)]
    {
        bench.table.push(match rival {
            Ok(_) => Case::new(key, what, seconds(all.clone())).against(name, seconds(theirs)),
            Err(reason) => Case::not_run(key, what, reason.to_string()),
        });
    }
    Ok(())
}

/// Our side.
struct Ours {
    client: Client,
    ear: Ear,
    number: u64,
    changes: u64,
}

impl Ours {
    /// Several changes, each of a pipeline at rest: the middle time from the PUT to the event, in seconds.
    fn change(&mut self) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..self.changes {
            self.number += 1;
            std::thread::sleep(PAUSE);
            let begun = Instant::now();
            self.client.put("raw/t", table(self.number))?;
            self.ear.next()?;
            times.push(begun.elapsed().as_secs_f64());
            let (_, there) = self.client.get("out/t")?.context("a result")?;
            ensure!(there == result(self.number), "the result is wrong: {there:?}");
        }
        Ok(Rounds::new(Unit::Seconds, times).median())
    }

    /// The same input again.
    fn nothing(&self) -> Result<f64> {
        std::thread::sleep(PAUSE);
        let content = table(self.number);
        let begun = Instant::now();
        let stored = self.client.put("raw/t", content)?;
        let time = begun.elapsed().as_secs_f64();
        ensure!(!stored.items.iter().any(|item| item.is_changed()), "the same is a change");
        Ok(time)
    }
}

/// The two programs of the pipeline, one after the other, and nothing else.
fn programs() -> Result<f64> {
    let begun = Instant::now();
    let sorted = feed("sort", &[], &table(0))?;
    let summed = feed("awk", &[SUM], &sorted)?;
    let time = begun.elapsed().as_secs_f64();
    ensure!(summed == result(0), "the programs' result is wrong");
    Ok(time)
}

fn feed(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    child.stdin.take().context("a pipe")?.write_all(input)?;
    Ok(child.wait_with_output()?.stdout)
}
