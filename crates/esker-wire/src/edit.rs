//! Edits: single changes of contents by address, and what they found when they were made.
//!
//! A list of edits is a stacked stream, a stream per edit, named by its deed and address:
//!
//! ```text
//! =====set raw/plan:Work[CHK-1].Estimate
//!     Design:2, Server:8
//! =====found text
//!     Design:2, Server:5
//! =====add raw/plan:Work
//!     to: after CHK-1
//!     Id: CHK-9
//!     Name: "two\nlines"
//! =====remove raw/plan:Work[INS-4]
//! =====move raw/plan:Work[INS-5]
//!     first
//! =====rank raw/plan:Work[INS-6].Rank
//!     2
//! ```
//! The lines of `set`, joined by line feeds, are the text exactly: a text that ends with a line feed has an empty line at
//! its end, and a text without any letter one empty line. Of `add`, the first line says where to; then there is a cell a
//! line, its column written as in an address, its text as it is; a text that begins with a quote or holds line
//! feeds or other control characters is quoted as words of addresses are. A stream `found` after an edit is what
//! that edit found: `absent`, `text`, `row`, `first`, `behind` or `rank`.

use std::fmt;
use std::str::FromStr;

use crate::stacked;

pub mod address;
pub mod columns;

use address::{ADDRESS_MAX, Address, Row};

/// The most edits of one list.
pub const EDITS_MAX: usize = 10_000;
/// The longest list of edits, in bytes.
pub const EDITS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One change of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is changed.
    pub at: Address,
    /// How.
    pub deed: Deed,
}

/// What an edit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Gives a cell or a value this text.
    Set(String),
    /// Adds a row; the address is the table's, or the new row's.
    Add {
        /// Its columns and their texts.
        cells: Vec<(String, String)>,
        /// Where it goes.
        to: Spot,
    },
    /// Removes a row, a member or an element.
    Remove,
    /// Moves a row.
    Move(Spot),
    /// Gives a row this rank; the ranks between the old and the new one make room.
    Rank(u64),
}

/// A place among the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
    /// Right behind a row.
    After(Row),
    /// Right before a row.
    Before(Row),
}

/// What an edit found when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// Nothing was there.
    Absent,
    /// This text.
    Text(String),
    /// A row of these cells; empty ones are left out.
    Row(Vec<(String, String)>),
    /// The row that was moved was the first.
    First,
    /// The row that was moved stood right behind this one.
    Behind(Row),
    /// The row's rank, if it had one.
    Rank(Option<u64>),
}

/// An edit, and what it found if that is known.
pub type Noted = (Edit, Option<Before>);

/// Why a list of edits cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEdits {
    /// One of them is not right.
    #[error("cannot read edit {number}: {why}")]
    Edit {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The list as a whole is not right.
    #[error("cannot read the edits: {0}")]
    List(String),
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let row = |text: &str| Row::read(text.trim_start()).map_err(|error| error.to_string());
        match text.split_once(' ') {
            None if text == "first" => Ok(Self::First),
            None if text == "last" => Ok(Self::Last),
            Some(("after", key)) => row(key).map(Self::After),
            Some(("before", key)) => row(key).map(Self::Before),
            _ => Err(format!("{text:?} is no place: first, last, after KEY or before KEY")),
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::After(row) => write!(f, "after {row}"),
            Self::Before(row) => write!(f, "before {row}"),
        }
    }
}

