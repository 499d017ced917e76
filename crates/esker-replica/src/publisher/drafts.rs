//! Frames of a transaction while it is being applied.

use rustc_hash::FxHashMap;

use super::BODY_FULL;
use crate::digest::Digest;
use crate::op::{Op, Writer};

/// A frame under way.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) ops: Writer,
    /// The section's digest behind it.
    pub(super) after: Digest,
}

/// The frames of a transaction under way, by section in the order they are first touched.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) by_section: Vec<(usize, Vec<Draft>)>,
    places: FxHashMap<usize, usize>,
}

impl Draft {
    pub(super) fn is_full(&self, op: &Op) -> bool {
        self.ops.is_full(op.path.len())
            || (!self.ops.is_empty() && self.ops.size() + op.size() > BODY_FULL)
    }
}

impl Drafts {
    fn frames(&mut self, section: usize) -> &mut Vec<Draft> {
        let place = *self.places.entry(section).or_insert_with(|| {
            self.by_section.push((section, vec![Draft::default()]));
            self.by_section.len() - 1
        });
        &mut self.by_section[place].1
    }

    pub(super) fn of(&mut self, section: usize) -> &mut Draft {
        self.frames(section).last_mut().expect("there is one from the beginning")
    }

    pub(super) fn next(&mut self, section: usize) {
        self.frames(section).push(Draft::default());
    }
}
