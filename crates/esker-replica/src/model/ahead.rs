//! Looking ahead: of a large model little is in the processor's caches, and most of the time of a change would go by waiting for
//! memory, one look after the other. What several changes will look at is looked at together, so that they wait at the same time; and
//! what they set is hashed together.

use std::hint::black_box;

use super::dict::{Dict, Entry, Node, Open, Place};
use crate::digest::Digest;
use crate::op::Op;

/// How many operations are looked at together: what they need has room in the smallest cache.
pub const TOGETHER: usize = 32;

/// Fewer are not worth it.
const FEW: usize = 4;

/// So many keys of a path are found on the way.
const LEVELS: usize = 4;

/// What is known of an operation before it is done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// The digest of the leaf it sets.
    pub(super) leaf: Option<Digest>,
    /// Where the keys of its path most probably are, from the root on.
    pub(super) guesses: [Option<Place>; LEVELS],
}

impl super::Model {
    /// Makes ready what up to [`TOGETHER`] operations will need, each at its place.
    pub(crate) fn prepare(&mut self, ops: &[Op]) -> [Known; TOGETHER] {
        let leaves: [Digest; TOGETHER] = self.hasher.leaves(ops);
        let mut known = leaves.map(|leaf| Known { leaf: Some(leaf), ..Known::default() });
        // A few wait no longer for memory one after the other.
        if ops.len() >= FEW {
            self.look_ahead(ops, &mut known);
        }
        known
    }

    /// Does an operation that was made ready; whether anything is different now.
    pub(crate) fn apply_prepared(&mut self, op: &Op, known: Known, seq: u64) -> bool {
        self.do_one((&op.path, &op.act), known, seq)
    }

    fn look_ahead(&self, ops: &[Op], known: &mut [Known; TOGETHER]) {
        let root: &Dict = &self.root;
        let mut dicts: [_; TOGETHER] = std::array::from_fn(|at| (at < ops.len()).then_some(root));
        for depth in 0.. {
            let mut buckets: [Option<(usize, &Open)>; TOGETHER] = [None; TOGETHER];
            for ((bucket, dict), op) in buckets.iter_mut().zip(dicts).zip(ops) {
                *bucket = dict.zip(op.path.get(depth)).and_then(|(dict, key)| dict.bucket(key));
            }
            for (_, bucket) in buckets.iter().flatten() {
                black_box(bucket.touch());
            }
            let mut entries: [Option<&Entry>; TOGETHER] = [None; TOGETHER];
            let looks = entries.iter_mut().zip(buckets).zip(ops).zip(known.iter_mut());
            for (((one, bucket), op), known) in looks {
                let Some((bucket, open)) = bucket else { continue };
                let Some((entry, found)) = open.guess(&op.path[depth]) else { continue };
                *one = Some(found);
                if let Some(guess) = known.guesses.get_mut(depth) {
                    *guess = Some(Place { bucket, entry });
                }
            }
            let mut is_deeper = false;
            for (dict, entry) in dicts.iter_mut().zip(entries) {
                *dict = None;
                let Some(entry) = entry else { continue };
                black_box(entry.key.len());
                match &entry.node {
                    Node::Dict(child) => {
                        is_deeper = true;
                        *dict = Some(child);
                    }
                    Node::Leaf(leaf) => drop(black_box(leaf.touch())),
                }
            }
            if !is_deeper {
                break;
            }
        }
    }
}
