//! Rows and cells where they stand: nothing is copied until it is asked for.

use std::borrow::Cow;
use std::ops::Range;

use esker_wire::edit::columns;
use memchr::{memchr, memchr2, memchr3};

use super::miss::Miss;

/// How the rows of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writing {
    /// What stands between cells. A quote means nothing between tabs.
    pub(super) mark: u8,
    /// How many tabs stand before each row: it is in so many streams.
    pub(super) indent: usize,
}

impl Writing {
    /// Tab before semicolon before comma, by what the first line holds.
    pub(super) fn guess(text: &str) -> Self {
        Self { mark: columns::mark(text.lines().next().unwrap_or_default()), indent: 0 }
    }

    pub(super) fn is_tabs(self) -> bool {
        self.mark == b'\t'
    }

    /// Where the rows of a stretch of text begin. Blank lines are rows between tabs alone.
    pub(super) fn starts(self, bytes: &[u8], range: Range<usize>) -> Vec<u32> {
        let place = |at: usize| u32::try_from(at).expect("contents are held to CONTENT_MAX");
        let mut starts = Vec::new();
        let mut at = range.start;
        let has_quotes = memchr(b'"', &bytes[range.clone()]).is_some();
        while at < range.end {
            if self.is_tabs() {
                starts.push(place(at));
                at = memchr(b'\n', &bytes[at..range.end]).map_or(range.end, |next| at + next + 1);
            } else if matches!(bytes[at], b'\r' | b'\n') {
                at += 1;
            } else {
                starts.push(place(at));
                at = match has_quotes {
                    true => {
                        self.cells(bytes, at..range.end).last().map_or(range.end, |cell| cell.end)
                    }
                    false => memchr2(b'\n', b'\r', &bytes[at..range.end])
                        .map_or(range.end, |next| at + next),
                };
            }
        }
        starts
    }

    /// The cells of the row that begins where a stretch of text begins, as they are written.
    pub(super) fn cells(self, bytes: &[u8], range: Range<usize>) -> Cells<'_> {
        let end = match self.is_tabs() {
            false => range.end,
            true => {
                let line = &bytes[range.clone()];
                let line = &line[..memchr(b'\n', line).unwrap_or(line.len())];
                range.start + line.strip_suffix(b"\r").unwrap_or(line).len()
            }
        };
        let at = (range.start + self.indent).min(end);
        Cells { bytes, at, end, mark: self.mark, is_done: false }
    }

    /// The text of a cell as it is written.
    pub(super) fn decode(self, cell: &str) -> Cow<'_, str> {
        let Some(inner) = cell.strip_prefix('"').filter(|_| !self.is_tabs()) else {
            return Cow::Borrowed(cell);
        };
        let mut text = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('"') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    text.push('"');
                    rest = more;
                }
                None => break,
            }
        }
        text.push_str(rest);
        Cow::Owned(text)
    }

    /// A text as a cell.
    pub(super) fn encode(self, text: &str) -> Result<Cow<'_, str>, Miss> {
        if self.is_tabs() {
            if text.contains(['\t', '\n', '\r']) {
                let what = "a cell between tabs cannot hold a tab or a line feed";
                return Err(Miss::Never(what.to_owned()));
            }
            return Ok(Cow::Borrowed(text));
        }
        let is_plain = !text.bytes().any(|byte| byte == self.mark || b"\"\r\n".contains(&byte));
        Ok(match is_plain {
            true => Cow::Borrowed(text),
            false => Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))),
        })
    }
}

/// The cells of one row.
pub(super) struct Cells<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    mark: u8,
    is_done: bool,
}

impl Cells<'_> {
    /// Where a cell that begins here ends.
    fn cell_end(&self) -> usize {
        let mut at = self.at;
        if self.mark == b'\t' {
            return memchr(b'\t', &self.bytes[at..self.end]).map_or(self.end, |next| at + next);
        }
        if self.bytes.get(at) == Some(&b'"') && at < self.end {
            at += 1;
            loop {
                let Some(quote) = memchr(b'"', &self.bytes[at..self.end]) else {
                    return self.end;
                };
                at += quote + 1;
                if at >= self.end || self.bytes[at] != b'"' {
                    break;
                }
                at += 1;
            }
        }
        memchr3(self.mark, b'\n', b'\r', &self.bytes[at..self.end])
            .map_or(self.end, |next| at + next)
    }
}

impl Iterator for Cells<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.is_done {
            return None;
        }
        let cell = self.at..self.cell_end();
        self.is_done = cell.end >= self.end || self.bytes[cell.end] != self.mark;
        self.at = cell.end + 1;
        Some(cell)
    }
}

/// Whether a first row is a heading over the second: the rule that tables are compared by.
pub(super) fn is_heading(first: &[Cow<'_, str>], second: Option<&[Cow<'_, str>]>) -> bool {
    let fits = second.is_none_or(|second| {
        second.iter().any(|cell| !cell.is_empty()) && second.len() <= first.len()
    });
    fits && first.len() > 1 && columns::is_words(first.iter().map(Cow::as_ref))
}
