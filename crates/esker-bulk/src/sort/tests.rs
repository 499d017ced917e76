//! The pure parts against a stable sort of the standard library.

use bytes::Bytes;
use proptest::prelude::*;

use super::order;
use super::runs::Runs;
use super::shape::{Shape, frame};
use super::splitters::Splitters;
use crate::sort::Error;

/// Keys that are often the same, often begin alike, and have zeros at their ends.
fn keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![Just(0_u8), Just(b'a'), Just(b'b'), any::<u8>()];
    let free = prop::collection::vec(byte, 0..24);
    let long = (0_usize..40).prop_map(|count| vec![b'x'; count]);
    prop::collection::vec(prop_oneof![free, long], 0..200)
}

/// The records of keys with their numbers for texts, in parts.
fn parts(keys: &[Vec<u8>], each: usize) -> Vec<Bytes> {
    let numbered: Vec<(usize, &Vec<u8>)> = keys.iter().enumerate().collect();
    let part = |some: &[(usize, &Vec<u8>)]| {
        let mut bytes = Vec::new();
        some.iter().for_each(|(number, key)| frame(&mut bytes, key, &number.to_le_bytes()));
        bytes.into()
    };
    numbered.chunks(each).map(part).collect()
}

/// The numbers of keys in their order.
fn expected(keys: &[Vec<u8>], is_reversed: bool) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..keys.len()).collect();
    match is_reversed {
        true => numbers.sort_by(|one, other| keys[*other].cmp(&keys[*one])),
        false => numbers.sort_by(|one, other| keys[*one].cmp(&keys[*other])),
    }
    numbers
}

fn number(text: &[u8]) -> usize {
    usize::from_le_bytes(text.try_into().expect("a number"))
}

proptest! {
    #[test]
    fn it_is_the_order_of_a_stable_sort(keys in keys(), each in 1_usize..50, is_reversed: bool) {
        let parts = parts(&keys, each);
        let sorted = order::sort(Shape::Framed, &parts, is_reversed, keys.len());
        let found = sorted.places().map(|(part, from)| {
            number(Shape::Framed.first(&parts[part][from..]).expect("a record").text)
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), expected(&keys, is_reversed));
    }

    #[test]
    fn runs_are_merged_in_the_order_of_a_stable_sort(keys in keys(), each in 1_usize..5, is_reversed: bool) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut runs = Runs::new(Shape::Framed, is_reversed, folder.path());
        let ranked = parts(&keys, each).into_iter().enumerate();
        let mut ranked: Vec<_> = ranked.map(|(at, part)| ((at as u64) << 22, part)).collect();
        // In whatever order they come.
        ranked.reverse();
        for part in ranked {
            runs.add(vec![part], 0).expect("a run");
        }
        let mut found = Vec::new();
        runs.merge(|record| {
            found.push(number(record.text));
            Ok::<_, Error>(())
        })
        .expect("merged");
        prop_assert_eq!(found, expected(&keys, is_reversed));
    }

    #[test]
    fn partitions_follow_each_other(
        keys in keys(),
        wanted in 1_usize..40,
        is_reversed: bool,
        is_unique: bool,
    ) {
        let splitters = Splitters::choose(keys.clone(), wanted, (7, is_reversed), is_unique);
        prop_assert!(splitters.partitions() as usize <= wanted.max(1));
        // What is sorted is not only what was in the sample.
        let more = keys.iter().map(|key| [key.as_slice(), b"+"].concat());
        let all: Vec<Vec<u8>> = keys.iter().cloned().chain(more).collect();
        let mut dealt: Vec<(u32, Vec<u8>, u32)> = Vec::new();
        for (number, key) in all.into_iter().enumerate() {
            let task = number as u32 * 7 / (2 * keys.len() as u32);
            let to = splitters.of(&key, task);
            prop_assert!(to < splitters.partitions());
            dealt.push((to, key, task));
        }
        dealt.sort_by_key(|(to, _, _)| *to);
        for pair in dealt.windows(2) {
            let [(one, a, first), (other, b, second)] = pair else { continue };
            prop_assert!(one == other || a <= b, "{a:?} is in {one}, {b:?} in {other}");
            if one != other && a == b {
                prop_assert!(!is_unique);
                let is_kept = if is_reversed { first >= second } else { first <= second };
                prop_assert!(is_kept);
            }
        }
    }
}

#[test]
fn a_key_that_is_almost_everywhere_has_partitions_of_its_own() {
    let keys = |count: usize| {
        let key = |at| if at % 10 == 0 { vec![b'a' + (at % 26) as u8] } else { b"k".to_vec() };
        (0..count).map(key).collect::<Vec<_>>()
    };
    let splitters = Splitters::choose(keys(3200), 50, (100, false), false);
    let mut sizes = vec![0; splitters.partitions() as usize];
    for (at, key) in keys(10_000).into_iter().enumerate() {
        sizes[splitters.of(&key, at as u32 / 100) as usize] += 1;
    }
    let largest = sizes.iter().max().expect("some");
    assert!(*largest < 2 * 10_000 / 50, "{sizes:?}");
}
