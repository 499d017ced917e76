//! A pack as it is read to be copied: its entries in order, compressed as they are.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;

use crate::error::Error;
use crate::objects::{Kind, Sum};
use crate::pack::{OFS_DELTA, Place, REF_DELTA};

/// The bytes after the last entry: the pack's sum.
const SUM: u64 = 20;

/// A pack and its index.
pub(crate) struct Source {
    path: PathBuf,
    file: File,
    /// By where they are.
    places: Vec<Place>,
    /// Where the entries' bases are, by index; none for what is no delta.
    bases: Vec<Option<usize>>,
    heights: Vec<u32>,
    length: u64,
    buffer: Vec<u8>,
}

/// One entry.
pub(crate) struct Entry<'a> {
    pub(crate) id: Revision,
    pub(crate) form: Form,
    /// How long it is when inflated.
    pub(crate) size: u64,
    bytes: &'a [u8],
    head: usize,
}

impl Entry<'_> {
    /// Its compressed bytes.
    pub(crate) fn deflated(&self) -> &[u8] {
        &self.bytes[self.head..]
    }
}

/// How an entry tells its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Whole(Kind),
    Delta { base: Revision },
}

impl Source {
    /// Opens a pack. Every entry's sum is checked when it is read.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let index = path.with_extension("idx");
        let bytes = fs::read(&index).map_err(Error::read(&index))?;
        let strange = |path: &Path| {
            let reason = std::io::Error::other("it is not a pack index that can be read");
            Error::read(path)(reason)
        };
        let mut places = places_of(&bytes).ok_or_else(|| strange(&index))?;
        places.sort_unstable_by_key(|place| place.at);
        let file = File::open(path).map_err(Error::read(path))?;
        let length = file.metadata().map_err(Error::read(path))?.len();
        if places.last().is_some_and(|last| last.at + SUM >= length) {
            return Err(strange(path));
        }
        let mut source = Self {
            path: path.to_owned(),
            file,
            places,
            bases: Vec::new(),
            heights: Vec::new(),
            length,
            buffer: Vec::new(),
        };
        source.find_bases()?;
        Ok(source)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Revision> + '_ {
        self.places.iter().map(|place| place.id)
    }

    /// What is no delta.
    pub(crate) fn wholes(&self) -> impl Iterator<Item = Revision> + '_ {
        let wholes = self.places.iter().zip(&self.bases).filter(|(_, base)| base.is_none());
        wholes.map(|(place, _)| place.id)
    }

    /// How many deltas are above an entry at most.
    pub(crate) fn height(&self, index: usize) -> u32 {
        self.heights[index]
    }

    /// Reads an entry.
    pub(crate) fn read(&mut self, index: usize) -> Result<Entry<'_>, Error> {
        let place = self.places[index];
        let end = self.places.get(index + 1).map_or(self.length - SUM, |next| next.at);
        self.buffer.resize((end - place.at) as usize, 0);
        let read = self.file.read_exact_at(&mut self.buffer, place.at);
        read.map_err(Error::read(&self.path))?;
        let broken = |reason: &str| {
            let reason = format!("{reason} in {}", self.path.display());
            Error::Damaged { id: place.id, reason }
        };
        if crc32fast::hash(&self.buffer) != place.sum {
            return Err(broken("is not what its pack's index says"));
        }
        let head = head_of(&self.buffer).ok_or_else(|| broken("cannot be read"))?;
        let (form, head) = match head.code {
            OFS_DELTA => {
                let base = self.bases[index].map(|base| self.places[base].id);
                let base = base.ok_or_else(|| broken("has no base"))?;
                (Form::Delta { base }, head.length)
            }
            REF_DELTA => {
                let id = self.buffer[head.length..].first_chunk().copied();
                let base = Revision::from_bytes(id.ok_or_else(|| broken("has no base"))?);
                (Form::Delta { base }, head.length + 20)
            }
            code => {
                let kind = Kind::of_code(code).ok_or_else(|| broken("is of no known kind"))?;
                (Form::Whole(kind), head.length)
            }
        };
        let size = head_of(&self.buffer).map_or(0, |head| head.size);
        Ok(Entry { id: place.id, form, size, bytes: &self.buffer, head })
    }

    /// Looks at the entries' heads only.
    fn find_bases(&mut self) -> Result<(), Error> {
        let by_place = |at: u64| self.places.binary_search_by_key(&at, |place| place.at).ok();
        // Only packs that others made name a base by its id.
        let by_id = LazyCell::new(|| {
            let places = self.places.iter().enumerate();
            places.map(|(index, place)| (place.id, index)).collect::<HashMap<_, _>>()
        });
        let mut bases = Vec::with_capacity(self.places.len());
        let mut bytes = [0; 64];
        for place in &self.places {
            let room = bytes.len().min((self.length - place.at) as usize);
            let read = self.file.read_exact_at(&mut bytes[..room], place.at);
            read.map_err(Error::read(&self.path))?;
            let base = head_of(&bytes).and_then(|head| match head.code {
                OFS_DELTA => by_place(place.at.checked_sub(head.back)?),
                REF_DELTA => {
                    let id = Revision::from_bytes(*bytes[head.length..].first_chunk()?);
                    by_id.get(&id).copied()
                }
                _ => None,
            });
            bases.push(base);
        }
        self.bases = bases;
        self.heights = vec![0; self.places.len()];
        for index in (0..self.places.len()).rev() {
            if let Some(base) = self.bases[index] {
                self.heights[base] = self.heights[base].max(self.heights[index] + 1);
            }
        }
        Ok(())
    }
}

