//! Where in a content an edit is: `raw/plan:Work[CHK-1].Estimate`.
//!
//! ```text
//! address  = resource ":" place                     ; a resource's name holds no colon
//! place    = "" / pointer / first *( "." name / row )
//! first    = name / row
//! row      = "[" ( "#" digits / selector *( "," selector ) ) "]"
//! selector = [ word "=" ] word                      ; column and value, or a value of the key
//! name     = word / "#" digits                      ; a stream, a column, a member; "#4" is the fourth column
//! pointer  = as RFC 6901, and therefore begins with "/"
//! word     = plain / DQUOTE *( any character, \" \\ \n \r \t \u{HEX} ) DQUOTE
//! ```
//! A plain word is not empty, begins and ends with no blank and not with `#`, and holds no `[ ] = , "`; outside of
//! brackets no `.` and `:` either, and no `/` at its beginning.

use std::fmt;
use std::str::FromStr;

use crate::name::Resource;

/// The longest address, in bytes.
pub const ADDRESS_MAX: usize = 4 * 1024;
/// The most steps of a place.
pub const STEPS_MAX: usize = 64;
/// The most columns that one row is named by.
pub const SELECTORS_MAX: usize = 16;

/// How much is shown of an address that cannot be read, in characters.
const SHOWN_MAX: usize = 120;

/// A place in a resource's content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whose content.
    pub resource: Resource,
    /// Where in it.
    pub place: Place,
}

/// The way to a place within a content; without steps it is the whole content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// From the outside in.
    pub steps: Vec<Step>,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A stream, a column or a member.
    Name(String),
    /// A row, or an element of an array.
    Row(Row),
    /// A column by its number, from 1.
    Number(u64),
}

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Row {
    /// The row whose cells are these.
    Keys(Vec<Selector>),
    /// A row by its number, from 1; a heading is not counted.
    Number(u64),
}

/// What a cell of the row holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    /// Its column; without one it is of the key, in the key's order.
    pub column: Option<String>,
    /// Its text.
    pub value: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the address {text:?}: {reason} at character {at}")]
pub struct BadAddress {
    /// What was given (its beginning, when long).
    pub text: String,
    /// Which character, from 1.
    pub at: usize,
    /// What is wrong there, and what to do.
    pub reason: String,
}

impl Row {
    /// The row whose key of one column is this.
    pub fn key(value: impl Into<String>) -> Self {
        Self::Keys(vec![Selector { column: None, value: value.into() }])
    }

    /// Reads what stands between brackets; the brackets may be there.
    ///
    /// # Errors
    /// [`BadAddress`] with the character.
    pub fn read(text: &str) -> Result<Self, BadAddress> {
        let mut reader = Reader { text, at: 0 };
        let is_bracketed = reader.take('[');
        let row = reader.row()?;
        if is_bracketed && !reader.take(']') {
            return Err(reader.bad("expected ]"));
        }
        if reader.peek().is_some() {
            return Err(reader.bad("expected the end (quote a value that holds [ ] = , or \")"));
        }
        Ok(row)
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > ADDRESS_MAX {
            return Err(reader.bad(format!("it is longer than {ADDRESS_MAX} bytes")));
        }
        let Some((resource, _)) = text.split_once(':') else {
            return Err(
                reader.bad("expected RESOURCE:PLACE, for example raw/plan:Work[CHK-1].Team")
            );
        };
        let name = resource.parse().map_err(|error: crate::name::BadName| {
            reader.bad(format!("{error}; a name is expected"))
        })?;
        reader.at = resource.len() + 1;
        Ok(Self { resource: name, place: reader.place()? })
    }
}

impl FromStr for Place {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > ADDRESS_MAX {
            return Err(reader.bad(format!("it is longer than {ADDRESS_MAX} bytes")));
        }
        reader.place()
    }
}

