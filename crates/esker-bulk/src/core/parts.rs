//! The parts of a content, one after the other, and what they take.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use esker_wire::bulk::{Codec, Label, Part};

use crate::spill::Segment;

/// Small parts are put together up to this size.
const JOIN_MAX: usize = 64 * 1024;

/// Where the bytes of a part are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Here.
    Memory(Bytes),
    /// In a file, from a byte on.
    Disk(Arc<Segment>, u64),
}

/// A part of a content, as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) place: Place,
    pub(crate) codec: Codec,
    pub(crate) raw: u32,
    pub(crate) stored: u32,
    pub(crate) crc: u32,
    pub(crate) label: Label,
    /// What it is known by while it is written to disk; 0 if it is not.
    pub(crate) flight: u64,
}

impl Held {
    /// A part in memory.
    pub(crate) fn new(part: Part) -> Self {
        let Part { bytes, codec, raw, crc, label } = part;
        let stored = bytes.len() as u32;
        Self { place: Place::Memory(bytes), codec, raw, stored, crc, label, flight: 0 }
    }

    /// What it takes of memory, in bytes.
    fn memory(&self) -> u64 {
        let bytes = match self.place {
            Place::Memory(_) => u64::from(self.stored),
            Place::Disk(..) => 0,
        };
        bytes + size_of::<Self>() as u64
    }

    /// What it takes on disk, in bytes.
    fn disk(&self) -> u64 {
        match self.place {
            Place::Memory(_) => 0,
            Place::Disk(..) => u64::from(self.stored),
        }
    }
}

/// Parts, and the sums of what they take.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    list: Vec<Held>,
    memory: u64,
    disk: u64,
    length: u64,
}

impl Parts {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Held> {
        self.list.iter()
    }

    /// What they take of memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// What they take on disk, in bytes.
    pub(crate) fn disk(&self) -> u64 {
        self.disk
    }

    /// How many bytes they are when they are read.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn push(&mut self, held: Held) {
        self.memory += held.memory();
        self.disk += held.disk();
        self.length += u64::from(held.raw);
        self.list.push(held);
    }

    /// Keeps those only that fit.
    pub(crate) fn retain(&mut self, fits: impl FnMut(&Held) -> bool) {
        self.list.retain(fits);
        self.count();
    }

    /// Puts them in the order of their batches; whether these are all from 0 to before `count`.
    pub(crate) fn sort(&mut self, count: u32) -> bool {
        self.list.sort_by_key(|held| held.label.seq);
        let mut seqs: Vec<u32> = self.list.iter().map(|held| held.label.seq).collect();
        seqs.dedup();
        seqs.into_iter().eq(0..count)
    }

    /// Makes them nobody's in particular.
    pub(crate) fn publish(&mut self) {
        self.list.iter_mut().for_each(|held| held.label = Label::default());
    }

    /// Adds small bytes of nobody in particular to the last part, if that has room for them; whether it has.
    pub(crate) fn join(&mut self, bytes: &Bytes) -> bool {
        let Some(last) = self.list.last_mut() else { return false };
        let has_room = last.stored as usize + bytes.len() <= JOIN_MAX;
        let is_alike =
            last.codec == Codec::Plain && last.label == Label::default() && last.flight == 0;
        let Place::Memory(known) = &mut last.place else { return false };
        if !has_room || !is_alike {
            return false;
        }
        // Whoever reads it at this moment keeps what it was.
        let known_bytes = std::mem::take(known).try_into_mut();
        let mut all = known_bytes.unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        all.extend_from_slice(bytes);
        *known = all.freeze();
        last.crc = crc32c::crc32c_append(last.crc, bytes);
        last.stored += bytes.len() as u32;
        last.raw = last.stored;
        self.memory += bytes.len() as u64;
        self.length += bytes.len() as u64;
        true
    }

    /// Those that may go to disk now: each is given the number it is known by there, by whoever takes it.
    pub(crate) fn may_spill(&mut self) -> impl Iterator<Item = &mut Held> {
        self.list.iter_mut().filter(|held| held.may_spill())
    }

    /// How many bytes may go to disk now.
    pub(crate) fn spillable(&self) -> u64 {
        self.list.iter().filter(|held| held.may_spill()).map(|held| u64::from(held.stored)).sum()
    }

    /// Takes note of where a part is by now; nothing if it could not be written. Whether it is one of these.
    pub(crate) fn land(&mut self, flight: u64, place: Option<(Arc<Segment>, u64)>) -> bool {
        let Some(held) = self.list.iter_mut().find(|held| held.flight == flight) else {
            return false;
        };
        held.flight = 0;
        if let Some((segment, at)) = place {
            held.place = Place::Disk(segment, at);
            self.memory -= u64::from(held.stored);
            self.disk += u64::from(held.stored);
        }
        true
    }

    fn count(&mut self) {
        self.memory = self.list.iter().map(Held::memory).sum();
        self.disk = self.list.iter().map(Held::disk).sum();
        self.length = self.list.iter().map(|held| u64::from(held.raw)).sum();
    }
}

/// Parts smaller than this are not worth a place on disk, in bytes.
const SPILL_MIN: u32 = 1024;

impl Held {
    fn may_spill(&self) -> bool {
        matches!(self.place, Place::Memory(_)) && self.flight == 0 && self.stored >= SPILL_MIN
    }
}
