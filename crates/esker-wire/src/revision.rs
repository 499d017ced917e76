//! Revisions: which version of the store, as git names it and as people ask for it.

use std::fmt;
use std::str::FromStr;

/// The digits a revision is written with.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The longest text a person may ask a revision by, in bytes.
pub const AT_MAX: usize = 255;

/// An object of the store: a git commit (a revision) or a git blob (some content), 20 bytes, written as 40
/// lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision([u8; 20]);

impl Revision {
    /// From the object's 20 bytes.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The object's 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first ten digits: enough for people, never for programs.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

/// A text that is not 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a full revision (40 hexadecimal digits)")]
pub struct BadRevision(String);

impl FromStr for Revision {
    type Err = BadRevision;

    fn from_str(text: &str) -> Result<Self, BadRevision> {
        let bad = || BadRevision(text.chars().take(60).collect());
        let digits: &[u8; 40] = text.as_bytes().try_into().map_err(|_| bad())?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            let value = high.zip(low).map(|(high, low)| high << 4 | low);
            *byte = value.and_then(|value| u8::try_from(value).ok()).ok_or_else(bad)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every message is full of revisions, so their digits are not left to the general formatter.
        let mut digits = [0; 40];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        }
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A version as people ask for it: `HEAD`, `HEAD~3`, a full or short revision, a tag, a date. Only the store
/// can say which revision it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At(Box<str>);

impl At {
    /// The newest version.
    pub fn head() -> Self {
        Self("HEAD".into())
    }

    /// The text as asked.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the newest version is asked for.
    pub fn is_head(&self) -> bool {
        &*self.0 == "HEAD"
    }
}

impl From<Revision> for At {
    fn from(revision: Revision) -> Self {
        Self(revision.to_string().into())
    }
}

/// A text nobody can mean as a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a version: it is empty, longer than 255 bytes, or holds control characters"
)]
pub struct BadAt(String);

impl FromStr for At {
    type Err = BadAt;

    fn from_str(text: &str) -> Result<Self, BadAt> {
        if text.is_empty() || text.len() > AT_MAX || text.chars().any(char::is_control) {
            return Err(BadAt(text.chars().take(80).collect()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
