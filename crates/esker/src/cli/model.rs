//! What can be said of live models.

use clap::{Args, Subcommand};
use esker_replica::path::{self, Path};

use super::Log;

#[derive(Subcommand)]
pub(crate) enum Model {
    /// Publish a model that others write, or that is published elsewhere, for as long as this runs.
    Serve(ModelServe),
    /// Print what changes in a model, as it changes.
    Watch(ModelWatch),
    /// Print what is in a model.
    Get(ModelGet),
    /// Change a model that may be written.
    Set(ModelSet),
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker model serve suite
  esker model serve suite --requests tcp://127.0.0.1:0 --events tcp://127.0.0.1:0    on free ports
  esker model serve suite --web 127.0.0.1:8001     for browsers too: /sync/1 and /esker.js
  esker model serve suite --junction '[\"tasks\"]'     each task can be followed alone
  esker model serve suite --follow tcp://10.0.0.5:5200     publish it again here: many follow this one
  esker model serve suite --interop-requests tcp://127.0.0.1:5562 --interop-events tcp://127.0.0.1:5561
                                                for subscribers of the Cylc experiment
  program | esker model serve suite --stdin     what a program says, and ends with it:
      {\"op\": \"set\", \"path\": [\"tasks\", \"a\"], \"value\": {\"state\": \"waiting\"}}
      [{\"op\": \"remove\", \"path\": [\"tasks\", \"b\"]}, {\"op\": \"dict\", \"path\": [\"empty\"]}]

Anybody who reaches the sockets may write, but with --stdin; they are on this machine's loopback.")]
pub(crate) struct ModelServe {
    /// The model's name.
    pub(crate) name: String,
    /// Where to take requests.
    #[arg(long, value_name = "ADDRESS", default_value = "tcp://127.0.0.1:5200")]
    pub(crate) requests: String,
    /// Where to publish changes.
    #[arg(long, value_name = "ADDRESS", default_value = "tcp://127.0.0.1:5300")]
    pub(crate) events: String,
    /// Follow the model of this name that takes requests there, and publish it again, with the same numbers and digests.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["junctions", "original_requests"])]
    pub(crate) follow: Option<String>,
    /// Where to serve it to browsers; nowhere when not given.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) web: Option<std::net::SocketAddr>,
    /// A dict whose children can be followed alone, as a JSON array of keys; the outermost one always is.
    #[arg(long = "junction", value_name = "PATH", value_parser = path)]
    pub(crate) junctions: Vec<Path>,
    /// Take the changes from standard input, each line a transaction as JSON, and end when it does; nobody else can write
    /// the model then. It is published as soon as the first line has made it.
    #[arg(long, conflicts_with_all = ["original_requests", "follow"])]
    pub(crate) stdin: bool,
    #[command(flatten)]
    pub(crate) interop: Interop,
    #[command(flatten)]
    pub(crate) log: Log,
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let quoted = serde_json::Value::from(text);
    Err(format!("it is not JSON ({error}); a text has quotes of its own: '{quoted}'"))
}

fn path(text: &str) -> Result<Path, String> {
    path::from_json(text).map_err(|error| format!("{error}; for example '[\"tasks\"]'"))
}

/// Working together with programs of the Cylc experiment.
#[derive(Args)]
pub(crate) struct Interop {
    /// Also answer `update` and `verify` here, as the Cylc experiment's publisher does.
    #[arg(long, value_name = "ADDRESS", requires = "interop_events")]
    pub(crate) interop_requests: Option<String>,
    /// Also publish changes here, as the Cylc experiment's publisher does.
    #[arg(long, value_name = "ADDRESS", requires = "interop_requests")]
    pub(crate) interop_events: Option<String>,
    /// Follow a publisher of the Cylc experiment, which takes requests here; nobody else can write the model then.
    #[arg(long, value_name = "ADDRESS", requires = "original_events")]
    pub(crate) original_requests: Option<String>,
    /// Where that one publishes its changes.
    #[arg(long, value_name = "ADDRESS", requires = "original_requests")]
    pub(crate) original_events: Option<String>,
}

/// Which model is meant.
#[derive(Args)]
pub(crate) struct Which {
    /// Where its requests are taken, for example tcp://127.0.0.1:5200; the project's own when not given.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) at: Option<String>,
    /// Its name.
    #[arg(long = "model", value_name = "NAME", default_value = "project")]
    pub(crate) name: String,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker model watch                            everything of the project
  esker model watch stages                     what its stages do
  esker model watch --at tcp://127.0.0.1:5200 --model suite tasks --json")]
pub(crate) struct ModelWatch {
    /// Only what is at these keys, the outermost first, or below.
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Print what is there, in step, and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Print JSON, a line each.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker model get                              everything of the project
  esker model get stages plan state
  esker model get --digest                     what it is known by, and where it is")]
pub(crate) struct ModelGet {
    /// Only what is at these keys, the outermost first.
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Print it on one line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print where the publisher is and the digest of the whole model instead.
    #[arg(long, conflicts_with = "keys")]
    pub(crate) digest: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker model set --model suite --at tcp://127.0.0.1:5200 tasks a state --to '\"done\"'
  esker model set --model suite --at tcp://127.0.0.1:5200 tasks a --to '{\"state\": \"waiting\", \"tries\": 0}'
  esker model set --model suite --at tcp://127.0.0.1:5200 tasks a --remove
  esker model set … state --to '\"done\"' --if '\"running\"'     only if it still is")]
pub(crate) struct ModelSet {
    /// The node, by its keys, the outermost first.
    #[arg(required = true)]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// What it becomes, as JSON.
    #[arg(
        long,
        value_name = "JSON",
        required_unless_present = "remove",
        conflicts_with = "remove",
        allow_hyphen_values = true,
        value_parser = json
    )]
    pub(crate) to: Option<serde_json::Value>,
    /// Take it away, with all below it.
    #[arg(long)]
    pub(crate) remove: bool,
    /// Only if this is there, as JSON: a leaf, or a dict with all below it.
    #[arg(long = "if", value_name = "JSON", allow_hyphen_values = true, value_parser = json)]
    pub(crate) expected: Option<serde_json::Value>,
    /// Only if there is nothing yet.
    #[arg(long, conflicts_with = "expected")]
    pub(crate) if_absent: bool,
}
