//! What git holds in place of a large content: a pointer of git-lfs, and the hash it names the content by.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// What every pointer of ours begins with.
const HEAD: &str = "version https://git-lfs.github.com/spec/v1\noid ";

/// The lengths a pointer can have, in bytes: nothing else needs to be looked at.
pub const POINTER_LENGTHS: std::ops::RangeInclusive<u64> = 126..=146;

/// A content by its hash: 32 bytes, written as `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId([u8; 32]);

impl ContentId {
    /// From the hash's 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 64 digits alone: the name of the content's file, and the subject of an UPLOAD.
    pub fn digits(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// If they are not that.
    pub fn from_digits(text: &str) -> Result<Self, BadContentId> {
        let bad = || BadContentId(text.chars().take(80).collect());
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is not the hash of a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a SHA-256 (64 hexadecimal digits, after sha256: where it stands in a field)")]
pub struct BadContentId(String);

impl FromStr for ContentId {
    type Err = BadContentId;

    fn from_str(text: &str) -> Result<Self, BadContentId> {
        let digits = text.strip_prefix("sha256:");
        digits
            .ok_or_else(|| BadContentId(text.chars().take(80).collect()))
            .and_then(Self::from_digits)
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.digits())
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A large content, as git and git-lfs know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// Which content.
    pub id: ContentId,
    /// Its size in bytes.
    pub size: u64,
}

impl Pointer {
    /// The pointer as git-lfs writes it.
    pub fn to_bytes(&self) -> Bytes {
        format!("{HEAD}{}\nsize {}\n", self.id, self.size).into()
    }

    /// Reads a pointer written exactly as git-lfs writes one without extensions; anything else is a content.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if !POINTER_LENGTHS.contains(&(bytes.len() as u64)) {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?.strip_prefix(HEAD)?;
        let (id, rest) = text.split_once('\n')?;
        let size = rest.strip_prefix("size ")?.strip_suffix('\n')?;
        let pointer = Self { id: id.parse().ok()?, size: size.parse().ok()? };
        (pointer.to_bytes() == bytes).then_some(pointer)
    }
}

#[cfg(test)]
mod tests;
