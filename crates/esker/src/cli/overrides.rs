//! What can be said of overrides.

use clap::Subcommand;
use esker_wire::overrides::book::Numbered;

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  esker override list
  esker override show raw/plan
  esker override keep raw/plan 2       mine stays, whatever the source says
  esker override drop raw/plan 1 3     the source's counts again
  esker override drop raw/plan all

An override is an edit of what a source or stage makes, which is made again whenever that is made:
applying a what-if makes them. One that finds something else than when it was made stops its maker
until it is kept or dropped.")]
pub(crate) enum Override {
    /// List the overrides there are, and which are contradicted.
    List {
        /// Only those of this resource.
        resource: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show all of a resource's overrides: who made them, why, and what they found.
    Show {
        /// The resource, or the one that holds its overrides.
        resource: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have overrides applied whatever is there.
    Keep {
        /// The resource.
        resource: String,
        /// Numbered, as `esker override list` numbers them; or `all`.
        #[arg(required = true, value_name = "N|all", value_parser = which)]
        which: Vec<Numbered>,
    },
    /// Remove overrides: what is made counts again.
    Drop {
        /// The resource.
        resource: String,
        /// Numbered, as `esker override list` numbers them; or `all`.
        #[arg(required = true, value_name = "N|all", value_parser = which)]
        which: Vec<Numbered>,
    },
}

/// Reads `2` or `all`.
fn which(text: &str) -> Result<Numbered, String> {
    match text.parse() {
        _ if text == "all" => Ok(Numbered::All),
        Ok(number) if number > 0 => Ok(Numbered::One(number)),
        _ => Err(format!("{text:?} is no number from 1 on, and not `all`")),
    }
}
