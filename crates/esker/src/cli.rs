//! The command line: what can be said, and the help that explains it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Turns a handful of scripts into a live, versioned data system.
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The project's folder: the one with esker.toml, or one below it.
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The hub to talk to, for example tcp://127.0.0.1:5000; found from the project when not given.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) hub: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The largest `--port-base`: the page's port is 3,000 above.
const PORT_BASE_MAX: i64 = 65_535 - 3_000;

/// The fewest and the most commits a store is measured with: a hundredth of them is measured too.
const COMMITS_MIN: u64 = 300;
/// See [`COMMITS_MIN`].
const COMMITS_MAX: u64 = 10_000_000;

const EXAMPLES: &str = "\
Examples:
  esker init plan.xlsx            start a project from a spreadsheet
  esker up                        run it: pull, condition, compute, show
  esker get results/plan          the newest result, exactly its bytes
  esker get results/plan@2025-11-20 > then.txt
  esker log raw/plan              every version of the source
  esker why results/plan          what it was made from, back to the sources";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process: hub, runner, web.
    Up(Up),
    /// Run the hub alone: the snapshot service.
    Hub(Ports),
    /// Run the runner alone: sources and stages, with a hub elsewhere.
    Runner(Log),
    /// Run the web server alone, with a hub elsewhere.
    Web(Web),
    /// Store a new version of a resource.
    Put(Put),
    /// Write a version of a resource to standard output, exactly its bytes.
    Get(Get),
    /// List the versions of a resource, or of everything, newest first.
    Log(History),
    /// List the resources.
    Ls(List),
    /// Show what changed in a resource between two versions.
    Diff(Diff),
    /// Show what a resource was made from, back to its sources.
    Why(Why),
    /// Name a revision for good, or list the names.
    Tag(Tag),
    /// Print events as they come.
    Watch(Watch),
    /// Validate esker.toml.
    Check(Check),
    /// Write an esker.toml to start from.
    Init(Init),
    /// Look for what is wrong here: definition, programs, disk, store, ports, hub, runner, clock.
    Doctor(Doctor),
    /// What failed, and why.
    Problems(Problems),
    /// Measure this esker against its peers and limits, on this machine.
    #[command(subcommand)]
    Bench(Bench),
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
pub(crate) struct Log {
    /// Log lines as JSON; the default where standard error is no terminal.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Web {
    #[command(flatten)]
    pub(crate) ports: Ports,
    /// Where to serve the page, for example 127.0.0.1:8000.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<SocketAddr>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker put raw/notes < notes.txt
  esker put raw/notes notes.txt -m 'after the meeting'
  esker put raw/notes --if-head none < notes.txt    only if there is none yet

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

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker get results/plan
  esker get results/plan@4f8d0e69e2           a revision that `esker log results/plan` lists
  esker get results/plan@2025-11-20 -o plan-then.txt")]
pub(crate) struct Get {
    /// The resource, with @REVISION, @TAG or @DATE for an older version.
    pub(crate) resource: String,
    /// Write to this file, whole or not at all.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print revision, size, time and provenance as JSON, without the content.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct History {
    /// The resource; all of them when not given.
    pub(crate) resource: Option<String>,
    /// At most this many.
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct List {
    /// As of this revision, tag or date.
    #[arg(default_value = "HEAD")]
    pub(crate) at: String,
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

HEAD~3 is the whole project three versions ago, whatever they changed.")]
pub(crate) struct Diff {
    /// The resource.
    pub(crate) resource: String,
    /// The older version; the one before the newer when not given.
    pub(crate) from: Option<String>,
    /// The newer version.
    #[arg(default_value = "HEAD")]
    pub(crate) to: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Why {
    /// The resource, with @REVISION, @TAG or @DATE for an older version.
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
  esker init                      an esker.toml with comments, to fill in
  esker init plan.xlsx            a project whose source is that spreadsheet")]
pub(crate) struct Init {
    /// A spreadsheet or text file to start from.
    pub(crate) source: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Problems {
    #[command(subcommand)]
    pub(crate) what: Option<ProblemsCommand>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ProblemsCommand {
    /// Run what failed once more, although nothing has changed.
    Retry {
        /// The stage or source.
        stage: String,
    },
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

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Measure the snapshots: how fast, how safe, and whether it stays so with age.
    Store(BenchStore),
    /// Answer everything with frames of these sizes; started to be measured against.
    #[command(hide = true)]
    Echo {
        /// The frames of the answer, in bytes.
        sizes: Vec<usize>,
    },
}

#[derive(Args)]
#[command(after_help = "\
Works in a folder that it makes in the current one, or in --dir DIR, and removes again: the disk there is what is measured.

Examples:
  esker bench store --quick       under a minute, with smaller sizes
  esker bench store --check       fails where something is not as it must be")]
pub(crate) struct BenchStore {
    /// Measure less, in under a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Fail if something is not as it must be, or could not be measured.
    #[arg(long)]
    pub(crate) check: bool,
    /// The commits of the largest store: 100000, or 10000 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(COMMITS_MIN..=COMMITS_MAX))]
    pub(crate) commits: Option<u64>,
    /// Install a peer that is missing, in the folder it works in: pyzmq.
    #[arg(long)]
    pub(crate) install: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure just enough to see that it works.
    #[arg(long, hide = true)]
    pub(crate) smoke: bool,
}