impl Deed {
    /// What it is called.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Add { .. } => "add",
            Self::Remove => "remove",
            Self::Move(_) => "move",
            Self::Rank(_) => "rank",
        }
    }

    /// The content of its stream, every line ended.
    fn content(&self) -> String {
        match self {
            Self::Set(text) => format!("{text}\n"),
            Self::Add { cells, to } => format!("to: {to}\n{}", write_cells(cells)),
            Self::Remove => String::new(),
            Self::Move(to) => format!("{to}\n"),
            Self::Rank(rank) => format!("{rank}\n"),
        }
    }

    fn read(word: &str, lines: &[&str]) -> Result<Self, String> {
        match (word, lines) {
            ("set", lines) => Ok(Self::Set(lines.join("\n"))),
            ("add", [to, cells @ ..]) => {
                let to = to.strip_prefix("to:").ok_or("its first line is not `to: PLACE`")?;
                Ok(Self::Add { cells: read_cells(cells)?, to: to.trim_start().parse()? })
            }
            ("add", []) => Err("it has no line `to: PLACE`".to_owned()),
            ("remove", []) => Ok(Self::Remove),
            ("move", [to]) => Ok(Self::Move(to.parse()?)),
            ("rank", [rank]) => read_number(rank).map(Self::Rank),
            ("remove", _) => Err("a removal has no content".to_owned()),
            ("move" | "rank", _) => Err(format!("a {word} has one line")),
            _ => Err(format!("{word:?} is no deed: set, add, remove, move or rank")),
        }
    }
}

impl fmt::Display for Edit {
    /// Its deed and address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.deed.word(), self.at)
    }
}

impl Before {
    /// As a stacked stream of one stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Reads [`Before::to_bytes`].
    ///
    /// # Errors
    /// [`BadEdits`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadEdits> {
        let streams = parse(bytes)?;
        match streams.as_slice() {
            [(name, lines)] => Self::read(name, lines).map_err(BadEdits::List),
            _ => Err(BadEdits::List("expected one stream `found`".to_owned())),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (word, content) = match self {
            Self::Absent => ("absent", String::new()),
            Self::Text(text) => ("text", format!("{text}\n")),
            Self::Row(cells) => ("row", write_cells(cells)),
            Self::First => ("first", String::new()),
            Self::Behind(row) => ("behind", format!("{row}\n")),
            Self::Rank(rank) => ("rank", rank.map_or(String::new(), |rank| format!("{rank}\n"))),
        };
        stacked::write(out, &format!("found {word}"), content.as_bytes());
    }

    fn read(name: &str, lines: &[&str]) -> Result<Self, String> {
        let word = name.strip_prefix("found ").ok_or_else(|| format!("{name:?} is no `found`"))?;
        match (word, lines) {
            ("absent", []) => Ok(Self::Absent),
            ("first", []) => Ok(Self::First),
            ("text", lines) => Ok(Self::Text(lines.join("\n"))),
            ("row", lines) => read_cells(lines).map(Self::Row),
            ("behind", [row]) => {
                Row::read(row).map(Self::Behind).map_err(|error| error.to_string())
            }
            ("rank", []) => Ok(Self::Rank(None)),
            ("rank", [rank]) => read_number(rank).map(|rank| Self::Rank(Some(rank))),
            _ => Err(format!("cannot read {name:?}: an unknown word, or lines too many or few")),
        }
    }
}

/// A list of edits as a stacked stream.
///
/// # Errors
/// [`BadEdits`] if it is over a limit, so that nobody could read it.
pub fn write(edits: &[Noted]) -> Result<Vec<u8>, BadEdits> {
    check(edits.len())?;
    let mut out = Vec::new();
    for (index, (edit, before)) in edits.iter().enumerate() {
        let name = edit.to_string();
        if name.len() > ADDRESS_MAX + edit.deed.word().len() + 1 {
            let why = format!("its address is longer than {ADDRESS_MAX} bytes");
            return Err(BadEdits::Edit { number: index + 1, why });
        }
        stacked::write(&mut out, &name, edit.deed.content().as_bytes());
        if let Some(before) = before {
            before.write(&mut out);
        }
        check_bytes(out.len())?;
    }
    Ok(out)
}

