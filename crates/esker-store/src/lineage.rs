//! Which names a resource has had: the renames of a branch, and what a name means at a commit.
//!
//! A name means the resource that has it. Where none has, and the last that had it was given another name, it
//! means that one, whatever it is called by now. Where a name came to its resource only later, it means that
//! resource under the name it had then. Pure: from a history and the text of `.esker/names`.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use esker_wire::stacked;

use crate::history::{Change, History};

/// Where in the tree the renames are.
pub(crate) const FILE: &str = ".esker/names";
/// The stream that holds them, and its version.
const STREAM: &str = "names 1";
/// How many renames a branch may have.
pub(crate) const RENAMES_MAX: usize = 10_000;

/// A resource was given another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rename {
    /// The position of the commit that did it.
    pub(crate) position: u32,
    /// The revision it had before.
    pub(crate) revision: Revision,
    pub(crate) from: Resource,
    pub(crate) to: Resource,
}

/// The renames of a branch, oldest first; one commit makes one.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    /// The commit as of which they are known.
    pub(crate) head: Option<Revision>,
    renames: Vec<Rename>,
    /// Their places by the name given up, and by the name given.
    from: BTreeMap<Resource, Vec<usize>>,
    to: BTreeMap<Resource, Vec<usize>>,
}

/// The time in which a resource had one name: positions, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: Resource,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// A change of a resource and the one before it, under whichever name.
pub(crate) type Pair = (Change, Option<Change>);

impl Lineage {
    /// Reads the text of a branch's file. What its history does not bear out is left out: a person may have
    /// edited it.
    pub(crate) fn read(history: &History, text: &[u8]) -> Self {
        let mut lineage =
            Self { head: history.head().map(|step| step.revision), ..Self::default() };
        for line in lines(text) {
            if let Some(rename) = borne_out(history, line)
                && lineage.renames.last().is_none_or(|last| last.position < rename.position)
            {
                lineage.push(rename);
            }
        }
        lineage
    }

    /// Adds the newest rename.
    pub(crate) fn push(&mut self, rename: Rename) {
        let place = self.renames.len();
        self.from.entry(rename.from.clone()).or_default().push(place);
        self.to.entry(rename.to.clone()).or_default().push(place);
        self.renames.push(rename);
    }

    /// All of them, oldest first.
    pub(crate) fn renames(&self) -> impl Iterator<Item = &Rename> {
        self.renames.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.renames.len()
    }

    /// The rename that a commit made, if one did.
    pub(crate) fn at(&self, position: u32) -> Option<&Rename> {
        let found = self.renames.binary_search_by_key(&position, |rename| rename.position);
        found.ok().map(|place| &self.renames[place])
    }

    /// What the resource was called before that came to a name with a commit.
    pub(crate) fn came_from(&self, name: &Resource, position: u32) -> Option<&Resource> {
        self.at(position).filter(|rename| rename.to == *name).map(|rename| &rename.from)
    }

    /// Whether a name was given up with a commit.
    pub(crate) fn left(&self, name: &Resource, position: u32) -> bool {
        self.at(position).is_some_and(|rename| rename.from == *name)
    }

    /// What a name means at a commit, as the name the resource has there. It may be one that was removed.
    pub(crate) fn locate(
        &self,
        history: &History,
        name: &Resource,
        position: u32,
    ) -> Option<Resource> {
        match history.changes(name, position).last() {
            Some(change) if change.blob.is_none() && self.left(name, change.position) => {
                Some(self.since(name, change.position, position))
            }
            Some(_) => Some(name.clone()),
            None => {
                let last = history.last().filter(|last| *last > position)?;
                // Not beyond the head: there it is known, or nowhere.
                let now = self.locate(history, name, last)?;
                let segments = self.segments(&now, last);
                let then = segments.into_iter().find(|segment| segment.first <= position)?;
                let is_there = history.changes(&then.name, position).last();
                is_there.filter(|change| change.position >= then.first)?;
                Some(then.name)
            }
        }
    }

    /// What a resource is called at `until` that gave up a name at `position`.
    fn since(&self, name: &Resource, position: u32, until: u32) -> Resource {
        let (mut name, mut position) = (name, position);
        loop {
            let next = self.at(position).filter(|rename| rename.from == *name);
            let Some(rename) = next else {
                return name.clone();
            };
            name = &rename.to;
            let left = self.from.get(name).map(Vec::as_slice).unwrap_or_default();
            let place = left.partition_point(|place| self.renames[*place].position <= position);
            match left.get(place).map(|place| self.renames[*place].position) {
                Some(later) if later <= until => position = later,
                _ => return name.clone(),
            }
        }
    }

