//! Sums of digests over a part of a model, from one path to another: of whole dicts in it, those that they keep.

use super::dict::{Dict, Node, Place};
use super::{Branch, Found, Model};
use crate::digest::{Digest, Hasher};
use crate::path::{Key, Path};

/// Where the part begins and ends, and where in it the sum has come to.
struct Between<'a> {
    /// The node before the first; empty if it begins with the base.
    after: &'a [Key],
    /// The last node; empty if it ends with all below the base.
    upto: &'a [Key],
    path: Path,
    hasher: Hasher,
}

/// Which ends of the part are at a node or below it.
#[derive(Clone, Copy)]
struct Ends {
    after: bool,
    upto: bool,
}

impl Model {
    /// The sum of what nodes are by themselves: of those at a base or below it, behind one path and up to another, in the order
    /// of paths. `after` is at the base or below it.
    pub(crate) fn digest_between(
        &self,
        base: &[Key],
        after: Option<&[Key]>,
        upto: Option<&[Key]>,
    ) -> Digest {
        if upto.is_some_and(|upto| upto < base) {
            return Digest::ZERO;
        }
        let upto = upto.filter(|upto| upto.starts_with(base));
        let ends = Ends { after: after.is_some(), upto: upto.is_some() };
        let mut between = Between {
            after: after.unwrap_or_default(),
            upto: upto.unwrap_or_default(),
            path: base.to_vec(),
            hasher: Hasher::default(),
        };
        match self.get(base) {
            None => Digest::ZERO,
            Some(Found::Leaf(_)) if ends.after => Digest::ZERO,
            Some(Found::Leaf(_)) => self.digest_at(base),
            Some(Found::Dict(Branch(dict))) => between.dict(dict, ends),
        }
    }
}

impl Between<'_> {
    fn node(&mut self, node: &Node, ends: Ends) -> Digest {
        match node {
            Node::Leaf(_) if ends.after => Digest::ZERO,
            Node::Leaf(leaf) => leaf.digest(),
            Node::Dict(dict) => self.dict(dict, ends),
        }
    }

    fn dict(&mut self, dict: &Dict, ends: Ends) -> Digest {
        if !ends.after && !ends.upto {
            return dict.digest;
        }
        let depth = self.path.len();
        let (after, upto) = (self.after, self.upto);
        let from = if ends.after { after.get(depth) } else { None };
        let to = if ends.upto { upto.get(depth) } else { None };
        // A dict comes before what is in it.
        let mut digest = if ends.after { Digest::ZERO } else { self.hasher.dict(&self.path) };
        if ends.upto && to.is_none() {
            return digest;
        }
        let mut place = from.map_or(Place::FIRST, |from| dict.lower_bound(from));
        while let Some((entry, at)) = dict.entry_from(place) {
            if to.is_some_and(|to| entry.key > *to) {
                break;
            }
            let ends = Ends { after: from == Some(&entry.key), upto: to == Some(&entry.key) };
            self.path.push(entry.key.clone());
            digest += self.node(&entry.node, ends);
            self.path.pop();
            place = at.next();
        }
        digest
    }
}

#[cfg(test)]
mod tests;
