//! Dicts: ordered maps that are copied only where they are written.
//!
//! A dict is a bucket of up to [`BUCKET_MAX`] entries in order of their keys or, if it has more, a list of such buckets: a B-tree of two
//! levels. Whoever holds a clone of a dict sees it as it was; the first write after that copies the list and one bucket, and no
//! library's map is as small and as quick at it (docs/benchmarks.md). Keys are found by a scan of short hashes.

mod bucket;

use std::sync::Arc;

use bucket::{BUCKET_MAX, BUCKET_MIN, Bucket, hash};
pub(crate) use bucket::{Open, Telling};

use crate::digest::Digest;
use crate::path::Key;
use crate::value::Value;

/// What a key leads to.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Leaf(Leaf),
    Dict(Arc<Dict>),
}

/// A leaf, and its digest: a change of it costs one hash, and comparing none.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) value: Value,
    /// As bytes, which need no room between them and the rest.
    digest: [u8; 16],
}

impl Leaf {
    pub(crate) fn new(value: Value, digest: Digest) -> Self {
        Self { value, digest: digest.to_bytes() }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(self.digest)
    }

    /// Reads a little of it; a number that means nothing.
    pub(crate) fn touch(&self) -> u8 {
        self.digest[15]
    }
}

impl Node {
    /// The digest of it and all below it.
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Leaf(leaf) => leaf.digest(),
            Self::Dict(dict) => dict.digest,
        }
    }

    /// How many leaves and dicts it is, with all below it.
    pub(crate) fn nodes(&self) -> u64 {
        match self {
            Self::Leaf(_) => 1,
            Self::Dict(dict) => dict.nodes,
        }
    }
}

/// One key of a dict, and what it leads to.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// The transaction that last made this leaf what it is; of a dict, see [`Dict::touched`].
    pub(crate) seq: u64,
    pub(crate) node: Node,
}

/// The entries of a dict. One bucket is held directly: most dicts are small, and each way to go costs a look into memory.
#[derive(Debug, Clone)]
enum Buckets {
    One(Bucket),
    /// Two or more, none of them empty.
    Many(Vec<Arc<Bucket>>),
}

impl Default for Buckets {
    fn default() -> Self {
        Self::One(Bucket::default())
    }
}

impl Buckets {
    fn get(&self, at: usize) -> Option<&Bucket> {
        match self {
            Self::One(bucket) => (at == 0).then_some(bucket),
            Self::Many(buckets) => buckets.get(at).map(Arc::as_ref),
        }
    }

    /// A bucket to be changed, which is copied if somebody else holds it.
    fn get_mut(&mut self, at: usize) -> &mut Bucket {
        match self {
            Self::One(bucket) => bucket,
            Self::Many(buckets) => Arc::make_mut(&mut buckets[at]),
        }
    }

    /// The bucket that has this key, or would.
    fn of(&self, key: &Key) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(buckets) => {
                let begins_before =
                    |one: &Arc<Bucket>| one.first().is_some_and(|first| first <= key);
                buckets.partition_point(begins_before).saturating_sub(1)
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(buckets) => buckets.len(),
        }
    }

    /// Puts in one more, not as the first.
    fn insert(&mut self, at: usize, bucket: Bucket) {
        let bucket = Arc::new(bucket);
        match self {
            Self::One(first) => *self = Self::Many(vec![Arc::new(std::mem::take(first)), bucket]),
            Self::Many(buckets) => buckets.insert(at, bucket),
        }
    }
}

/// Keys in order, and what they lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dict {
    buckets: Buckets,
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
    pub(super) bucket: usize,
    pub(super) entry: usize,
}

impl Dict {
    /// An empty dict with this digest of its own, made by this transaction.
    pub(crate) fn new(own: Digest, seq: u64) -> Self {
        Self { digest: own, nodes: 1, made: seq, touched: seq, ..Self::default() }
    }

