//! Dicts: ordered maps that are copied only where they are written.
//!
//! A dict is a list of buckets with up to [`BUCKET_MAX`] entries each, in order of their keys: a B-tree of two levels.
//! Whoever holds a clone of a dict sees it as it was; the first write after that copies the list and one bucket, and no
//! library's map is as small and as quick at it (docs/benchmarks.md). Keys are found by a scan of short hashes.

use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::digest::Digest;
use crate::path::Key;
use crate::value::Value;

/// The most entries of a bucket: what the first write after a cut copies.
const BUCKET_MAX: usize = 128;

/// Neighbours that have together no more than this become one.
const BUCKET_MIN: usize = 32;

/// What a key leads to.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Leaf(Value),
    Dict(Arc<Dict>),
}

/// One key of a dict, and what it leads to.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// The transaction that last made this leaf what it is; of a dict, see [`Dict::touched`].
    pub(crate) seq: u64,
    pub(crate) node: Node,
}

#[derive(Debug, Clone, Default)]
struct Bucket {
    hashes: Vec<u32>,
    entries: Vec<Entry>,
}

/// Keys in order, and what they lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dict {
    buckets: Vec<Arc<Bucket>>,
    /// How many keys it has.
    len: usize,
    /// Its own digest and those of all below it.
    pub(crate) digest: Digest,
    /// How many leaves and dicts there are, itself and all below it.
    pub(crate) nodes: u64,
    /// The transaction that last made it an empty dict.
    pub(crate) made: u64,
    /// The last transaction that changed it or anything below it.
    pub(crate) touched: u64,
}

/// Where an entry is, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    bucket: usize,
    entry: usize,
}

fn hash(key: &Key) -> u32 {
    let hash = BuildHasherDefault::<FxHasher>::default().hash_one(key.as_str());
    // The upper half is the better mixed one.
    (hash >> 32) as u32
}

impl Bucket {
    fn find(&self, hash: u32, key: &Key) -> Option<usize> {
        let mut from = 0;
        loop {
            let found = from + position(&self.hashes[from..], hash)?;
            if self.entries[found].key == *key {
                return Some(found);
            }
            from = found + 1;
        }
    }
}

/// The first place of a hash; blocks are compared whole, which compilers turn into few instructions.
fn position(hashes: &[u32], hash: u32) -> Option<usize> {
    const BLOCK: usize = 16;
    let mut base = 0;
    let mut blocks = hashes.chunks_exact(BLOCK);
    for block in &mut blocks {
        let any = block.iter().fold(false, |any, one| any | (*one == hash));
        if any {
            return block.iter().position(|one| *one == hash).map(|at| base + at);
        }
        base += BLOCK;
    }
    blocks.remainder().iter().position(|one| *one == hash).map(|at| base + at)
}

impl Dict {
    /// An empty dict with this digest of its own, made by this transaction.
    pub(crate) fn new(own: Digest, seq: u64) -> Self {
        Self { digest: own, nodes: 1, made: seq, touched: seq, ..Self::default() }
    }

    /// How many keys it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bucket that has this key, or would.
    fn bucket(&self, key: &Key) -> usize {
        if self.buckets.len() < 2 {
            return 0;
        }
        self.buckets.partition_point(|bucket| bucket.entries[0].key <= *key).saturating_sub(1)
    }

    /// Where a key is.
    pub(crate) fn find(&self, key: &Key) -> Option<Place> {
        let bucket = self.bucket(key);
        let entry = self.buckets.get(bucket)?.find(hash(key), key)?;
        Some(Place { bucket, entry })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        self.find(key).map(|place| self.at(place))
    }

    /// The entry at a place.
    pub(crate) fn at(&self, place: Place) -> &Entry {
        &self.buckets[place.bucket].entries[place.entry]
    }

    /// The entry at a place, to be changed; its bucket is copied if somebody else holds it.
    pub(crate) fn at_mut(&mut self, place: Place) -> &mut Entry {
        &mut Arc::make_mut(&mut self.buckets[place.bucket]).entries[place.entry]
    }