/// Reads [`write()`].
///
/// # Errors
/// [`BadEdits`] names the first edit that is not right, by its number from 1.
pub fn read(bytes: &[u8]) -> Result<Vec<Noted>, BadEdits> {
    check_bytes(bytes.len())?;
    let mut edits: Vec<Noted> = Vec::new();
    for (name, lines) in parse(bytes)? {
        let number = edits.len();
        if name.starts_with("found ") {
            let wrong = |why| BadEdits::Edit { number: number.max(1), why };
            let before = Before::read(name, &lines).map_err(wrong)?;
            match edits.last_mut() {
                Some((_, found @ None)) => *found = Some(before),
                Some(_) => return Err(wrong("it has two streams `found`".to_owned())),
                None => return Err(wrong("there is a stream `found` before it".to_owned())),
            }
            continue;
        }
        check(number + 1)?;
        let wrong = |why| BadEdits::Edit { number: number + 1, why };
        let (word, address) = name.split_once(' ').unwrap_or((name, ""));
        let deed = Deed::read(word, &lines).map_err(wrong)?;
        let at = address.parse().map_err(|error: address::BadAddress| wrong(error.to_string()))?;
        edits.push((Edit { at, deed }, None));
    }
    Ok(edits)
}

/// Refuses a list that is over a limit: so many edits of so many bytes together.
///
/// # Errors
/// [`BadEdits::List`] says which.
pub(crate) fn check_size(count: usize, bytes: usize) -> Result<(), BadEdits> {
    check(count).and_then(|()| check_bytes(bytes))
}

fn check(count: usize) -> Result<(), BadEdits> {
    if count > EDITS_MAX {
        return Err(BadEdits::List(format!("more than {EDITS_MAX}; change the source instead")));
    }
    Ok(())
}

fn check_bytes(size: usize) -> Result<(), BadEdits> {
    if size > EDITS_BYTES_MAX {
        let what = format!("over {EDITS_BYTES_MAX} bytes; change the source instead");
        return Err(BadEdits::List(what));
    }
    Ok(())
}

/// The streams' names and lines, as text.
fn parse<'a>(bytes: &'a [u8]) -> Result<Vec<(&'a str, Vec<&'a str>)>, BadEdits> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| BadEdits::List("they are not UTF-8".to_owned()))?;
    let streams = stacked::parse(text.as_bytes());
    let streams = streams.map_err(|error| BadEdits::List(error.to_string()))?;
    let named = |stream: stacked::Stream<'a>| {
        let lines = stream.lines.into_iter().map(utf8).collect();
        (utf8(stream.name), lines)
    };
    Ok(streams.into_iter().map(named).collect())
}

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("cut out of a text at line feeds and tabs")
}

fn read_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no whole number"))
}

fn write_cells(cells: &[(String, String)]) -> String {
    let mut out = String::new();
    for (column, text) in cells {
        let is_plain = !text.starts_with('"') && !text.chars().any(char::is_control);
        let written = address::write_word(&mut out, column, false).and_then(|()| {
            out.push_str(": ");
            if is_plain {
                fmt::Write::write_str(&mut out, text)
            } else {
                address::write_quoted(&mut out, text)
            }
        });
        written.expect("a string takes everything");
        out.push('\n');
    }
    out
}

fn read_cells(lines: &[&str]) -> Result<Vec<(String, String)>, String> {
    let cell = |line: &&str| {
        let wrong = |error: address::BadAddress| error.reason;
        let read = || -> Result<(String, String), String> {
            let (column, rest) = address::read_word(line).map_err(wrong)?;
            let rest = rest.strip_prefix(':').ok_or("expected `Column: text`")?;
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            if !rest.starts_with('"') {
                return Ok((column, rest.to_owned()));
            }
            let (text, rest) = address::read_word(rest).map_err(wrong)?;
            let is_whole = rest.is_empty();
            is_whole.then_some((column, text)).ok_or("something follows the closing quote".into())
        };
        read().map_err(|why| format!("cannot read the cell {line:?}: {why}"))
    };
    lines.iter().map(cell).collect()
}

#[cfg(test)]
mod tests;
