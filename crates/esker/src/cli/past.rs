//! What can be said of runs of the past: replay, backfill.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The most programs that may run at once.
const JOBS_MAX: i64 = 256;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker replay condition                                  does it still give what it gave?
  esker replay condition --with 'python3 new.py' --diff   would a new program give the same?
  esker replay condition --code ../branch --last 200      would the code in that folder?

Nothing is stored. A program given with --with runs in the project's folder, with the stage's time limits, secrets
and checks. Exit code 1 if a run differs or fails.")]
pub(crate) struct Replay {
    /// The stage.
    pub(crate) stage: String,
    /// Run this in place of the stage's program: its words, or all of them as one text, quoted as in a shell.
    #[arg(long, value_name = "CMD", num_args = 1.., conflicts_with = "code")]
    pub(crate) with: Vec<String>,
    /// Run the program in this folder, a copy of the project with other code; and as its esker.toml says, if it has one.
    #[arg(long, value_name = "DIR")]
    pub(crate) code: Option<PathBuf>,
    /// How many runs, from the newest back.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) last: u32,
    /// How many programs may run at once; as many as `jobs` in esker.toml says when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=JOBS_MAX))]
    pub(crate) jobs: Option<u32>,
    /// Print the differences whole, not only how many cells, rows or lines.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  esker backfill condition                         every version there ever was of its inputs
  esker backfill condition --from 2026-01-01 --adopt
  esker backfill list
  esker get conditioned/plan@2026-03-01 --recomputed   what today's program makes of that day's inputs

Broken off, run the same again and it goes on. What is there already is never changed: results are beside it, and
what failed is told and left out."
)]
pub(crate) struct Backfill {
    #[command(subcommand)]
    pub(crate) what: Option<BackfillCommand>,
    /// The stage.
    #[arg(required = true)]
    pub(crate) stage: Option<String>,
    /// From the inputs as they were at this revision, tag or date on; from the first when not given.
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<String>,
    /// Up to this revision or tag, or the end of this day.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// How many programs may run at once; half of what `jobs` in esker.toml says when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=JOBS_MAX))]
    pub(crate) jobs: Option<u32>,
    /// Adopt the results when all versions are computed and none has failed.
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum BackfillCommand {
    /// List the backfills there are.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what a backfill has made of each version, beside what there was then.
    Show {
        /// The backfill.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have `esker get --recomputed` find a backfill, and make its newest result the head.
    Adopt {
        /// The backfill.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a backfill and all it has made.
    Drop {
        /// The backfill.
        id: String,
    },
}