    /// Puts in an entry whose key is not there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.len += 1;
        let mut at = self.bucket(&entry.key);
        if self.buckets.is_empty() {
            self.buckets.push(Arc::default());
        }
        if self.buckets[at].entries.len() == BUCKET_MAX {
            at = self.split(at, &entry.key);
        }
        let bucket = Arc::make_mut(&mut self.buckets[at]);
        let place = bucket.entries.partition_point(|one| one.key < entry.key);
        bucket.hashes.insert(place, hash(&entry.key));
        bucket.entries.insert(place, entry);
    }

    /// Makes two buckets of a full one and tells which of them a key belongs to. Keys that come in order leave full ones behind.
    fn split(&mut self, at: usize, key: &Key) -> usize {
        let bucket = Arc::make_mut(&mut self.buckets[at]);
        let is_last = bucket.entries.last().is_some_and(|last| last.key < *key);
        let middle = if is_last { BUCKET_MAX } else { BUCKET_MAX / 2 };
        let upper = Bucket {
            hashes: bucket.hashes.split_off(middle),
            entries: bucket.entries.split_off(middle),
        };
        let is_upper = upper.entries.first().is_none_or(|first| first.key <= *key);
        self.buckets.insert(at + 1, Arc::new(upper));
        at + usize::from(is_upper)
    }

    /// Takes out the entry at a place.
    pub(crate) fn remove(&mut self, place: Place) -> Entry {
        self.len -= 1;
        let Place { bucket: at, entry } = place;
        let bucket = Arc::make_mut(&mut self.buckets[at]);
        bucket.hashes.remove(entry);
        let removed = bucket.entries.remove(entry);
        if bucket.entries.is_empty() {
            self.buckets.remove(at);
        } else if bucket.entries.len() < BUCKET_MIN / 2 {
            self.join(at);
        }
        removed
    }

    /// Makes one of a small bucket and its neighbour, if that is small enough too.
    fn join(&mut self, at: usize) {
        let left = if at + 1 < self.buckets.len() { at } else { at.saturating_sub(1) };
        let right = left + 1;
        let both = self.buckets[left..].iter().take(2).map(|one| one.entries.len()).sum::<usize>();
        if right >= self.buckets.len() || both > BUCKET_MIN {
            return;
        }
        let right = Arc::unwrap_or_clone(self.buckets.remove(right));
        let left = Arc::make_mut(&mut self.buckets[left]);
        left.hashes.extend(right.hashes);
        left.entries.extend(right.entries);
    }

    /// All entries in order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.buckets.iter().flat_map(|bucket| bucket.entries.iter())
    }

    /// All entries in order, to be changed; all of it that somebody else holds is copied.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.buckets.iter_mut().flat_map(|bucket| Arc::make_mut(bucket).entries.iter_mut())
    }

    /// The entry at a place, or the first one behind it; nothing at the end.
    pub(crate) fn entry_from(&self, place: Place) -> Option<(&Entry, Place)> {
        let bucket = self.buckets.get(place.bucket)?;
        match bucket.entries.get(place.entry) {
            Some(entry) => Some((entry, place)),
            None => {
                let next = Place { bucket: place.bucket + 1, entry: 0 };
                let first = self.buckets.get(next.bucket)?.entries.first()?;
                Some((first, next))
            }
        }
    }

    /// The place of the first key not below this one.
    pub(crate) fn lower_bound(&self, key: &Key) -> Place {
        let bucket = self.bucket(key);
        let entry = self
            .buckets
            .get(bucket)
            .map_or(0, |bucket| bucket.entries.partition_point(|entry| entry.key < *key));
        Place { bucket, entry }
    }
}

impl Place {
    /// The first place there is.
    pub(crate) const FIRST: Self = Self { bucket: 0, entry: 0 };

    /// The one behind this.
    pub(crate) fn next(self) -> Self {
        Self { entry: self.entry + 1, ..self }
    }
}

#[cfg(test)]
mod tests;
