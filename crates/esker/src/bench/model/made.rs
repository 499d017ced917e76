//! Models and changes made up: three levels of as many keys each.

use esker_replica::op::Op;
use esker_replica::path::{Path, path};

use super::BATCH;

/// xorshift64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Those of a round, the same whenever they are taken.
    pub(super) fn of_round(round: usize) -> Self {
        let seed = (round as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self::new(seed)
    }

    /// A number below.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap_or_default() % end
    }
}

/// The keys of a leaf, as numbers.
pub(super) fn place(number: usize, width: usize) -> [usize; 3] {
    [number / width / width, number / width % width, number % width]
}

/// The path of a leaf.
pub(super) fn leaf(number: usize, width: usize) -> Path {
    let [a, b, c] = place(number, width);
    path([format!("section {a}"), format!("task {b}"), format!("field {c}")])
}

/// What a leaf begins with: no two near each other are the same, or they would take no room once they are compressed.
pub(super) fn value(number: usize) -> String {
    format!("waiting {}", number * 7919 % 1_000_003)
}

/// What a leaf becomes.
pub(super) fn other(dice: &mut Dice) -> String {
    format!("running {}", dice.below(1_000_000))
}

/// All of a model.
pub(super) fn whole(width: usize) -> Vec<Op> {
    let op = |number| Op::set(leaf(number, width), value(number).as_str());
    (0..width.pow(3)).map(op).collect()
}

/// A change of a leaf anywhere.
pub(super) fn change(dice: &mut Dice, width: usize) -> Op {
    let at = leaf(dice.below(width.pow(3)), width);
    Op::set(at, other(dice).as_str())
}

/// So many changes, in the batches that a publisher is given.
pub(super) fn changes(dice: &mut Dice, width: usize, count: usize) -> Vec<Vec<Op>> {
    let batch = |dice: &mut Dice| (0..BATCH).map(|_| change(dice, width)).collect();
    (0..count.div_ceil(BATCH)).map(|_| batch(dice)).collect()
}
