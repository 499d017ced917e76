//! A bounded memory of what was read lately, by object.
//!
//! Two generations: what is asked for moves to the young one; when that is full, it becomes the old one and
//! what was old is forgotten.

use std::collections::HashMap;

use esker_wire::revision::Revision;

/// Holds values up to a total weight.
pub(crate) struct Cache<V> {
    young: HashMap<Revision, (V, usize)>,
    old: HashMap<Revision, (V, usize)>,
    weight: usize,
    weight_max: usize,
}

impl<V: Clone> Cache<V> {
    pub(crate) fn new(weight_max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), weight: 0, weight_max }
    }

    pub(crate) fn get(&mut self, id: &Revision) -> Option<V> {
        if let Some((value, _)) = self.young.get(id) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(id)?;
        self.insert(*id, value.clone(), weight);
        Some(value)
    }

    /// Remembers a value; one that weighs more than an eighth of the whole is not worth it.
    pub(crate) fn insert(&mut self, id: Revision, value: V, weight: usize) {
        if weight > self.weight_max / 8 {
            return;
        }
        if self.weight + weight > self.weight_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        if self.young.insert(id, (value, weight)).is_none() {
            self.weight += weight;
        }
    }
}

#[cfg(test)]
mod tests;
