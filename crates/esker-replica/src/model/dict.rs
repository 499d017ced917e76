//! Dicts: ordered maps that are copied only where they are written.
//!
//! A dict is a bucket of up to [`BUCKET_MAX`] entries in order of their keys or, if it has more, a list of such buckets: a B-tree of two
//! levels. Whoever holds a clone of a dict sees it as it was; the first write after that copies the list and one bucket, and no
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

    pub(crate) fn set_digest(&mut self, digest: Digest) {
        self.digest = digest.to_bytes();
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

#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket {
    hashes: Vec<Hash>,
    entries: Vec<Entry>,
}

/// What keys are found by: short, so that those of a bucket lie close together.
type Hash = u16;

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
                buckets.partition_point(|one| one.entries[0].key <= *key).saturating_sub(1)
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(buckets) => buckets.len(),
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
    bucket: usize,
    entry: usize,
}

fn hash(key: &Key) -> Hash {
    let hash = BuildHasherDefault::<FxHasher>::default().hash_one(key.as_str());
    // The upper bits are the better mixed ones.
    (hash >> 48) as Hash
}

impl Bucket {
    /// Reads a little of all that keys are found by; a number that means nothing.
    pub(crate) fn touch(&self) -> Hash {
        // One in each line of a cache.
        self.hashes.iter().step_by(32).fold(0, |all, one| all ^ one)
    }

    /// What most probably is the entry of a key; it is not looked at.
    pub(crate) fn guess(&self, key: &Key) -> Option<&Entry> {
        position(&self.hashes, hash(key)).map(|at| &self.entries[at])
    }

    fn find(&self, hash: Hash, key: &Key) -> Option<usize> {
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

/// The first place of a hash. Blocks are compared whole, which compilers turn into few instructions, first large and then small ones.
fn position(hashes: &[Hash], hash: Hash) -> Option<usize> {
    const BLOCK: usize = 32;
    let (blocks, rest) = hashes.as_chunks::<BLOCK>();
    match blocks.iter().position(|block| is_among(block, hash)) {
        Some(found) => position_within(&blocks[found], hash).map(|at| found * BLOCK + at),
        None => position_within(rest, hash).map(|at| blocks.len() * BLOCK + at),
    }
}

fn position_within(hashes: &[Hash], hash: Hash) -> Option<usize> {
    const BLOCK: usize = 8;
    let (blocks, rest) = hashes.as_chunks::<BLOCK>();
    match blocks.iter().position(|block| is_among(block, hash)) {
        Some(found) => {
            // Without a jump for each.
            let places = blocks[found].iter().enumerate().rev();
            let first = places.fold(0, |first, (at, one)| if *one == hash { at } else { first });
            Some(found * BLOCK + first)
        }
        None => rest.iter().position(|one| *one == hash).map(|at| blocks.len() * BLOCK + at),
    }
}

fn is_among(hashes: &[Hash], hash: Hash) -> bool {
    hashes.iter().fold(false, |any, one| any | (*one == hash))
}

impl Dict {
    /// An empty dict with this digest of its own, made by this transaction.
    pub(crate) fn new(own: Digest, seq: u64) -> Self {
        Self { digest: own, nodes: 1, made: seq, touched: seq, ..Self::default() }
    }

    /// As [`Dict::new`], with room for so many keys.
    pub(crate) fn with_room(own: Digest, seq: u64, keys: usize) -> Self {
        let keys = keys.min(BUCKET_MAX);
        let (hashes, entries) = (Vec::with_capacity(keys), Vec::with_capacity(keys));
        Self { buckets: Buckets::One(Bucket { hashes, entries }), ..Self::new(own, seq) }
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
        let entry = self.buckets.get(bucket)?.find(hash(key), key)?;
        Some(Place { bucket, entry })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Entry> {
        self.find(key).map(|place| self.at(place))
    }

    /// The bucket that has a key, or would.
    pub(crate) fn bucket(&self, key: &Key) -> Option<&Bucket> {
        self.buckets.get(self.buckets.of(key))
    }

    /// The entry at a place.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn at(&self, place: Place) -> &Entry {
        let bucket = self.buckets.get(place.bucket).expect("a place that was found");
        &bucket.entries[place.entry]
    }

    /// The entry at a place, to be changed; its bucket is copied if somebody else holds it.
    pub(crate) fn at_mut(&mut self, place: Place) -> &mut Entry {
        &mut self.buckets.get_mut(place.bucket).entries[place.entry]
    }

    /// Puts in an entry whose key is not there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.len += 1;
        let mut at = self.buckets.of(&entry.key);
        if self.buckets.get(at).is_some_and(|bucket| bucket.entries.len() == BUCKET_MAX) {
            at = self.split(at, &entry.key);
        }
        let bucket = self.buckets.get_mut(at);
        let place = bucket.entries.partition_point(|one| one.key < entry.key);
        bucket.hashes.insert(place, hash(&entry.key));
        bucket.entries.insert(place, entry);
    }

    /// Puts in an entry behind all others; whether its key is greater than theirs.
    pub(crate) fn push(&mut self, entry: Entry) -> bool {
        let last = self.buckets.len() - 1;
        let bucket = self.buckets.get_mut(last);
        if bucket.entries.last().is_some_and(|last| last.key >= entry.key) {
            return false;
        }
        let at = match bucket.entries.len() {
            BUCKET_MAX => self.split(last, &entry.key),
            _ => last,
        };
        self.len += 1;
        let bucket = self.buckets.get_mut(at);
        bucket.hashes.push(hash(&entry.key));
        bucket.entries.push(entry);
        true
    }

    /// What the greatest key leads to, if it is this one.
    pub(crate) fn last_mut(&mut self, key: &Key) -> Option<&mut Node> {
        let last = self.buckets.len() - 1;
        let entry = self.buckets.get_mut(last).entries.last_mut()?;
        (entry.key == *key).then_some(&mut entry.node)
    }

    /// The leaves among the last so many entries, in order; there are no more than a bucket has.
    pub(crate) fn last_leaves_mut(&mut self, count: usize) -> impl Iterator<Item = &mut Leaf> {
        let (before, last) = match &mut self.buckets {
            Buckets::One(bucket) => (None, bucket),
            Buckets::Many(buckets) => match &mut buckets[..] {
                [.., before, last] => (Some(Arc::make_mut(before)), Arc::make_mut(last)),
                _ => unreachable!("there are two or more"),
            },
        };
        let last = tail(&mut last.entries, count);
        let before = before.map(|bucket| tail(&mut bucket.entries, count - last.len()));
        before.into_iter().flatten().chain(last).filter_map(|entry| match &mut entry.node {
            Node::Leaf(leaf) => Some(leaf),
            Node::Dict(_) => None,
        })
    }

    /// Makes two buckets of a full one and tells which of them a key belongs to. Keys that come in order leave full ones behind.
    fn split(&mut self, at: usize, key: &Key) -> usize {
        let bucket = self.buckets.get_mut(at);
        let is_last = bucket.entries.last().is_some_and(|last| last.key < *key);
        let middle = if is_last { BUCKET_MAX } else { BUCKET_MAX / 2 };
        let upper = Bucket {
            hashes: bucket.hashes.split_off(middle),
            entries: bucket.entries.split_off(middle),
        };
        let is_upper = upper.entries.first().is_none_or(|first| first.key <= *key);
        let upper = Arc::new(upper);
        match &mut self.buckets {
            Buckets::One(lower) => {
                let lower = Arc::new(std::mem::take(lower));
                self.buckets = Buckets::Many(vec![lower, upper]);
            }
            Buckets::Many(buckets) => buckets.insert(at + 1, upper),
        }
        at + usize::from(is_upper)
    }

    /// Takes out the entry at a place.
    pub(crate) fn remove(&mut self, place: Place) -> Entry {
        self.len -= 1;
        let Place { bucket: at, entry } = place;
        let bucket = self.buckets.get_mut(at);
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
        buckets.flat_map(|bucket| bucket.entries.iter())
    }

    /// All entries in order; those of buckets that somebody else holds are copied.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry> {
        let (one, many) = match self.buckets {
            Buckets::One(bucket) => (Some(bucket), None),
            Buckets::Many(buckets) => (None, Some(buckets.into_iter().map(Arc::unwrap_or_clone))),
        };
        one.into_iter().chain(many.into_iter().flatten()).flat_map(|bucket| bucket.entries)
    }

