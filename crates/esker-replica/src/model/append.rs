//! Pieces: nodes that come in the order of their paths, as copies do. They are put together without a look for each from the root
//! down, several at the same time on as many threads, and then joined to what came before.

use std::sync::Arc;

use bytes::Bytes;

use super::Model;
use super::dict::{Dict, Entry, Node, Telling};
use crate::bytes::Malformed;
use crate::digest::{Digest, Hasher, LANES};
use crate::op::{Act, Ops, Sibling};
use crate::path::Key;

/// A part of a model, from one path on.
#[derive(Debug)]
pub(crate) struct Piece {
    /// As far as they are not told, dicts above the first node are here too, and count nothing.
    root: Dict,
    /// How many of those there are below the root.
    implied: usize,
    seq: u64,
}

/// Operations whose paths rise, one looked at ahead.
struct Rising<'a> {
    body: &'a Bytes,
    ops: Ops<'a>,
    /// The one that is next, if there is one.
    act: Option<Act>,
    seq: u64,
    hasher: Hasher,
    /// The leaves of one dict that are not in it yet.
    telling: Telling<'a>,
    /// The numbers there of those that the hasher has, by its own.
    waiting: [usize; LANES],
}

/// What was put below a dict.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    digest: Digest,
    nodes: u64,
}

impl Piece {
    /// Nodes given as SETs and DICTs by rising paths. The root counts nothing, told or not.
    ///
    /// # Errors
    /// What cannot be read, or does not rise.
    pub(crate) fn read(body: &Bytes, seq: u64) -> Result<Self, Malformed> {
        let mut rising = Rising {
            body,
            ops: Ops::new(body),
            act: None,
            seq,
            hasher: Hasher::default(),
            telling: Telling::default(),
            waiting: [0; LANES],
        };
        rising.advance()?;
        let is_root = |rising: &Rising<'_>| rising.ops.path().is_empty();
        if is_root(&rising) && matches!(rising.act, Some(Act::Dict)) {
            rising.advance()?;
        }
        let above = rising.ops.path().split_last().map_or(&[][..], |(_, above)| above);
        let mut piece = Self { root: implied(above, seq), implied: above.len(), seq };
        while rising.act.is_some() {
            if is_root(&rising) {
                return Err(disorder(&rising.ops));
            }
            let added = rising.fill(&mut piece.root, 0)?;
            count(&mut piece.root, &added, seq);
        }
        Ok(piece)
    }
}

impl Model {
    /// Joins a piece to all that came before it.
    ///
    /// # Errors
    /// If it does not go on where that ends; the model is then of no use any more.
    pub(crate) fn join(&mut self, piece: Piece) -> Result<(), Malformed> {
        let Piece { root, implied, seq } = piece;
        join(Arc::make_mut(&mut self.root), root, implied, seq)
            .ok_or(Malformed { what: "a piece does not follow the one before it", at: 0 })
    }
}

/// Joins a dict's part to what there is of it. Of its first entry, so many levels are known already.
fn join(dict: &mut Dict, part: Dict, implied: usize, seq: u64) -> Option<()> {
    count(dict, &Added { digest: part.digest, nodes: part.nodes }, seq);
    let mut buckets = part.into_buckets();
    if implied > 0 {
        let mut first = buckets.next()?;
        let Entry { key, node: Node::Dict(child), .. } = first.open_mut().take_first()? else {
            return None;
        };
        let Node::Dict(known) = dict.last_mut(&key)? else { return None };
        join(Arc::make_mut(known), Arc::unwrap_or_clone(child), implied - 1, seq)?;
        dict.push_bucket(first).then_some(())?;
    }
    buckets.all(|bucket| dict.push_bucket(bucket)).then_some(())
}

/// A dict that leads along these keys, and counts nothing.
fn implied(keys: &[Key], seq: u64) -> Dict {
    let mut dict = Dict::counting_nothing(seq);
    for key in keys.iter().rev() {
        let below = std::mem::replace(&mut dict, Dict::counting_nothing(seq));
        let node = Node::Dict(Arc::new(below));
        dict.push(Entry { key: key.clone(), seq, node });
    }
    dict
}

fn count(dict: &mut Dict, added: &Added, seq: u64) {
    dict.digest += added.digest;
    dict.nodes += added.nodes;
    dict.touched = seq;
}

