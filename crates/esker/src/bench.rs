//! `esker bench`: measures this esker against its peers and limits, on this machine, in one run.
//!
//! Only here and in `esker-pipeline` are processes started: a peer is nothing without its process.

mod bulk;
mod contents;
mod hub;
mod load;
mod machine;
mod model;
mod page;
mod peers;
mod pipeline;
mod process;
mod store;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::service::Frames;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{Bench as Command, BenchBulk, BenchPipeline, BenchStore, Measure};
use crate::project::Place;
use crate::say::{self, hinted};
use crate::stop::Stop;
use machine::Machine;
pub(crate) use model::publish::What as Published;
use peers::{Tools, Wanted};
use process::Running;
use table::{Case, Table};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// How often each side of a case is measured.
    rounds: usize,
    /// How long one round of a rate takes.
    window: Duration,
    /// The requests of one round that are asked one after the other.
    singles: usize,
    /// The commits of the largest store.
    commits: u64,
    /// How often a hub is killed.
    kills: u32,
    /// What is measured of the pipeline.
    pipeline: pipeline::Sizes,
    /// What is measured of the live model.
    model: model::Sizes,
    /// What is measured of the page's server.
    page: page::Sizes,
    /// What is measured of bulk data.
    bulk: bulk::Sizes,
}

const FULL: Sizes = Sizes {
    rounds: 7,
    window: Duration::from_secs(1),
    singles: 300,
    commits: 100_000,
    kills: 200,
    pipeline: pipeline::FULL,
    model: model::FULL,
    page: page::FULL,
    bulk: bulk::FULL,
};

const QUICK: Sizes = Sizes {
    rounds: 3,
    window: Duration::from_millis(300),
    singles: 100,
    commits: 10_000,
    kills: 10,
    pipeline: pipeline::QUICK,
    model: model::QUICK,
    page: page::QUICK,
    bulk: bulk::QUICK,
};

/// Just enough to see that it works.
const SMOKE: Sizes = Sizes {
    rounds: 1,
    window: Duration::from_millis(20),
    singles: 3,
    commits: 300,
    kills: 2,
    pipeline: pipeline::SMOKE,
    model: model::SMOKE,
    page: page::SMOKE,
    bulk: bulk::SMOKE,
};

/// A run of cases.
struct Bench {
    folder: TempDir,
    bus: Bus,
    sizes: Sizes,
    tools: Tools,
    stop: Stop,
    table: Table,
}

