//! How records lie in memory one after the other, and where their keys are.

use esker_wire::fault::{Code, Fault};

/// The bytes of a record of fixed length, ...
pub(crate) const FIXED: usize = 100;
/// ... and of the key that it begins with.
pub(crate) const FIXED_KEY: usize = 10;
/// The longest record, in bytes.
pub const RECORD_MAX: usize = 1024 * 1024;
/// What stands before a framed record: how long its key is, and how long it is itself.
const FRAME: usize = 8;

/// How records lie one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All as long; the key is the beginning.
    Fixed,
    /// Each with a newline behind it, all before which is the key.
    Lines,
    /// Two lengths, the key, and what the record is.
    Framed,
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// What it is sorted by, byte by byte.
    pub(crate) key: &'a [u8],
    /// What is written of it in the end.
    pub(crate) text: &'a [u8],
    /// How many bytes it takes here.
    pub(crate) size: usize,
}

impl Shape {
    /// The record that begins here; nothing at the end, or if there is no whole one.
    #[inline]
    pub(crate) fn first(self, bytes: &[u8]) -> Option<Record<'_>> {
        match self {
            Self::Fixed => {
                let text = bytes.get(..FIXED)?;
                Some(Record { key: &text[..FIXED_KEY], text, size: FIXED })
            }
            Self::Lines => {
                let end = memchr::memchr(b'\n', bytes)?;
                Some(Record { key: &bytes[..end], text: &bytes[..=end], size: end + 1 })
            }
            Self::Framed => {
                let (key, rest) = bytes.split_first_chunk::<4>()?;
                let (text, rest) = rest.split_first_chunk::<4>()?;
                let [key, text] = [key, text].map(|length| u32::from_le_bytes(*length) as usize);
                let size = FRAME.checked_add(key)?.checked_add(text)?;
                let both = rest.get(..key.checked_add(text)?)?;
                Some(Record { key: &both[..key], text: &both[key..], size })
            }
        }
    }
}

/// Adds a framed record.
pub(crate) fn frame(into: &mut Vec<u8>, key: &[u8], text: &[u8]) {
    into.extend_from_slice(&(key.len() as u32).to_le_bytes());
    into.extend_from_slice(&(text.len() as u32).to_le_bytes());
    into.extend_from_slice(key);
    into.extend_from_slice(text);
}

/// How many records, of how many bytes, and the sum of their CRCs: the same in whatever order they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub records: u64,
    /// Their bytes, as they are written.
    pub bytes: u64,
    /// The sum of the CRC-32C of each.
    pub sum: u64,
}

impl Tally {
    /// Counts a record.
    #[inline]
    pub(crate) fn count(&mut self, text: &[u8]) {
        self.records += 1;
        self.bytes += text.len() as u64;
        self.sum = self.sum.wrapping_add(u64::from(crc32c::crc32c(text)));
    }

    /// Counts what was counted elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// Holds that these are the same records.
    ///
    /// # Errors
    /// `internal` saying in what they differ.
    pub(crate) fn expect(&self, expected: &Self, what: &str) -> Result<(), Fault> {
        if self == expected {
            return Ok(());
        }
        let text = format!(
            "{what} has {} records of {} bytes with checksum {:016x}; expected were {} of {} with {:016x}",
            self.records, self.bytes, self.sum, expected.records, expected.bytes, expected.sum
        );
        Err(Fault::new(Code::Internal, text).hint("something was lost on the way: sort again"))
    }
}