impl<'a> Rising<'a> {
    fn advance(&mut self) -> Result<(), Malformed> {
        self.act = self.ops.next()?.map(|(_, act)| act);
        Ok(())
    }

    /// Takes all that is below a dict whose path has `depth` keys; the next one is, so that this takes at least one.
    fn fill(&mut self, dict: &mut Dict, depth: usize) -> Result<Added, Malformed> {
        let mut added = Added::default();
        self.telling.begin(dict.last());
        loop {
            let more = if self.ops.path().len() == depth + 1 {
                let put = self.put(dict, depth)?;
                self.advance()?;
                put
            } else {
                added.digest += self.settle(dict)?;
                let Some(Node::Dict(child)) = dict.last_mut(&self.ops.path()[depth]) else {
                    return Err(disorder(&self.ops));
                };
                let child = Arc::make_mut(child);
                let below = self.fill(child, depth + 1)?;
                count(child, &below, self.seq);
                self.telling.begin(dict.last());
                below
            };
            added.digest += more.digest;
            added.nodes += more.nodes;
            // Whatever is told to share less than it does is found again from the root.
            let is_below = self.ops.shared() >= depth && self.ops.path().len() > depth;
            if self.act.is_none() || !is_below {
                added.digest += self.settle(dict)?;
                return Ok(added);
            }
        }
    }

    /// Puts the next node behind all that a dict has, and all leaves that are told to be beside it.
    fn put(&mut self, dict: &mut Dict, depth: usize) -> Result<Added, Malformed> {
        let path = self.ops.path();
        match self.act.take() {
            Some(Act::Set(_)) => {
                let key = self.ops.key().ok_or_else(|| disorder(&self.ops))?;
                self.hasher.beside(path);
                let mut added = self.leaf(dict, key, self.ops.value())?;
                while let Some(Sibling { key, value }) = self.ops.sibling(depth)? {
                    let more = self.leaf(dict, key, value)?;
                    added.digest += more.digest;
                    added.nodes += more.nodes;
                }
                Ok(added)
            }
            Some(Act::Dict) => {
                let key = path.last().cloned().ok_or_else(|| disorder(&self.ops))?;
                let own = self.hasher.dict(path);
                let digest = self.settle(dict)? + own;
                let node = Node::Dict(Arc::new(Dict::new(own, self.seq)));
                if !dict.push(Entry { key, seq: self.seq, node }) {
                    return Err(disorder(&self.ops));
                }
                self.telling.begin(dict.last());
                Ok(Added { digest, nodes: 1 })
            }
            _ => Err(disorder(&self.ops)),
        }
    }

    /// Takes in a leaf, beside the last node that the hasher was told of. It waits for others, and mostly for its digest.
    fn leaf(&mut self, dict: &mut Dict, key: &'a [u8], value: &[u8]) -> Result<Added, Malformed> {
        let told = self.telling.push(key, self.ops.at());
        let number = told.ok_or_else(|| disorder(&self.ops))?;
        let mut digest = Digest::ZERO;
        match self.hasher.encoded(key, value) {
            Some(alone) => {
                self.telling.set_digest(number, alone);
                digest += alone;
            }
            None => self.waiting[self.hasher.waiting() - 1] = number,
        }
        if self.telling.is_full() {
            digest += self.settle(dict)?;
        } else if self.hasher.is_full() {
            digest += self.finish();
        }
        Ok(Added { digest, nodes: 1 })
    }

    /// Gives the leaves that wait for it their digests; what those come to.
    fn finish(&mut self) -> Digest {
        let Self { hasher, telling, waiting, .. } = self;
        let mut sum = Digest::ZERO;
        hasher.finish(|lane, digest| {
            sum += digest;
            telling.set_digest(waiting[lane], digest);
        });
        sum
    }

    /// Puts the leaves that wait into their dict, each with its digest; what those come to that were not given before.
    fn settle(&mut self, dict: &mut Dict) -> Result<Digest, Malformed> {
        let sum = self.finish();
        if dict.push_bucket(self.telling.take(self.body, self.seq)) {
            Ok(sum)
        } else {
            Err(disorder(&self.ops))
        }
    }
}

fn disorder(ops: &Ops<'_>) -> Malformed {
    ops.wrong("nodes do not come in the order of their paths")
}

#[cfg(test)]
mod tests;
