//! Appending nodes that come in the order of their paths, as copies do: without a look for each from the root down.

use std::sync::Arc;

use super::Model;
use super::dict::{Dict, Entry, Node};
use crate::bytes::Malformed;
use crate::digest::{Digest, Hasher};
use crate::op::{Act, Ops};

/// Operations whose paths rise, one looked at ahead.
struct Rising<'a> {
    ops: Ops<'a>,
    /// The one that is next, if there is one.
    act: Option<Act>,
    seq: u64,
}

/// What was put below a dict.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    digest: Digest,
    nodes: u64,
}

impl Model {
    /// Appends nodes behind all there are, given as SETs and DICTs by rising paths.
    ///
    /// # Errors
    /// What cannot be read, or does not rise; the model is then of no use any more.
    pub(crate) fn append(&mut self, body: &[u8], seq: u64) -> Result<(), Malformed> {
        let mut rising = Rising { ops: Ops::new(body), act: None, seq };
        rising.advance()?;
        let Self { root, hasher } = self;
        let is_root = |rising: &Rising<'_>| rising.ops.path().is_empty();
        if is_root(&rising) && matches!(rising.act, Some(Act::Dict)) {
            rising.advance()?;
        }
        while rising.act.is_some() {
            if is_root(&rising) {
                return Err(rising.wrong());
            }
            let added = rising.fill(Arc::make_mut(root), 0, hasher)?;
            count(Arc::make_mut(root), &added, seq);
        }
        Ok(())
    }
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

    fn wrong(&self) -> Malformed {
        self.ops.wrong("nodes do not come in the order of their paths")
    }

    /// Takes all that is below a dict whose path has `depth` keys; the next one is, so that this takes at least one.
    fn fill(
        &mut self,
        dict: &mut Dict,
        depth: usize,
        hasher: &mut Hasher,
    ) -> Result<Added, Malformed> {
        let mut added = Added::default();
        loop {
            let more = if self.ops.path().len() == depth + 1 {
                let put = self.put(dict, depth, hasher)?;
                self.advance()?;
                put
            } else {
                let Some(Node::Dict(child)) = dict.last_mut(&self.ops.path()[depth]) else {
                    return Err(self.wrong());
                };
                let child = Arc::make_mut(child);
                let below = self.fill(child, depth + 1, hasher)?;
                count(child, &below, self.seq);
                below
            };
            added.digest += more.digest;
            added.nodes += more.nodes;
            // Whatever is told to share less than it does is found again from the root.
            let is_below = self.ops.shared() >= depth && self.ops.path().len() > depth;
            if self.act.is_none() || !is_below {
                return Ok(added);
            }
        }
    }

    /// Puts the next node behind all that a dict has.
    fn put(
        &mut self,
        dict: &mut Dict,
        depth: usize,
        hasher: &mut Hasher,
    ) -> Result<Added, Malformed> {
        let path = self.ops.path();
        let (node, digest) = match self.act.take() {
            Some(Act::Set(value)) => {
                let digest = hasher.leaf(path, &value);
                (Node::Leaf(value), digest)
            }
            Some(Act::Dict) => {
                let own = hasher.dict(path);
                (Node::Dict(Arc::new(Dict::new(own, self.seq))), own)
            }
            _ => return Err(self.wrong()),
        };
        let entry = Entry { key: path[depth].clone(), seq: self.seq, node };
        if dict.push(entry) { Ok(Added { digest, nodes: 1 }) } else { Err(self.wrong()) }
    }
}

#[cfg(test)]
mod tests;
