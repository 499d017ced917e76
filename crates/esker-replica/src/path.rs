//! Paths: lists of keys, their limits, and their forms in bytes, in heads of messages and in topics.

use std::fmt::Write as _;

use smol_str::SmolStr;

use crate::bytes::{Malformed, Reader, put_bytes, put_varint};
use crate::digest;

/// The most keys in a path.
pub const DEPTH_MAX: usize = 512;

/// The most bytes in a key.
pub const KEY_MAX: usize = 1024;

/// The most bytes in all keys of a path.
pub const PATH_MAX: usize = 65_536;

/// A key of more bytes than this is told in a topic by its hash.
const TOPIC_KEY_MAX: usize = 200;

/// A key of a dict. Short ones need no memory of their own.
pub type Key = SmolStr;

/// Where a node is: the keys from the root on.
pub type Path = Vec<Key>;

/// A path of these keys.
pub fn path<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Path {
    keys.into_iter().map(|key| Key::new(key.as_ref())).collect()
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// More than [`DEPTH_MAX`] keys.
    #[error("a path has {0} keys, {DEPTH_MAX} are allowed")]
    Depth(usize),
    /// More than [`KEY_MAX`] bytes in one key.
    #[error("a key has {0} bytes, {KEY_MAX} are allowed")]
    Key(usize),
    /// More than [`PATH_MAX`] bytes in all.
    #[error("the keys of a path have {0} bytes, {PATH_MAX} are allowed")]
    Path(usize),
}

/// Holds a path against the limits.
///
/// # Errors
/// What is too long, and how long it is.
pub fn check(path: &[Key]) -> Result<(), TooLong> {
    if path.len() > DEPTH_MAX {
        return Err(TooLong::Depth(path.len()));
    }
    let mut bytes = 0;
    for key in path {
        if key.len() > KEY_MAX {
            return Err(TooLong::Key(key.len()));
        }
        bytes += key.len();
    }
    if bytes > PATH_MAX { Err(TooLong::Path(bytes)) } else { Ok(()) }
}

/// Appends a count and the keys.
pub(crate) fn encode(path: &[Key], out: &mut Vec<u8>) {
    put_varint(out, path.len() as u64);
    for key in path {
        put_bytes(out, key.as_bytes());
    }
}

/// Appends what differs from the path before, of which it has the first so many keys.
pub(crate) fn encode_shared(shared: usize, path: &[Key], out: &mut Vec<u8>) {
    put_varint(out, shared as u64);
    encode(&path[shared..], out);
}

/// Reads a path over the one before it, and holds it against the limits; how many keys they are said to share.
pub(crate) fn decode_after(path: &mut Path, reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    let shared = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if shared > path.len() {
        return Err(reader.wrong("a path shares more keys than there were"));
    }
    path.truncate(shared);
    let more = reader.count()?;
    if shared + more > DEPTH_MAX {
        return Err(reader.wrong("a path has too many keys"));
    }
    for _ in 0..more {
        let key = reader.text()?;
        is_key(key.as_bytes(), reader)?;
        path.push(Key::new(key));
    }
    // Few paths come near: counting is for those that may.
    if path.len() * KEY_MAX > PATH_MAX && path.iter().map(|key| key.len()).sum::<usize>() > PATH_MAX
    {
        return Err(reader.wrong("the keys of a path are too long together"));
    }
    Ok(shared)
}

/// Reads the bytes of a key.
pub(crate) fn skip_key<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let key = reader.skip_text()?;
    is_key(key, reader)?;
    Ok(key)
}

fn is_key(key: &[u8], reader: &Reader<'_>) -> Result<(), Malformed> {
    if key.len() > KEY_MAX { Err(reader.wrong("a key is too long")) } else { Ok(()) }
}

/// As a JSON array of texts on one line.
pub fn to_json(path: &[Key]) -> String {
    serde_json::Value::Array(
        path.iter().map(|key| serde_json::Value::String(key.to_string())).collect(),
    )
    .to_string()
}

/// Reads a JSON array of texts.
///
/// # Errors
/// What is wrong with it.
pub fn from_json(text: &str) -> Result<Path, String> {
    let keys: Vec<String> = serde_json::from_str(text)
        .map_err(|error| format!("a path is a JSON array of texts: {error}"))?;
    let path: Path = keys.iter().map(Key::new).collect();
    check(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// What every topic of a model begins with.
pub fn topics(model: &str) -> Vec<u8> {
    [b"esker-sync/1 ", model.as_bytes(), &[0]].concat()
}

/// The topic of a section's frames; of the empty path, that of heartbeats of the whole model.
pub fn topic(model: &str, section: &[Key]) -> Vec<u8> {
    let mut topic = topics(model);
    if section.is_empty() {
        topic.push(0);
    }
    for key in section {
        put_topic_key(&mut topic, key);
        topic.push(0);
    }
    topic
}

fn put_topic_key(topic: &mut Vec<u8>, key: &Key) {
    if key.is_empty() {
        topic.extend([1, 3]);
    } else if key.len() > TOPIC_KEY_MAX {
        topic.extend([1, 4]);
        let hash = digest::of_dict(std::slice::from_ref(key));
        let mut text = String::with_capacity(32);
        // Writing to a string cannot fail.
        write!(text, "{hash}").expect("a text");
        topic.extend(text.as_bytes());
    } else {
        for &byte in key.as_bytes() {
            match byte {
                0 => topic.extend([1, 1]),
                1 => topic.extend([1, 2]),
                byte => topic.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests;
