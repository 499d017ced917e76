//! What many inputs at once come to, beside what the library says of each.

use proptest::prelude::*;

use super::super::hash;
use super::*;

fn inputs() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=BLOCK), 0..=COUNT)
}

/// All that this processor can do, and less.
fn levels() -> Vec<Level> {
    let level = Level::new();
    let mut levels = vec![level];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(level.as_sse2().map(Level::Sse2));
        levels.extend(level.as_sse4_2().map(Level::Sse4_2));
        levels.extend(level.as_avx2().map(Level::Avx2));
    }
    levels
}

proptest! {
    #[test]
    fn inputs_together_have_the_digests_they_have_alone(all in inputs(), more in inputs()) {
        for level in levels() {
            let mut lanes = Lanes { level, ..Lanes::default() };
            // What was in a lane before is forgotten.
            for inputs in [&all, &more] {
                for (at, input) in inputs.iter().enumerate() {
                    prop_assert_eq!(lanes.push(input), Some(at));
                }
                prop_assert_eq!(lanes.is_full(), inputs.len() == COUNT);
                let mut told = Vec::new();
                lanes.finish(|lane, digest| told.push((lane, digest)));
                let wanted: Vec<_> = inputs.iter().map(|input| hash(input)).enumerate().collect();
                prop_assert_eq!(told, wanted);
            }
        }
    }
}

#[test]
fn what_is_longer_than_a_block_is_not_taken() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.push(&[0; BLOCK + 1]), None);
    assert_eq!((lanes.len(), lanes.push(&[0; BLOCK])), (0, Some(0)));
}
