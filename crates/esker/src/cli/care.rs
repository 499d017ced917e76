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
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  esker problems                                    what failed and why
  esker problems show 5f0c1d2                       all of one, by its id or its stage's name
  esker problems retry condition                    run it once more, although nothing has changed
  esker problems ack condition --note 'the vendor mends it'
  esker problems mute condition --for 2d            out of sight for two days, whatever fails
  esker problems --exit-code > /dev/null || mail -s 'something failed' ops"
)]
pub(crate) struct Problems {
    #[command(subcommand)]
    pub(crate) what: Option<ProblemsCommand>,
    #[command(flatten)]
    pub(crate) list: ProblemsList,
}

#[derive(Args)]
pub(crate) struct ProblemsList {
    /// Also those that are muted.
    #[arg(long)]
    pub(crate) all: bool,
    /// Fail if there is a problem that is neither acknowledged nor muted.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ProblemsCommand {
    /// What failed and why; the same as without a word.
    List(ProblemsList),
    /// All that is known of one.
    Show {
        /// The stage or source, or the problem's id.
        problem: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run what failed once more, although nothing has changed.
    Retry {
        /// The stage or source, or the problem's id.
        problem: String,
    },
    /// Say that you know: it stays in the list, marked as known, until it fails in another way.
    Ack(Ack),
    /// Put it out of sight.
    Mute(Mute),
}

#[derive(Args)]
pub(crate) struct Ack {
    /// The stage or source, or the problem's id.
    pub(crate) problem: String,
    /// Why, for people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Take it back.
    #[arg(long, conflicts_with = "note")]
    pub(crate) undo: bool,
}

#[derive(Args)]
pub(crate) struct Mute {
    /// The stage or source, or the problem's id.
    pub(crate) problem: String,
    /// For so long, whatever fails, for example 2d; until the next change when not given.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Why, for people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Take it back.
    #[arg(long, conflicts_with_all = ["note", "time"])]
    pub(crate) undo: bool,
}
