//! The command line: what can be said, and the help that explains it.

mod ask;
mod bench;
mod bulk;
mod care;
mod change;
mod model;
mod names;
mod overrides;
mod past;
mod search;
mod sort;
mod tell;
mod web;
mod whatif;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use esker_pipeline::definition::value::duration;
use esker_wire::remote::Remote;
use esker_wire::snapshot::Range;
use jiff::SignedDuration;

pub(crate) use ask::{Run, Why};
pub(crate) use bench::{Bench, BenchBulk, BenchPipeline, BenchStore, Measure};
pub(crate) use bulk::{Cache, CacheInit, CacheWrite, ClusterCommand, Joining, Worker};
pub(crate) use care::{
    Ack, Doctor, Gc, Mute, Problems, ProblemsCommand, ProblemsList, Repair, Restore,
};
pub(crate) use change::{Change, Changes};
pub(crate) use model::{Model, ModelGet, ModelServe, ModelSet, ModelWatch, Which};
pub(crate) use names::{Mv, Prune};
pub(crate) use overrides::Override;
pub(crate) use past::{Backfill, BackfillCommand, Excavate, Replay};
pub(crate) use search::{Bisect, Export};
pub(crate) use sort::Sort;
pub(crate) use tell::{Lineage, LineageExport, Webhooks};
pub(crate) use web::{Web, WebCommand};
pub(crate) use whatif::{
    Settles, WhatIf, WhatIfAmend, WhatIfApply, WhatIfDiff, WhatIfNew, WhatIfRebase, WhatIfUndo,
    Within,
};

/// Turns a handful of scripts into a live, versioned data system.
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The project's folder: the one with esker.toml, or one below it.
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The hub to talk to, for example tcp://127.0.0.1:5000; found from the project when not given. `esker web` takes several,
    /// each as NAME=ADDRESS.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) hub: Vec<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The largest `--port-base`: the page's port is 3,000 above.
const PORT_BASE_MAX: i64 = 65_535 - 3_000;

const EXAMPLES: &str = "\
Examples:
  esker init plan.xlsx            start a project from a spreadsheet
  esker up                        run it: pull, condition, compute, show
  esker run                       run what is stale, once
  esker get results/plan          the newest result, exactly its bytes
  esker get results/plan@2025-11-20 > then.txt
  esker log raw/plan              every version of the source
  esker why results/plan          what it was made from, back to the sources
  esker why results/plan --key TASK-17 --field end      why that cell changed";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process: hub, runner, web.
    Up(Up),
    /// Run the hub alone: the snapshot service.
    Hub(Hub),
    /// Run the runner alone: sources and stages, with a hub elsewhere.
    Runner(Log),
    /// Run the web server alone, with a hub elsewhere.
    Web(Web),
    /// Run a worker: memory and disk of this machine, for the cluster.
    Worker(Worker),
    /// Run what is stale, once, and end.
    Run(Run),
    /// Store a new version of a resource.
    Put(Put),
    /// Give a resource another name; older names go on meaning it.
    Mv(Mv),
    /// Write a version of a resource to standard output, exactly its bytes.
    Get(Get),
    /// List the versions of a resource, or of everything, newest first.
    Log(History),
    /// List the resources.
    Ls(List),
    /// Show what changed in a resource between two versions.
    Diff(Diff),
    /// Find the version of a resource that broke something.
    Bisect(Bisect),
    /// Write the history of a resource to an SQLite database or a CSV file.
    Export(Export),
    /// Show what a resource was made from, back to its sources, or why one cell of it changed.
    Why(Why),
    /// Print what is made from a resource, and who shows it.
    Uses(Uses),
    /// Name a revision for good, or list the names.
    Tag(Tag),
    /// Print events as they come.
    Watch(Watch),
    /// Live models: nested data that many follow, each in step with its publisher.
    #[command(subcommand)]
    Model(Model),
    /// Contents that a cluster's workers hold, by id.
    #[command(subcommand)]
    Cache(Cache),
    /// Sort files of any size: lines, CSV by a column, records of 100 bytes; here, or over a cluster.
    Sort(Sort),
    /// The workers of a cluster: who is there, how they stand, where an id is.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Validate esker.toml.
    Check(Check),
    /// Print the JSON Schema of esker.toml, for editors.
    Schema,
    /// Write an esker.toml to start from.
    Init(Init),
    /// Make a project's store again from a mirror.
    Restore(Restore),
    /// Make a damaged store whole again from what is left of it, its journal, and clones.
    Repair(Repair),
    /// Look for what is wrong here: definition, programs, disk, store, ports, hub, runner, clock.
    Doctor(Doctor),
    /// What failed, and why.
    Problems(Problems),
    /// Run a stage again on the inputs of its last runs, and tell what comes out differently.
    Replay(Replay),
    /// Bring everything up as it was: data, definition and programs of a date, revision or tag; read-only.
    Excavate(Excavate),
    /// Compute a stage's history anew with its program of now, beside what there is.
    Backfill(Backfill),
    /// What would be if something were otherwise, computed beside what there is.
    #[command(subcommand, name = "whatif")]
    WhatIf(WhatIf),
    /// Edits of what sources and stages make, made again whenever that is.
    #[command(subcommand)]
    Override(Override),
    /// What ran, and from what to what, for those who collect that.
    #[command(subcommand)]
    Lineage(Lineage),
    /// Who is told of what happens.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// Find large contents that no version names, and remove them.
    Gc(Gc),
    /// Measure this esker against its peers and limits, on this machine.
    #[command(subcommand)]
    Bench(Bench),
    /// Remove large contents that the rules of `keep` in esker.toml keep no longer.
    Prune(Prune),
    /// The planning application's filters, stdin to stdout.
    #[command(subcommand)]
    Qplan(Qplan),
}

