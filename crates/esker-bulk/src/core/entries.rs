//! The contents by their ids, of all spaces.

use bytes::Bytes;
use esker_wire::bulk::hash;
use hashbrown::HashTable;

use crate::core::ledger::Class;
use crate::core::parts::{Held, Parts};

/// What an entry takes of memory besides its id and its parts, in bytes: itself, its place in the table of hashes,
/// its turn in a queue, and what the allocator adds to three pieces.
const COST: u64 = size_of::<Entry>() as u64 + 64;

/// A content that is kept aside until its writer has sent all of it.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Who writes it: the task and the attempt.
    pub(crate) writer: (u32, u16),
    pub(crate) parts: Parts,
    /// When something was added last, in milliseconds.
    pub(crate) touched: u64,
}

/// One content.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) space: u64,
    pub(crate) id: Bytes,
    /// Another one for every entry that had this place.
    pub(crate) ticket: u32,
    /// How often it was asked for lately.
    pub(crate) asked: u8,
    pub(crate) class: Class,
    /// Another number whenever the content was replaced.
    pub(crate) stamp: u64,
    /// Whether it has a content; otherwise something is kept aside for it only.
    pub(crate) is_there: bool,
    pub(crate) parts: Parts,
    pub(crate) staged: Vec<Staged>,
}

impl Entry {
    /// The hash that queues know it by.
    pub(crate) fn hash(&self) -> u64 {
        key(self.space, &self.id)
    }

    /// Whether there is a content, which may be forgotten for another.
    pub(crate) fn may_be_forgotten(&self) -> bool {
        self.is_there && self.class == Class::Cached
    }

    /// Takes note that the content was replaced, and what it is held for now. `ticket` is a new one: if it was held for
    /// something else, its former turn may still be in a queue.
    pub(crate) fn replaced(&mut self, stamp: u64, class: Class, ticket: u32) {
        self.is_there = true;
        self.stamp = stamp;
        if self.class != class {
            (self.class, self.ticket) = (class, ticket);
        }
    }

    /// Whether a turn in a queue is this one's, and it may be forgotten when it comes.
    pub(crate) fn is_turn(&self, ticket: u32) -> bool {
        self.ticket == ticket && self.class == Class::Cached
    }

    /// What it takes.
    pub(crate) fn taken(&self) -> Taken {
        let staged = || self.staged.iter().map(|staged| &staged.parts);
        Taken {
            memory: COST + self.id.len() as u64 + self.parts.memory(),
            staged: staged().map(Parts::memory).sum(),
            disk: self.parts.disk() + staged().map(Parts::disk).sum::<u64>(),
        }
    }

    /// Whether there is nothing to it any more.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_there && self.staged.is_empty()
    }

    /// Keeps something aside for its writer.
    pub(crate) fn stage(&mut self, held: Held, now: u64) {
        let writer = (held.label.task, held.label.attempt);
        let at =
            self.staged.iter().position(|staged| staged.writer == writer).unwrap_or_else(|| {
                self.staged.push(Staged { writer, parts: Parts::default(), touched: now });
                self.staged.len() - 1
            });
        self.staged[at].parts.push(held);
        self.staged[at].touched = now;
    }
}

/// What an entry takes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// Of memory, without what is kept aside.
    pub(crate) memory: u64,
    /// Of memory, by what is kept aside.
    pub(crate) staged: u64,
    /// On disk.
    pub(crate) disk: u64,
}

/// What a new content of so many bytes takes of memory at most.
pub(crate) fn need(id: &[u8], bytes: usize) -> u64 {
    COST + (id.len() + size_of::<Held>() + bytes) as u64
}

/// The entries, each at a place of its own until it goes.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    places: Vec<Option<Entry>>,
    free: Vec<u32>,
    table: HashTable<u32>,
    tickets: u32,
}

fn key(space: u64, id: &[u8]) -> u64 {
    hash(id) ^ space.rotate_left(32)
}

impl Entries {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn find(&self, space: u64, id: &[u8]) -> Option<u32> {
        let is_it = |at: &u32| self.at(*at).is_some_and(|it| it.space == space && it.id == id);
        self.table.find(key(space, id), is_it).copied()
    }

    pub(crate) fn at(&self, at: u32) -> Option<&Entry> {
        self.places.get(at as usize)?.as_ref()
    }

    pub(crate) fn at_mut(&mut self, at: u32) -> Option<&mut Entry> {
        self.places.get_mut(at as usize)?.as_mut()
    }

    /// A place for an id that has none.
    pub(crate) fn add(&mut self, (space, id): (u64, &[u8]), class: Class) -> u32 {
        let ticket = self.ticket();
        let entry = Entry {
            space,
            id: Bytes::copy_from_slice(id),
            ticket,
            asked: 0,
            class,
            stamp: 0,
            is_there: false,
            parts: Parts::default(),
            staged: Vec::new(),
        };
        let hash = entry.hash();
        let at = match self.free.pop() {
            Some(at) => {
                self.places[at as usize] = Some(entry);
                at
            }
            None => {
                self.places.push(Some(entry));
                self.places.len() as u32 - 1
            }
        };
        let places = &self.places;
        let rehash = |at: &u32| places[*at as usize].as_ref().map_or(0, Entry::hash);
        self.table.insert_unique(hash, at, rehash);
        at
    }

    /// A ticket that no entry has had.
    pub(crate) fn ticket(&mut self) -> u32 {
        self.tickets = self.tickets.wrapping_add(1);
        self.tickets
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<Entry> {
        let entry = self.places.get_mut(at as usize)?.take()?;
        if let Ok(found) = self.table.find_entry(entry.hash(), |it| *it == at) {
            found.remove();
        }
        self.free.push(at);
        Some(entry)
    }

    /// All of them, with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(at, entry)| Some((at as u32, entry.as_ref()?)))
    }
}
