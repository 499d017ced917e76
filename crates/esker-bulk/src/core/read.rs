//! Reading: contents, ranges of them, their lengths, and which ids there are.

use bytes::Bytes;
use esker_wire::bulk::{
    Found, Get, Head, ITEMS_MAX, Key, Label, Part, Reply, Status, Stored, Value,
};

use crate::core::entries::Entry;
use crate::core::fifo::ASKED_MAX;
use crate::core::parts::{Held, Place};
use crate::core::spaces::{Space, counts};
use crate::core::{Answer, Core};

/// How many bytes of contents an answer has at most; a single part may be beyond.
const ANSWER_MAX: u64 = 4 * 1024 * 1024;
/// How many parts an answer has at most.
const PARTS_MAX: usize = 2048;

/// What was found of one item, some of it on disk.
pub(crate) enum Gather {
    Value { length: u64, offset: u64, stamp: u64, parts: Vec<Held> },
    Not(Status),
}

/// An answer to a `Get`, some of it on disk.
pub(crate) struct Gathered(Vec<Gather>);

impl Gathered {
    /// Reads what is on disk; a part that cannot be read makes its item `corrupt`.
    pub(crate) fn read(self) -> Reply {
        let item = |gather| match gather {
            Gather::Not(status) => Found::Not(status),
            Gather::Value { length, offset, stamp, parts } => {
                let parts: Option<Vec<Part>> = parts.into_iter().map(Held::into_part).collect();
                let value = parts.map(|parts| Found::Value(Value { length, offset, stamp, parts }));
                value.unwrap_or(Found::Not(Status::Corrupt))
            }
        };
        Reply::Found(self.0.into_iter().map(item).collect())
    }

    fn is_on_disk(&self) -> bool {
        let is_on_disk = |held: &Held| matches!(held.place, Place::Disk(..));
        self.0.iter().any(|gather| match gather {
            Gather::Value { parts, .. } => parts.iter().any(is_on_disk),
            Gather::Not(_) => false,
        })
    }
}

impl Held {
    fn into_part(self) -> Option<Part> {
        let Self { place, codec, raw, stored, crc, label, .. } = self;
        let bytes = match place {
            Place::Memory(bytes) => bytes,
            Place::Disk(segment, at) => segment.read(at, stored as usize)?,
        };
        Some(Part { bytes, codec, raw, crc, label })
    }
}

/// The parts of a content that are told to who asks so.
fn told<'a>(
    entry: &'a Entry,
    space: Option<&'a Space>,
    head: &Head,
) -> impl Iterator<Item = &'a Held> {
    let is_open = head.flags & Head::OPEN != 0;
    let winners = space.and_then(|space| space.sealed.as_ref());
    entry.parts.iter().filter(move |held| match winners {
        Some(winners) => counts(winners, held.label.task, held.label.attempt),
        None => is_open || Label::is_anonymous(held.label.task),
    })
}

/// How much room an answer has left.
struct Room {
    bytes: u64,
    parts: usize,
}

impl Core {
    pub(crate) fn get(&mut self, head: &Head, items: &[Get]) -> Answer {
        let mut room = Room { bytes: ANSWER_MAX, parts: PARTS_MAX };
        let found = items.iter().map(|item| self.gather(head, item, &mut room));
        let gathered = Gathered(found.collect());
        match gathered.is_on_disk() {
            true => Answer::Read(gathered),
            false => Answer::Now(gathered.read()),
        }
    }

    fn gather(&mut self, head: &Head, item: &Get, room: &mut Room) -> Gather {
        let space = self.spaces.get(&head.space);
        let found = self.entries.find(head.space, &item.id).and_then(|at| self.entries.at_mut(at));
        let Some(entry) = found.filter(|entry| entry.is_there) else {
            return match space.is_some_and(|space| space.begins_with(&item.id)) {
                true => Gather::Value { length: 0, offset: 0, stamp: 0, parts: Vec::new() },
                false => {
                    self.tally.misses += 1;
                    Gather::Not(Status::Unknown)
                }
            };
        };
        entry.asked = (entry.asked + 1).min(ASKED_MAX);
        self.tally.hits += 1;
        let end = item.offset.saturating_add(item.length);
        let (mut length, mut first, mut parts) = (0, None, Vec::new());
        let mut is_full = false;
        for held in told(entry, space, head) {
            let (from, to) = (length, length + u64::from(held.raw));
            length = to;
            if is_full || from >= end || to <= item.offset || held.raw == 0 {
                continue;
            }
            let stored = u64::from(held.stored);
            // The first part of an answer has room whatever its size, or it could never be told.
            let is_first = room.bytes == ANSWER_MAX;
            if !is_first && stored > room.bytes || room.parts == 0 {
                is_full = true;
                continue;
            }
            room.bytes = room.bytes.saturating_sub(stored.max(1));
            room.parts -= 1;
            first.get_or_insert(from);
            parts.push(held.clone());
        }
        if is_full && parts.is_empty() {
            return Gather::Not(Status::Again);
        }
        let offset = first.unwrap_or(item.offset.min(length));
        Gather::Value { length, offset, stamp: entry.stamp, parts }
    }

    pub(crate) fn stat(&mut self, head: &Head, keys: &[Key]) -> Reply {
        let one = |key: &Key| {
            let space = self.spaces.get(&head.space);
            let found = self.entries.find(head.space, &key.id).and_then(|at| self.entries.at(at));
            match found.filter(|entry| entry.is_there) {
                Some(entry) => {
                    let length = told(entry, space, head).map(|held| u64::from(held.raw)).sum();
                    Stored { status: Status::Done, length }
                }
                None => {
                    let begins = space.is_some_and(|space| space.begins_with(&key.id));
                    let status = if begins { Status::Done } else { Status::Unknown };
                    Stored { status, length: 0 }
                }
            }
        };
        Reply::Stored(keys.iter().map(one).collect())
    }

    /// The ids of a space that have contents, in their order.
    pub(crate) fn list(&self, head: &Head, (prefix, after): (&Bytes, &Bytes), limit: u32) -> Reply {
        let space = self.spaces.get(&head.space);
        let is_meant = |entry: &&Entry| {
            entry.space == head.space
                && entry.is_there
                && entry.id.starts_with(prefix)
                && entry.id > *after
        };
        let mut meant: Vec<&Entry> =
            self.entries.iter().map(|(_, entry)| entry).filter(is_meant).collect();
        meant.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        meant.truncate((limit as usize).min(ITEMS_MAX));
        let line = |entry: &Entry| {
            let length = told(entry, space, head).map(|held| u64::from(held.raw)).sum();
            (entry.id.clone(), length)
        };
        Reply::Ids(meant.into_iter().map(line).collect())
    }
}
