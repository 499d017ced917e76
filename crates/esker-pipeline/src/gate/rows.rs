//! The rows of a table, one after the other, with their lines: tab- or comma-separated, exactly as they are written.

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::finding::Finding;

/// The longest line of a table, in bytes. What is longer is most likely none, and its cells would fill the memory.
const LINE_MAX: usize = 1024 * 1024;
/// The most rows of one table.
const ROWS_MAX: usize = 10_000_000;

/// Reads a table row by row.
pub(crate) struct Rows<'a> {
    content: &'a [u8],
    reader: Reader<'a>,
    /// The lines of the whole content before the table.
    before: usize,
    /// How far lines have been counted, and how many there were.
    counted: (usize, usize),
    row: usize,
}

enum Reader<'a> {
    /// Cells are what stands between tabs; a quote is nothing special.
    Tabs(std::iter::Enumerate<Lines<'a>>),
    Marks(Box<csv::Reader<&'a [u8]>>),
}

/// What stands between line feeds.
type Lines<'a> = std::slice::Split<'a, u8, fn(&u8) -> bool>;

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The line of the whole content it begins on, from 1.
    pub(crate) line: usize,
    /// The row as a spreadsheet counts: the heading is row 1.
    pub(crate) row: usize,
}

impl<'a> Rows<'a> {
    /// Begins to read. The delimiter is guessed from the heading if none is told.
    pub(crate) fn new(
        content: &'a [u8],
        before: usize,
        delimiter: Option<u8>,
    ) -> Result<Self, Finding> {
        check_lines(content, before)?;
        let heading = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = delimiter.unwrap_or_else(|| guess(heading));
        let reader = if delimiter == b'\t' {
            let body = content.strip_suffix(b"\n").unwrap_or(content);
            let is_end: fn(&u8) -> bool = |byte| *byte == b'\n';
            Reader::Tabs(body.split(is_end).enumerate())
        } else {
            let mut builder = ReaderBuilder::new();
            builder.has_headers(false).flexible(true).delimiter(delimiter);
            builder.terminator(Terminator::Any(b'\n'));
            Reader::Marks(Box::new(builder.from_reader(content)))
        };
        Ok(Self { content, reader, before, counted: (0, 0), row: 0 })
    }

    /// Reads the next row into the record; none at the end.
    pub(crate) fn next(&mut self, record: &mut ByteRecord) -> Result<Option<Position>, Finding> {
        let line = match &mut self.reader {
            Reader::Tabs(lines) => {
                let Some((index, line)) = lines.next() else {
                    return Ok(None);
                };
                record.clear();
                line.split(|byte| *byte == b'\t').for_each(|cell| record.push_field(cell));
                index
            }
            Reader::Marks(reader) => {
                // Reading from memory fails at nothing but the end.
                if !reader.read_byte_record(record).unwrap_or(false) {
                    return Ok(None);
                }
                let start = record.position().map_or(0, |position| position.byte());
                self.line_of(usize::try_from(start).unwrap_or(usize::MAX))
            }
        };
        self.row += 1;
        let position = Position { line: self.before + line + 1, row: self.row };
        if self.row > ROWS_MAX {
            let what = format!("more than {ROWS_MAX} rows; check it with a program");
            return Err(Finding::new(what).on_line(position.line));
        }
        Ok(Some(position))
    }

    /// The lines before the first line at or after an offset that is not blank: blank ones are no rows.
    fn line_of(&mut self, offset: usize) -> usize {
        let rest = &self.content[offset.min(self.content.len())..];
        let blank = rest.iter().take_while(|byte| **byte == b'\n').count();
        let (from, lines) = self.counted;
        let to = (offset + blank).min(self.content.len());
        let more = self.content[from.min(to)..to].iter().filter(|byte| **byte == b'\n').count();
        self.counted = (to, lines + more);
        lines + more
    }
}

fn check_lines(content: &[u8], before: usize) -> Result<(), Finding> {
    let mut lines = content.split(|byte| *byte == b'\n').enumerate();
    match lines.find(|(_, line)| line.len() > LINE_MAX) {
        None => Ok(()),
        Some((index, line)) => {
            let what = format!(
                "the line has {} bytes, {LINE_MAX} are allowed; is this a table?",
                line.len()
            );
            Err(Finding::new(what).on_line(before + index + 1))
        }
    }
}

/// Tab before semicolon before comma, by what the heading holds.
fn guess(heading: &[u8]) -> u8 {
    let count = |mark: u8| heading.iter().filter(|byte| **byte == mark).count();
    if count(b'\t') > 0 {
        b'\t'
    } else if count(b';') > count(b',') {
        b';'
    } else {
        b','
    }
}

#[cfg(test)]
mod tests;
