//! Stacked streams: the text format of every message head and of stages with several inputs or outputs.
//!
//! ```text
//! document = *stream
//! stream   = "=====" name LF *( TAB text LF )        ; the last LF may be missing when reading
//! name     = 1*( any byte but LF )
//! text     = *( any byte but LF )
//! ```
//! The content of a stream, with its one leading tab per line taken off, may itself be a stacked stream: that
//! is all there is to nesting. Reading is exact about bytes (carriage returns, trailing blanks and bytes that
//! are not UTF-8 stay), writing is strict. The grammar is the one the seeds' three parsers share.

use std::fmt;

/// What every header line begins with.
pub const HEADER: &[u8] = b"=====";

/// One stream: its name and its lines without the leading tab and without the line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The text after `=====`.
    pub name: &'a [u8],
    /// The 1-based line of the header in the whole document.
    pub line: usize,
    /// The content lines.
    pub lines: Vec<&'a [u8]>,
}

impl Stream<'_> {
    /// The content as a text file: every line ended by a line feed.
    pub fn content(&self) -> Vec<u8> {
        let mut out = self.unterminated();
        if !self.lines.is_empty() {
            out.push(b'\n');
        }
        out
    }

    /// The content with a line feed between its lines and none after the last.
    pub fn unterminated(&self) -> Vec<u8> {
        self.lines.join(&b'\n')
    }
}

/// Why a document is not a stacked stream; lines are 1-based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// The first line is not a header.
    NoHeader {
        /// The beginning of what stands there instead.
        found: String,
    },
    /// A header without a name.
    NoName {
        /// Where.
        line: usize,
    },
    /// A content line that does not begin with a tab (a blank line is one too).
    NoTab {
        /// Where.
        line: usize,
        /// The beginning of that line.
        found: String,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { found } => {
                write!(f, "line 1: expected a header `=====NAME`, found {found:?}")
            }
            Self::NoName { line } => write!(f, "line {line}: the header has no name after `=====`"),
            Self::NoTab { line, found } => {
                write!(f, "line {line}: content must start with a tab, found {found:?}")
            }
        }
    }
}

impl std::error::Error for Malformed {}

/// Reads a document. Empty input is a document of no streams.
///
/// # Errors
/// [`Malformed`] names the first line that breaks the grammar.
pub fn parse(document: &[u8]) -> Result<Vec<Stream<'_>>, Malformed> {
    let mut streams: Vec<Stream<'_>> = Vec::new();
    if document.is_empty() {
        return Ok(streams);
    }
    let body = document.strip_suffix(b"\n").unwrap_or(document);
    for (index, text) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = index + 1;
        if let Some(name) = text.strip_prefix(HEADER) {
            if name.is_empty() {
                return Err(Malformed::NoName { line });
            }
            streams.push(Stream { name, line, lines: Vec::new() });
            continue;
        }
        let Some(stream) = streams.last_mut() else {
            return Err(Malformed::NoHeader { found: beginning(text) });
        };
        match text.strip_prefix(b"\t") {
            Some(content) => stream.lines.push(content),
            None => {
                return Err(Malformed::NoTab { line, found: beginning(text) });
            }
        }
    }
    Ok(streams)
}

/// Appends one stream to `out`. The content's final line feed, if any, ends its last line rather than
/// beginning an empty one, so `"a"` and `"a\n"` are written alike.
///
/// # Panics
/// If `name` is empty or holds a line feed: names are checked where they enter.
pub fn write(out: &mut Vec<u8>, name: &str, content: &[u8]) {
    assert!(!name.is_empty() && !name.contains('\n'), "a stream's name is one line: {name:?}");
    out.extend_from_slice(HEADER);
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    if content.is_empty() {
        return;
    }
    let body = content.strip_suffix(b"\n").unwrap_or(content);
    for line in body.split(|byte| *byte == b'\n') {
        out.push(b'\t');
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

/// The first characters of a line, for an error message.
fn beginning(line: &[u8]) -> String {
    const SHOWN_MAX: usize = 40;
    let text = String::from_utf8_lossy(line);
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests;
