//! What can be said of sorting.

use std::path::PathBuf;

use clap::Args;
use esker_bulk::sort::Column;
use esker_pipeline::definition::value::any_size;

#[derive(Args)]
#[command(after_help = "\
Examples:
  esker sort access.log -o sorted.log               lines, byte by byte: what LC_ALL=C sort writes
  esker sort a.csv b.csv --csv --key end -o all.csv by a column; the header stays where it is
  esker sort parts/* --csv --key 3 -n -r -o -       by the number in the third column, largest first
  esker sort --records data.bin -o sorted.bin       gensort's: 100 bytes each, by the first ten
  esker sort big.log -o sorted.log --memory 256MiB --spill /fast
  esker sort big.log -o sorted.log --join consul://127.0.0.1:8500
  esker sort --check --records sorted.bin           whether it is sorted, and its checksum

What is written is counted and summed up before it takes the place of OUT: nothing is lost, or nothing is written.
Records with the same key stay in their order. A record has at most 1 MiB.")]
pub(crate) struct Sort {
    /// The files, one behind the other; - is standard input, as is none.
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write, whole or not at all; - is standard output.
    #[arg(short, long, value_name = "OUT", required_unless_present = "check")]
    pub(crate) output: Option<PathBuf>,
    /// Only look whether the files are sorted; fails if they are not.
    #[arg(long, conflicts_with_all = ["output", "join"])]
    pub(crate) check: bool,
    /// Records of 100 bytes, by the first ten.
    #[arg(long, conflicts_with_all = ["csv", "numeric"])]
    pub(crate) records: bool,
    /// CSV with a header, by a column.
    #[arg(long)]
    pub(crate) csv: bool,
    /// The column of CSV: its name, or its number from 1 on.
    #[arg(short, long, value_name = "COLUMN", default_value = "1", requires = "csv")]
    pub(crate) key: Column,
    /// From the last to the first.
    #[arg(short, long)]
    pub(crate) reverse: bool,
    /// Of records with the same key only the first.
    #[arg(short, long)]
    pub(crate) unique: bool,
    /// By the number that the line or the field begins with, however many digits it has.
    #[arg(short, long)]
    pub(crate) numeric: bool,
    /// How much memory to take.
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = any_size)]
    pub(crate) memory: u64,
    /// The folder for what has no room there [default: that of temporary files].
    #[arg(long, value_name = "DIR")]
    pub(crate) spill: Option<PathBuf>,
    /// How many threads [default: as many as there are cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// The cluster whose workers hold what is sorted, instead of this process: consul://HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) join: Option<String>,
    /// Tell as JSON what was done.
    #[arg(long)]
    pub(crate) json: bool,
}
