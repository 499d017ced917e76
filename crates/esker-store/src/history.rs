//! The history of one branch in memory: which commits there are, and which of them changed which resource.
//!
//! Read from the index on disk, then completed by walking first parents from the head; positions count from the
//! first commit. It takes about a hundred bytes for each commit.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use hashbrown::HashTable;

use crate::commit::Commit;
use crate::error::Error;
use crate::objects::{Kind, Objects};
use crate::tree;

/// One commit of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) revision: Revision,
    /// The commit's time in seconds since 1970.
    pub(crate) seconds: i64,
    /// Where in `History::changed` its resources begin.
    changed: u32,
}

/// One change of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// The position of the commit that made it.
    pub(crate) position: u32,
    /// The content; none if it removed the resource.
    pub(crate) blob: Option<Revision>,
}

struct Track {
    resource: Resource,
    changes: Vec<Change>,
}

/// The commits of one branch and what they changed.
#[derive(Default)]
pub(crate) struct History {
    steps: Vec<Step>,
    /// Which resources the commits changed, one after another.
    changed: Vec<u32>,
    /// The positions of `steps`, by revision.
    positions: HashTable<u32>,
    names: BTreeMap<Resource, u32>,
    tracks: Vec<Track>,
}

/// What [`History::follow`] found.
pub(crate) enum Follow {
    /// The new head descends from the old one.
    Forward,
    /// It does not.
    Elsewhere,
}

impl History {
    /// The position of the newest commit.
    pub(crate) fn last(&self) -> Option<u32> {
        u32::try_from(self.steps.len()).ok()?.checked_sub(1)
    }

    /// The newest commit.
    pub(crate) fn head(&self) -> Option<&Step> {
        self.steps.last()
    }

    pub(crate) fn step(&self, position: u32) -> &Step {
        &self.steps[position as usize]
    }

    pub(crate) fn position(&self, revision: Revision) -> Option<u32> {
        let is_it = |position: &u32| self.steps[*position as usize].revision == revision;
        self.positions.find(hash(revision), is_it).copied()
    }

    /// The position of the last commit at or before a time.
    pub(crate) fn at_time(&self, seconds: i64) -> Option<u32> {
        self.at_time_until(seconds, self.last()?)
    }

    /// The same, of the commits up to a position.
    pub(crate) fn at_time_until(&self, seconds: i64, last: u32) -> Option<u32> {
        let found = self.until(last).iter().rposition(|step| step.seconds <= seconds);
        found.and_then(|position| u32::try_from(position).ok())
    }

    fn until(&self, last: u32) -> &[Step] {
        &self.steps[..self.steps.len().min(last as usize + 1)]
    }

    /// The revisions up to a position that begin with some hexadecimal digits.
    pub(crate) fn beginning(&self, digits: &str, last: u32) -> Vec<Revision> {
        let all = self.until(last).iter().map(|step| step.revision);
        let mut found: Vec<Revision> = all.filter(|id| begins(id, digits)).collect();
        found.sort_unstable();
        found
    }

    /// The changes of a resource up to a position, oldest first.
    pub(crate) fn changes(&self, resource: &Resource, position: u32) -> &[Change] {
        let Some(track) = self.names.get(resource) else {
            return &[];
        };
        let changes = &self.tracks[*track as usize].changes;
        let end = changes.partition_point(|change| change.position <= position);
        &changes[..end]
    }

    /// The last change of a resource.
    pub(crate) fn latest(&self, resource: &Resource) -> Option<Change> {
        let track = *self.names.get(resource)?;
        self.tracks[track as usize].changes.last().copied()
    }

    /// The revision and content of a resource now, if it exists.
    pub(crate) fn current(&self, resource: &Resource) -> Option<(Revision, Revision)> {
        let change = self.latest(resource)?;
        Some((self.step(change.position).revision, change.blob?))
    }

