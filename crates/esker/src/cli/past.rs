//! What can be said of runs of the past: replay, backfill.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PORT_BASE_MAX;

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

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker excavate 2025-11-20                        everything as it was at the end of that day, on free ports
  esker excavate v1 --rerun                        does each stage still give what it gave?
  git clone server:store.git && esker excavate HEAD~30 --store store
  esker excavate 2025-11-20 --into then --serve no   the definition and the programs of then, in a folder

Nothing of the store or the project is changed. What is shown is read-only; what-ifs of it are made in its folder, which is
printed: esker -C FOLDER whatif new --set …")]
pub(crate) struct Excavate {
    /// A date, revision or tag.
    pub(crate) at: String,
    /// The store, or a plain clone of one; the project's when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Keep it in this folder, which must be empty or not there; otherwise it goes when this ends.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Run each stage again on what it read, and tell what comes out differently.
    #[arg(long, visible_alias = "check")]
    pub(crate) rerun: bool,
    /// With --rerun: print the differences whole.
    #[arg(long, requires = "rerun")]
    pub(crate) diff: bool,
    /// Whether to show it on a page and answer requests; not with --rerun.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) serve: Option<bool>,
    /// Print what it is, and what comes out differently, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Move every port, as with `esker up`; 0, the default, takes free ones.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=PORT_BASE_MAX))]
    pub(crate) port_base: u16,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}
