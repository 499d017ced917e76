//! Buckets: the entries of a dict that lie together; or leaves as they were told, of which entries are made when somebody looks.
//!
//! Of a large model that was just copied little is looked at, and all that has to be known of it until then are its digests. Told leaves
//! take less than half the memory that their entries do, and are there several times as soon. They hold the frame that told them; the
//! next audit looks at all of them.

use std::borrow::Cow;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use rustc_hash::FxHasher;

use super::{Entry, Leaf, Node};
use crate::bytes::Reader;
use crate::digest::Digest;
use crate::op;
use crate::path::Key;

/// The most entries of a bucket: what the first write after a cut copies.
pub(super) const BUCKET_MAX: usize = 128;

/// Fewer leaves take more memory told than as entries.
const TOLD_MIN: usize = 8;

/// Neighbours that have together no more than this become one.
pub(super) const BUCKET_MIN: usize = 32;

/// What keys are found by: short, so that those of a bucket lie close together.
pub(super) type Hash = u16;

/// Entries in order of their keys.
#[derive(Debug)]
pub(crate) enum Bucket {
    Open(Open),
    Told(Box<Told>),
}

/// Entries that can be found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Open {
    pub(super) hashes: Vec<Hash>,
    pub(super) entries: Vec<Entry>,
}

/// Leaves, one or more.
#[derive(Debug)]
pub(crate) struct Told {
    first: Key,
    last: Key,
    len: usize,
    /// Made when somebody looks; what told them is let go of then.
    open: LazyLock<Open, Box<dyn FnOnce() -> Open + Send + Sync>>,
}

/// Leaves that are being told, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Telling<'a> {
    /// Where in the body they are.
    at: Range<usize>,
    first: &'a [u8],
    /// The last key, or the one behind which the first has to come.
    last: Option<Cow<'a, [u8]>>,
    digests: Vec<[u8; 16]>,
    /// How many were taken out before: mostly the next are as many.
    room: usize,
}

impl Default for Bucket {
    fn default() -> Self {
        Self::Open(Open::default())
    }
}

/// A clone is made to be changed.
impl Clone for Bucket {
    fn clone(&self) -> Self {
        Self::Open(self.open().clone())
    }
}

impl Bucket {
    pub(super) fn open(&self) -> &Open {
        match self {
            Self::Open(open) => open,
            Self::Told(told) => &told.open,
        }
    }

    /// The entries, to be changed.
    pub(crate) fn open_mut(&mut self) -> &mut Open {
        if let Self::Told(told) = self {
            *self = Self::Open(std::mem::take(&mut told.open));
        }
        match self {
            Self::Open(open) => open,
            Self::Told(_) => unreachable!("it was opened"),
        }
    }

    /// Puts what another has behind the rest.
    pub(super) fn append(&mut self, mut other: Self) {
        let (open, other) = (self.open_mut(), std::mem::take(other.open_mut()));
        open.hashes.extend(other.hashes);
        open.entries.extend(other.entries);
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Open(open) => open.entries.len(),
            Self::Told(told) => told.len,
        }
    }

    pub(super) fn first(&self) -> Option<&Key> {
        match self {
            Self::Open(open) => open.entries.first().map(|entry| &entry.key),
            Self::Told(told) => Some(&told.first),
        }
    }

    pub(super) fn last(&self) -> Option<&Key> {
        match self {
            Self::Open(open) => open.entries.last().map(|entry| &entry.key),
            Self::Told(told) => Some(&told.last),
        }
    }
}

impl Open {
    /// Takes out the first entry.
    pub(crate) fn take_first(&mut self) -> Option<Entry> {
        (!self.entries.is_empty()).then(|| {
            self.hashes.remove(0);
            self.entries.remove(0)
        })
    }

    /// Puts an entry behind the others.
    pub(super) fn push(&mut self, entry: Entry) {
        self.hashes.push(hash(&entry.key));
        self.entries.push(entry);
    }

    /// Reads a little of all that keys are found by; a number that means nothing.
    pub(crate) fn touch(&self) -> Hash {
        // One in each line of a cache.
        self.hashes.iter().step_by(32).fold(0, |all, one| all ^ one)
    }

    /// What most probably is the entry of a key, and its number; it is not looked at.
    pub(crate) fn guess(&self, key: &Key) -> Option<(usize, &Entry)> {
        position(&self.hashes, hash(key)).map(|at| (at, &self.entries[at]))
    }

    pub(super) fn find(&self, hash: Hash, key: &Key) -> Option<usize> {
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

impl<'a> Telling<'a> {
    /// The next leaves come behind this key. There are none now.
    pub(crate) fn begin(&mut self, behind: Option<&Key>) {
        debug_assert!(self.digests.is_empty(), "leaves of one dict were not taken out");
        self.last = behind.map(|key| Cow::Owned(key.as_bytes().to_vec()));
    }

    /// Takes in a leaf with this key, which is told here; its number, or nothing if its key is not greater than all before.
    pub(crate) fn push(&mut self, key: &'a [u8], at: Range<usize>) -> Option<usize> {
        if self.last.as_ref().is_some_and(|last| **last >= *key) {
            return None;
        }
        if self.digests.is_empty() {
            self.first = key;
            self.at.start = at.start;
            self.digests.reserve_exact(self.room);
        }
        self.last = Some(Cow::Borrowed(key));
        self.at.end = at.end;
        self.digests.push([0; 16]);
        Some(self.digests.len() - 1)
    }

    /// Gives a leaf its digest.
    pub(crate) fn set_digest(&mut self, number: usize, digest: Digest) {
        self.digests[number] = digest.to_bytes();
    }

    /// Whether they are as many as a bucket has.
    pub(crate) fn is_full(&self) -> bool {
        self.digests.len() == BUCKET_MAX
    }

    /// Takes out the leaves, which are told in this body, and were made what they are by this transaction; all digests are given.
    pub(crate) fn take(&mut self, body: &Bytes, seq: u64) -> Bucket {
        let Some(last) = self.last.as_deref().filter(|_| !self.digests.is_empty()) else {
            return Bucket::default();
        };
        let key = |key| Key::new(str::from_utf8(key).expect("a key is a text"));
        let (first, last) = (key(self.first), key(last));
        let digests = std::mem::take(&mut self.digests);
        self.room = digests.len();
        let (body, len) = (body.slice(self.at.clone()), digests.len());
        if len < TOLD_MIN {
            return Bucket::Open(open(&body, &digests, seq));
        }
        let digests = digests.into_boxed_slice();
        let open = LazyLock::new(Box::new(move || open(&body, &digests, seq)) as Box<_>);
        Bucket::Told(Box::new(Told { first, last, len, open }))
    }
}

/// Makes entries of leaves that were read before.
fn open(body: &[u8], digests: &[[u8; 16]], seq: u64) -> Open {
    let len = digests.len();
    let mut open = Open { hashes: Vec::with_capacity(len), entries: Vec::with_capacity(len) };
    let mut reader = Reader::new(body);
    for digest in digests {
        let (key, value) = op::leaf(&mut reader).expect("it could be read before");
        let node = Node::Leaf(Leaf::new(value, Digest::from_bytes(*digest)));
        open.push(Entry { key, seq, node });
    }
    open
}

pub(super) fn hash(key: &Key) -> Hash {
    let hash = BuildHasherDefault::<FxHasher>::default().hash_one(key.as_str());
    // The upper bits are the better mixed ones.
    (hash >> 48) as Hash
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

#[cfg(test)]
mod tests;
