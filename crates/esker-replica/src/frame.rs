//! Frames: a header of 72 bytes, and what it says of the body behind it.

use bytes::Bytes;

use crate::bytes::{Malformed, Reader};
use crate::digest::Digest;

/// The bytes of a header.
pub const HEADER: usize = 72;

/// The most bytes of a body as it travels, and of one that was compressed.
pub const BODY_MAX: usize = 16 * 1024 * 1024;

const MAGIC: [u8; 2] = [0xe5, 0x1c];
const VERSION: u8 = 1;
const CODEC: u8 = 1;
const DIGEST: u8 = 1;

const COMPRESSED: u16 = 1;
const LAST: u16 = 2;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// What changed in one section.
    Delta,
    /// Where the publisher is.
    Heartbeat,
    /// The publisher ends.
    Bye,
    /// A part of a cut.
    Chunk,
    /// What has changed since a transaction.
    Diff,
    /// Digests of nodes.
    Nodes,
}

const TYPES: [Type; 6] =
    [Type::Delta, Type::Heartbeat, Type::Bye, Type::Chunk, Type::Diff, Type::Nodes];

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Type,
    /// Whether the body is compressed.
    pub compressed: bool,
    /// Whether it is the last of its kind.
    pub last: bool,
    /// The publisher's start; a later one has a larger.
    pub epoch: u64,
    /// The transaction.
    pub seq: u64,
    /// The transaction before it that touched the section; 0 if none is known.
    pub prev: u64,
    /// The section's digest behind this frame.
    pub after: Digest,
    /// The section.
    pub section: u64,
    /// How many operations the body has.
    pub ops: u32,
    /// Which frame of the transaction it is, from 0 on.
    pub part: u16,
    /// How many frames the transaction has.
    pub parts: u16,
    /// Microseconds since 1970, for people.
    pub time: u64,
}

impl Header {
    /// A header that says no more than what it is.
    pub fn new(kind: Type) -> Self {
        Self {
            kind,
            compressed: false,
            last: false,
            epoch: 0,
            seq: 0,
            prev: 0,
            after: Digest::ZERO,
            section: 0,
            ops: 0,
            part: 0,
            parts: 1,
            time: 0,
        }
    }

    /// As it travels.
    pub fn to_bytes(&self) -> [u8; HEADER] {
        let kind = TYPES.iter().position(|one| *one == self.kind).expect("every type is listed");
        let flags = (u16::from(self.compressed) * COMPRESSED) | (u16::from(self.last) * LAST);
        let mut out = Vec::with_capacity(HEADER);
        out.extend(MAGIC);
        out.push(VERSION);
        out.push(u8::try_from(kind + 1).expect("there are few types"));
        out.extend(flags.to_le_bytes());
        out.extend([CODEC, DIGEST]);
        for number in [self.epoch, self.seq, self.prev] {
            out.extend(number.to_le_bytes());
        }
        out.extend(self.after.to_bytes());
        out.extend(self.section.to_le_bytes());
        out.extend(self.ops.to_le_bytes());
        out.extend(self.part.to_le_bytes());
        out.extend(self.parts.to_le_bytes());
        out.extend(self.time.to_le_bytes());
        out.try_into().expect("a header has 72 bytes")
    }

    /// Reads a header.
    ///
    /// # Errors
    /// What is wrong with it, or what this esker does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if bytes.len() != HEADER {
            return Err(reader.wrong("a header has 72 bytes"));
        }
        if reader.array()? != MAGIC {
            return Err(reader.wrong("this is no frame of a model"));
        }
        if reader.byte()? != VERSION {
            return Err(reader.wrong("the frame is of another version"));
        }
        let kind = usize::from(reader.byte()?);
        let kind = kind.checked_sub(1).and_then(|kind| TYPES.get(kind));
        let kind = *kind.ok_or_else(|| reader.wrong("there is no such type of frame"))?;
        let flags = u16::from_le_bytes(reader.array()?);
        if flags & !(COMPRESSED | LAST) != 0 {
            return Err(reader.wrong("the frame has flags of another version"));
        }
        if reader.array()? != [CODEC, DIGEST] {
            return Err(reader.wrong("the frame has another codec or digest"));
        }
        let mut number = || reader.array().map(u64::from_le_bytes);
        let (epoch, seq, prev) = (number()?, number()?, number()?);
        let after = Digest::from_bytes(reader.array()?);
        let header = Self {
            kind,
            compressed: flags & COMPRESSED != 0,
            last: flags & LAST != 0,
            epoch,
            seq,
            prev,
            after,
            section: u64::from_le_bytes(reader.array()?),
            ops: u32::from_le_bytes(reader.array()?),
            part: u16::from_le_bytes(reader.array()?),
            parts: u16::from_le_bytes(reader.array()?),
            time: u64::from_le_bytes(reader.array()?),
        };
        if header.part >= header.parts {
            return Err(reader.wrong("the frame is a part of none"));
        }
        Ok(header)
    }
}

/// A frame: a header and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it says.
    pub header: Header,
    /// What it says it of; not compressed.
    pub body: Bytes,
}

impl Frame {
    /// Reads a frame from the bytes of a header and those of a body, which may be compressed.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn read(header: &[u8], body: Bytes) -> Result<Self, Malformed> {
        let mut header = Header::from_bytes(header)?;
        if body.len() > BODY_MAX {
            return Err(Malformed { what: "the body is too large", at: HEADER });
        }
        let body = if header.compressed { inflate(&body)? } else { body };
        header.compressed = false;
        Ok(Self { header, body })
    }

    /// Reads a frame whose header and body are one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_one(bytes: &Bytes) -> Result<Self, Malformed> {
        if bytes.len() < HEADER {
            return Err(Malformed { what: "a header has 72 bytes", at: bytes.len() });
        }
        Self::read(&bytes[..HEADER], bytes.slice(HEADER..))
    }

    /// Header and body as one, the body compressed if that is wished.
    pub fn to_one(&self, compressed: bool) -> Bytes {
        let mut header = self.header;
        header.compressed = compressed;
        let mut out = header.to_bytes().to_vec();
        if compressed {
            deflate(&self.body, &mut out)
        } else {
            out.reserve_exact(self.body.len());
            out.extend_from_slice(&self.body)
        }
        out.into()
    }
}

/// The level: beyond it, a percent less takes twice the time.
const LEVEL: i32 = 1;

fn deflate(body: &[u8], out: &mut Vec<u8>) {
    crate::bytes::put_varint(out, body.len() as u64);
    let bytes = zstd::bulk::compress(body, LEVEL).expect("memory can always be compressed");
    out.extend(bytes);
}

fn inflate(body: &[u8]) -> Result<Bytes, Malformed> {
    let mut reader = Reader::new(body);
    let size = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if size > BODY_MAX {
        return Err(reader.wrong("the body is too large once it is not compressed"));
    }
    let compressed = reader.take(reader.left())?;
    let body = zstd::bulk::decompress(compressed, size)
        .map_err(|_| Malformed { what: "the body cannot be decompressed", at: HEADER })?;
    if body.len() != size {
        return Err(Malformed { what: "the body has another size than it says", at: HEADER });
    }
    Ok(body.into())
}

#[cfg(test)]
mod tests;