    /// An empty dict that stands for one that is elsewhere.
    pub(crate) fn counting_nothing(seq: u64) -> Self {
        Self { nodes: 0, ..Self::new(Digest::ZERO, seq) }
    }

    /// How many keys it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where a key is.
    pub(crate) fn find(&self, key: &Key) -> Option<Place> {
        let bucket = self.buckets.of(key);
        let entry = self.buckets.get(bucket)?.open().find(hash(key), key)?;
        Some(Place { bucket, entry })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        self.find(key).map(|place| self.at(place))
    }

    /// The bucket that has a key, or would, and its number.
    pub(crate) fn bucket(&self, key: &Key) -> Option<(usize, &Open)> {
        let at = self.buckets.of(key);
        Some((at, self.buckets.get(at)?.open()))
    }

    /// Whether a key is at a place.
    pub(crate) fn is_at(&self, place: Place, key: &Key) -> bool {
        let bucket = self.buckets.get(place.bucket);
        let entry = bucket.and_then(|bucket| bucket.open().entries.get(place.entry));
        entry.is_some_and(|entry| entry.key == *key)
    }

    /// The entry at a place.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn at(&self, place: Place) -> &Entry {
        let bucket = self.buckets.get(place.bucket).expect("a place that was found");
        &bucket.open().entries[place.entry]
    }

    /// The entry at a place, to be changed; its bucket is copied if somebody else holds it.
    pub(crate) fn at_mut(&mut self, place: Place) -> &mut Entry {
        &mut self.buckets.get_mut(place.bucket).open_mut().entries[place.entry]
    }

    /// Puts in an entry whose key is not there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.len += 1;
        let mut at = self.buckets.of(&entry.key);
        if self.buckets.get(at).is_some_and(|bucket| bucket.len() == BUCKET_MAX) {
            at = self.split(at, &entry.key);
        }
        let bucket = self.buckets.get_mut(at).open_mut();
        let place = bucket.entries.partition_point(|one| one.key < entry.key);
        bucket.hashes.insert(place, hash(&entry.key));
        bucket.entries.insert(place, entry);
    }

    /// The greatest key.
    pub(crate) fn last(&self) -> Option<&Key> {
        self.buckets.get(self.buckets.len() - 1).and_then(Bucket::last)
    }

    /// Puts in an entry behind all others; whether its key is greater than theirs.
    pub(crate) fn push(&mut self, entry: Entry) -> bool {
        if self.last().is_some_and(|last| *last >= entry.key) {
            return false;
        }
        let last = self.buckets.len() - 1;
        let at = match self.buckets.get(last).map(Bucket::len) {
            Some(BUCKET_MAX) => self.split(last, &entry.key),
            _ => last,
        };
        self.len += 1;
        self.buckets.get_mut(at).open_mut().push(entry);
        true
    }

    /// Puts in a bucket behind all others; whether its keys are greater than theirs.
    pub(crate) fn push_bucket(&mut self, bucket: Bucket) -> bool {
        let Some(first) = bucket.first() else { return true };
        if self.last().is_some_and(|last| last >= first) {
            return false;
        }
        self.len += bucket.len();
        let last = self.buckets.get_mut(self.buckets.len() - 1);
        let (before, more) = (last.len(), bucket.len());
        if before == 0 {
            *last = bucket;
        } else if before.min(more) < BUCKET_MIN && before + more <= BUCKET_MAX {
            last.append(bucket);
        } else {
            self.buckets.insert(self.buckets.len(), bucket);
        }
        true
    }

    /// What the greatest key leads to, if it is this one.
    pub(crate) fn last_mut(&mut self, key: &Key) -> Option<&mut Node> {
        if self.last() != Some(key) {
            return None;
        }
        let last = self.buckets.len() - 1;
        self.buckets.get_mut(last).open_mut().entries.last_mut().map(|entry| &mut entry.node)
    }

    /// Makes two buckets of a full one and tells which of them a key belongs to. Keys that come in order leave full ones behind.
    fn split(&mut self, at: usize, key: &Key) -> usize {
        let bucket = self.buckets.get_mut(at).open_mut();
        let is_last = bucket.entries.last().is_some_and(|last| last.key < *key);
        let middle = if is_last { BUCKET_MAX } else { BUCKET_MAX / 2 };
        let upper = Open {
            hashes: bucket.hashes.split_off(middle),
            entries: bucket.entries.split_off(middle),
        };
        let is_upper = upper.entries.first().is_none_or(|first| first.key <= *key);
        self.buckets.insert(at + 1, Bucket::Open(upper));
        at + usize::from(is_upper)
    }

    /// Takes out the entry at a place.
    pub(crate) fn remove(&mut self, place: Place) -> Entry {
        self.len -= 1;
        let Place { bucket: at, entry } = place;
        let bucket = self.buckets.get_mut(at).open_mut();
        bucket.hashes.remove(entry);
        let removed = bucket.entries.remove(entry);
        let left = bucket.entries.len();
        if let Buckets::Many(buckets) = &mut self.buckets {
            if left == 0 {
                buckets.remove(at);
            } else if left < BUCKET_MIN / 2 {
                join(buckets, at);
            }
            if let [_] = &buckets[..] {
                let last = buckets.pop().map(Arc::unwrap_or_clone).unwrap_or_default();
                self.buckets = Buckets::One(last);
            }
        }
        removed
    }

    /// All entries in order.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        let buckets = (0..self.buckets.len()).filter_map(|at| self.buckets.get(at));
        buckets.flat_map(|bucket| bucket.open().entries.iter())
    }

    /// All buckets in order; those that somebody else holds are copied.
    pub(crate) fn into_buckets(self) -> impl Iterator<Item = Bucket> {
        let (one, many) = match self.buckets {
            Buckets::One(bucket) => (Some(bucket), None),
            Buckets::Many(buckets) => (None, Some(buckets.into_iter().map(Arc::unwrap_or_clone))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// All entries in order, to be changed; buckets that somebody else holds are copied.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        let (one, many) = match &mut self.buckets {
            Buckets::One(bucket) => (Some(bucket), None),
            Buckets::Many(buckets) => (None, Some(buckets.iter_mut().map(Arc::make_mut))),
        };
        let buckets = one.into_iter().chain(many.into_iter().flatten());
        buckets.flat_map(|bucket| bucket.open_mut().entries.iter_mut())
    }

    /// The entry at a place, or the first one behind it; nothing at the end.
    pub(crate) fn entry_from(&self, place: Place) -> Option<(&Entry, Place)> {
        let bucket = self.buckets.get(place.bucket)?.open();
        if let Some(entry) = bucket.entries.get(place.entry) {
            return Some((entry, place));
        }
        let next = Place { bucket: place.bucket + 1, entry: 0 };
        let first = self.buckets.get(next.bucket)?.open().entries.first()?;
        Some((first, next))
    }

    /// The place of the first key not below this one.
    pub(crate) fn lower_bound(&self, key: &Key) -> Place {
        let bucket = self.buckets.of(key);
        let entry = self
            .buckets
            .get(bucket)
            .map_or(0, |bucket| bucket.open().entries.partition_point(|entry| entry.key < *key));
        Place { bucket, entry }
    }
}

/// Makes one of a small bucket and a neighbour, if one is small enough too.
fn join(buckets: &mut Vec<Arc<Bucket>>, at: usize) {
    let fits = |left: &usize| match buckets.get(*left..*left + 2) {
        Some([one, other]) => one.len() + other.len() <= BUCKET_MIN,
        _ => false,
    };
    let Some(left) = [Some(at), at.checked_sub(1)].into_iter().flatten().find(fits) else {
        return;
    };
    let right = Arc::unwrap_or_clone(buckets.remove(left + 1));
    Arc::make_mut(&mut buckets[left]).append(right);
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