/// What an entry begins with.
pub(crate) struct Head {
    pub(crate) code: u8,
    pub(crate) size: u64,
    /// How far back the base is, for an offset delta.
    pub(crate) back: u64,
    /// How many bytes all this takes.
    pub(crate) length: usize,
}

pub(crate) fn head_of(bytes: &[u8]) -> Option<Head> {
    let mut rest = bytes.iter().copied();
    let first = rest.next()?;
    let (code, mut size, mut shift, mut byte) = (first >> 4 & 7, u64::from(first & 15), 4, first);
    let mut length = 1;
    while byte & 0x80 != 0 {
        byte = rest.next()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        length += 1;
    }
    let mut back = 0_u64;
    if code == OFS_DELTA {
        loop {
            byte = rest.next()?;
            length += 1;
            back = back.checked_mul(0x80)? | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
            back = back.checked_add(1)?;
        }
    }
    Some(Head { code, size, back, length })
}

/// The lines of an index of version 2, if its sum is right.
pub(crate) fn places_of(bytes: &[u8]) -> Option<Vec<Place>> {
    let (lines, found) = bytes.split_last_chunk::<20>()?;
    let mut sum = Sum::new();
    sum.update(lines);
    if sum.finish().ok()?.as_bytes() != found {
        return None;
    }
    let rest = bytes.strip_prefix(b"\xfftOc\x00\x00\x00\x02")?;
    let number =
        |bytes: &[u8], at: usize| Some(u32::from_be_bytes(*bytes.get(at * 4..)?.first_chunk()?));
    let count = number(rest, 255)? as usize;
    let rest = rest.get(1024..)?;
    let (ids, rest) = rest.split_at_checked(count.checked_mul(20)?)?;
    let (sums, rest) = rest.split_at_checked(count * 4)?;
    let (offsets, large) = rest.split_at_checked(count * 4)?;
    let mut places = Vec::with_capacity(count);
    for (index, id) in ids.chunks_exact(20).enumerate() {
        let at = number(offsets, index)?;
        let at = if at & 0x8000_0000 == 0 {
            u64::from(at)
        } else {
            let slot = (at & 0x7fff_ffff) as usize;
            u64::from_be_bytes(*large.get(slot * 8..)?.first_chunk()?)
        };
        let id = Revision::from_bytes(id.try_into().ok()?);
        places.push(Place { id, at, sum: number(sums, index)? });
    }
    Some(places)
}

#[cfg(test)]
mod tests;
