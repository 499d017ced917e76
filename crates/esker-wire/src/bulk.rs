//! Bulk messages: what clients and workers of the cluster cache say. Binary, little-endian, the same for a hundred
//! bytes as for a megabyte.
//!
//! A message is a head of [`HEAD_SIZE`] bytes, a table with a line for each item, and the contents in the order of
//! the table. Head and table begin the first frame; contents follow in that frame and in further ones, none of them
//! in two frames, so that a large one is sent from, and kept in, the memory it came in. `docs/bulk.md` is the
//! promise to clients in other languages.

mod ask;
mod cursor;
mod frames;
mod head;
mod reply;
mod table;

pub use ask::{Ask, Batch, Get, Key, Request, Store};
pub use head::{Head, Op, Status};
pub use reply::{Found, Reply, Stored, Value};
pub use table::{BadTable, NODES_MAX, REPLICAS_MAX, SLOTS, Table, TableNode};

use bytes::Bytes;
use twox_hash::XxHash3_64;

/// The bytes of a head.
pub const HEAD_SIZE: usize = 56;
/// The longest id, in bytes.
pub const ID_MAX: usize = 1024;
/// The most items of a message.
pub const ITEMS_MAX: usize = 16 * 1024;
/// The most bytes of one part, as it is sent and as it is read.
pub const PART_MAX: usize = 4 * 1024 * 1024;
/// How many bytes of a long content are made one part, unless its writer chooses otherwise.
pub const CHUNK: usize = 1024 * 1024;
/// The largest message, in bytes.
pub const BULK_MAX: usize = 8 * 1024 * 1024;
/// The most frames of a message.
pub const FRAMES_MAX: usize = 4096;

/// A piece of a content as it is sent and kept: whole, whichever way it is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes, as `codec` has made them.
    pub bytes: Bytes,
    /// How they are compressed.
    pub codec: Codec,
    /// How many bytes it is when it is read.
    pub raw: u32,
    /// CRC-32C of `bytes`.
    pub crc: u32,
    /// Who wrote it: nobody in particular, or a task's batch.
    pub label: Label,
}

/// Which batch of which attempt of which task a part was written by. Task 0 is nobody in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Label {
    /// The task.
    pub task: u32,
    /// Which attempt at it.
    pub attempt: u16,
    /// Which of its batches, counted by the writer.
    pub seq: u32,
}

impl Label {
    /// Whether parts of a task are everybody's from the moment they are written: task 0 is nobody in particular, and
    /// those of 2^31 on are writers that only want none of their batches to be twice.
    pub fn is_anonymous(task: u32) -> bool {
        task == 0 || task >= 1 << 31
    }
}

/// How a part is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// Not at all.
    #[default]
    Plain,
    /// An LZ4 block, without a frame or a size before it.
    Lz4,
}

impl Codec {
    /// From its byte on the wire.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Plain),
            1 => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Its byte on the wire.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Lz4 => 1,
        }
    }
}

impl Part {
    /// A part that is not compressed.
    ///
    /// # Panics
    /// If it has more than [`PART_MAX`] bytes.
    pub fn plain(bytes: Bytes) -> Self {
        assert!(bytes.len() <= PART_MAX, "a part has at most {PART_MAX} bytes");
        let (raw, crc) = (bytes.len() as u32, crc32c::crc32c(&bytes));
        Self { bytes, codec: Codec::Plain, raw, crc, label: Label::default() }
    }

    /// Whether the bytes are those that were written.
    pub fn is_whole(&self) -> bool {
        crc32c::crc32c(&self.bytes) == self.crc
    }
}

/// The hash of a name or an id: XXH3, 64 bits, seed 0.
pub fn hash(text: &[u8]) -> u64 {
    XxHash3_64::oneshot(text)
}

/// The space that an id is in: what stands before its last `/`; none is the space of its own that has no name.
pub fn space_of(id: &[u8]) -> &[u8] {
    let end = id.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &id[..end]
}

/// Whether an id can be one: 1 to [`ID_MAX`] bytes of UTF-8 without control characters.
pub fn is_id(id: &[u8]) -> bool {
    let is_text = std::str::from_utf8(id).is_ok_and(|text| !text.contains(char::is_control));
    !id.is_empty() && id.len() <= ID_MAX && is_text
}

#[cfg(test)]
mod tests;