/// Reads a text from its beginning to its end.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn bad(&self, reason: impl Into<String>) -> BadAddress {
        BadAddress {
            text: self.text.chars().take(SHOWN_MAX).collect(),
            at: self.text[..self.at].chars().count() + 1,
            reason: reason.into(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn place(&mut self) -> Result<Place, BadAddress> {
        let mut steps = Vec::new();
        if self.peek() == Some('/') {
            steps = self.pointer()?;
        } else if self.peek().is_some_and(|next| next != '[') {
            steps.push(self.name()?);
        }
        while self.peek().is_some() {
            if steps.len() == STEPS_MAX {
                return Err(self.bad(format!("it has more than {STEPS_MAX} steps")));
            }
            if self.take('[') {
                steps.push(Step::Row(self.row()?));
                if !self.take(']') {
                    return Err(
                        self.bad("expected , or ] (quote a value that holds [ ] = , or \")")
                    );
                }
            } else if self.take('.') {
                steps.push(self.name()?);
            } else {
                return Err(self.bad("expected . or [ (quote a name that holds . [ ] = , : or \")"));
            }
        }
        Ok(Place { steps })
    }

    fn pointer(&mut self) -> Result<Vec<Step>, BadAddress> {
        let steps: Vec<&str> = self.text[self.at..].split('/').skip(1).collect();
        if steps.len() > STEPS_MAX {
            return Err(self.bad(format!("it has more than {STEPS_MAX} steps")));
        }
        let mut names = Vec::with_capacity(steps.len());
        for step in steps {
            self.at += 1;
            let mut tildes = step.match_indices('~').map(|(at, _)| at);
            if let Some(at) = tildes.find(|at| !step[at + 1..].starts_with(['0', '1'])) {
                self.at += at;
                return Err(self.bad("expected ~0 or ~1, which stand for ~ and /"));
            }
            names.push(Step::Name(step.replace("~1", "/").replace("~0", "~")));
            self.at += step.len();
        }
        Ok(names)
    }

    fn name(&mut self) -> Result<Step, BadAddress> {
        if self.take('#') {
            return self.number().map(Step::Number);
        }
        self.word(".[]=,:\"").map(Step::Name)
    }

    fn number(&mut self) -> Result<u64, BadAddress> {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.next();
        }
        let number = self.text[start..self.at].parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| {
            let at = Reader { text: self.text, at: start };
            at.bad("expected a number from 1 on after # (quote a name that begins with #)")
        })
    }

    fn row(&mut self) -> Result<Row, BadAddress> {
        if self.take('#') {
            return self.number().map(Row::Number);
        }
        let mut selectors = Vec::new();
        loop {
            if selectors.len() == SELECTORS_MAX {
                return Err(self.bad(format!("a row has more than {SELECTORS_MAX} columns")));
            }
            let word = self.word("[]=,\"")?;
            selectors.push(match self.take('=') {
                true => Selector { column: Some(word), value: self.word("[]=,\"")? },
                false => Selector { column: None, value: word },
            });
            if !self.take(',') {
                return Ok(Row::Keys(selectors));
            }
        }
    }

    /// A word that is quoted, or ends before one of `ends`.
    fn word(&mut self, ends: &str) -> Result<String, BadAddress> {
        if self.take('"') {
            return self.quoted();
        }
        let start = self.at;
        while self.peek().is_some_and(|next| !ends.contains(next)) {
            self.next();
        }
        let word = &self.text[start..self.at];
        let begin = Reader { text: self.text, at: start };
        if word.is_empty() {
            return Err(begin.bad("expected a name or a value (an empty one is written \"\")"));
        }
        if word.trim() != word || word.chars().any(char::is_control) {
            return Err(
                begin.bad("quote what begins or ends with a blank, or holds control characters")
            );
        }
        Ok(word.to_owned())
    }

    /// What follows an opening quote.
    fn quoted(&mut self) -> Result<String, BadAddress> {
        let mut word = String::new();
        loop {
            let before = Reader { text: self.text, at: self.at };
            match self.next() {
                None => return Err(self.bad("expected a closing \"")),
                Some('"') => return Ok(word),
                Some('\\') => {
                    let escaped = self.escaped();
                    let wrong = || before.bad("expected one of \\\" \\\\ \\n \\r \\t \\u{HEX}");
                    word.push(escaped.ok_or_else(wrong)?);
                }
                Some(letter) => word.push(letter),
            }
        }
    }

    /// The character that the letters after a backslash stand for.
    fn escaped(&mut self) -> Option<char> {
        Some(match self.next()? {
            '"' => '"',
            '\\' => '\\',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let rest = self.text[self.at..].strip_prefix('{')?;
                let (digits, _) = rest.split_once('}')?;
                let code = u32::from_str_radix(digits, 16).ok()?;
                self.at += digits.len() + 2;
                char::from_u32(code)?
            }
            _ => return None,
        })
    }
}

/// A word in quotes.
pub(super) fn write_quoted(f: &mut impl fmt::Write, word: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in word.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            letter if letter.is_control() => write!(f, "\\u{{{:x}}}", u32::from(letter))?,
            letter => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}

/// A word, in quotes if it is not plain where it stands.
pub(super) fn write_word(f: &mut impl fmt::Write, word: &str, is_inside: bool) -> fmt::Result {
    let held = if is_inside { "[]=,\"" } else { ".[]=,:\"" };
    let is_plain = !word.is_empty()
        && word.trim() == word
        && !word.starts_with('#')
        && (is_inside || !word.starts_with('/'))
        && !word.chars().any(|letter| letter.is_control() || held.contains(letter));
    if is_plain { f.write_str(word) } else { write_quoted(f, word) }
}

/// Reads a word from the beginning of a text, as names are written, and gives what follows.
pub(super) fn read_word(text: &str) -> Result<(String, &str), BadAddress> {
    let mut reader = Reader { text, at: 0 };
    let word = reader.word(".[]=,:\"")?;
    Ok((word, &text[reader.at..]))
}

impl fmt::Display for Row {
    /// What stands between the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selectors = match self {
            Self::Number(number) => return write!(f, "#{number}"),
            Self::Keys(selectors) => selectors,
        };
        for (index, selector) in selectors.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            if let Some(column) = &selector.column {
                write_word(f, column, true)?;
                f.write_str("=")?;
            }
            write_word(f, &selector.value, true)?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 && !matches!(step, Step::Row(_)) {
                f.write_str(".")?;
            }
            match step {
                Step::Name(name) => write_word(f, name, false)?,
                Step::Number(number) => write!(f, "#{number}")?,
                Step::Row(row) => write!(f, "[{row}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.place)
    }
}

#[cfg(test)]
mod tests;
