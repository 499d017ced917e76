//! Pieces: nodes that come in the order of their paths, as copies do. They are put together without a look for each from the root
//! down, several at the same time on as many threads, and then joined to what came before.

use std::sync::Arc;

use super::Model;
use super::dict::{Dict, Entry, Leaf, Node};
use crate::bytes::Malformed;
use crate::digest::{Digest, Hasher};
use crate::op::{Act, Ops};
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
    ops: Ops<'a>,
    /// The one that is next, if there is one.
    act: Option<Act>,
    seq: u64,
    hasher: Hasher,
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
    pub(crate) fn read(body: &[u8], seq: u64) -> Result<Self, Malformed> {
        let mut rising = Rising { ops: Ops::new(body), act: None, seq, hasher: Hasher::default() };
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
    let mut entries = part.into_entries();
    if implied > 0 {
        let Entry { key, node: Node::Dict(child), .. } = entries.next()? else { return None };
        let Node::Dict(known) = dict.last_mut(&key)? else { return None };
        join(Arc::make_mut(known), Arc::unwrap_or_clone(child), implied - 1, seq)?;
    }
    entries.all(|entry| dict.push(entry)).then_some(())
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

impl Rising<'_> {
    fn advance(&mut self) -> Result<(), Malformed> {
        self.act = self.ops.next()?.map(|(_, act)| act);
        Ok(())
    }

    /// Takes all that is below a dict whose path has `depth` keys; the next one is, so that this takes at least one.
    fn fill(&mut self, dict: &mut Dict, depth: usize) -> Result<Added, Malformed> {
        let mut added = Added::default();
        // The last node that was hashed is one of this dict's.
        let mut is_sibling = false;
        // Dicts beside one another are mostly alike.
        let mut room = 0;
        loop {
            let more = if self.ops.path().len() == depth + 1 {
                let put = self.put(dict, is_sibling, room)?;
                self.advance()?;
                is_sibling = true;
                put
            } else {
                added.digest += finish(&mut self.hasher, dict);
                let Some(Node::Dict(child)) = dict.last_mut(&self.ops.path()[depth]) else {
                    return Err(disorder(&self.ops));
                };
                let child = Arc::make_mut(child);
                let below = self.fill(child, depth + 1)?;
                count(child, &below, self.seq);
                room = child.len();
                is_sibling = false;
                below
            };
            added.digest += more.digest;
            added.nodes += more.nodes;
            // Whatever is told to share less than it does is found again from the root.
            let is_below = self.ops.shared() >= depth && self.ops.path().len() > depth;
            if self.act.is_none() || !is_below {
                added.digest += finish(&mut self.hasher, dict);
                return Ok(added);
            }
        }
    }

    /// Puts the next node behind all that a dict has; if it is a dict, with room for so many keys. Leaves may wait for their digests.
    fn put(&mut self, dict: &mut Dict, is_sibling: bool, room: usize) -> Result<Added, Malformed> {
        let Self { ops, hasher, seq, act } = self;
        let path = ops.path();
        let Some(key) = path.last() else { return Err(disorder(ops)) };
        let mut digest = Digest::ZERO;
        let node = match act.take() {
            Some(Act::Set(value)) => {
                if hasher.is_full() {
                    digest += finish(hasher, dict);
                }
                let alone = hasher.encoded(path, ops.value(), is_sibling);
                if let Some(alone) = alone {
                    digest += finish(hasher, dict) + alone;
                }
                Node::Leaf(Leaf::new(value, alone.unwrap_or_default()))
            }
            Some(Act::Dict) => {
                let own = hasher.dict(path);
                digest += finish(hasher, dict) + own;
                Node::Dict(Arc::new(Dict::with_room(own, *seq, room)))
            }
            _ => return Err(disorder(ops)),
        };
        let entry = Entry { key: key.clone(), seq: *seq, node };
        if dict.push(entry) { Ok(Added { digest, nodes: 1 }) } else { Err(disorder(ops)) }
    }
}

fn disorder(ops: &Ops<'_>) -> Malformed {
    ops.wrong("nodes do not come in the order of their paths")
}

/// Gives the leaves at a dict's end that wait for it their digests; what those come to.
fn finish(hasher: &mut Hasher, dict: &mut Dict) -> Digest {
    let mut sum = Digest::ZERO;
    let mut leaves = dict.last_leaves_mut(hasher.waiting());
    hasher.finish(|_, digest| {
        sum += digest;
        if let Some(leaf) = leaves.next() {
            leaf.set_digest(digest);
        }
    });
    sum
}

#[cfg(test)]
mod tests;
