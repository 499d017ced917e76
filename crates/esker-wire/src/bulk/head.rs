//! What every bulk message begins with: 56 bytes.

use crate::bulk::HEAD_SIZE;
use crate::fault::{Code, Fault};

/// The first bytes of every bulk message: the protocol and its version.
const MAGIC: [u8; 4] = *b"EBK\x01";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Who is there, and what it can hold.
    Hello,
    /// Contents, or parts of them.
    Get,
    /// To replace contents.
    Set,
    /// To add to contents, once for each batch.
    Append,
    /// To remove contents.
    Remove,
    /// How long contents are, without them.
    Stat,
    /// Which ids there are.
    List,
    /// What a space is like.
    Open,
    /// Which ids of a space are there though nothing was written to them.
    Share,
    /// To end all writing to a space, and say which attempts count.
    Seal,
    /// To forget a space and all in it.
    Drop,
    /// How a worker stands.
    Status,
    /// What a worker knows of a space.
    About,
    /// Something of the keys that a cluster of one worker agrees on.
    Keys,
}

/// Every operation with its byte on the wire.
const OPS: [(Op, u8); 14] = [
    (Op::Hello, 1),
    (Op::Get, 2),
    (Op::Set, 3),
    (Op::Append, 4),
    (Op::Remove, 5),
    (Op::Stat, 6),
    (Op::List, 7),
    (Op::Open, 8),
    (Op::Share, 9),
    (Op::Seal, 10),
    (Op::Drop, 11),
    (Op::Status, 12),
    (Op::About, 13),
    (Op::Keys, 14),
];

/// How something that was asked has ended, for a message or for one of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is done.
    Done,
    /// There is no such id.
    Unknown,
    /// Not now: too much is under way. Try again.
    Busy,
    /// There is no room, in memory or on disk.
    Full,
    /// The space is sealed: nothing is written to it any more.
    Sealed,
    /// The asker knows a space, a table or an epoch that is no more; look anew.
    Stale,
    /// The worker does not know yet what the asker knows: tell it with `Open`.
    Ahead,
    /// Another worker has it.
    Moved,
    /// It was there, and the worker that had it is gone.
    Lost,
    /// The message cannot be read, or asks what cannot be.
    Bad,
    /// Over a limit.
    TooLarge,
    /// The answer has no room for this item: ask again for it.
    Again,
    /// The bytes are not those that were written.
    Corrupt,
    /// The space is there already and is not what was asked for.
    Conflict,
}

/// Every status with its number on the wire.
const STATUSES: [(Status, u16); 14] = [
    (Status::Done, 0),
    (Status::Unknown, 1),
    (Status::Busy, 2),
    (Status::Full, 3),
    (Status::Sealed, 4),
    (Status::Stale, 5),
    (Status::Ahead, 6),
    (Status::Moved, 7),
    (Status::Lost, 8),
    (Status::Bad, 9),
    (Status::TooLarge, 10),
    (Status::Again, 11),
    (Status::Corrupt, 12),
    (Status::Conflict, 13),
];

impl Op {
    /// From its byte on the wire.
    pub fn from_byte(byte: u8) -> Option<Self> {
        OPS.iter().find(|(_, known)| *known == byte).map(|(op, _)| *op)
    }

    /// Its byte on the wire.
    pub fn to_byte(self) -> u8 {
        OPS.iter().find(|(op, _)| *op == self).map_or(0, |(_, byte)| *byte)
    }
}

impl Status {
    /// From its number on the wire.
    pub fn from_number(number: u16) -> Option<Self> {
        STATUSES.iter().find(|(_, known)| *known == number).map(|(status, _)| *status)
    }

    /// Its number on the wire.
    pub fn to_number(self) -> u16 {
        STATUSES.iter().find(|(status, _)| *status == self).map_or(9, |(_, number)| *number)
    }

    /// The code of a fault that says the same.
    pub fn code(self) -> Code {
        match self {
            Self::Done => Code::Internal,
            Self::Unknown => Code::NotFound,
            Self::Busy | Self::Again | Self::Ahead => Code::Busy,
            Self::Full => Code::NotWritable,
            Self::Sealed | Self::Stale | Self::Moved | Self::Conflict => Code::Conflict,
            Self::Lost => Code::Gone,
            Self::Bad => Code::BadRequest,
            Self::TooLarge => Code::TooLarge,
            Self::Corrupt => Code::Internal,
        }
    }
}

