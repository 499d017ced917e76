//! What can be said to look after a project: problems, doctor, repair, restore, gc.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use esker_wire::name::Branch;
use esker_wire::remote::Remote;

use super::duration;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker restore git@host:team/data.git         into the folder data
  esker restore /backup/plan.git my-project    then `esker up my-project` goes on from there")]
pub(crate) struct Restore {
    /// The mirror: a git repository's URL or path.
    pub(crate) url: Remote,
    /// The project's folder, without a store; named like the mirror when not given.
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker repair                              what is wrong, and what would be done about it
  esker repair --yes                        do it
  esker repair --from ../clone.git --yes    and fetch what is missing from there

Nothing is thrown away: damaged files go to .esker/store.git/esker/aside. No esker may run here meanwhile.")]
pub(crate) struct Repair {
    /// A clone or mirror that has what is missing: a path or a URL; several may be named.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Vec<Remote>,
    /// Do it; without it nothing is changed.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Believe what git says of this branch, although someone has rewritten it; what it was stays as kept/BRANCH.
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["from", "yes"])]
    pub(crate) accept: Option<Branch>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Read every object of the store, and follow everything that is named: it takes a while.
    #[arg(long)]
    pub(crate) deep: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker gc                        what would be removed
  esker gc --force                remove it
  esker gc --force --grace 1h     also what came only lately and nobody has named")]
pub(crate) struct Gc {
    /// Remove them; without it they are only listed.
    #[arg(long)]
    pub(crate) force: bool,
    /// Leave those that are younger: someone may be about to name them.
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = duration)]
    pub(crate) grace: Duration,
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
