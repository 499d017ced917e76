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