    /// Every resource that ever was, by name.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Resource> {
        let mut names = self.names.iter();
        std::iter::from_fn(move || names.next()).filter_map(|(resource, track)| {
            let changes = &self.tracks[*track as usize].changes;
            (!changes.is_empty()).then_some(resource)
        })
    }

    /// The last change of every resource that exists as of a position.
    pub(crate) fn existing(&self, position: u32) -> impl Iterator<Item = (&Resource, Change)> {
        self.names.iter().filter_map(move |(resource, track)| {
            let changes = &self.tracks[*track as usize].changes;
            let end = changes.partition_point(|change| change.position <= position);
            let change = changes[..end].last()?;
            change.blob.is_some().then_some((resource, *change))
        })
    }

    /// The resources a commit changed.
    pub(crate) fn changed_at(&self, position: u32) -> impl Iterator<Item = &Resource> {
        let from = self.steps[position as usize].changed as usize;
        let next = self.steps.get(position as usize + 1);
        let end = next.map_or(self.changed.len(), |next| next.changed as usize);
        self.changed[from..end].iter().map(|track| &self.tracks[*track as usize].resource)
    }

    /// Appends a commit.
    pub(crate) fn push(
        &mut self,
        revision: Revision,
        seconds: i64,
        changes: Vec<(Resource, Option<Revision>)>,
    ) {
        let number = |length: usize| {
            u32::try_from(length).expect("memory ends before four thousand million commits")
        };
        let (position, first) = (number(self.steps.len()), number(self.changed.len()));
        for (resource, blob) in changes {
            let track = self.track(resource);
            self.changed.push(track);
            self.tracks[track as usize].changes.push(Change { position, blob });
        }
        self.steps.push(Step { revision, seconds, changed: first });
        let steps = &self.steps;
        let again = |position: &u32| hash(steps[*position as usize].revision);
        self.positions.insert_unique(hash(revision), position, again);
    }

    fn track(&mut self, resource: Resource) -> u32 {
        if let Some(track) = self.names.get(&resource) {
            return *track;
        }
        let track = u32::try_from(self.tracks.len())
            .expect("memory ends before four thousand million names");
        let changes = Vec::with_capacity(1);
        self.names.insert(resource.clone(), track);
        self.tracks.push(Track { resource, changes });
        track
    }

    /// Takes the newest commits back until `head` is the head again.
    pub(crate) fn roll_back(&mut self, head: Option<Revision>) {
        if head.is_some_and(|head| self.position(head).is_none()) {
            return;
        }
        while self.head().map(|step| step.revision) != head {
            let Some(step) = self.steps.pop() else {
                return;
            };
            let position = self.steps.len() as u32;
            let entry = self.positions.find_entry(hash(step.revision), |known| *known == position);
            drop(entry.map(|entry| entry.remove()));
            for track in self.changed.drain(step.changed as usize..) {
                self.tracks[track as usize].changes.pop();
            }
        }
    }

    /// Reads the commits between the head and a new one that descends from it: all of them or none.
    pub(crate) fn follow(
        &mut self,
        objects: &mut Objects,
        head: Revision,
    ) -> Result<Follow, Error> {
        let base = self.head().map(|step| step.revision);
        let mut new = Vec::new();
        let mut next = Some(head);
        while next != base {
            let Some(revision) = next else {
                return Ok(Follow::Elsewhere);
            };
            if self.position(revision).is_some() {
                return Ok(Follow::Elsewhere);
            }
            let commit = read_commit(objects, revision)?;
            next = commit.parent;
            new.push((revision, commit.tree, commit.when.seconds));
        }
        let mut before = match base {
            Some(base) if !new.is_empty() => {
                Some(parse(base, &objects.get(base, Kind::Commit)?)?.tree)
            }
            _ => None,
        };
        let mut found = Vec::with_capacity(new.len());
        for (revision, tree, seconds) in new.into_iter().rev() {
            let changes = tree::changes(objects, before, Some(tree))?;
            found.push((revision, seconds, changes));
            before = Some(tree);
        }
        for (revision, seconds, changes) in found {
            self.push(revision, seconds, changes);
        }
        Ok(Follow::Forward)
    }
}

/// Reads a commit from disk, without keeping its bytes in memory.
pub(crate) fn read_commit(objects: &Objects, revision: Revision) -> Result<Commit, Error> {
    let damaged = |reason: String| Error::Damaged { id: revision, reason };
    let object = objects.read(revision)?;
    let object = object.ok_or_else(|| damaged("is missing".to_owned()))?;
    if object.kind != Kind::Commit {
        return Err(damaged(format!("is a {}, not a commit", object.kind.as_str())));
    }
    parse(revision, &object.bytes)
}

fn parse(revision: Revision, bytes: &[u8]) -> Result<Commit, Error> {
    Commit::from_bytes(bytes).map_err(|reason| Error::Damaged { id: revision, reason })
}

/// An id is a hash already.
fn hash(id: Revision) -> u64 {
    let first = id.as_bytes().first_chunk().expect("an id is longer");
    u64::from_le_bytes(*first)
}

/// Whether an id begins with some hexadecimal digits (lower case).
fn begins(id: &Revision, digits: &str) -> bool {
    let nibble = |index: usize| {
        let byte = id.as_bytes()[index / 2];
        if index.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    };
    let mut digits = digits.chars().enumerate();
    digits.all(|(index, digit)| index < 40 && digit.to_digit(16) == Some(u32::from(nibble(index))))
}

#[cfg(test)]
mod tests;