/// Runs the cases that are asked for.
pub(crate) fn run(place: &Place, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Store(options) => store(place, options),
        Command::Pipeline(options) => pipeline(place, options),
        Command::Model(options) => model(place, options),
        Command::Page(options) => page(place, options),
        Command::Bulk(options) => bulk(place, options),
        Command::Stream => bulk::stream::serve().map(|()| ExitCode::SUCCESS),
        Command::Echo { sizes } => echo(sizes),
        Command::Publish { what, width, rate, begin } => {
            model::publish::run(*what, *width, *rate, begin).map(|()| ExitCode::SUCCESS)
        }
        Command::Browsers { at, browsers, stuck, folder } => {
            page::browsers::run(*at, *browsers, *stuck, folder).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// Measures the snapshots.
fn store(place: &Place, options: &BenchStore) -> Result<ExitCode> {
    let mut sizes = sizes(&options.measure);
    sizes.commits = options.commits.unwrap_or(sizes.commits);
    let scale = json!({ "commits": sizes.commits });
    measure((place, Wanted::Store), &options.measure, (sizes, &scale), store::run)
}

/// Measures the pipeline.
fn pipeline(place: &Place, options: &BenchPipeline) -> Result<ExitCode> {
    let mut sizes = sizes(&options.measure);
    sizes.pipeline.crashes = options.crashes.unwrap_or(sizes.pipeline.crashes);
    let scale = sizes.pipeline.json();
    let cases = if options.what_ifs { pipeline::what_ifs } else { pipeline::run };
    measure((place, Wanted::Pipeline), &options.measure, (sizes, &scale), cases)
}

/// Measures the live model.
fn model(place: &Place, options: &Measure) -> Result<ExitCode> {
    let sizes = sizes(options);
    let scale = sizes.model.json();
    measure((place, Wanted::Model), options, (sizes, &scale), model::run)
}

/// Measures the page's server.
fn page(place: &Place, options: &Measure) -> Result<ExitCode> {
    let sizes = sizes(options);
    let scale = sizes.page.json();
    measure((place, Wanted::Page), options, (sizes, &scale), page::run)
}

/// Measures bulk data.
fn bulk(place: &Place, options: &BenchBulk) -> Result<ExitCode> {
    let sizes = sizes(&options.measure);
    let scale = sizes.bulk.json();
    let cases = if options.sort { bulk::sorting } else { bulk::run };
    measure((place, Wanted::Bulk), &options.measure, (sizes, &scale), cases)
}

fn sizes(measure: &Measure) -> Sizes {
    match (measure.smoke, measure.quick) {
        (true, _) => SMOKE,
        (false, true) => QUICK,
        (false, false) => FULL,
    }
}

/// Measures, tells, and judges.
fn measure(
    (place, wanted): (&Place, Wanted),
    options: &Measure,
    (sizes, scale): (Sizes, &Value),
    cases: fn(&mut Bench) -> Result<()>,
) -> Result<ExitCode> {
    let machine = Machine::here(&place.start()?);
    if machine.is_in_memory() {
        let what =
            "this folder is in memory: nothing is durable there, and no flush costs anything";
        let hint = "name a folder on a disk with --dir DIR";
        if options.check {
            return Err(hinted(what, hint));
        }
        say::note(format!("warning: {what}; {hint}"));
    }
    let mut bench = Bench::new(&place.start()?, sizes, (options.install, wanted))?;
    if let Err(error) = cases(&mut bench) {
        // The processes under test hear the same interrupt, so that their silence is no fault.
        return Err(if bench.stop.is_pulled() { anyhow::anyhow!("interrupted") } else { error });
    }
    bench.tell(&machine, scale, options.json)?;
    match bench.table.check() {
        Err(missed) if options.check => {
            Err(hinted(missed, "docs/benchmarks.md says how far we are"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Not a command for people: the echo, which is to run in a process of its own.
fn echo(sizes: &[usize]) -> Result<ExitCode> {
    let reply: Frames = sizes.iter().map(|size| Bytes::from(vec![b'.'; *size])).collect();
    esker_bus::echo::run(&reply, |address| {
        // Who cannot read it will not ask.
        drop(say::line(address).and_then(|()| std::io::stdout().flush()));
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Bench {
    fn new(dir: &Path, sizes: Sizes, (install, wanted): (bool, Wanted)) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("esker-bench-").tempdir_in(dir);
        let folder = folder.with_context(|| format!("cannot write in {}", dir.display()))?;
        let tools = Tools::find(folder.path(), install, wanted)?;
        let (bus, stop) = (Bus::start()?, Stop::on_signals()?);
        Ok(Self { folder, bus, sizes, tools, stop, table: Table::default() })
    }

    /// A path in the folder to work in.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Says what is measured next.
    fn begin(&self, what: &str) {
        say::note(format!("· {what}"));
    }

    /// Whether a case cannot be measured because less than so many bytes of memory are free; the table says so then.
    fn lacks_memory(&mut self, needed: u64, (key, what): (&str, &str)) -> bool {
        let is_lacking = machine::available() < needed;
        if is_lacking {
            let why = format!("less than {} MB of memory is free", needed / 1_000_000);
            self.table.push(Case::not_run(key, what, why));
        }
        is_lacking
    }

    /// Measures the sides of a case alternately, so that what disturbs one disturbs the others.
    fn rounds<const N: usize>(
        &self,
        mut sides: [&mut dyn FnMut(usize) -> Result<f64>; N],
    ) -> Result<[Vec<f64>; N]> {
        let mut all = [const { Vec::new() }; N];
        for round in 0..self.sizes.rounds {
            for (side, values) in sides.iter_mut().zip(&mut all) {
                self.go_on()?;
                values.push(side(round)?);
            }
        }
        Ok(all)
    }

    /// Ends what is under way if that is wished.
    fn go_on(&self) -> Result<()> {
        if self.stop.is_pulled() {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Waits until a process is at rest and the disk has what was written, so that nothing that came before is
    /// counted.
    fn rest(&self, running: &Running) -> Result<()> {
        running.settle();
        let folder = std::fs::File::open(self.folder.path())?;
        rustix::fs::syncfs(&folder)?;
        Ok(())
    }

    /// Prints what was measured, on what, how much of it, and with which versions.
    fn tell(&self, machine: &Machine, scale: &Value, as_json: bool) -> Result<()> {
        let ours = ("esker", env!("CARGO_PKG_VERSION").to_owned());
        let versions: Vec<_> = std::iter::once(ours).chain(self.tools.versions.clone()).collect();
        let rounds = self.sizes.rounds;
        if as_json {
            let versions: serde_json::Map<_, _> =
                versions.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
            let mut what = json!({
                "machine": machine.json(),
                "versions": versions,
                "rounds": rounds,
                "cases": self.table.json(),
            });
            if let (Some(what), Some(scale)) = (what.as_object_mut(), scale.as_object()) {
                what.extend(scale.clone());
            }
            return Ok(say::json(&what)?);
        }
        say::table(&table::HEADINGS, self.table.rows())?;
        say::line("")?;
        say::line(machine.line())?;
        let versions = versions.iter().map(|(name, text)| format!("{name} {text}"));
        say::line(versions.collect::<Vec<_>>().join(", "))?;
        let scale = scale.as_object().into_iter().flatten();
        let scale: Vec<String> = scale.map(|(what, count)| format!("{what}: {count}")).collect();
        Ok(say::line(format!("medians of {rounds} rounds; {}", scale.join(", ")))?)
    }
}
