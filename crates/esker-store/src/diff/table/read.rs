//! Reading tables: plain CSV or TSV is one, every innermost stream of a stacked stream is one.

use std::collections::HashSet;
use std::time::Instant;

use csv::{ReaderBuilder, StringRecord};
use esker_wire::edit::columns::{self, apart};
use esker_wire::stacked;

use super::LOOKED_MAX;
use super::sheet::is_heading;
use crate::diff::lines::{Stop, in_time};

/// How many rows one content may have.
const ROWS_MAX: usize = 1_000_000;
/// How many cells one content may have.
const CELLS_MAX: usize = 16_000_000;
/// How deep streams are looked for in streams; what is deeper is rows.
const NESTED_MAX: usize = 16;
/// What stands between the names of streams in streams.
const WITHIN: &str = " › ";
/// After how many rows to look at the clock.
const ROWS_LOOK: usize = 1_024;

/// A table as it is written: its first row may be a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The path of its stream; empty if the content is one plain table.
    pub name: String,
    /// All rows; they need not be of one length.
    pub rows: Vec<StringRecord>,
}

impl Table {
    /// A table of nothing.
    pub(super) fn empty() -> Self {
        Self { name: String::new(), rows: Vec::new() }
    }
}

/// The tables of a content, in their order; none of an empty one.
///
/// # Errors
/// [`Stop`] if it is not UTF-8, or has too many rows, or the time is up.
pub fn read(content: &[u8], until: Instant) -> Result<Vec<Table>, Stop> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut reading = Reading { until, tables: Vec::new(), rows: 0, cells: 0 };
    if content.starts_with(stacked::HEADER)
        && let Ok(streams) = stacked::parse(content)
    {
        reading.streams(&streams, "", 0)?;
    } else if !content.is_empty() {
        let rows = reading.plain(utf8(content)?)?;
        reading.tables.push(Table { name: String::new(), rows });
    }
    Ok(reading.tables)
}

struct Reading {
    until: Instant,
    tables: Vec<Table>,
    rows: usize,
    cells: usize,
}

impl Reading {
    fn streams(
        &mut self,
        streams: &[stacked::Stream<'_>],
        path: &str,
        depth: usize,
    ) -> Result<(), Stop> {
        let mut names = HashSet::new();
        for stream in streams {
            let name = apart(&mut names, utf8(stream.name)?);
            let nested = stream.lines.first().is_some_and(|line| line.starts_with(stacked::HEADER));
            if nested
                && depth < NESTED_MAX
                && let Ok(inner) = stacked::parse(&stream.content())
            {
                self.streams(&inner, &format!("{path}{name}{WITHIN}"), depth + 1)?;
                continue;
            }
            let rows = self.tabbed(stream.lines.iter().copied())?;
            self.tables.push(Table { name: format!("{path}{name}"), rows });
        }
        Ok(())
    }

    fn plain(&mut self, text: &str) -> Result<Vec<StringRecord>, Stop> {
        let mark = columns::mark(text.lines().next().unwrap_or_default());
        if mark == b'\t' {
            let body = text.strip_suffix('\n').unwrap_or(text);
            return self.tabbed(body.split('\n').map(str::as_bytes));
        }
        let mut reader = comma_reader(text, mark);
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| Stop::Unreadable(error.to_string()))?;
            self.count(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }

    fn tabbed<'b>(
        &mut self,
        lines: impl Iterator<Item = &'b [u8]>,
    ) -> Result<Vec<StringRecord>, Stop> {
        let mut rows = Vec::new();
        for line in lines {
            let line = utf8(line)?;
            let row = StringRecord::from_iter(line.strip_suffix('\r').unwrap_or(line).split('\t'));
            self.count(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }

    fn count(&mut self, row: &StringRecord) -> Result<(), Stop> {
        self.rows += 1;
        self.cells += row.len();
        if self.rows > ROWS_MAX {
            return Err(Stop::TooLarge(format!("over {ROWS_MAX} rows")));
        }
        if self.cells > CELLS_MAX {
            return Err(Stop::TooLarge(format!("over {CELLS_MAX} cells")));
        }
        if self.rows.is_multiple_of(ROWS_LOOK) { in_time(self.until) } else { Ok(()) }
    }
}

fn comma_reader(text: &str, mark: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(mark)
        .from_reader(text.as_bytes())
}

fn utf8(bytes: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|_| Stop::Unreadable("it is not UTF-8".to_owned()))
}

pub(super) fn looks_like(content: &[u8]) -> bool {
    if content.starts_with(stacked::HEADER) {
        return stacked::parse(content).is_ok();
    }
    let Ok(text) = std::str::from_utf8(content) else {
        return false;
    };
    let text = text.trim_start_matches('\u{feff}');
    let mark = columns::mark(text.lines().next().unwrap_or_default());
    let looked = comma_reader(text, mark).into_records().take(LOOKED_MAX);
    let Ok(rows) = looked.collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let width = rows.first().map_or(0, StringRecord::len);
    width > 1 && rows.iter().all(|row| row.len() == width) && is_heading(&rows) == Some(true)
}
