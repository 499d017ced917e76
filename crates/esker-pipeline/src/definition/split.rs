//! How the input of a stage is cut into parts, each of which is run for by itself.

use std::fmt;
use std::str::FromStr;

use super::page::{Page, Table};
use super::{Program, Ways};

/// The keys read here.
pub(super) const KEYS: [&str; 2] = ["split", "partial"];

/// The most lines or rows of a part.
const LENGTH_MAX: usize = 100_000_000;

/// How the first input of a stage is cut into parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Where it is cut.
    pub by: By,
    /// Whether the results of the other parts are published when some fail.
    pub partial: bool,
}

/// Where an input is cut into parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// After so many lines.
    Lines(usize),
    /// After so many rows of a table; each part has its heading.
    Rows(usize),
    /// A table by the values of a column, in the order they come first; each part has the heading.
    Key(String),
    /// The elements of the array at this JSON pointer.
    Json(String),
    /// The streams of a stacked stream.
    Streams,
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (by, of) = text.split_once(':').unwrap_or((text, ""));
        let length = || match of.parse() {
            Ok(length) if (1..=LENGTH_MAX).contains(&length) => Ok(length),
            _ => Err(format!("{of:?} is no length; write for example \"{by}:1000\"")),
        };
        match by {
            "lines" => Ok(Self::Lines(length()?)),
            "rows" => Ok(Self::Rows(length()?)),
            "key" if !of.is_empty() => Ok(Self::Key(of.to_owned())),
            "key" => Err("no column is named; write for example \"key:team\"".to_owned()),
            "json" if of.is_empty() || of.starts_with('/') => Ok(Self::Json(of.to_owned())),
            "json" => Err(format!("{of:?} is no JSON pointer; write for example \"json:/items\"")),
            "streams" if of.is_empty() => Ok(Self::Streams),
            _ => Err(format!(
                "{text:?} is no way to split; write \"lines:1000\", \"rows:1000\", \"key:COLUMN\", \
                 \"json:/POINTER\" or \"streams\""
            )),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines(length) => write!(f, "lines:{length}"),
            Self::Rows(length) => write!(f, "rows:{length}"),
            Self::Key(column) => write!(f, "key:{column}"),
            Self::Json(pointer) => write!(f, "json:{pointer}"),
            Self::Streams => f.write_str("streams"),
        }
    }
}

/// Reads how a stage's input is cut, and complains about what does not go with that.
pub(super) fn read(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    (program, ways): (&Program, &Ways),
    outputs: usize,
) -> Option<Split> {
    let partial = page.boolean(table, "partial");
    let Some((key, _)) = table.entries.get_key_value("split") else {
        if let Some((key, _)) = table.entries.get_key_value("partial") {
            let message = format!("`partial` in {} needs a `split`", table.title);
            page.error(&key.span(), message, "remove it");
        }
        return None;
    };
    let span = key.span();
    let by = page.parsed(table, "split", str::parse)?;
    if outputs > 1 {
        let message = format!("{} has a `split` and several outputs", table.title);
        page.error(&span, message, "parts are put together to one output; leave one");
    }
    if program.previous {
        let message = format!("{} has a `split` and `previous`", table.title);
        page.error(&span, message, "parts have no previous output; remove one of them");
    }
    if !ways.optional.is_empty() {
        let message = format!("{} has a `split` and `optional` inputs", table.title);
        page.error(&span, message, "what is split must be there; remove one of them");
    }
    Some(Split { by, partial: partial.unwrap_or(false) })
}
