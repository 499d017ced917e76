//! What workers answer.

use bytes::Bytes;

use crate::bulk::ask::check_sizes;
use crate::bulk::cursor::Cursor;
use crate::bulk::frames::{Reader, Writer};
use crate::bulk::{Codec, Head, ITEMS_MAX, Label, Op, Part, Status};
use crate::fault::{Code, Fault};

/// The longest text of a refusal, in bytes.
const TEXT_MAX: usize = 16 * 1024;

/// What became of one item that was written, removed or looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// How it ended.
    pub status: Status,
    /// How many bytes the content has now, when it is read.
    pub length: u64,
}

/// One content that was asked for, or as much of it as there was room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// How many bytes the content has, when it is read.
    pub length: u64,
    /// At which byte of it the first part begins: at or before the first that was asked for.
    pub offset: u64,
    /// Another number whenever the content was replaced; adding to it leaves the number as it is.
    pub stamp: u64,
    /// The parts, one after the other.
    pub parts: Vec<Part>,
}

/// What was found of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Value(Value),
    /// It is not, or not now.
    Not(Status),
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing of what was asked was done.
    Refused(Status, Fault),
    /// One for each item of a `Set`, `Append`, `Remove` or `Stat`.
    Stored(Vec<Stored>),
    /// One for each item of a `Get`.
    Found(Vec<Found>),
    /// The ids of a `List`, and how long their contents are.
    Ids(Vec<(Bytes, u64)>),
    /// JSON (`Hello`, `Status`, `Keys`), or nothing (`Open`, `Share`, `Seal`, `Drop`).
    Text(Bytes),
}

impl Reply {
    /// Writes the answer to the request with this head.
    pub fn to_frames(&self, asked: &Head) -> Vec<Bytes> {
        let mut writer = Writer::new(256);
        let mut head = asked.reply(Status::Done);
        match self {
            Self::Refused(status, fault) => {
                head.status = *status;
                head.count = 0;
                let mut text = format!("{}\n{}", fault.message, fault.hint);
                text.truncate(text.floor_char_boundary(TEXT_MAX));
                writer.field(&(text.len() as u32).to_le_bytes());
                writer.content(&Bytes::from(text));
            }
            Self::Stored(items) => {
                head.count = items.len() as u16;
                for Stored { status, length } in items {
                    writer.field(&status.to_number().to_le_bytes());
                    writer.field(&[0; 6]);
                    writer.field(&length.to_le_bytes());
                }
            }
            Self::Found(items) => {
                head.count = items.len() as u16;
                items.iter().for_each(|item| item.write(&mut writer));
                let values = items.iter().filter_map(|item| match item {
                    Found::Value(value) => Some(value),
                    Found::Not(_) => None,
                });
                values.flat_map(|value| &value.parts).for_each(|part| writer.content(&part.bytes));
            }
            Self::Ids(ids) => {
                head.count = ids.len() as u16;
                for (id, length) in ids {
                    writer.field(&(id.len() as u16).to_le_bytes());
                    writer.field(&length.to_le_bytes());
                    writer.field(id);
                }
            }
            Self::Text(text) => {
                head.count = 0;
                writer.field(&(text.len() as u32).to_le_bytes());
                writer.content(text);
            }
        }
        writer.finish(&head)
    }

    /// Reads an answer, and the head it came with.
    ///
    /// # Errors
    /// `internal` if it cannot be read.
    pub fn from_frames(frames: &[Bytes]) -> Result<(Head, Self), Fault> {
        Self::read(frames).map_err(|fault| {
            Fault::new(
                Code::Internal,
                format!("a worker's answer cannot be read: {}", fault.message),
            )
        })
    }

