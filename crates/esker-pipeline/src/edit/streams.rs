//! The tables of a content where they stand: the whole of it, or the streams of a stacked stream.

use std::collections::HashSet;
use std::ops::Range;

use esker_wire::edit::columns::apart;
use esker_wire::stacked::HEADER;
use memchr::memchr;

/// How deep streams are looked for in streams; what is deeper is rows.
const NESTED_MAX: usize = 16;

/// A table's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    /// The names of the streams it is in, from the outside; namesakes are numbered from the second on.
    pub(super) path: Vec<String>,
    /// Its rows.
    pub(super) range: Range<usize>,
    /// How many tabs stand before each of them.
    pub(super) indent: usize,
}

/// The innermost streams of a stacked stream; none if it is not one.
pub(super) fn regions(text: &str) -> Option<Vec<Region>> {
    if !text.as_bytes().starts_with(HEADER) {
        return None;
    }
    let mut regions = Vec::new();
    collect(text, 0..text.len(), &[], &mut regions)?;
    Some(regions)
}

/// Adds the tables of a stretch of lines that all begin with as many tabs as there are names; none if they are no streams.
fn collect(
    text: &str,
    range: Range<usize>,
    path: &[String],
    regions: &mut Vec<Region>,
) -> Option<()> {
    let indent = path.len();
    let mut names = HashSet::new();
    for (name, inner) in streams(text, range, indent)? {
        let mut path = path.to_vec();
        path.push(apart(&mut names, name.strip_suffix('\r').unwrap_or(name)));
        let first = text.get(inner.start + indent + 1..inner.end).unwrap_or_default();
        let known = regions.len();
        let is_nested = first.as_bytes().starts_with(HEADER) && path.len() <= NESTED_MAX;
        if is_nested && collect(text, inner.clone(), &path, regions).is_some() {
            continue;
        }
        regions.truncate(known);
        regions.push(Region { indent: path.len(), path, range: inner });
    }
    Some(())
}

/// The names and the lines of the streams of one level.
fn streams(text: &str, range: Range<usize>, indent: usize) -> Option<Vec<(&str, Range<usize>)>> {
    let bytes = text.as_bytes();
    let mut found: Vec<(&str, Range<usize>)> = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let next = memchr(b'\n', &bytes[at..range.end]).map_or(range.end, |end| at + end + 1);
        let line = text[at..next].strip_suffix('\n').unwrap_or(&text[at..next]);
        let line = line.get(indent..)?;
        if let Some(name) = line.strip_prefix("=====") {
            (!name.is_empty()).then(|| found.push((name, next..next)))?;
        } else {
            let (_, inner) = found.last_mut()?;
            line.starts_with('\t').then(|| inner.end = next)?;
        }
        at = next;
    }
    Some(found)
}
