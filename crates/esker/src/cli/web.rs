//! What can be said of the page.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::Ports;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  esker web                     the page of the project's hub, in a process of its own
  esker web --hub plan=tcp://127.0.0.1:5000 --hub pay=tcp://127.0.0.1:6000     of several, each below its name
  esker web password            asks for a password, prints its hash for [web.user.NAME] in esker.toml
  pass show esker | esker web password"
)]
pub(crate) struct Web {
    #[command(subcommand)]
    pub(crate) what: Option<WebCommand>,
    #[command(flatten)]
    pub(crate) ports: Ports,
    /// Where to serve the page, for example 127.0.0.1:8000.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<SocketAddr>,
}

#[derive(Subcommand)]
pub(crate) enum WebCommand {
    /// Print the hash of a password, as esker.toml takes it; it is asked for, or read from standard input.
    Password,
}
