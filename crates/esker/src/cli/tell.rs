//! What can be said of those who are told what happens: lineage, webhooks.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Lineage {
    /// Write the events of all runs there were, the oldest first, a line each.
    Export(LineageExport),
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker lineage export                          to standard output
  esker lineage export -o lineage.ndjson
  esker lineage export --from v1 --to HEAD --json")]
pub(crate) struct LineageExport {
    /// Only what came after this revision, tag or date.
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<String>,
    /// Only what came up to this one.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// Write to this file, whole or not at all.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// One JSON array in place of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Webhooks {
    /// List the webhooks of esker.toml, and how each stands.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send one event now, and show the answer.
    Test {
        /// The webhook: NAME of [webhook.NAME].
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
