//! `esker sort`: files sorted in this process, or over the workers of a cluster; and whether they are.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_bulk::alone::Alone;
use esker_bulk::client::{Client, Options, joining};
use esker_bulk::sort::{Error, Kind, MEMORY_MIN, Progress, Sort, Summary};
use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::join::Join;
use esker_wire::fault::{Code, Fault};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::cli;

use crate::say::{self, hinted};
use crate::stop::Stop;
use crate::write::write_with;

/// How long it takes until it is told how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked how far it is, and whether it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// How long a worker may be away.
const DEADLINE: Duration = Duration::from_secs(30);
/// How many hundredths of the memory the worker of this process holds; the rest is for reading and sorting.
const WORKER: u64 = 60;

/// Sorts, or looks whether something is sorted.
pub(crate) fn sort(asked: &cli::Sort) -> Result<ExitCode> {
    crate::logging::quiet();
    if asked.memory < MEMORY_MIN {
        let text = format!("{} of memory are too little to sort with", say::size(asked.memory));
        return Err(hinted(text, format!("give it {} at least", say::size(MEMORY_MIN))));
    }
    let folder = tempfile::Builder::new()
        .prefix("esker-sort-")
        .tempdir_in(asked.spill.clone().unwrap_or_else(std::env::temp_dir));
    let folder = folder.context("cannot make a folder for what has no room in memory")?;
    let inputs = match asked.inputs.as_slice() {
        [] => vec![PathBuf::from("-")],
        inputs => inputs.to_vec(),
    };
    let what = what(asked, folder.path());
    match &asked.output {
        Some(output) => write(asked, &what, (&inputs, output)).map(|()| ExitCode::SUCCESS),
        None => check(asked, &what, &inputs),
    }
}

fn what(asked: &cli::Sort, folder: &Path) -> Sort {
    let kind = match (asked.records, asked.csv) {
        (true, _) => Kind::Records,
        (false, true) => Kind::Csv(asked.key.clone()),
        (false, false) => Kind::Lines,
    };
    let threads = asked.threads.map(usize::from);
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let own = if asked.join.is_some() { 100 } else { 100 - WORKER };
    Sort {
        kind,
        is_reversed: asked.reverse,
        is_unique: asked.unique,
        is_numeric: asked.numeric,
        memory: asked.memory / 100 * own,
        spill: folder.to_owned(),
        threads: threads.unwrap_or_else(cores),
    }
}

/// Who holds what is sorted meanwhile.
enum Held {
    Here(Box<Alone>),
    There(Client, #[expect(dead_code, reason = "it is followed as long as it is held")] Cluster),
}

impl Held {
    fn start(asked: &cli::Sort, folder: &Path) -> Result<Self> {
        let options = Options { deadline: DEADLINE, compress: false };
        let Some(join) = &asked.join else {
            let memory = asked.memory / 100 * WORKER;
            let alone = Alone::start(memory, folder.join("worker"), options)?;
            return Ok(Self::Here(Box::new(alone)));
        };
        let join: Join = join.parse()?;
        let bus = Bus::start()?;
        let cluster = Cluster::join(&join, joining(&bus))?;
        Ok(Self::There(Client::new(&bus, &cluster, None, options)?, cluster))
    }

    fn client(&self) -> &Client {
        match self {
            Self::Here(alone) => alone.client(),
            Self::There(client, _) => client,
        }
    }
}

fn write(asked: &cli::Sort, what: &Sort, (inputs, output): (&[PathBuf], &Path)) -> Result<()> {
    let began = Instant::now();
    let held = Held::start(asked, &what.spill)?;
    let mut done = Summary::default();
    let mut sort = |out: &mut (dyn Write + Send)| -> Result<()> {
        let sorted = watched(asked.json, |progress| {
            esker_bulk::sort::sort(held.client(), what, inputs, progress, out)
        });
        done = sorted?;
        Ok(())
    };
    match output.as_os_str() == "-" {
        true => sort(&mut io::stdout())?,
        // What ends the sort itself has nothing to do with where it is written.
        false => write_with(output, sort).map_err(|error| match error.downcast::<Fault>() {
            Ok(fault) if asked.join.is_none() && fault.code == Code::NotWritable => {
                fault.hint("give it more --memory, or a folder with more room: --spill").into()
            }
            Ok(fault) => fault.into(),
            Err(error) => error,
        })?,
    }
    let seconds = began.elapsed().as_secs_f64();
    if asked.json {
        let mut told = json!(done);
        told["seconds"] = json!(seconds);
        let text = told.to_string();
        // Standard output may be what was sorted.
        if output.as_os_str() == "-" {
            say::note(text);
        } else {
            say::line(text)?;
        }
    }
    Ok(())
}

fn check(asked: &cli::Sort, what: &Sort, inputs: &[PathBuf]) -> Result<ExitCode> {
    let found = watched(asked.json, |progress| esker_bulk::sort::check(what, inputs, progress))?;
    if asked.json {
        say::json(&json!(found))?;
    } else {
        say::line(format!("records:    {}", found.records))?;
        say::line(format!("bytes:      {}", found.bytes))?;
        say::line(format!("checksum:   {}", found.checksum))?;
        say::line(format!("duplicates: {}", found.duplicates))?;
    }
    match found.unsorted {
        None => Ok(ExitCode::SUCCESS),
        Some(number) => {
            let text = format!("not sorted: record {number} belongs before the one before it");
            Err(hinted(text, "sort it with -o, and the same options"))
        }
    }
}

/// Runs something, tells how far it is, and ends it if that is wished.
fn watched<T>(is_quiet: bool, run: impl FnOnce(&Progress) -> Result<T, Error>) -> Result<T> {
    let (stop, progress, is_done) =
        (Stop::on_signals()?, Progress::default(), AtomicBool::new(false));
    let ended = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let began = Instant::now();
            while !is_done.load(Ordering::Acquire) {
                thread::park_timeout(LOOK);
                if stop.is_pulled() {
                    progress.stop();
                }
                if began.elapsed() > PATIENCE && !is_quiet {
                    show(&bar, progress.far());
                }
            }
            bar.finish_and_clear();
        });
        let ended = run(&progress);
        is_done.store(true, Ordering::Release);
        watching.thread().unpark();
        ended
    });
    match ended {
        Ok(done) => Ok(done),
        Err(Error::Stopped) => Err(anyhow::Error::msg("stopped; nothing was written")),
        Err(Error::Fault(fault)) => Err(fault.into()),
        Err(Error::Output(error)) => Err(error.into()),
    }
}

fn show(bar: &ProgressBar, (done, total): (u64, u64)) {
    if bar.is_hidden() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let template = "{bar:30} {bytes} of {total_bytes} read and written, {bytes_per_sec}, {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
    }
    bar.set_length(total);
    bar.set_position(done);
}
