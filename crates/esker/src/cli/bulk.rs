//! What can be said of clusters: their workers, what they hold, and where.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use esker_bulk::space::{Keep, Strategy};
use esker_pipeline::definition::value::any_size;

use super::Log;

/// Whom to join.
#[derive(Args)]
pub(crate) struct Joining {
    /// The cluster: consul://HOST:PORT, or static:members.toml [default: the project's, else consul://127.0.0.1:8500].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) join: Option<String>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker worker                                     joins the Consul of this machine, holds 1GiB
  esker worker --memory 8GiB --spill /fast/spill
  esker worker --join static:members.toml --name node2 --bind 127.0.0.1:7000
  esker cluster dev -n 4                           a whole cluster on this machine, to try things on

How much it may hold is told to a running worker by Consul: the key esker/config/NAME/max-memory, or
esker/config/*/max-memory for all, for example 512MiB.")]
pub(crate) struct Worker {
    /// The cluster: consul://HOST:PORT, or static:members.toml.
    #[arg(long, value_name = "ADDRESS", default_value = "consul://127.0.0.1:8500")]
    pub(crate) join: String,
    /// Where to take small requests; bulk data goes by the next port. Port 0 takes free ones.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5060")]
    pub(crate) bind: String,
    /// How much may be held in memory, for example 2GiB.
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = any_size)]
    pub(crate) memory: u64,
    /// The folder for what has no room in memory, of this worker alone [default: one that goes when it ends].
    #[arg(long, value_name = "DIR")]
    pub(crate) spill: Option<PathBuf>,
    /// Hold in memory only, and refuse what has no room there.
    #[arg(long, conflicts_with = "spill")]
    pub(crate) no_spill: bool,
    /// What people call it [default: the name of this machine].
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) log: Log,
}

#[derive(Subcommand)]
pub(crate) enum ClusterCommand {
    /// How every worker stands: what it holds, in memory and on disk.
    Status(Told),
    /// Who is there, and what is wrong with how that is known.
    Members(Told),
    /// Where an id is, or would be.
    Locate {
        /// The id.
        id: String,
        #[command(flatten)]
        told: Told,
    },
    /// Consul and workers on this machine, until it is stopped.
    #[command(after_help = "\
Examples:
  esker cluster dev -n 4
  esker cache set greeting --join consul://127.0.0.1:8500 < hello.txt")]
    Dev {
        /// How many nodes, each with an agent of Consul and a worker.
        #[arg(short = 'n', long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=64))]
        nodes: u16,
        /// How much each worker may hold in memory.
        #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = any_size)]
        memory: u64,
        #[command(flatten)]
        log: Log,
    },
}

/// Whom to ask, and how to say it.
#[derive(Args)]
pub(crate) struct Told {
    #[command(flatten)]
    pub(crate) joining: Joining,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  esker cache set greeting hello.txt
  esker cache get greeting
  date | esker cache append log/today
  esker cache init 's1/part-{}' --count 1000 --strategy uniform-memory
  esker cache ls s1/")]
pub(crate) enum Cache {
    /// Replace a content.
    Set(CacheWrite),
    /// Write a content to standard output, exactly its bytes.
    Get {
        /// The id.
        id: String,
        /// From which byte on.
        #[arg(long, value_name = "BYTE", default_value = "0")]
        offset: u64,
        /// How many bytes at most.
        #[arg(long, value_name = "BYTES")]
        length: Option<u64>,
        #[command(flatten)]
        joining: Joining,
    },
    /// Add to a content.
    Append(CacheWrite),
    /// Begin a space: ids that are there, evenly spread, though nothing was written to them.
    #[command(after_help = "\
Examples:
  esker cache init 's1/part-{}' --count 1000
  esker cache init s2/a s2/b s2/c --keep cache
  esker cache init - < ids.txt                      one id a line")]
    Init(CacheInit),
    /// How long contents are.
    Stat {
        /// The ids.
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        told: Told,
    },
    /// Remove contents.
    Rm {
        /// The ids.
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        joining: Joining,
    },
    /// The ids of a space that begin so and have contents.
    Ls {
        /// What they begin with, with the space before the last slash.
        #[arg(default_value = "")]
        prefix: String,
        /// How many at most.
        #[arg(long, value_name = "N", default_value = "1000")]
        limit: u32,
        #[command(flatten)]
        told: Told,
    },
    /// End all writing to a space; of each task the attempt counts that is named: TASK:ATTEMPT.
    Seal {
        /// The space.
        space: String,
        /// The attempts that count.
        winners: Vec<String>,
        #[command(flatten)]
        joining: Joining,
    },
    /// Forget a space and all in it.
    Drop {
        /// The space.
        space: String,
        #[command(flatten)]
        joining: Joining,
    },
}

#[derive(Args)]
pub(crate) struct CacheWrite {
    /// The id.
    pub(crate) id: String,
    /// The content; standard input when not given.
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) joining: Joining,
}

#[derive(Args)]
pub(crate) struct CacheInit {
    /// A pattern with {} and a count, or the ids, or - for one a line of standard input.
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// How many numbers the pattern is made with.
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// By what they are dealt out.
    #[arg(long, value_name = "STRATEGY", default_value = "uniform-nodes")]
    pub(crate) strategy: By,
    /// What becomes of contents when memory is short: they go to disk, or are forgotten.
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub(crate) keep: Kept,
    #[command(flatten)]
    pub(crate) joining: Joining,
}

/// By what ids are dealt out.
#[derive(Clone, Copy, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "they are called so everywhere")]
pub(crate) enum By {
    /// As many to every node.
    UniformNodes,
    /// By their cores.
    UniformCpu,
    /// By the memory that is free on them.
    UniformMemory,
}

/// What becomes of contents when memory is short.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kept {
    /// They go to disk.
    All,
    /// They are forgotten, the least asked for first.
    Cache,
}

impl From<By> for Strategy {
    fn from(by: By) -> Self {
        match by {
            By::UniformNodes => Self::UniformNodes,
            By::UniformCpu => Self::UniformCpu,
            By::UniformMemory => Self::UniformMemory,
        }
    }
}

impl From<Kept> for Keep {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::All => Self::All,
            Kept::Cache => Self::Cache,
        }
    }
}
