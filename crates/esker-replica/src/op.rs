//! Operations: how a model changes, and their form in bytes.

use std::ops::Range;

use crate::bytes::{Malformed, Reader};
use crate::path::{self, KEY_MAX, Key, PATH_MAX, Path};
use crate::value::Value;

/// The most operations in a frame.
pub const OPS_MAX: usize = 65_536;

/// The most keys in all paths of a frame: those that paths share take bytes once, and memory each time.
pub const KEYS_MAX: usize = 2_000_000;

/// The least bytes of an operation: its kind, and how many keys its path has and shares.
const OP_MIN: usize = 3;

/// What is done to a node. Every one makes sense in any state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It becomes this leaf, whatever it was.
    Set(Value),
    /// It is taken away with all below it.
    Delete,
    /// It becomes a dict: nothing if it is one, an empty one otherwise.
    Dict,
    /// It becomes an empty dict, whatever it was.
    Clear,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The node.
    pub path: Path,
    /// What is done to it.
    pub act: Act,
}

impl Op {
    /// The node becomes this leaf.
    pub fn set(path: Path, value: impl Into<Value>) -> Self {
        Self { path, act: Act::Set(value.into()) }
    }

    /// The node is taken away.
    pub fn delete(path: Path) -> Self {
        Self { path, act: Act::Delete }
    }
}

impl Op {
    /// About how many bytes it takes at most.
    pub(crate) fn size(&self) -> usize {
        let keys: usize = self.path.iter().map(|key| key.len() + 2).sum();
        let value = match &self.act {
            Act::Set(value) => value.size(),
            _ => 0,
        };
        keys + value + 5
    }
}

mod kind {
    pub(super) const SET: u8 = 1;
    pub(super) const DELETE: u8 = 2;
    pub(super) const DICT: u8 = 3;
    pub(super) const CLEAR: u8 = 4;
}

/// Writes operations one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    count: usize,
    keys: usize,
    before: Path,
}

impl Writer {
    /// With room for so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    pub(crate) fn push(&mut self, path: &[Key], act: &Act) {
        match act {
            Act::Set(value) => self.push_leaf(path, value),
            Act::Delete => self.push_path(kind::DELETE, path),
            Act::Dict => self.push_path(kind::DICT, path),
            Act::Clear => self.push_path(kind::CLEAR, path),
        }
    }

    /// Says that there is this leaf.
    pub(crate) fn push_leaf(&mut self, path: &[Key], value: &Value) {
        self.push_path(kind::SET, path);
        value.encode(&mut self.bytes);
    }

    /// As [`Writer::push_leaf`], of a leaf that is in the same dict as the one before.
    pub(crate) fn push_beside(&mut self, path: &[Key], value: &Value) {
        let (Some(before), Some((key, dict))) = (self.before.last_mut(), path.split_last()) else {
            return self.push_leaf(path, value);
        };
        self.bytes.push(kind::SET);
        path::encode_shared(dict.len(), path, &mut self.bytes);
        before.clone_from(key);
        self.count += 1;
        self.keys += path.len();
        value.encode(&mut self.bytes);
    }

    fn push_path(&mut self, kind: u8, path: &[Key]) {
        self.bytes.push(kind);
        let shared = self.before.iter().zip(path).take_while(|(a, b)| a == b).count();
        path::encode_shared(shared, path, &mut self.bytes);
        self.before.truncate(shared);
        self.before.extend_from_slice(&path[shared..]);
        self.count += 1;
        self.keys += path.len();
    }

    /// Whether there is no room for an operation with a path of so many keys.
    pub(crate) fn is_full(&self, keys: usize) -> bool {
        self.count == OPS_MAX || self.keys + keys > KEYS_MAX
    }

    /// How many operations were written.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The path of the last one.
    pub(crate) fn last(&self) -> &[Key] {
        &self.before
    }

    /// How many bytes they take.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// A leaf of the same dict as the one before, as it is told.
#[derive(Debug)]
pub(crate) struct Sibling<'a> {
    pub(crate) key: &'a [u8],
    /// The value's encoding.
    pub(crate) value: &'a [u8],
}

