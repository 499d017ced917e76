//! A thousand stages and ten thousand resources: what a look costs, how soon a start or a new definition is in
//! force, and how much memory it takes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;

use super::client::Client;
use super::log::Tail;
use crate::bench::Bench;
use crate::bench::hub::{Ground, Hub};
use crate::bench::process::{Running, output};
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// How many stages come one after the other.
const DEPTH: usize = 10;

/// What a look that finds nothing to do may take, in seconds.
const LOOK: Bound = Bound::Within(0.010, 0.001);

/// The longest start, in seconds.
const START_MAX: f64 = 0.150;

/// How long nothing happens before a look.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// The stages, and what each reads.
struct Shape {
    stages: usize,
    chains: usize,
}

impl Shape {
    fn of(stages: usize) -> Self {
        Self { stages, chains: (stages / DEPTH).max(1) }
    }

    /// What a stage reads: the one before it; the last of a chain its neighbour's too.
    fn inputs(&self, stage: usize) -> Vec<String> {
        let Some(above) = stage.checked_sub(self.chains) else {
            return vec![format!("in/{stage}")];
        };
        let mut inputs = vec![format!("mid/{above}")];
        if stage >= self.chains * (DEPTH - 1) && self.chains > 1 {
            let next = above - above % self.chains + (above + 1) % self.chains;
            inputs.push(format!("mid/{next}"));
        }
        inputs
    }

    fn definition(&self) -> String {
        let mut text = String::new();
        for stage in 0..self.stages {
            let inputs = self.inputs(stage);
            let inputs: Vec<String> = inputs.iter().map(|input| format!("\"{input}\"")).collect();
            let inputs = inputs.join(", ");
            writeln!(
                text,
                "[stage.s{stage}]\ninput = [{inputs}]\nrun = [\"cat\"]\noutput = \"mid/{stage}\""
            )
            .expect("a text takes everything");
        }
        text
    }

    fn makefile(&self) -> String {
        let last = (self.stages - self.chains..self.stages).map(|stage| format!("mid/{stage}"));
        let mut text = format!("all: {}\n", last.collect::<Vec<_>>().join(" "));
        for stage in 0..self.stages {
            let inputs = self.inputs(stage).join(" ");
            writeln!(text, "mid/{stage}: {inputs}\n\tcat {inputs} > mid/{stage}")
                .expect("a text takes everything");
        }
        text
    }
}

/// The project under test.
struct Wide {
    ground: Ground,
    hub: Hub,
    client: Client,
    tail: Tail,
    number: u64,
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let shape = Shape::of(bench.sizes.pipeline.stages);
    let stages = shape.stages;
    bench.begin(&format!("{stages} stages"));
    let mut wide = first(bench, &shape)?;
    let make = make(bench, &shape);
    looks(bench, &mut wide, &make, ("look", format!("a look at {stages} stages, nothing to do")))?;
    let resources = bench.sizes.pipeline.resources;
    bench.begin(&format!("{resources} resources"));
    let more = resources.saturating_sub(stages + shape.chains);
    let more = (0..more).map(|number| (format!("res/{number}"), content(number as u64)));
    wide.client.put_all(&more.collect::<Vec<_>>())?;
    bench.rest(&wide.hub.running)?;
    let scale = format!("{stages} stages and {resources} resources");
    looks(bench, &mut wide, &make, ("look-wide", format!("a look at {scale}, nothing to do")))?;
    change(bench, &mut wide, &scale)?;
    reload(bench, &mut wide, &shape, &scale)?;
    starts(bench, wide, &scale)
}

fn content(number: u64) -> Bytes {
    format!("{number}\n").into()
}

/// Starts the project, and waits until every stage has run.
fn first(bench: &mut Bench, shape: &Shape) -> Result<Wide> {
    let ground = Ground::with(&bench.path("wide"), &shape.definition())?;
    let mut tail = Tail::open(&ground.log())?;
    let (hub, _) = ground.up(&bench.bus)?;
    let client = Client::new(&bench.bus, &hub.endpoint);
    let inputs = (0..shape.chains).map(|chain| (format!("in/{chain}"), content(chain as u64)));
    let begun = Instant::now();
    client.put_all(&inputs.collect::<Vec<_>>())?;
    tail.fresh()?;
    let time = Rounds::one(Unit::Seconds, begun.elapsed().as_secs_f64());
    let what = format!("{} stages, from their first inputs until all have run", shape.stages);
    bench.table.push(Case::new("wide-first", what, time));
    bench.rest(&hub.running)?;
    tail.skip()?;
    Ok(Wide { ground, hub, client, tail, number: 0 })
}

/// The same graph in the hands of make, everything made; or why not.
fn make(bench: &Bench, shape: &Shape) -> Result<std::path::PathBuf> {
    bench.tools.make().map_err(|reason| anyhow::anyhow!(reason))?;
    let dir = bench.path("wide-make");
    fs::create_dir_all(dir.join("in"))?;
    fs::create_dir(dir.join("mid"))?;
    for chain in 0..shape.chains {
        fs::write(dir.join(format!("in/{chain}")), content(chain as u64))?;
    }
    fs::write(dir.join("Makefile"), shape.makefile())?;
    by_make(&dir)?;
    Ok(dir)
}

fn by_make(dir: &Path) -> Result<f64> {
    let begun = Instant::now();
    output(Command::new("make").arg("-s").current_dir(dir))?;
    Ok(begun.elapsed().as_secs_f64())
}

