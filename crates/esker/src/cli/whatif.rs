//! What can be said of what-ifs.

use std::time::Duration;

use clap::{Args, Subcommand};
use esker_wire::whatif::Side;

use super::change::Changes;
use super::duration;

#[derive(Subcommand)]
pub(crate) enum WhatIf {
    /// Ask what would be if something were otherwise; prints its id.
    New(WhatIfNew),
    /// Change more of a what-if, or less.
    Amend(WhatIfAmend),
    /// List the what-ifs there are.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show all of a what-if: its changes, what they found, what has come of it.
    Show {
        /// The what-if: its id, or how that begins.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what is otherwise than at the base; of several what-ifs side by side.
    Diff(WhatIfDiff),
    /// Make the changes on a newer commit of main.
    Rebase(WhatIfRebase),
    /// Make the changes on main.
    Apply(WhatIfApply),
    /// Take back what was applied.
    Undo(WhatIfUndo),
    /// Remove what-ifs.
    Discard {
        /// The what-ifs.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Keep a what-if for good.
    Pin {
        /// The what-if.
        id: String,
    },
    /// Keep a what-if for a while only.
    Unpin {
        /// The what-if.
        id: String,
        /// How long from now.
        #[arg(long = "for", value_name = "TIME", default_value = "30d", value_parser = duration)]
        keep: Duration,
    },
    /// Give a what-if another title.
    Title {
        /// The what-if.
        id: String,
        /// What people call it.
        title: String,
    },
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker whatif new --set 'raw/plan:Params[End].Value=2027-04-09'
  esker whatif new 'Ann too' --add 'raw/staff:={\"Name\": \"Ann\"} first' --remove 'raw/plan:Work[9]'
  esker whatif new --input raw/plan=draft.csv --base 2026-11-01
  esker whatif new 'the other scheduler' --file schedule.py=../new/schedule.py --for 2d

An ADDRESS is RESOURCE:PLACE, as raw/plan:Work[CHK-1].Team: a stream, a row by its key, a column.
Nothing on main changes. What depends on the changes is computed by the runner that works here;
if none does, by this command.")]
pub(crate) struct WhatIfNew {
    /// What people call it; the first change in words when not given.
    pub(crate) title: Option<String>,
    /// The commit of main to change: a revision, a tag, a date.
    #[arg(long, value_name = "VERSION", default_value = "HEAD")]
    pub(crate) base: String,
    /// Its id; made from the title when not given.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) changes: Changes,
    /// How long it is kept.
    #[arg(long = "for", value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub(crate) keep: Duration,
    /// Keep it for good.
    #[arg(long, conflicts_with = "keep")]
    pub(crate) pin: bool,
    /// Whose it is, as `Name <mail>`; yours when not given.
    #[arg(long, value_name = "WHO")]
    pub(crate) owner: Option<String>,
    /// Do not wait until it is computed.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print what `esker whatif show --json` prints.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker whatif amend more-people --set 'raw/plan:Params[End].Value=2027-05-01'
  esker whatif amend more-people --drop 2              the second change, as `esker whatif show` numbers them
  esker whatif amend more-people --drop raw/plan       the content that was put in place of raw/plan")]
pub(crate) struct WhatIfAmend {
    /// The what-if: its id, or how that begins.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) changes: Changes,
    /// Make no more: the change of this number, or the other content of this resource or file.
    #[arg(long, value_name = "N")]
    pub(crate) drop: Vec<String>,
    /// Another title.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Refused: `esker whatif rebase` does that.
    #[arg(long, value_name = "VERSION", hide = true)]
    pub(crate) base: Option<String>,
    /// Do not wait until it is computed.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print what `esker whatif show --json` prints.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker whatif diff more-people                     everything that is otherwise
  esker whatif diff more-people results/plan
  esker whatif diff more-people fewer-people        side by side, a column for each
  esker whatif diff more-people --names             only which resources")]
pub(crate) struct WhatIfDiff {
    /// The what-if: its id, or how that begins.
    pub(crate) id: String,
    /// Other what-ifs to show beside it; resources to show only those.
    #[arg(value_name = "ID|RESOURCE")]
    pub(crate) others: Vec<String>,
    /// Only the names of the resources.
    #[arg(long)]
    pub(crate) names: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How conflicts are settled.
#[derive(Args, Clone, Default)]
pub(crate) struct Settles {
    /// Whose change counts, of the change of this number or of `all`; `0` is a content that was replaced as a whole.
    #[arg(long, value_name = "N=mine|theirs", value_parser = settle)]
    pub(crate) settle: Vec<Settle>,
}

/// How one conflict is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settle {
    /// Which; all if none is named.
    pub(crate) edit: Option<usize>,
    /// Whose change counts.
    pub(crate) side: Side,
}

/// Reads `2=mine`, `all=theirs`.
fn settle(text: &str) -> Result<Settle, String> {
    let bad = || format!("{text:?} settles nothing; write N=mine, N=theirs or all=mine");
    let (edit, side) = text.split_once('=').ok_or_else(bad)?;
    let edit = match edit {
        "all" => None,
        number => Some(number.parse().map_err(|_| bad())?),
    };
    Ok(Settle { edit, side: side.parse().map_err(|_| bad())? })
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker whatif rebase more-people
  esker whatif rebase more-people --onto 2026-11-20 --settle 2=mine")]
pub(crate) struct WhatIfRebase {
    /// The what-if: its id, or how that begins.
    pub(crate) id: String,
    /// The commit of main to change instead.
    #[arg(long, value_name = "VERSION", default_value = "HEAD")]
    pub(crate) onto: String,
    #[command(flatten)]
    pub(crate) settles: Settles,
    /// Print what `esker whatif show --json` prints.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker whatif apply more-people --preview          what would change on main
  esker whatif apply more-people --why 'decided on Monday'
  esker whatif apply more-people --settle all=theirs

Only the changes are made on main; the runner computes the rest anew. What a stage or source makes
gets overrides: `esker override list`.")]
pub(crate) struct WhatIfApply {
    /// The what-if: its id, or how that begins.
    pub(crate) id: String,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    #[command(flatten)]
    pub(crate) settles: Settles,
    /// Only show what would be otherwise than main is now.
    #[arg(long, conflicts_with = "why")]
    pub(crate) preview: bool,
    /// Although a stage fails with it.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct WhatIfUndo {
    /// The what-if: its id, or how that begins.
    pub(crate) id: String,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    #[command(flatten)]
    pub(crate) settles: Settles,
    /// Print what `esker whatif show --json` prints.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A what-if in place of main.
#[derive(Args, Clone, Default)]
pub(crate) struct Within {
    /// In this what-if in place of main: its id, or how that begins.
    #[arg(long = "whatif", value_name = "ID")]
    pub(crate) what_if: Option<String>,
}