    /// The names of the resource that has a name at a commit, back to its beginning, the newest first.
    pub(crate) fn segments(&self, name: &Resource, position: u32) -> Vec<Segment> {
        let mut segments = Vec::new();
        let (mut name, mut last) = (name.clone(), position);
        loop {
            let newest = |renames: &BTreeMap<Resource, Vec<usize>>| {
                let places = renames.get(&name)?;
                let end = places.partition_point(|place| self.renames[*place].position <= last);
                places[..end].last().map(|place| &self.renames[*place])
            };
            let (came, left) = (newest(&self.to), newest(&self.from));
            let left = left.map(|rename| rename.position);
            match came {
                Some(rename) if Some(rename.position) > left => {
                    let first = rename.position;
                    segments.push(Segment { name, first, last });
                    (name, last) = (rename.from.clone(), first.saturating_sub(1));
                }
                _ => {
                    // Whatever had the name before it was given up is another resource.
                    let first = left.map_or(0, |left| left + 1);
                    segments.push(Segment { name, first, last });
                    return segments;
                }
            }
        }
    }

    /// The older names that mean a resource at the head, the newest first.
    pub(crate) fn older(&self, history: &History, name: &Resource) -> Vec<Resource> {
        let Some(last) = history.last().filter(|_| self.to.contains_key(name)) else {
            return Vec::new();
        };
        let segments = self.segments(name, last);
        let mut older: Vec<Resource> = Vec::new();
        for segment in &segments[1..] {
            // The name means it only if nobody has had it since.
            let given_up = history.latest(&segment.name).map(|change| change.position);
            if given_up == Some(segment.last + 1) && !older.contains(&segment.name) {
                older.push(segment.name.clone());
            }
        }
        older
    }

    /// Every name that was given up, once each, the last given up first.
    pub(crate) fn given_up(&self) -> impl Iterator<Item = &Resource> {
        let places = self.renames.iter().enumerate().rev();
        let last = |name: &Resource, place: usize| {
            self.from.get(name).and_then(|places| places.last()) == Some(&place)
        };
        let given = places.filter(move |(place, rename)| last(&rename.from, *place));
        given.map(|(_, rename)| &rename.from)
    }

    /// The commit that gave the content a name has at a commit of its own, and the name it had there: renames left out.
    pub(crate) fn made(
        &self,
        history: &History,
        name: &Resource,
        position: u32,
    ) -> (Resource, u32) {
        let (mut name, mut position) = (name.clone(), position);
        while let Some(from) = self.came_from(&name, position).cloned() {
            let before = history.changes(&from, position.saturating_sub(1)).last();
            let Some(before) = before else {
                break;
            };
            (name, position) = (from, before.position);
        }
        (name, position)
    }

    /// The last change of a name up to a commit, and the one before it of the same resource.
    pub(crate) fn pair(&self, history: &History, name: &Resource, position: u32) -> Option<Pair> {
        let (last, before) = history.changes(name, position).split_last()?;
        let before = match self.came_from(name, last.position) {
            Some(from) => history.changes(from, last.position.saturating_sub(1)).last(),
            None => before.last().filter(|before| !self.left(name, before.position)),
        };
        Some((*last, before.copied()))
    }
}

/// The file's text with one more rename; none if it is not one that this esker reads.
pub(crate) fn add(text: &[u8], rename: &Rename) -> Option<Vec<u8>> {
    let known = lines(text).count();
    if known == 0 && !text.is_empty() && !is_ours(text) {
        return None;
    }
    let mut content = String::new();
    for line in lines(text) {
        content.push_str(line);
        content.push('\n');
    }
    content.push_str(&format!("{} {}: {}\n", rename.revision, rename.from, rename.to));
    let mut out = Vec::new();
    stacked::write(&mut out, STREAM, content.as_bytes());
    Some(out)
}

fn is_ours(text: &[u8]) -> bool {
    text.starts_with(format!("====={STREAM}\n").as_bytes())
}

/// The lines of the one stream this esker reads.
fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let text = if is_ours(text.as_bytes()) { text } else { "" };
    let lines = text.lines().skip(1).take_while(|line| line.starts_with('\t'));
    lines.filter_map(|line| line.strip_prefix('\t'))
}

/// Reads `REVISION OLD: NEW` and finds the commit in which OLD was given up and NEW came with the same content.
fn borne_out(history: &History, line: &str) -> Option<Rename> {
    let (revision, names) = line.split_once(' ')?;
    let (from, to) = names.split_once(": ")?;
    let (from, to): (Resource, Resource) = (from.parse().ok()?, to.parse().ok()?);
    let revision: Revision = revision.parse().ok()?;
    let before = history.position(revision)?;
    let changes = history.changes(&from, history.last()?);
    let place = changes.partition_point(|change| change.position <= before);
    let (old, gone) = (changes[..place].last()?, changes.get(place)?);
    let position = gone.position;
    let new = history.changes(&to, position).last().filter(|new| new.position == position)?;
    let is_move = gone.blob.is_none() && old.blob.is_some() && new.blob == old.blob;
    is_move.then_some(Rename { position, revision, from, to })
}

#[cfg(test)]
mod tests;
