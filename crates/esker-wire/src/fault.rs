//! What an error reply says: a stable code, the thing, and what to do.

use std::fmt;
use std::str::FromStr;

/// The kind of an error; programs may depend on its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request cannot be read: the message, a name, an option.
    BadRequest,
    /// No such resource, revision, tag.
    NotFound,
    /// A short revision that several revisions begin with.
    Ambiguous,
    /// The head is not the one the request expected.
    Conflict,
    /// Over a limit.
    TooLarge,
    /// Too much is under way; try again later.
    Busy,
    /// It was there and is no longer; the hint says what to ask instead.
    Gone,
    /// The store cannot be written: read-only, full, locked.
    NotWritable,
    /// No answer within the deadline.
    Timeout,
    /// Nobody answers there.
    Unavailable,
    /// A fault of esker's own.
    Internal,
}

/// Every code with its text on the wire.
const CODES: [(Code, &str); 11] = [
    (Code::BadRequest, "bad-request"),
    (Code::NotFound, "not-found"),
    (Code::Ambiguous, "ambiguous"),
    (Code::Conflict, "conflict"),
    (Code::TooLarge, "too-large"),
    (Code::Busy, "busy"),
    (Code::Gone, "gone"),
    (Code::NotWritable, "not-writable"),
    (Code::Timeout, "timeout"),
    (Code::Unavailable, "unavailable"),
    (Code::Internal, "internal"),
];

impl Code {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        CODES.iter().find(|(code, _)| *code == self).map_or("internal", |(_, text)| text)
    }
}

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        CODES.iter().find(|(_, known)| *known == text).map(|(code, _)| *code).ok_or(())
    }
}

/// An error as it travels: `what, where` in the message, what to do in the hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub code: Code,
    /// What failed, for which thing; one line.
    pub message: String,
    /// What the reader can do; one line, may be empty.
    pub hint: String,
    /// The nearest things there are, for `not-found` and `ambiguous`.
    pub candidates: Vec<String>,
}

impl Fault {
    /// A fault without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: one_line(message.into()),
            hint: String::new(),
            candidates: Vec::new(),
        }
    }

    /// A request that cannot be read.
    pub fn bad_request(message: impl fmt::Display) -> Self {
        Self::new(Code::BadRequest, message.to_string())
    }

    /// The same fault with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = one_line(hint.into());
        self
    }

    /// The same fault with the nearest things there are.
    #[must_use]
    pub fn candidates(mut self, candidates: Vec<String>) -> Self {
        self.candidates = candidates;
        self
    }
}

/// A fault's texts are one line each, so that a log line and a seed's `ERROR: ` reply can hold them.
fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.candidates.is_empty() {
            write!(f, " (near: {})", self.candidates.join(", "))?;
        }
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
