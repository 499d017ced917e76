//! What can be asked of how things came to be, and what can be asked for: why, run, schema.

use clap::Args;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker why results/plan
  esker why results/plan@2025-11-20
  esker why results/plan --key TASK-17 --field end          why that cell changed last
  esker why results/plan@tuesday --key TASK-17 --field end --since 'last monday'
  esker why results/plan --key team=blue --key week=3 --field days --all
  esker why params/plan --field /staff/id=7/name            in JSON

KEY is what names the row: a cell of it, or COLUMN=CELL.")]
pub(crate) struct Why {
    /// The resource, with @REVISION, @TAG or @DATE for an older version.
    pub(crate) resource: String,
    /// The row of the cell; several together name one row.
    #[arg(long, value_name = "KEY", requires = "field")]
    pub(crate) key: Vec<String>,
    /// The column of the cell; in JSON a field of what the key names, or a path.
    #[arg(long, value_name = "FIELD")]
    pub(crate) field: Option<String>,
    /// The stream of a stacked stream, where several have such a cell.
    #[arg(long, value_name = "STREAM", requires = "field")]
    pub(crate) stream: Option<String>,
    /// Only changes after this revision or tag, or from the beginning of this day on.
    #[arg(long, value_name = "VERSION", requires = "field")]
    pub(crate) since: Option<String>,
    /// Every change, not only the last.
    #[arg(long, requires = "field")]
    pub(crate) all: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker run                       whatever is stale or has failed, and then end
  esker run schedule              this stage, and what it is made from
  esker run results/plan          the same, by what it makes
  esker run plan --force          pull once more, although it is not due

If `esker up` or a runner works here, it is asked; if not, esker runs for as long as it takes.")]
pub(crate) struct Run {
    /// The sources and stages, by name or by what they make; all of them when not given.
    pub(crate) names: Vec<String>,
    /// Run them although they are fresh; not what they are made from.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON at the end.
    #[arg(long)]
    pub(crate) json: bool,
}
