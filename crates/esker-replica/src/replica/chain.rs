//! How far a replica has come: in the model as a whole, or in each section it follows.

use std::collections::BTreeMap;

use crate::digest::section_id;
use crate::path::Path;

/// How far it has come in a section, or in the whole model, whose path is the empty one.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: Path,
    /// The last transaction the replica has of it.
    pub(super) last: u64,
    /// The last transaction it has that is known to have touched it.
    pub(super) touched: u64,
    /// A transaction that a heartbeat told of.
    pub(super) told: u64,
}

/// How far a replica has come, by the number that frames name sections with.
#[derive(Debug)]
pub(super) struct Chain {
    places: BTreeMap<u64, Place>,
    is_whole: bool,
}

impl Chain {
    /// Nothing yet, of these sections, or of all if there are none.
    pub(super) fn new(sections: &[Path]) -> Self {
        let whole = [Path::new()];
        let is_whole = sections.is_empty();
        let paths = if is_whole { &whole } else { sections };
        let place = |path: &Path| {
            (section_id(path), Place { path: path.clone(), last: 0, touched: 0, told: 0 })
        };
        Self { places: paths.iter().map(place).collect(), is_whole }
    }

    /// Whether it is all of the model.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The place of what a frame of this section is part of.
    pub(super) fn place(&mut self, section: u64) -> Option<&mut Place> {
        if self.is_whole { self.places.values_mut().next() } else { self.places.get_mut(&section) }
    }

    /// The place that a heartbeat tells of: of the whole model, or of one section.
    pub(super) fn named(&mut self, section: u64) -> Option<&mut Place> {
        self.places.get_mut(&section)
    }

    /// All places, by their numbers.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, &Place)> {
        self.places.iter().map(|(id, place)| (*id, place))
    }

    /// It has this transaction now and all before it, in these sections; in all of them if none is named.
    pub(super) fn reach(&mut self, seq: u64, only: &[Path]) {
        for place in self.places.values_mut() {
            if self.is_whole || only.is_empty() || only.contains(&place.path) {
                place.last = seq;
                // Which transactions touched it is known of those alone that came as frames.
                place.touched = if self.is_whole { seq } else { 0 };
            }
        }
    }

    /// It has all that touched these sections up to this transaction.
    pub(super) fn advance(&mut self, seq: u64, only: &[Path]) {
        for place in self.places.values_mut().filter(|place| only.contains(&place.path)) {
            place.last = place.last.max(seq);
        }
    }

    /// What heartbeats told may never come.
    pub(super) fn forget_told(&mut self) {
        for place in self.places.values_mut() {
            place.told = 0;
        }
    }

    /// The publisher began anew: what it told before is void.
    pub(super) fn restart(&mut self, seq: u64) {
        self.forget_told();
        self.reach(seq, &[]);
    }

    /// The last transaction; of several sections, the newest.
    pub(super) fn newest(&self) -> u64 {
        self.places.values().map(|place| place.last).max().unwrap_or(0)
    }

    /// The oldest of the last transactions in these sections.
    pub(super) fn oldest(&self, only: &[Path]) -> u64 {
        let named = |place: &&Place| self.is_whole || only.contains(&place.path);
        self.places.values().filter(named).map(|place| place.last).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
