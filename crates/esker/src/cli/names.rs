//! What can be said of names over time: mv, prune.

use clap::Args;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker mv raw/plan raw/schedule
  esker mv raw/plan raw/schedule -m 'as everybody calls it'

Its history goes with it: `esker log raw/schedule` has all of it, and raw/plan, in scripts and in esker.toml, means
raw/schedule from now on. `esker put raw/plan --if-head none` begins a new resource under the name.")]
pub(crate) struct Mv {
    /// What it is called.
    pub(crate) from: String,
    /// What it is to be called.
    pub(crate) to: String,
    /// Why, for the log.
    #[arg(short, long)]
    pub(crate) message: Option<String>,
    /// Only if the resource's revision is this one.
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_head: Option<String>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker prune                      what would go, and why the others stay
  esker prune --resource raw/scan
  esker prune --force              remove it

The rules are those under [keep] in esker.toml. Never removed: what is newest on a branch, what a tag names, and what
either was made from. Nothing in git changes: every version keeps its hash, its size and its place in the log.")]
pub(crate) struct Prune {
    /// Remove it.
    #[arg(long)]
    pub(crate) force: bool,
    /// Only tell what would be removed; the default.
    #[arg(long, conflicts_with = "force")]
    pub(crate) dry_run: bool,
    /// Only the contents of this resource.
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
