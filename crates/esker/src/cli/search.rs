//! What can be said of a whole history: bisect, export.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker bisect raw/tickets --check 'grep -q Berlin'
  esker bisect results/plan --check 'python3 check.py' --good v1 --bad HEAD
  esker bisect raw/tickets --check 'sh -c \"test $(wc -l) -lt 100\"'

CMD reads a version on standard input and exits 0 if it is good, 125 if it cannot say, else it is bad.
Words are split and quoted as in a shell, but no shell runs: write sh -c for one. ESKER_RESOURCE and
ESKER_REVISION are in its environment.")]
pub(crate) struct Bisect {
    /// The resource.
    pub(crate) resource: String,
    /// The program that tells good from bad, and its arguments.
    #[arg(long, value_name = "CMD")]
    pub(crate) check: String,
    /// A version that is good; the first one when not given.
    #[arg(long, value_name = "VERSION")]
    pub(crate) good: Option<String>,
    /// A newer version that is bad.
    #[arg(long, value_name = "VERSION", default_value = "HEAD")]
    pub(crate) bad: String,
    /// How long one run of the program may take.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) timeout: SignedDuration,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker export raw/tickets --to history.csv               a line per version
  esker export raw/tickets --to history.sqlite --rows     every row of every version, to be asked in SQL
  esker export raw/tickets --to q1.sqlite --contents --since 2027-01-01 --until 2027-03-31

  sqlite3 history.sqlite \"SELECT time, state FROM rows WHERE id = '7' ORDER BY time\"")]
pub(crate) struct Export {
    /// The resource.
    pub(crate) resource: String,
    /// The file to write; its ending says what: .sqlite or .csv.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Only after this revision or tag, or from the beginning of this day on.
    #[arg(long, value_name = "VERSION")]
    pub(crate) since: Option<String>,
    /// Only up to this revision or tag, or the end of this day.
    #[arg(long, value_name = "VERSION")]
    pub(crate) until: Option<String>,
    /// Also the rows of CSV, TSV and stacked streams; in a CSV file, in place of a line per version.
    #[arg(long)]
    pub(crate) rows: bool,
    /// Also the contents, in a table of their own.
    #[arg(long)]
    pub(crate) contents: bool,
    /// Replace a file that is there.
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
