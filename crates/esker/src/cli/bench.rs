//! What can be said of benchmarks.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::bench::Published;

/// The fewest and the most commits a store is measured with: a hundredth of them is measured too.
const COMMITS_MIN: u64 = 300;
/// See [`COMMITS_MIN`].
const COMMITS_MAX: u64 = 10_000_000;
/// The most random crashes.
const CRASHES_MAX: i64 = 1_000_000;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Measure the snapshots: how fast, how safe, and whether it stays so with age.
    Store(BenchStore),
    /// Measure the pipeline: how soon a result is there, what looking costs, and what survives.
    Pipeline(BenchPipeline),
    /// Measure the live model: how fast changes get through, and what finding again costs.
    Model(Measure),
    /// Measure the page's server: what five hundred browsers cost, and what those do that do not read.
    Page(Measure),
    /// Measure bulk data: a worker of the cluster cache against Redis, memcached, and the bare network; sorting.
    Bulk(BenchBulk),
    /// Take and give bytes over a bare connection; started to be measured against.
    #[command(hide = true)]
    Stream,
    /// Answer everything with frames of these sizes; started to be measured against.
    #[command(hide = true)]
    Echo {
        /// The frames of the answer, in bytes.
        sizes: Vec<usize>,
    },
    /// Publish so many changes a second of a model with so many keys on each level; started to be measured.
    #[command(hide = true)]
    Publish {
        /// A model, or the frames of one.
        what: Published,
        /// The keys on each of three levels.
        width: usize,
        /// The changes of a second.
        rate: u32,
        /// The file that has to be there before it begins.
        begin: PathBuf,
    },
    /// Follow the model of a page as so many browsers would; started to be measured.
    #[command(hide = true)]
    Browsers {
        /// Where the page is.
        at: SocketAddr,
        /// How many read what they are sent.
        browsers: usize,
        /// How many do not.
        stuck: usize,
        /// Where it is said when to end, and written what was heard.
        folder: PathBuf,
    },
}

/// What every benchmark is asked for.
#[derive(Args)]
pub(crate) struct Measure {
    /// Measure less, in under a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Fail if something is not as it must be, or could not be measured.
    #[arg(long)]
    pub(crate) check: bool,
    /// Install a peer that is missing, in the folder it works in: pyzmq, DVC, NATS, Redis,
    /// memcached, DuckDB, Polars.
    #[arg(long)]
    pub(crate) install: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure just enough to see that it works.
    #[arg(long, hide = true)]
    pub(crate) smoke: bool,
}

#[derive(Args)]
#[command(after_help = "\
Works in a folder that it makes in the current one, or in --dir DIR, and removes again: the disk there is what is measured.

Examples:
  esker bench store --quick       under a minute, with smaller sizes
  esker bench store --check       fails where something is not as it must be")]
pub(crate) struct BenchStore {
    #[command(flatten)]
    pub(crate) measure: Measure,
    /// The commits of the largest store: 100000, or 10000 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(COMMITS_MIN..=COMMITS_MAX))]
    pub(crate) commits: Option<u64>,
}

#[derive(Args)]
#[command(after_help = "\
Works in a folder that it makes in the current one, or in --dir DIR, and removes again.

Examples:
  esker bench pipeline --quick                 under a minute, with smaller sizes
  esker bench pipeline --check --install       fails where something is not as it must be; brings DVC
  esker bench pipeline --crashes 10000         as many random kills
  esker bench pipeline --what-ifs --install    what-ifs alone")]
pub(crate) struct BenchPipeline {
    #[command(flatten)]
    pub(crate) measure: Measure,
    /// The random crashes: 1000, or 40 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=CRASHES_MAX))]
    pub(crate) crashes: Option<u32>,
    /// Measure only what-ifs.
    #[arg(long)]
    pub(crate) what_ifs: bool,
}

#[derive(Args)]
#[command(after_help = "\
Works in a folder that it makes in the current one, or in --dir DIR, and removes again.

Examples:
  esker bench bulk --quick                under a minute, with smaller sizes
  esker bench bulk --check --install      fails where something is not as it must be; brings what is missing
  esker bench bulk --sort --install       sorting alone")]
pub(crate) struct BenchBulk {
    #[command(flatten)]
    pub(crate) measure: Measure,
    /// Measure only sorting.
    #[arg(long)]
    pub(crate) sort: bool,
}