    /// All entries in order, to be changed; buckets that somebody else holds are copied.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        let (one, many) = match &mut self.buckets {
            Buckets::One(bucket) => (Some(bucket), None),
            Buckets::Many(buckets) => (None, Some(buckets.iter_mut().map(Arc::make_mut))),
        };
        let buckets = one.into_iter().chain(many.into_iter().flatten());
        buckets.flat_map(|bucket| bucket.entries.iter_mut())
    }

    /// The entry at a place, or the first one behind it; nothing at the end.
    pub(crate) fn entry_from(&self, place: Place) -> Option<(&Entry, Place)> {
        let bucket = self.buckets.get(place.bucket)?;
        if let Some(entry) = bucket.entries.get(place.entry) {
            return Some((entry, place));
        }
        let next = Place { bucket: place.bucket + 1, entry: 0 };
        let first = self.buckets.get(next.bucket)?.entries.first()?;
        Some((first, next))
    }

    /// The place of the first key not below this one.
    pub(crate) fn lower_bound(&self, key: &Key) -> Place {
        let bucket = self.buckets.of(key);
        let entry = self
            .buckets
            .get(bucket)
            .map_or(0, |bucket| bucket.entries.partition_point(|entry| entry.key < *key));
        Place { bucket, entry }
    }
}

/// The last so many entries, or all there are.
fn tail(entries: &mut [Entry], count: usize) -> &mut [Entry] {
    let from = entries.len().saturating_sub(count);
    &mut entries[from..]
}

/// Makes one of a small bucket and a neighbour, if one is small enough too.
fn join(buckets: &mut Vec<Arc<Bucket>>, at: usize) {
    let fits = |left: &usize| match buckets.get(*left..*left + 2) {
        Some([one, other]) => one.entries.len() + other.entries.len() <= BUCKET_MIN,
        _ => false,
    };
    let Some(left) = [Some(at), at.checked_sub(1)].into_iter().flatten().find(fits) else {
        return;
    };
    let right = Arc::unwrap_or_clone(buckets.remove(left + 1));
    let left = Arc::make_mut(&mut buckets[left]);
    left.hashes.extend(right.hashes);
    left.entries.extend(right.entries);
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
