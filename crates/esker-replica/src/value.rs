//! Leaves: what a model holds at its ends, and their one encoding.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::bytes::{Malformed, Reader, put_bytes, put_varint};

/// The most bytes a leaf takes.
pub const VALUE_MAX: usize = 16 * 1024 * 1024 - 128 * 1024;

/// The most lists and records within one another.
pub const LISTS_MAX: usize = 64;

/// The most values in the lists and records of a leaf.
pub const VALUES_MAX: usize = 1_000_000;

/// A leaf. Equal leaves have equal encodings, and no others do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// Nothing, as a value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer below 2^63.
    Integer(i64),
    /// An integer from 2^63 on.
    Large(Large),
    /// A number with a fraction, or one that is not an integer's: `1.0` is not `1`.
    Float(Float),
    /// A text.
    Text(SmolStr),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list, replaced as a whole.
    List(Arc<[Value]>),
    /// Named values, replaced as a whole: what lists of things have in them.
    Record(Record),
}

/// Values by name, in order of the names' bytes, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Arc<[(SmolStr, Value)]>);

impl Record {
    /// A record of these; of several values of one name, the last.
    pub fn new(values: impl IntoIterator<Item = (SmolStr, Value)>) -> Self {
        let values: std::collections::BTreeMap<SmolStr, Value> = values.into_iter().collect();
        Self(values.into_iter().collect())
    }

    /// The values by name, in order.
    pub fn values(&self) -> &[(SmolStr, Value)] {
        &self.0
    }
}

/// An integer from 2^63 to 2^64 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Large(u64);

