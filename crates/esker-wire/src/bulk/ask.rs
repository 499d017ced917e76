//! What clients ask of workers, and workers of each other.

use bytes::Bytes;

use crate::bulk::cursor::Cursor;
use crate::bulk::frames::{Reader, Writer};
use crate::bulk::{Codec, Head, ID_MAX, ITEMS_MAX, Label, Op, PART_MAX, Part, is_id};
use crate::fault::Fault;

impl Head {
    /// Items of a `Get` say a range.
    pub const RANGE: u8 = 1;
    /// What attempts have written is told though nobody has said yet which of them counts (`Get`, `Stat`).
    pub const OPEN: u8 = 2;
    /// From another worker: not to be passed on.
    pub const COPY: u8 = 4;
    /// Kept aside for the writer until a `Set` with this flag and no bytes puts it in place of the content.
    pub const STAGED: u8 = 8;
}

/// An id that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The id.
    pub id: Bytes,
}

/// A content, or a range of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// The id.
    pub id: Bytes,
    /// From which byte on.
    pub offset: u64,
    /// How many bytes at most.
    pub length: u64,
}

/// A content, or a part of it, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The id.
    pub id: Bytes,
    /// What is kept; its label is the batch's.
    pub part: Part,
}

/// Items that are written together.
pub type Batch = Vec<Store>;

/// One request: its head, which says where and by whom, and what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The head; `op` and `count` are made from the request when it is written.
    pub head: Head,
    /// What is asked.
    pub request: Request,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Who is there.
    Hello,
    /// Contents.
    Get(Vec<Get>),
    /// To replace contents.
    Set(Batch),
    /// To add to contents: all of them or none, once.
    Append(Batch),
    /// To remove contents.
    Remove(Vec<Key>),
    /// How long contents are.
    Stat(Vec<Key>),
    /// The ids that begin so, in their order, behind one of them, at most so many.
    List {
        /// What they begin with.
        prefix: Bytes,
        /// The last one that is known; may be empty.
        after: Bytes,
        /// How many at most.
        limit: u32,
    },
    /// What a space is like, as text.
    Open(Bytes),
    /// The hashes of ids that are there though nothing was written to them, eight bytes each, rising.
    Share(Bytes),
    /// Nothing is written any more; of each of these tasks this attempt counts.
    Seal(Vec<(u32, u16)>),
    /// To forget the space.
    Drop,
    /// How the worker stands.
    Status,
    /// What the worker knows of the space: what `Open` said last, or nothing.
    About,
    /// Something of the keys that a cluster of one worker agrees on, as JSON.
    Keys(Bytes),
}

impl Ask {
    /// A request with a head of its own.
    pub fn new(request: Request) -> Self {
        Self { head: Head::new(request.op()), request }
    }

    /// Writes it as frames.
    ///
    /// # Panics
    /// If it has more than [`ITEMS_MAX`] items, or an id of more than [`ID_MAX`] bytes.
    pub fn to_frames(&self) -> Vec<Bytes> {
        let (op, count) = (self.request.op(), self.request.count());
        assert!(count <= ITEMS_MAX, "a message has at most {ITEMS_MAX} items");
        let head = Head { op, count: count as u16, ..self.head };
        let mut writer = Writer::new(self.request.room());
        match &self.request {
            Request::Hello | Request::Drop | Request::Status | Request::About => {}
            Request::Get(items) => {
                let with_range = head.flags & Head::RANGE != 0;
                items.iter().for_each(|item| item.write(&mut writer, with_range));
            }
            Request::Remove(keys) | Request::Stat(keys) => {
                for key in keys {
                    write_id(&mut writer, &key.id);
                    writer.field(&key.id);
                }
            }
            Request::Set(items) | Request::Append(items) => {
                items.iter().for_each(|item| item.write(&mut writer));
                items.iter().for_each(|item| writer.content(&item.part.bytes));
            }
            Request::List { prefix, after, limit } => {
                write_id(&mut writer, prefix);
                write_id(&mut writer, after);
                writer.field(&limit.to_le_bytes());
                writer.field(prefix);
                writer.field(after);
            }
            Request::Open(text) | Request::Share(text) | Request::Keys(text) => {
                writer.field(&(text.len() as u32).to_le_bytes());
                writer.content(text);
            }
            Request::Seal(winners) => {
                for (task, attempt) in winners {
                    writer.field(&task.to_le_bytes());
                    writer.field(&attempt.to_le_bytes());
                }
            }
        }
        writer.finish(&head)
    }

