//! Digests that add up: what tells at any time whether two models, or two subtrees, are the same.
//!
//! A node's digest is a truncated BLAKE3 of its path and value; a dict's is that of its own path plus those of all
//! it has. So a changed leaf costs two hashes at any depth (after Bellare and Micciancio, "A New Paradigm for
//! Collision-Free Hashing", 1997; sums of 128 bits guard against accidents, not against forgers).

mod lanes;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;
use std::sync::LazyLock;

use crate::bytes::{put_bytes, put_varint};
use crate::op::{Act, Op};
use crate::path::Key;
use crate::value::Value;

use lanes::Lanes;

/// How many leaves can wait to be hashed together.
pub(crate) const LANES: usize = lanes::COUNT;

/// The key of every hash: BLAKE3 of "esker model v1".
static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| *blake3::hash(b"esker model v1").as_bytes());

const LEAF: u8 = 1;
const DICT: u8 = 2;

/// 128 bits that are added modulo 2^128; zero is the digest of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// The digest of nothing.
    pub const ZERO: Self = Self(0);

    /// The digest of a leaf at a path.
    pub fn of_leaf(path: &[Key], value: &Value) -> Self {
        Hasher::default().leaf(path, value)
    }

    /// As frames have it.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The low 64 bits: enough to find what differs, where the whole is compared in the end.
    pub(crate) fn low(self) -> u64 {
        self.0 as u64
    }
}

impl Add for Digest {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl Sub for Digest {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }
}

impl AddAssign for Digest {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Digest {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Digest {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Digest {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
            .ok_or_else(|| "a digest has 32 hexadecimal digits".to_owned())
    }
}

/// Works out digests; keeps the memory it needs for that.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    input: Vec<u8>,
    /// What all that a dict has begin with: a tag, how many keys, and the dict's own.
    stem: usize,
    lanes: Lanes,
}

impl Hasher {
    /// The digest of a leaf.
    pub fn leaf(&mut self, path: &[Key], value: &Value) -> Digest {
        self.begin(LEAF, path);
        value.encode(&mut self.input);
        self.end()
    }

    /// The digest of a dict without what it has.
    pub(crate) fn dict(&mut self, path: &[Key]) -> Digest {
        self.begin(DICT, path);
        self.end()
    }

    /// The digests of the leaves that up to so many operations set, at the same places; what is at the others means nothing.
    ///
    /// # Panics
    /// If there are more operations.
    pub fn leaves<const N: usize>(&mut self, ops: &[Op]) -> [Digest; N] {
        let mut digests = [Digest::ZERO; N];
        let mut places = [0; lanes::COUNT];
        for (at, op) in ops.iter().enumerate() {
            let Act::Set(value) = &op.act else { continue };
            self.begin(LEAF, &op.path);
            value.encode(&mut self.input);
            match self.lanes.push(&self.input) {
                Some(lane) => places[lane] = at,
                None => digests[at] = self.end(),
            }
            if self.lanes.is_full() {
                self.lanes.finish(|lane, digest| digests[places[lane]] = digest);
            }
        }
        self.lanes.finish(|lane, digest| digests[places[lane]] = digest);
        digests
    }

    /// The next leaves are in the dict that has this node.
    pub(crate) fn beside(&mut self, path: &[Key]) {
        self.begin(LEAF, path);
    }

    /// A leaf whose encoding is known: it waits to be hashed with others, or its digest is told at once if it cannot be. There has to
    /// be room.
    pub(crate) fn encoded(&mut self, key: &[u8], value: &[u8]) -> Option<Digest> {
        self.input.truncate(self.stem);
        put_bytes(&mut self.input, key);
        self.input.extend_from_slice(value);
        match self.lanes.push(&self.input) {
            Some(_) => None,
            None => Some(self.end()),
        }
    }

    /// How many leaves wait for [`Hasher::finish`].
    pub(crate) fn waiting(&self) -> usize {
        self.lanes.len()
    }

    /// Whether no more leaves can wait.
    pub(crate) fn is_full(&self) -> bool {
        self.lanes.is_full()
    }

    /// Tells the digests of the leaves that wait, each with its number, in order.
    pub(crate) fn finish(&mut self, told: impl FnMut(usize, Digest)) {
        self.lanes.finish(told);
    }

    fn begin(&mut self, tag: u8, path: &[Key]) {
        self.input.clear();
        self.input.push(tag);
        put_varint(&mut self.input, path.len() as u64);
        for key in path {
            self.stem = self.input.len();
            put_bytes(&mut self.input, key.as_bytes());
        }
    }

    fn end(&self) -> Digest {
        hash(&self.input)
    }
}

/// The first half of an input's hash.
fn hash(input: &[u8]) -> Digest {
    let hash = blake3::keyed_hash(&KEY, input);
    let (first, _) = hash.as_bytes().split_first_chunk().expect("32 bytes begin with 16");
    Digest::from_bytes(*first)
}

/// The digest of a dict without what it has.
pub(crate) fn of_dict(path: &[Key]) -> Digest {
    Hasher::default().dict(path)
}

/// The number that names a section in frames.
pub(crate) fn section_id(section: &[Key]) -> u64 {
    of_dict(section).low()
}

#[cfg(test)]
mod tests;
