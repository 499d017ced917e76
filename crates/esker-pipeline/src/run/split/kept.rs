//! What was made of the parts of a stage's input, kept beside its records, so that only parts that are new run again.
//!
//! It is one resource, `parts/STAGE` on the branch `records`:
//!
//! ```text
//! content = "esker parts 1" LF *( key SP length LF ) LF *result
//! ```
//! The results follow each other in the order of their keys, each as many bytes long as is said of it. What cannot be
//! read is nothing worse than lost: the parts run again.

use std::collections::HashMap;

use bytes::Bytes;
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::{Get, Put};

use crate::run::line::Line;
use crate::run::{Bench, Halt};

const TITLE: &[u8] = b"esker parts 1\n";

/// How much is kept of a stage, in bytes: what one message holds.
const SIZE_MAX: usize = 60_000_000;

/// What was made, by the key of the part.
pub(super) type Kept = HashMap<String, Bytes>;

/// What the last run kept.
pub(super) fn read((bench, line): (&Bench, &Line), stage: &str) -> Result<Kept, Halt> {
    let Some(resource) = resource(stage) else {
        return Ok(Kept::new());
    };
    let get = Get { branch: Branch::records(), ..Get::head(resource) };
    let content = line.ask(bench, &get)?.ok().and_then(|content| content.bytes);
    Ok(content.and_then(|content| parse(&content)).unwrap_or_default())
}

/// Keeps what was made of these parts in place of what was kept before.
pub(super) fn write(
    (bench, line): (&Bench, &Line),
    stage: &str,
    parts: &[(&String, &Bytes)],
) -> Result<(), Halt> {
    let content = to_bytes(parts);
    let Some(resource) = resource(stage).filter(|_| content.len() <= SIZE_MAX) else {
        tracing::info!(stage, bytes = content.len(), "too much to keep of the parts");
        return Ok(());
    };
    let put = Put::noted(resource, Some(content), format!("{stage}: parts"));
    if let Err(fault) = line.ask(bench, &put)? {
        tracing::warn!(stage, %fault, "cannot keep what was made of the parts");
    }
    Ok(())
}

fn resource(stage: &str) -> Option<Resource> {
    format!("parts/{stage}").parse().ok()
}

fn to_bytes(parts: &[(&String, &Bytes)]) -> Bytes {
    let mut content = TITLE.to_vec();
    for (key, made) in parts {
        content.extend_from_slice(format!("{key} {}\n", made.len()).as_bytes());
    }
    content.push(b'\n');
    parts.iter().for_each(|(_, made)| content.extend_from_slice(made));
    content.into()
}

fn parse(content: &Bytes) -> Option<Kept> {
    let end = content.windows(2).position(|pair| pair == b"\n\n")?;
    let head = std::str::from_utf8(&content[..=end]).ok()?;
    let mut at = end + 2;
    let mut kept = Kept::new();
    for line in head.strip_prefix(std::str::from_utf8(TITLE).ok()?)?.lines() {
        let (key, length) = line.split_once(' ')?;
        let to = at.checked_add(length.parse().ok()?).filter(|to| *to <= content.len())?;
        kept.insert(key.to_owned(), content.slice(at..to));
        at = to;
    }
    (at == content.len()).then_some(kept)
}

#[cfg(test)]
mod tests;