/// What every bulk message begins with.
///
/// | at | bytes | what |
/// | --- | --- | --- |
/// | 0 | 4 | `EBK` and the version, 1 |
/// | 4 | 1 | operation |
/// | 5 | 1 | flags, see [`Head::flags`] |
/// | 6 | 2 | status; 0 when asking |
/// | 8 | 8 | request, chosen by the asker and told back |
/// | 16 | 8 | hash of the space's name |
/// | 24 | 4 | generation of the space |
/// | 28 | 2 | epoch of the space |
/// | 30 | 2 | count of items |
/// | 32 | 4 | task |
/// | 36 | 4 | seq of the batch |
/// | 40 | 4 | floor: every batch before was acknowledged |
/// | 44 | 2 | attempt |
/// | 46 | 2 | zero |
/// | 48 | 4 | bytes of the table |
/// | 52 | 4 | CRC-32C of the 52 bytes before, and of the table |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What is asked, or answered.
    pub op: Op,
    /// Bit 0: items say a range (`Get`). Bit 1: what attempts have written is told though the space is open (`Get`).
    /// Bit 2: from another worker, not to be passed on.
    pub flags: u8,
    /// How it ended.
    pub status: Status,
    /// Told back in the reply.
    pub request: u64,
    /// The hash of the space's name.
    pub space: u64,
    /// How often the space was begun anew.
    pub generation: u32,
    /// How often its nodes have changed since.
    pub epoch: u16,
    /// The items.
    pub count: u16,
    /// Who writes.
    pub task: u32,
    /// Which batch.
    pub seq: u32,
    /// Every batch before this one was acknowledged and will not come again.
    pub floor: u32,
    /// Which attempt of the task.
    pub attempt: u16,
}

impl Head {
    /// The head of a request for nothing in particular.
    pub fn new(op: Op) -> Self {
        Self {
            op,
            flags: 0,
            status: Status::Done,
            request: 0,
            space: 0,
            generation: 0,
            epoch: 0,
            count: 0,
            task: 0,
            seq: 0,
            floor: 0,
            attempt: 0,
        }
    }

    /// The head of the reply to a request.
    #[must_use]
    pub fn reply(&self, status: Status) -> Self {
        Self { status, flags: 0, ..*self }
    }

    /// Writes it before a table that is in `frame` behind [`HEAD_SIZE`] bytes kept free for it.
    pub(super) fn write(&self, frame: &mut [u8], table: usize) {
        frame[0..4].copy_from_slice(&MAGIC);
        frame[4] = self.op.to_byte();
        frame[5] = self.flags;
        frame[6..8].copy_from_slice(&self.status.to_number().to_le_bytes());
        frame[8..16].copy_from_slice(&self.request.to_le_bytes());
        frame[16..24].copy_from_slice(&self.space.to_le_bytes());
        frame[24..28].copy_from_slice(&self.generation.to_le_bytes());
        frame[28..30].copy_from_slice(&self.epoch.to_le_bytes());
        frame[30..32].copy_from_slice(&self.count.to_le_bytes());
        frame[32..36].copy_from_slice(&self.task.to_le_bytes());
        frame[36..40].copy_from_slice(&self.seq.to_le_bytes());
        frame[40..44].copy_from_slice(&self.floor.to_le_bytes());
        frame[44..46].copy_from_slice(&self.attempt.to_le_bytes());
        frame[46..48].copy_from_slice(&[0, 0]);
        frame[48..52].copy_from_slice(&(table as u32).to_le_bytes());
        let crc = check(&frame[..HEAD_SIZE + table]);
        frame[52..56].copy_from_slice(&crc.to_le_bytes());
    }

    /// Reads it, and where its table ends.
    ///
    /// # Errors
    /// `bad-request` if this is no bulk message, or not as it was sent.
    pub(super) fn read(frame: &[u8]) -> Result<(Self, usize), Fault> {
        if frame.len() < HEAD_SIZE {
            let text = format!("a bulk message of {} bytes; its head alone has 56", frame.len());
            return Err(Fault::bad_request(text));
        }
        if frame[..4] != MAGIC {
            let text = "this is no bulk message of version 1: it does not begin with EBK and 1";
            return Err(
                Fault::bad_request(text).hint("see docs/bulk.md; another port may be meant")
            );
        }
        let end =
            usize::try_from(number(frame, 48, 4)).ok().and_then(|size| size.checked_add(HEAD_SIZE));
        let end = end.filter(|end| *end <= frame.len());
        let end = end.ok_or_else(|| {
            Fault::bad_request("a bulk message's table ends behind its first frame")
        })?;
        if number(frame, 52, 4) != u64::from(check(&frame[..end])) {
            return Err(Fault::bad_request(
                "a bulk message's head or table is damaged: its CRC is another",
            ));
        }
        let op = Op::from_byte(frame[4]).ok_or_else(|| {
            Fault::bad_request(format!("there is no bulk operation {}", frame[4]))
        })?;
        let status = number(frame, 6, 2) as u16;
        let status = Status::from_number(status)
            .ok_or_else(|| Fault::bad_request(format!("there is no bulk status {status}")))?;
        let head = Self {
            op,
            flags: frame[5],
            status,
            request: number(frame, 8, 8),
            space: number(frame, 16, 8),
            generation: number(frame, 24, 4) as u32,
            epoch: number(frame, 28, 2) as u16,
            count: number(frame, 30, 2) as u16,
            task: number(frame, 32, 4) as u32,
            seq: number(frame, 36, 4) as u32,
            floor: number(frame, 40, 4) as u32,
            attempt: number(frame, 44, 2) as u16,
        };
        Ok((head, end))
    }
}

/// The number of `size` bytes (at most 8) at a place that is there.
fn number(frame: &[u8], at: usize, size: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes[..size].copy_from_slice(&frame[at..at + size]);
    u64::from_le_bytes(bytes)
}

/// What the field `crc` says of a head and its table.
fn check(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..52]), &frame[HEAD_SIZE..])
}