/// What a look costs after something was put that no stage reads.
fn looks(
    bench: &mut Bench,
    wide: &mut Wide,
    make: &Result<std::path::PathBuf>,
    (key, what): (&str, String),
) -> Result<()> {
    let mut parts = [const { Vec::new() }; 3];
    let times = bench.sizes.pipeline.changes;
    let [ours, theirs] = bench.rounds([
        &mut |_| {
            let mut all = Vec::new();
            for _ in 0..times {
                let look = wide.nothing()?;
                for (part, values) in ["files", "store", "plan"].into_iter().zip(&mut parts) {
                    values.push(look.took(part));
                }
                all.push(look.took("total"));
            }
            Ok(Rounds::new(Unit::Seconds, all).median())
        },
        &mut |_| make.as_ref().map_or(Ok(0.0), |dir| by_make(dir)),
    ])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let case = Case::new(key, what.clone(), seconds(ours));
    let case = match make {
        Ok(_) => case.beside("make", seconds(theirs)),
        Err(_) => case,
    };
    bench.table.push(case.bound(LOOK));
    for (part, values) in ["files", "store", "plan"].into_iter().zip(parts) {
        let what = format!("{what}: {part}");
        bench.table.push(Case::new(format!("{key}-{part}"), what, seconds(values)));
    }
    Ok(())
}

impl Wide {
    /// The look after something was put that no stage reads.
    fn nothing(&mut self) -> Result<super::log::Look> {
        std::thread::sleep(PAUSE);
        self.tail.skip()?;
        self.number += 1;
        self.client.put("other/news", content(self.number))?;
        let look = self.tail.look()?;
        ensure!(look.started() == 0, "a look has started {} runs", look.started());
        Ok(look)
    }
}

/// A change of one input, to the event of what its stage makes.
fn change(bench: &mut Bench, wide: &mut Wide, scale: &str) -> Result<()> {
    let mut ear = wide.client.follow("mid/0")?;
    let [times] = bench.rounds([&mut |_| {
        bench.rest(&wide.hub.running)?;
        wide.number += 1;
        let begun = Instant::now();
        wide.client.put("in/0", content(1_000_000 + wide.number))?;
        ear.next()?;
        let time = begun.elapsed().as_secs_f64();
        wide.tail.fresh()?;
        Ok(time)
    }])?;
    let what = format!("PUT to the event of its result, one stage of {scale}");
    bench.table.push(Case::new("wide-result", what, Rounds::new(Unit::Seconds, times)));
    Ok(())
}

/// The definition is edited: until it is in force and was looked by, and until `esker check` has read it.
fn reload(bench: &mut Bench, wide: &mut Wide, shape: &Shape, scale: &str) -> Result<()> {
    let definition = shape.definition();
    let mut whole = Vec::new();
    let [reload, check] = bench.rounds([
        &mut |round| {
            bench.rest(&wide.hub.running)?;
            wide.tail.skip()?;
            let begun = Instant::now();
            wide.ground.define(&format!("# edited {round}\n{definition}"))?;
            wide.tail.wait(|said| said["message"] == "definition in force")?;
            let look = wide.tail.look()?;
            let time = begun.elapsed().as_secs_f64();
            whole.push(look.took("total"));
            Ok(time)
        },
        &mut |_| {
            let mut check = wide.ground.esker(&["check"])?;
            let begun = Instant::now();
            output(&mut check)?;
            Ok(begun.elapsed().as_secs_f64())
        },
    ])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = format!("a look at {scale}, everything worked out anew");
    bench.table.push(Case::new("look-whole", what, seconds(whole)).bound(LOOK));
    let what = format!("esker.toml edited, {scale}: until it is in force");
    bench.table.push(Case::new("wide-reload", what, seconds(reload)));
    let what = format!("`esker check`, {scale}");
    bench.table.push(Case::new("wide-check", what, seconds(check)));
    Ok(())
}

/// Everything is started again and again.
fn starts(bench: &mut Bench, wide: Wide, scale: &str) -> Result<()> {
    let Wide { ground, hub, mut tail, .. } = wide;
    bench.begin("starting it");
    bench.rest(&hub.running)?;
    hub.running.stop()?;
    let (mut fresh, mut memory) = (Vec::new(), Vec::new());
    let [serving] = bench.rounds([&mut |_| {
        tail.skip()?;
        let begun = Instant::now();
        let (up, serving) = ground.up(&bench.bus)?;
        tail.fresh()?;
        fresh.push(begun.elapsed().as_secs_f64());
        up.running.settle();
        memory.push(up.running.memory() as f64);
        Running::stop(up.running)?;
        Ok(serving.as_secs_f64())
    }])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = format!("`esker up` on {scale}, to its first answer");
    let case = Case::new("wide-start", what, seconds(serving));
    let limit = Rounds::one(Unit::Seconds, START_MAX);
    bench.table.push(case.against("limit", limit).bound(Bound::AtLeast(1.0, 1.0)));
    let what = format!("`esker up` on {scale}, until it has found all as it should be");
    bench.table.push(Case::new("wide-fresh", what, seconds(fresh)));
    let what = format!("memory of an idle `esker up` on {scale}");
    bench.table.push(Case::new("wide-idle", what, Rounds::new(Unit::Bytes, memory)));
    Ok(())
}