/// Reads operations one after the other.
#[derive(Debug)]
pub(crate) struct Ops<'a> {
    reader: Reader<'a>,
    path: Path,
    /// Where the last one begins.
    begin: usize,
    shared: usize,
    key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Ops<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let reader = Reader::new(body);
        Self { reader, path: Path::new(), begin: 0, shared: 0, key: &[], value: &[] }
    }

    /// The path of the last one that was read.
    pub(crate) fn path(&self) -> &[Key] {
        &self.path
    }

    /// How many keys that path has in common with the one before it, as it was told.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// The last key of that path; nothing if that was not told again.
    pub(crate) fn key(&self) -> Option<&'a [u8]> {
        (self.shared < self.path.len()).then_some(self.key)
    }

    /// The encoding of the leaf that was read last.
    pub(crate) fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Where the one that was read last is.
    pub(crate) fn at(&self) -> Range<usize> {
        self.begin..self.reader.at()
    }

    pub(crate) fn wrong(&self, what: &'static str) -> Malformed {
        self.reader.wrong(what)
    }

    /// The next one; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(&[Key], Act)>, Malformed> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        self.begin = self.reader.at();
        let kind = self.reader.byte()?;
        if !(kind::SET..=kind::CLEAR).contains(&kind) {
            return Err(self.reader.wrong("there is no such operation"));
        }
        self.shared = path::decode_after(&mut self.path, &mut self.reader)?;
        self.key = self.reader.taken(self.path.last().map_or(0, |key| key.len()));
        if self.path.is_empty() && matches!(kind, kind::SET | kind::DELETE) {
            return Err(self.reader.wrong("the model itself is no leaf and stays"));
        }
        let act = match kind {
            kind::SET => {
                let before = self.reader.rest();
                let value = Value::decode(&mut self.reader)?;
                self.value = &before[..before.len() - self.reader.left()];
                Act::Set(value)
            }
            kind::DELETE => Act::Delete,
            kind::DICT => Act::Dict,
            _ => Act::Clear,
        };
        Ok(Some((&self.path, act)))
    }

    /// The next one, if it sets a leaf in the dict of so many keys that has the one before; most of a copy are of this kind, and nothing
    /// need be made of them. The path is that of the dict then.
    pub(crate) fn sibling(&mut self, depth: usize) -> Result<Option<Sibling<'a>>, Malformed> {
        let [kind::SET, shared, 1, ..] = self.reader.rest() else { return Ok(None) };
        if usize::from(*shared) != depth || depth >= SHALLOW {
            return Ok(None);
        }
        self.path.truncate(depth);
        self.begin = self.reader.at();
        self.reader.take(3)?;
        let key = path::skip_key(&mut self.reader)?;
        Ok(Some(Sibling { key, value: Value::skip(&mut self.reader)? }))
    }
}

/// A path of so few keys is never too long, and their number takes a byte.
const SHALLOW: usize = PATH_MAX / KEY_MAX;

/// Reads them all.
///
/// # Errors
/// The first that cannot be read; more than [`OPS_MAX`], or [`KEYS_MAX`] in all.
pub(crate) fn decode(body: &[u8]) -> Result<Vec<Op>, Malformed> {
    decode_told(body, 0)
}

/// As [`decode`], of which there are said to be so many.
pub(crate) fn decode_told(body: &[u8], count: usize) -> Result<Vec<Op>, Malformed> {
    // Each takes some bytes, however many are announced.
    let mut all = Vec::with_capacity(count.min(OPS_MAX).min(body.len() / OP_MIN));
    let mut ops = Ops::new(body);
    let mut keys = 0;
    while let Some((path, act)) = ops.next()? {
        keys += path.len();
        if keys > KEYS_MAX {
            return Err(Malformed { what: "the paths have too many keys", at: body.len() });
        }
        if all.len() == OPS_MAX {
            return Err(Malformed { what: "there are too many operations", at: body.len() });
        }
        all.push(Op { path: path.to_vec(), act });
    }
    Ok(all)
}

/// Reads the last key and the leaf of an operation that sets one.
pub(crate) fn leaf(reader: &mut Reader<'_>) -> Result<(Key, Value), Malformed> {
    reader.byte()?;
    reader.varint()?;
    let mut key = "";
    for _ in 0..reader.count()? {
        key = reader.text()?;
    }
    Ok((Key::new(key), Value::decode(reader)?))
}

/// Writes them all.
pub fn encode(ops: &[Op]) -> Vec<u8> {
    let mut writer = Writer::default();
    for op in ops {
        writer.push(&op.path, &op.act);
    }
    writer.finish()
}

#[cfg(test)]
mod tests;
