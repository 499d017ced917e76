//! How one order of things became another with the fewest moves: for rows, columns, streams, elements.

/// For every place of a newer order the older one, if there was one.
pub(super) type Was = Vec<Option<usize>>;

/// What became of the places of an older order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// The old places of what is no more.
    pub(super) removed: Vec<usize>,
    /// The new places of what was not there.
    pub(super) added: Vec<usize>,
    /// The old and new places of what has moved among what stayed, by new place.
    pub(super) moved: Vec<(usize, usize)>,
    /// The old and new places of all that is in both, by new place.
    pub(super) both: Vec<(usize, usize)>,
}

impl Order {
    /// The old place of what now stands at a place, if it was there.
    pub(super) fn was(&self, new: usize) -> Option<usize> {
        let found = self.both.binary_search_by_key(&new, |(_, new)| *new);
        found.ok().map(|index| self.both[index].0)
    }
}

/// Compares: `was` has for every new place the old one, if there was one. No old place stands in it twice.
pub(super) fn order(old_len: usize, was: &[Option<usize>]) -> Order {
    let added = places(was, Option::is_none);
    let both: Vec<(usize, usize)> =
        was.iter().enumerate().filter_map(|(new, old)| Some(((*old)?, new))).collect();
    let mut known = vec![false; old_len];
    for (old, _) in &both {
        known[*old] = true;
    }
    let removed = places(&known, |known| !known);
    let stays = longest_rising(&both);
    let moved = both.iter().zip(stays).filter(|(_, stays)| !stays).map(|(pair, _)| *pair).collect();
    Order { removed, added, moved, both }
}

fn places<T>(all: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(place, _)| place).collect()
}

/// Marks a longest run of pairs whose old places rise: what need not move.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<bool> {
    // `ends[n]` is the pair that ends a rising run of n + 1 at the lowest old place.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (index, (old, _)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].0 < *old);
        before[index] = length.checked_sub(1).map(|last| ends[last]);
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut stays = vec![false; pairs.len()];
    let mut next = ends.last().copied();
    while let Some(index) = next {
        stays[index] = true;
        next = before[index];
    }
    stays
}

#[cfg(test)]
mod tests;