impl Large {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// 64 bits of IEEE 754, with one NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Float(u64);

/// The one NaN.
const NAN: u64 = 0x7ff8_0000_0000_0000;

impl Float {
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Large(Large(number)), Self::Integer)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(Float(if number.is_nan() { NAN } else { number.to_bits() }))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

const TOO_LARGE: &str = "a leaf is too large";

mod kind {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INTEGER: u8 = 3;
    pub(super) const LARGE: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const BYTES: u8 = 7;
    pub(super) const LIST: u8 = 8;
    pub(super) const RECORD: u8 = 9;
}

impl Value {
    /// Appends the encoding.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(kind::NULL),
            Self::Bool(false) => out.push(kind::FALSE),
            Self::Bool(true) => out.push(kind::TRUE),
            Self::Integer(number) => {
                out.push(kind::INTEGER);
                put_varint(out, zigzag(*number));
            }
            Self::Large(number) => {
                out.push(kind::LARGE);
                put_varint(out, number.0);
            }
            Self::Float(number) => {
                out.push(kind::FLOAT);
                out.extend_from_slice(&number.0.to_le_bytes());
            }
            Self::Text(text) => {
                out.push(kind::TEXT);
                put_bytes(out, text.as_bytes());
            }
            Self::Bytes(bytes) => {
                out.push(kind::BYTES);
                put_bytes(out, bytes);
            }
            Self::List(values) => {
                out.push(kind::LIST);
                put_varint(out, values.len() as u64);
                for value in values.iter() {
                    value.encode(out);
                }
            }
            Self::Record(record) => {
                out.push(kind::RECORD);
                put_varint(out, record.0.len() as u64);
                for (name, value) in record.0.iter() {
                    put_bytes(out, name.as_bytes());
                    value.encode(out);
                }
            }
        }
    }

    /// Reads one encoding.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let before = reader.left();
        reader.allow(VALUES_MAX);
        let value = Self::nested(reader, 0)?;
        if before - reader.left() > VALUE_MAX {
            return Err(reader.wrong(TOO_LARGE));
        }
        Ok(value)
    }

    /// Reads one as [`Value::decode`] does; its encoding.
    pub(crate) fn skip<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
        let rest = reader.rest();
        // Most leaves are texts, and nothing has to be made of them to read them.
        if rest.first() == Some(&kind::TEXT) {
            reader.byte()?;
            reader.skip_text()?;
        } else {
            Self::decode(reader)?;
        }
        let value = &rest[..rest.len() - reader.left()];
        if value.len() > VALUE_MAX { Err(reader.wrong(TOO_LARGE)) } else { Ok(value) }
    }

    fn nested(reader: &mut Reader<'_>, lists: usize) -> Result<Self, Malformed> {
        Ok(match reader.byte()? {
            kind::NULL => Self::Null,
            kind::FALSE => Self::Bool(false),
            kind::TRUE => Self::Bool(true),
            kind::INTEGER => Self::Integer(unzigzag(reader.varint()?)),
            kind::LARGE => match Self::from(reader.varint()?) {
                Self::Integer(_) => return Err(reader.wrong("an integer is not in its own form")),
                large => large,
            },
            kind::FLOAT => {
                let float = Float(u64::from_le_bytes(reader.array()?));
                if float.get().is_nan() && float.0 != NAN {
                    return Err(reader.wrong("a NaN is not the one there is"));
                }
                Self::Float(float)
            }
            kind::TEXT => Self::Text(reader.text()?.into()),
            kind::BYTES => Self::Bytes(reader.bytes()?.into()),
            kind::LIST | kind::RECORD if lists == LISTS_MAX => {
                return Err(reader.wrong("lists are too deep in lists"));
            }
            kind::RECORD => Self::Record(Self::record(reader, lists + 1)?),
            kind::LIST => {
                let count = reader.values()?;
                // Grown as values come: a count is only a claim.
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(Self::nested(reader, lists + 1)?);
                }
                Self::List(values.into())
            }
            _ => return Err(reader.wrong("there is no such kind of leaf")),
        })
    }

    fn record(reader: &mut Reader<'_>, lists: usize) -> Result<Record, Malformed> {
        let count = reader.values()?;
        let mut values: Vec<(SmolStr, Self)> = Vec::new();
        for _ in 0..count {
            let name = SmolStr::new(reader.text()?);
            if values.last().is_some_and(|(last, _)| *last >= name) {
                return Err(reader.wrong("the names of a record are not in order"));
            }
            values.push((name, Self::nested(reader, lists)?));
        }
        Ok(Record(values.into()))
    }

    /// How many bytes the encoding has.
    pub(crate) fn size(&self) -> usize {
        1 + match self {
            Self::Null | Self::Bool(_) => 0,
            Self::Integer(number) => varint_size(zigzag(*number)),
            Self::Large(number) => varint_size(number.0),
            Self::Float(_) => 8,
            Self::Text(text) => varint_size(text.len() as u64) + text.len(),
            Self::Bytes(bytes) => varint_size(bytes.len() as u64) + bytes.len(),
            Self::List(values) => {
                varint_size(values.len() as u64) + values.iter().map(Self::size).sum::<usize>()
            }
            Self::Record(record) => {
                let one = |(name, value): &(SmolStr, Self)| {
                    varint_size(name.len() as u64) + name.len() + value.size()
                };
                varint_size(record.0.len() as u64) + record.0.iter().map(one).sum::<usize>()
            }
        }
    }

    /// How many lists and records are within one another.
    pub(crate) fn lists(&self) -> usize {
        match self {
            Self::List(values) => 1 + values.iter().map(Self::lists).max().unwrap_or(0),
            Self::Record(record) => {
                1 + record.0.iter().map(|(_, value)| value.lists()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// How many values there are in its lists and records.
    pub(crate) fn values(&self) -> usize {
        match self {
            Self::List(values) => values.len() + values.iter().map(Self::values).sum::<usize>(),
            Self::Record(record) => {
                record.0.len() + record.0.iter().map(|(_, value)| value.values()).sum::<usize>()
            }
            _ => 0,
        }
    }
}

fn varint_size(value: u64) -> usize {
    let bits = 64 - value.leading_zeros().min(63);
    bits.div_ceil(7) as usize
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests;
