//! What can be wrong with an input, and where. Every message names the place, the value and what to do.

use std::fmt;

/// The most bytes of input either deed reads.
pub const INPUT_MAX: usize = 64 << 20;

/// Why nothing was produced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input of `schedule` is not a plan.
    #[error("cannot schedule: {0}")]
    Plan(BadInput),
    /// The input of `condition` is not a stacked stream of sheets.
    #[error("cannot condition: {0}")]
    Sheets(BadInput),
    /// Cells of the sheets are wrong: all of them, in the order of the sheets.
    #[error("cannot condition: {}", Listed(.0))]
    Cells(Vec<BadCell>),
    /// The input is beyond a limit.
    #[error(
        "cannot {deed}: the input has {found} {what}, at most {max} are handled; split the plan"
    )]
    TooLarge {
        /// `schedule` or `condition`.
        deed: &'static str,
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many may be.
        max: usize,
    },
}

impl Error {
    /// Whether the data is at fault and must be mended, rather than a limit of this program.
    pub fn is_data_error(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }
}

/// One thing wrong with a stacked stream. Lines and fields count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput {
    /// The place, as far as it is known.
    pub place: Option<Place>,
    /// The number and the name of the field.
    pub field: Option<(usize, &'static str)>,
    /// What is wrong, with the value and the remedy.
    pub problem: String,
}

/// A line of one of the plan's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The stream's name.
    pub stream: &'static str,
    /// The line of the stream's content; 0 is its header.
    pub line: usize,
    /// The line of the whole input.
    pub input_line: usize,
}

impl Place {
    /// Something wrong with this line as a whole.
    pub(crate) fn bad(self, problem: impl Into<String>) -> BadInput {
        BadInput { place: Some(self), field: None, problem: problem.into() }
    }

    /// Something wrong with one field of this line.
    pub(crate) fn field(self, field: (usize, &'static str), problem: String) -> BadInput {
        BadInput { place: Some(self), field: Some(field), problem }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {:?}", self.stream)?;
        match self.line {
            0 => Ok(()),
            line => write!(f, ", line {line}"),
        }
    }
}

impl BadInput {
    /// Something wrong with the input as a whole.
    pub(crate) fn whole(problem: impl Into<String>) -> Self {
        Self { place: None, field: None, problem: problem.into() }
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = self.place else {
            return f.write_str(&self.problem);
        };
        write!(f, "{place}")?;
        if let Some((number, name)) = self.field {
            write!(f, ", field {number} ({name})")?;
        }
        write!(f, ": {}", self.problem)?;
        write!(f, " (line {} of the input)", place.input_line)
    }
}

/// One thing wrong with a sheet. Rows and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCell {
    /// The sheet's name.
    pub sheet: String,
    /// The row, unless the sheet as a whole is meant.
    pub row: Option<usize>,
    /// The column's number and name, unless the row as a whole is meant.
    pub column: Option<(usize, String)>,
    /// What is wrong, with the value and the remedy.
    pub problem: String,
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sheet {}", self.sheet)?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some((number, name)) = &self.column {
            write!(f, ", column {} ({name})", letters(*number))?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// A column's letters as spreadsheets show them: 1 is A, 27 is AA.
fn letters(number: usize) -> String {
    let mut left = number;
    let mut reversed = Vec::new();
    while left > 0 {
        let letter = u8::try_from((left - 1) % 26).expect("a remainder of 26 is small");
        reversed.push(char::from(b'A' + letter));
        left = (left - 1) / 26;
    }
    reversed.iter().rev().collect()
}

/// All bad cells: one on the line of the message, more on a line each.
struct Listed<'a>(&'a [BadCell]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [cell] = self.0 {
            return write!(f, "{cell}");
        }
        write!(f, "{} cells are wrong", self.0.len())?;
        self.0.iter().try_for_each(|cell| write!(f, "\n  {cell}"))
    }
}

/// A value as a message shows it: quoted, and cut if long.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN_MAX: usize = 60;
    match value.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// Names as a message lists them.
pub(crate) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 12;
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(NAMES_MAX).map(quoted).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    match shown.is_empty() {
        true => "nothing".to_owned(),
        false => shown.join(", "),
    }
}

#[cfg(test)]
mod tests;