    /// Reads it from frames.
    ///
    /// # Errors
    /// `bad-request` for what is not such a message, whatever it is; nothing is allocated for what it only claims.
    pub fn from_frames(frames: &[Bytes]) -> Result<Self, Fault> {
        let mut reader = Reader::new(frames)?;
        let (head, table) = (reader.head, reader.table.clone());
        let mut cursor = Cursor::new(&table);
        let count = usize::from(head.count);
        if count > ITEMS_MAX {
            return Err(Fault::bad_request(format!(
                "a bulk message of {count} items; {ITEMS_MAX} are allowed"
            )));
        }
        let one = |cursor: &mut Cursor<'_>, reader: &mut Reader<'_>| {
            let size = cursor.u32()? as usize;
            reader.content(size)
        };
        let request = match head.op {
            Op::Hello => Request::Hello,
            Op::Drop => Request::Drop,
            Op::Status => Request::Status,
            Op::About => Request::About,
            Op::Get => {
                let with_range = head.flags & Head::RANGE != 0;
                let item = |_| Get::read(&mut cursor, &table, with_range);
                Request::Get((0..count).map(item).collect::<Result<_, _>>()?)
            }
            Op::Remove => Request::Remove(read_keys(&mut cursor, &table, count)?),
            Op::Stat => Request::Stat(read_keys(&mut cursor, &table, count)?),
            Op::Set => Request::Set(read_batch(&mut cursor, &mut reader, &table)?),
            Op::Append => Request::Append(read_batch(&mut cursor, &mut reader, &table)?),
            Op::List => read_list(&mut cursor, &table)?,
            Op::Open => Request::Open(one(&mut cursor, &mut reader)?),
            Op::Keys => Request::Keys(one(&mut cursor, &mut reader)?),
            Op::Share => {
                let hashes = one(&mut cursor, &mut reader)?;
                if hashes.len() % 8 != 0 {
                    return Err(Fault::bad_request("hashes of ids have eight bytes each"));
                }
                Request::Share(hashes)
            }
            Op::Seal => {
                let mut winner = |_| Ok::<_, Fault>((cursor.u32()?, cursor.u16()?));
                Request::Seal((0..count).map(&mut winner).collect::<Result<_, _>>()?)
            }
        };
        cursor.end()?;
        reader.end()?;
        Ok(Self { head, request })
    }
}

impl Request {
    /// The operation.
    pub fn op(&self) -> Op {
        match self {
            Self::Hello => Op::Hello,
            Self::Get(_) => Op::Get,
            Self::Set(_) => Op::Set,
            Self::Append(_) => Op::Append,
            Self::Remove(_) => Op::Remove,
            Self::Stat(_) => Op::Stat,
            Self::List { .. } => Op::List,
            Self::Open(_) => Op::Open,
            Self::Share(_) => Op::Share,
            Self::Seal(_) => Op::Seal,
            Self::Drop => Op::Drop,
            Self::Status => Op::Status,
            Self::About => Op::About,
            Self::Keys(_) => Op::Keys,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Get(items) => items.len(),
            Self::Set(items) | Self::Append(items) => items.len(),
            Self::Remove(keys) | Self::Stat(keys) => keys.len(),
            Self::Seal(winners) => winners.len(),
            Self::Hello | Self::List { .. } | Self::Drop | Self::Status | Self::About => 0,
            Self::Open(_) | Self::Share(_) | Self::Keys(_) => 1,
        }
    }

    /// How many bytes its first frame is likely to have.
    fn room(&self) -> usize {
        match self {
            Self::Get(items) => items.iter().map(|item| item.id.len() + 18).sum(),
            Self::Remove(keys) | Self::Stat(keys) => keys.iter().map(|key| key.id.len() + 2).sum(),
            Self::Set(items) | Self::Append(items) => {
                let content = |item: &Store| item.part.bytes.len().min(256);
                items.iter().map(|item| item.id.len() + 16 + content(item)).sum()
            }
            _ => 64,
        }
    }
}

impl Get {
    /// All of a content.
    pub fn whole(id: impl Into<Bytes>) -> Self {
        Self { id: id.into(), offset: 0, length: u64::MAX }
    }