    fn read(frames: &[Bytes]) -> Result<(Head, Self), Fault> {
        let mut reader = Reader::new(frames)?;
        let (head, table) = (reader.head, reader.table.clone());
        let mut cursor = Cursor::new(&table);
        let count = usize::from(head.count);
        if count > ITEMS_MAX {
            return Err(Fault::bad_request(format!("it has {count} items")));
        }
        let reply = match (head.status, head.op) {
            (Status::Done, Op::Set | Op::Append | Op::Remove | Op::Stat) => {
                let item = |_| read_stored(&mut cursor);
                Self::Stored((0..count).map(item).collect::<Result<_, Fault>>()?)
            }
            (Status::Done, Op::Get) => Self::Found(read_found(&mut cursor, &mut reader, count)?),
            (Status::Done, Op::List) => {
                let item = |_| {
                    let (size, length) = (cursor.u16()?, cursor.u64()?);
                    let id = cursor.bytes(usize::from(size))?;
                    Ok((table.slice_ref(id), length))
                };
                Self::Ids((0..count).map(item).collect::<Result<_, Fault>>()?)
            }
            (Status::Done, _) => {
                let size = cursor.u32()? as usize;
                Self::Text(reader.content(size)?)
            }
            (status, _) => {
                let size = cursor.u32()? as usize;
                let text = reader.content(size)?;
                let text = String::from_utf8_lossy(&text);
                let (message, hint) = text.split_once('\n').unwrap_or((&text, ""));
                Self::Refused(status, Fault::new(status.code(), message).hint(hint))
            }
        };
        cursor.end()?;
        reader.end()?;
        Ok((head, reply))
    }
}

impl Found {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Not(status) => {
                writer.field(&status.to_number().to_le_bytes());
                writer.field(&[0; 30]);
            }
            Self::Value(Value { length, offset, stamp, parts }) => {
                writer.field(&Status::Done.to_number().to_le_bytes());
                writer.field(&[0; 2]);
                writer.field(&(parts.len() as u32).to_le_bytes());
                writer.field(&offset.to_le_bytes());
                writer.field(&length.to_le_bytes());
                writer.field(&stamp.to_le_bytes());
                for Part { bytes, codec, raw, crc, label } in parts {
                    writer.field(&raw.to_le_bytes());
                    writer.field(&(bytes.len() as u32).to_le_bytes());
                    writer.field(&crc.to_le_bytes());
                    writer.field(&[codec.to_byte(), 0]);
                    writer.field(&label.attempt.to_le_bytes());
                    writer.field(&label.task.to_le_bytes());
                    writer.field(&label.seq.to_le_bytes());
                }
            }
        }
    }
}

fn status(number: u16) -> Result<Status, Fault> {
    Status::from_number(number)
        .ok_or_else(|| Fault::bad_request(format!("there is no bulk status {number}")))
}

fn read_stored(cursor: &mut Cursor<'_>) -> Result<Stored, Fault> {
    let status = status(cursor.u16()?)?;
    cursor.bytes(6)?;
    Ok(Stored { status, length: cursor.u64()? })
}

fn read_found(
    cursor: &mut Cursor<'_>,
    reader: &mut Reader<'_>,
    count: usize,
) -> Result<Vec<Found>, Fault> {
    let mut items = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..count {
        let status = status(cursor.u16()?)?;
        cursor.bytes(2)?;
        let (parts, offset) = (cursor.u32()?, cursor.u64()?);
        let (length, stamp) = (cursor.u64()?, cursor.u64()?);
        if status != Status::Done {
            items.push(Found::Not(status));
            continue;
        }
        let mut value = Value { length, offset, stamp, parts: Vec::new() };
        for _ in 0..parts {
            let (raw, stored, crc) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            let codec = Codec::from_byte(cursor.u8()?);
            let codec =
                codec.ok_or_else(|| Fault::bad_request("it is compressed in no known way"))?;
            cursor.u8()?;
            check_sizes(codec, raw, stored)?;
            let (attempt, task, seq) = (cursor.u16()?, cursor.u32()?, cursor.u32()?);
            let label = Label { task, attempt, seq };
            value.parts.push(Part { bytes: Bytes::new(), codec, raw, crc, label });
            sizes.push(stored as usize);
        }
        items.push(Found::Value(value));
    }
    let values = items.iter_mut().filter_map(|item| match item {
        Found::Value(value) => Some(value),
        Found::Not(_) => None,
    });
    for (part, size) in values.flat_map(|value| &mut value.parts).zip(sizes) {
        part.bytes = reader.content(size)?;
    }
    Ok(items)
}
