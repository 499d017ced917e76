//! Chance from a seed, and changes made up by it.

use esker_replica::op::{Act, Op};
use esker_replica::path::{Key, Path};
use esker_replica::value::Value;

/// xorshift64*, so that a seed gives the same world for ever.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// A key out of few, so that changes meet; some of them are odd.
    fn key(&mut self) -> Key {
        const KEYS: [&str; 12] =
            ["a", "b", "c", "d", "", "/", "\0", "\u{1}", "é", "e\u{301}", "😀", "__proto__"];
        Key::new(self.one_of(&KEYS))
    }

    /// A path of up to four keys.
    pub(crate) fn path(&mut self) -> Path {
        let depth = 1 + self.below(4);
        (0..depth).map(|_| self.key()).collect()
    }

    pub(crate) fn value(&mut self) -> Value {
        match self.below(9) {
            0 => Value::Null,
            1 => Value::from(self.chance(500)),
            2 => Value::from(self.next().cast_signed()),
            3 => Value::from(u64::MAX - self.below(3)),
            4 => Value::from(f64::from_bits(self.next())),
            5 => Value::Bytes(self.next().to_le_bytes().as_slice().into()),
            6 => Value::List([Value::from(self.below(3)), Value::Null].as_slice().into()),
            _ => Value::from(format!("value {}", self.below(5)).as_str()),
        }
    }

    pub(crate) fn op(&mut self) -> Op {
        let path = self.path();
        let act = match self.below(10) {
            0 | 1 => Act::Delete,
            2 => Act::Dict,
            3 => Act::Clear,
            _ => Act::Set(self.value()),
        };
        Op { path, act }
    }

    pub(crate) fn ops(&mut self, most: u64) -> Vec<Op> {
        (0..=self.below(most)).map(|_| self.op()).collect()
    }
}