#[derive(Args)]
pub(crate) struct Up {
    /// The project's folder.
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ports: Ports,
    /// Where to serve the page, for example 127.0.0.1:8000.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<SocketAddr>,
}

#[derive(Args)]
pub(crate) struct Ports {
    /// Move every port: requests at N, events at N + 100, web at N + 3000; 0 takes free ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=PORT_BASE_MAX))]
    pub(crate) port_base: Option<u16>,
    #[command(flatten)]
    pub(crate) log: Log,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker hub
  esker hub --follow git@host:team/data.git    a read replica of what is pushed there")]
pub(crate) struct Hub {
    /// Serve what is in this git repository, for reading only: its URL or path.
    #[arg(long, value_name = "URL")]
    pub(crate) follow: Option<Remote>,
    /// How often to look there for news.
    #[arg(long, value_name = "TIME", default_value = "5s", requires = "follow", value_parser = every)]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) ports: Ports,
}

/// Reads how often to look for news.
fn every(text: &str) -> Result<Duration, String> {
    const EVERY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
    let read = text.parse::<SignedDuration>().map_err(|_| "write for example 5s or 1m".to_owned());
    let every = read.and_then(|every| Duration::try_from(every).map_err(|e| e.to_string()))?;
    if EVERY.contains(&every) { Ok(every) } else { Err("from 100ms to 24h".to_owned()) }
}

#[derive(Args)]
pub(crate) struct Log {
    /// Log lines as JSON; the default where standard error is no terminal.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker put raw/notes < notes.txt
  esker put raw/notes notes.txt -m 'after the meeting'
  esker put raw/notes --if-head none < notes.txt    only if there is none yet
  esker put raw/scan scan.tif                       of any size; broken off, run it again and it goes on

What a source or stage makes is made again at its next run: change its file, or put under another name.")]
pub(crate) struct Put {
    /// The resource, for example raw/plan.
    pub(crate) resource: String,
    /// The content; standard input when not given.
    pub(crate) file: Option<PathBuf>,
    /// Why, for the log.
    #[arg(short, long)]
    pub(crate) message: Option<String>,
    /// What the content is, for example text/csv.
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// Only if the resource's revision is this one; `none`: only if there is none.
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_head: Option<String>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads `0..100`, `100..`, `..100`.
fn range(text: &str) -> Result<Range, String> {
    let bad = || format!("{text:?} is no range of bytes; write 0..100, 100.. or ..100");
    let (from, to) = text.split_once("..").ok_or_else(bad)?;
    let number = |text: &str, otherwise: u64| match text {
        "" => Ok(otherwise),
        digits => digits.parse().map_err(|_| bad()),
    };
    let (offset, to): (u64, u64) = (number(from, 0)?, number(to, u64::MAX)?);
    let length = to.checked_sub(offset).ok_or_else(bad)?;
    Ok(Range { offset, length })
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker get results/plan
  esker get results/plan@4f8d0e69e2           a revision that `esker log results/plan` lists
  esker get results/plan@2025-11-20 -o plan-then.txt
  esker get 'results/plan@last friday 17:00'
  esker get results/plan --range 0..100       the first hundred bytes
  esker get results/plan@2025-11-20 --recomputed    what today's program makes of that day's inputs
  esker get raw/plan --rejected plan          what the checks of [source.plan] refused last
  esker get results/plan --whatif more-people what it would be")]
pub(crate) struct Get {
    /// The resource, with @REVISION, @TAG or @DATE for an older version.
    pub(crate) resource: String,
    /// What was refused when this stage or source last failed its checks, instead of what is published.
    #[arg(long, value_name = "STAGE", conflicts_with_all = ["if_changed_since", "what_if"])]
    pub(crate) rejected: Option<String>,
    /// What an adopted backfill makes of the inputs as they were then, or the one named, adopted or not.
    #[arg(long, value_name = "BACKFILL", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with_all = ["rejected", "if_changed_since", "what_if"])]
    pub(crate) recomputed: Option<String>,
    /// Only these bytes: from the first, counted from 0, to before the last; either may be left out.
    #[arg(long, value_name = "FROM..TO", value_parser = range)]
    pub(crate) range: Option<Range>,
    /// Nothing if the resource is still as it was at this revision, tag or date.
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_changed_since: Option<String>,
    /// Write to this file, whole or not at all.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) within: Within,
    /// Print revision, size, time and provenance as JSON, without the content.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker log raw/plan
  esker log raw/plan@2025-11-20               from that day back
  esker log --since 'last monday' --author ann
  esker log --since v1 --until v2 --grep holidays --all")]
pub(crate) struct History {
    /// The resource, with @REVISION, @TAG or @DATE to begin there; all of them when not given.
    pub(crate) resource: Option<String>,
    /// Only after this revision or tag, or from the beginning of this day on.
    #[arg(long, value_name = "VERSION")]
    pub(crate) since: Option<String>,
    /// Only up to this revision or tag, or the end of this day.
    #[arg(long, value_name = "VERSION")]
    pub(crate) until: Option<String>,
    /// Only what someone put whose name or mail holds this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) author: Option<String>,
    /// Only what was put with a message that holds this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
    /// At most this many; 20 when not given.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// All there are.
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) within: Within,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker ls
  esker ls raw/                   those whose names begin so
  esker ls raw/ --at 2025-11-20   as they were at the end of that day")]
pub(crate) struct List {
    /// Only the resources whose names begin so.
    #[arg(default_value = "")]
    pub(crate) prefix: String,
    /// As of this revision, tag or date.
    #[arg(long, value_name = "VERSION", default_value = "HEAD")]
    pub(crate) at: String,
    #[command(flatten)]
    pub(crate) within: Within,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker diff results/plan                       the last change
  esker diff results/plan 2025-11-20            since that day
  esker diff results/plan 4f8d0e69e2 a67f1cf20f    two revisions that `esker log results/plan` lists
  esker diff raw/tickets --as table --key id    which cells of which rows

HEAD~3 is the whole project three versions ago, whatever they changed.")]
pub(crate) struct Diff {
    /// The resource.
    pub(crate) resource: String,
    /// The older version; the one before the newer when not given.
    pub(crate) from: Option<String>,
    /// The newer version.
    #[arg(default_value = "HEAD")]
    pub(crate) to: String,
    /// What to compare: lines, the cells of CSV, TSV and stacked streams, or the paths of JSON; `auto` is whichever
    /// suits the contents, and the default on a terminal. Elsewhere it is text.
    #[arg(long = "as", value_name = "FORM", value_parser = ["text", "table", "json", "auto"])]
    pub(crate) form: Option<String>,
    /// The columns that name a table's rows, for example id or team,name; guessed when not given. The form is table
    /// then.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    #[command(flatten)]
    pub(crate) within: Within,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Uses {
    /// The resource.
    pub(crate) resource: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Tag {
    /// The name to give; all are listed when not given.
    pub(crate) name: Option<String>,
    /// What to name.
    #[arg(default_value = "HEAD")]
    pub(crate) at: String,
    /// Why, for people.
    #[arg(short, long)]
    pub(crate) message: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Watch {
    /// Only resources whose name begins so.
    #[arg(default_value = "")]
    pub(crate) prefix: String,
    /// End after this many events.
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The project's folder.
    pub(crate) folder: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker init                      asks for a name and a file; without a terminal, one to fill in
  esker init plan.xlsx            a project whose source is that spreadsheet, with a schema of its sheets
  esker init staff.csv            the same of a table")]
pub(crate) struct Init {
    /// A spreadsheet or text file to start from.
    pub(crate) source: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Qplan {
    /// Read the spreadsheet's sheets, write the plan's four streams.
    Condition,
    /// Read the plan's four streams, write manpower, demand, shortages and end dates.
    Schedule {
        /// Copy the input unchanged.
        #[arg(short, long)]
        raw: bool,
        /// Pair scheduled skills with staff by name, not by position.
        #[arg(long)]
        by_name: bool,
    },
}
