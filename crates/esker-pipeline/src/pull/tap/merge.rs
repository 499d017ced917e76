//! A stream as it was, and what a tap says of it, make the stream as it is.

use std::collections::BTreeMap;

use super::super::singer::{Deed, Key, Row, Stream};
use super::Known;

/// What is known of a stream besides what it was.
pub(super) struct How<'a> {
    pub(super) known: Option<&'a Known>,
    /// Whether it comes whole.
    pub(super) replace: bool,
}

/// A record, and the version it is of if this run has brought it.
struct Held {
    line: String,
    /// None if it was there before.
    version: Option<Option<i64>>,
}

/// The stream as lines, and what is to be remembered of it.
pub(super) fn merge(
    stream: &Stream,
    before: Option<&[u8]>,
    how: &How<'_>,
) -> Result<(String, Known), String> {
    let known = how.known.cloned().unwrap_or_default();
    let mut active = known.version;
    let mut next = known.next;
    if how.replace && stream.keys.is_empty() {
        return Ok((in_order(stream), Known::default()));
    }
    let mut held = match before {
        Some(before) if !how.replace => rows(before, &stream.keys)?,
        _ => BTreeMap::new(),
    };
    for deed in &stream.deeds {
        match deed {
            Deed::Keep { row, version } => {
                if version.is_some() && *version != active {
                    next = *version;
                }
                let line = row.line.clone();
                held.insert(row.key.clone(), Held { line, version: Some(*version) });
            }
            Deed::Remove(key) => {
                held.remove(key);
            }
            Deed::Activate(version) => {
                // What was there before is of the active version, but for what an earlier run brought of the next.
                let is_ours = active == Some(*version) || known.next == Some(*version);
                held.retain(|_, held| match held.version {
                    Some(Some(its)) => its == *version,
                    Some(None) => true,
                    None => is_ours,
                });
                active = Some(*version);
                next = None;
            }
        }
    }
    let lines = held.into_values().map(|held| held.line + "\n").collect();
    Ok((lines, Known { keys: stream.keys.clone(), version: active, next }))
}

/// A stream without keys that comes whole is as it comes.
fn in_order(stream: &Stream) -> String {
    let line = |deed: &Deed| match deed {
        Deed::Keep { row, .. } => Some(row.line.clone() + "\n"),
        Deed::Remove(_) | Deed::Activate(_) => None,
    };
    stream.deeds.iter().filter_map(line).collect()
}

fn rows(before: &[u8], keys: &[String]) -> Result<BTreeMap<Key, Held>, String> {
    let mut rows = BTreeMap::new();
    for (index, line) in before.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let text =
            std::str::from_utf8(line).map_err(|_| format!("line {} is not UTF-8", index + 1))?;
        let row = Row::read(text, keys).map_err(|why| format!("line {} is {why}", index + 1))?;
        rows.insert(row.key, Held { line: row.line, version: None });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