    fn write(&self, writer: &mut Writer, with_range: bool) {
        write_id(writer, &self.id);
        if with_range {
            writer.field(&self.offset.to_le_bytes());
            writer.field(&self.length.to_le_bytes());
        }
        writer.field(&self.id);
    }

    fn read(cursor: &mut Cursor<'_>, table: &Bytes, with_range: bool) -> Result<Self, Fault> {
        let size = cursor.u16()?;
        let (offset, length) =
            if with_range { (cursor.u64()?, cursor.u64()?) } else { (0, u64::MAX) };
        let id = read_id(cursor, table, size)?;
        Ok(Self { id, offset, length })
    }
}

impl Store {
    fn write(&self, writer: &mut Writer) {
        let Part { bytes, codec, raw, crc, .. } = &self.part;
        write_id(writer, &self.id);
        writer.field(&[codec.to_byte(), 0]);
        writer.field(&raw.to_le_bytes());
        writer.field(&(bytes.len() as u32).to_le_bytes());
        writer.field(&crc.to_le_bytes());
        writer.field(&self.id);
    }
}

fn write_id(writer: &mut Writer, id: &[u8]) {
    assert!(id.len() <= ID_MAX, "an id has at most {ID_MAX} bytes");
    writer.field(&(id.len() as u16).to_le_bytes());
}

fn read_id(cursor: &mut Cursor<'_>, table: &Bytes, size: u16) -> Result<Bytes, Fault> {
    let id = cursor.bytes(usize::from(size))?;
    if !is_id(id) {
        let shown = String::from_utf8_lossy(&id[..id.len().min(40)]).into_owned();
        let text = format!("{shown:?} is no id");
        let hint = format!("an id has 1 to {ID_MAX} bytes of UTF-8 without control characters");
        return Err(Fault::bad_request(text).hint(hint));
    }
    Ok(table.slice_ref(id))
}

fn read_keys(cursor: &mut Cursor<'_>, table: &Bytes, count: usize) -> Result<Vec<Key>, Fault> {
    let key = |_| {
        let size = cursor.u16()?;
        Ok(Key { id: read_id(cursor, table, size)? })
    };
    (0..count).map(key).collect()
}

fn read_batch(
    cursor: &mut Cursor<'_>,
    reader: &mut Reader<'_>,
    table: &Bytes,
) -> Result<Batch, Fault> {
    let head = reader.head;
    let label = Label { task: head.task, attempt: head.attempt, seq: head.seq };
    let mut sizes = Vec::new();
    let mut batch = Vec::new();
    for _ in 0..head.count {
        let size = cursor.u16()?;
        let (codec, zero) = (cursor.u8()?, cursor.u8()?);
        let codec = Codec::from_byte(codec).filter(|_| zero == 0);
        let codec = codec
            .ok_or_else(|| Fault::bad_request("a part is compressed in no way that is known"))?;
        let (raw, stored, crc) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        check_sizes(codec, raw, stored)?;
        sizes.push(stored as usize);
        let id = read_id(cursor, table, size)?;
        let part = Part { bytes: Bytes::new(), codec, raw, crc, label };
        batch.push(Store { id, part });
    }
    for (item, size) in batch.iter_mut().zip(sizes) {
        item.part.bytes = reader.content(size)?;
    }
    Ok(batch)
}

/// # Errors
/// `bad-request` if a part cannot have these sizes.
pub(super) fn check_sizes(codec: Codec, raw: u32, stored: u32) -> Result<(), Fault> {
    let is_possible = match codec {
        Codec::Plain => raw == stored,
        // What compression does not make smaller is sent as it is.
        Codec::Lz4 => stored < raw,
    };
    if raw as usize > PART_MAX || !is_possible {
        let text = format!("a part of {raw} bytes cannot be sent as {stored}");
        return Err(Fault::bad_request(text).hint(format!("a part has at most {PART_MAX} bytes")));
    }
    Ok(())
}

fn read_list(cursor: &mut Cursor<'_>, table: &Bytes) -> Result<Request, Fault> {
    let (prefix, after, limit) = (cursor.u16()?, cursor.u16()?, cursor.u32()?);
    let mut text = |size: u16| match size {
        0 => Ok(Bytes::new()),
        size => read_id(cursor, table, size),
    };
    let (prefix, after) = (text(prefix)?, text(after)?);
    Ok(Request::List { prefix, after, limit })
}
