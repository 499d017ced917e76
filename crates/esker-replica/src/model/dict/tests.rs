//! Dicts against the plainest ordered map, with thousands of keys: buckets that split and join, and clones that stay.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::op::{Ops, Writer};

type Plain = BTreeMap<Key, u64>;

fn entry(key: &Key, seq: u64) -> Entry {
    Entry {
        key: key.clone(),
        seq,
        node: Node::Leaf(Leaf::new(Value::from(seq), Digest(seq.into()))),
    }
}

fn key(number: u32) -> Key {
    Key::from(format!("{number:05}"))
}

/// Sets a key or takes it away, on both sides.
fn step(dict: &mut Dict, plain: &mut Plain, key: &Key, seq: Option<u64>) {
    match (dict.find(key), seq) {
        (Some(place), Some(seq)) => dict.at_mut(place).seq = seq,
        (None, Some(seq)) => dict.insert(entry(key, seq)),
        (Some(place), None) => assert_eq!(dict.remove(place).key, *key),
        (None, None) => {}
    }
    match seq {
        Some(seq) => drop(plain.insert(key.clone(), seq)),
        None => drop(plain.remove(key)),
    }
}

/// What holds of every dict, and that it has what the plain one has.
fn check(dict: &Dict, plain: &Plain) {
    let ours = dict.entries().map(|entry| (&entry.key, entry.seq));
    assert!(ours.eq(plain.iter().map(|(key, seq)| (key, *seq))), "in order, each once");
    let back = dict.entries().rev().map(|entry| &entry.key);
    assert!(back.eq(plain.keys().rev()));
    assert_eq!(dict.len(), plain.len());
    let is_one = matches!(dict.buckets, Buckets::One(_));
    assert!(is_one || dict.buckets.len() > 1);
    for at in 0..dict.buckets.len() {
        let bucket = dict.buckets.get(at).unwrap();
        assert_eq!(bucket.len(), bucket.open().entries.len());
        let bucket = bucket.open();
        assert!((usize::from(!is_one)..=BUCKET_MAX).contains(&bucket.entries.len()));
        let hashes = bucket.entries.iter().map(|entry| hash(&entry.key));
        assert!(hashes.eq(bucket.hashes.iter().copied()));
    }
}

/// What a walk by places sees from a key on.
fn from<'a>(dict: &'a Dict, key: &Key) -> Vec<&'a Key> {
    let mut place = dict.lower_bound(key);
    let step = || {
        let (entry, at) = dict.entry_from(place)?;
        place = at.next();
        Some(&entry.key)
    };
    std::iter::from_fn(step).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_dict_is_what_the_plainest_map_is(
        steps in proptest::collection::vec((0_u32..3000, 0_u8..10, 1_u32..200), 1..60),
        order in 0_u8..3,
    ) {
        let (mut dict, mut plain) = (Dict::default(), Plain::new());
        let mut held = Vec::new();
        for (seq, (start, kind, count)) in (1_u64..).zip(steps) {
            for at in 0..count {
                let number = match order {
                    0 => start + at,
                    1 => start + count - at,
                    _ => start.wrapping_add(at.wrapping_mul(7919)) % 3000,
                };
                step(&mut dict, &mut plain, &key(number), (kind < 6).then_some(seq));
            }
            check(&dict, &plain);
            if kind % 3 == 0 {
                held.push((dict.clone(), plain.clone()));
            }
            let bound = key(start);
            prop_assert!(from(&dict, &bound).into_iter().eq(plain.range(bound..).map(|(key, _)| key)));
        }
        for (dict, plain) in &held {
            check(dict, plain);
        }
    }
}

#[test]
fn keys_that_come_in_order_fill_their_buckets() {
    let (mut dict, mut plain) = (Dict::default(), Plain::new());
    for number in 0..10_000 {
        step(&mut dict, &mut plain, &key(number), Some(1));
    }
    check(&dict, &plain);
    assert_eq!(dict.buckets.len(), 10_000_usize.div_ceil(BUCKET_MAX));
    for number in 0..10_000 {
        assert_eq!(dict.get(&key(number)).unwrap().key, key(number));
        assert!(dict.get(&Key::from(format!("{number:05}x"))).is_none());
    }
}

#[test]
fn buckets_join_when_little_is_left() {
    let (mut dict, mut plain) = (Dict::default(), Plain::new());
    for number in 0..10_000 {
        step(&mut dict, &mut plain, &key(number), Some(1));
    }
    for number in (0..10_000).filter(|number| number % 100 != 0) {
        step(&mut dict, &mut plain, &key(number), None);
    }
    check(&dict, &plain);
    assert!(dict.buckets.len() <= 100 / (BUCKET_MIN / 4), "{} buckets", dict.buckets.len());
    for number in (0..10_000).rev() {
        step(&mut dict, &mut plain, &key(number), None);
    }
    check(&dict, &plain);
    assert!(matches!(&dict.buckets, Buckets::One(bucket) if bucket.len() == 0));
}

#[test]
fn a_write_copies_one_bucket_of_what_others_hold() {
    let (mut dict, mut plain) = (Dict::default(), Plain::new());
    for number in 0..10_000 {
        step(&mut dict, &mut plain, &key(number), Some(1));
    }
    let held = dict.clone();
    step(&mut dict, &mut plain, &key(5000), Some(2));
    let (Buckets::Many(ours), Buckets::Many(theirs)) = (&dict.buckets, &held.buckets) else {
        panic!("10,000 keys do not fit into one");
    };
    let shared = ours.iter().zip(theirs).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
    assert_eq!(shared, ours.len() - 1);
    assert_eq!((held.get(&key(5000)).unwrap().seq, dict.get(&key(5000)).unwrap().seq), (1, 2));
}

#[test]
fn bounds_between_and_beside_keys() {
    let (mut dict, mut plain) = (Dict::default(), Plain::new());
    assert!(from(&dict, &key(0)).is_empty() && dict.find(&key(0)).is_none());
    for number in (0..1000).step_by(2) {
        step(&mut dict, &mut plain, &key(number), Some(1));
    }
    assert_eq!(from(&dict, &Key::from("")).len(), 500);
    assert_eq!(from(&dict, &key(499))[0], &key(500));
    assert_eq!(from(&dict, &key(500))[0], &key(500));
    assert!(from(&dict, &key(999)).is_empty());
    for number in (1..1000).step_by(2) {
        assert!(dict.find(&key(number)).is_none());
        assert_eq!(from(&dict, &key(number)).len(), 499 - number as usize / 2);
    }
}

/// The leaves of these numbers as one bucket, told.
fn told(numbers: std::ops::Range<u32>) -> Bucket {
    let mut writer = Writer::default();
    numbers.for_each(|number| writer.push_leaf(&[key(number)], &Value::Null));
    let body: Bytes = writer.finish().into();
    let (mut telling, mut ops) = (Telling::default(), Ops::new(&body));
    while ops.next().unwrap().is_some() {
        telling.push(ops.key().unwrap(), ops.at()).unwrap();
    }
    telling.take(&body, 1)
}

fn is_told(dict: &Dict, at: usize) -> bool {
    matches!(dict.buckets.get(at), Some(Bucket::Told(_)))
}

#[test]
fn buckets_are_put_behind_one_another_and_small_ones_become_one() {
    let mut dict = Dict::default();
    let mut next = 0;
    for (count, buckets) in [(40, 1), (1, 1), (60, 2), (128, 3), (31, 4), (97, 4), (20, 5), (0, 5)]
    {
        assert!(dict.push_bucket(told(next..next + count)));
        next += count;
        assert_eq!(dict.buckets.len(), buckets, "after {count} more");
    }
    assert!(!dict.push_bucket(told(next - 1..next + 5)), "they do not rise");
    let plain = (0..next).map(|number| (key(number), 1)).collect();
    check(&dict, &plain);
}

#[test]
fn only_what_is_looked_at_is_made_of_what_was_told() {
    let mut dict = Dict::default();
    for first in (0..1280).step_by(128) {
        assert!(dict.push_bucket(told(first..first + 128)));
    }
    assert_eq!(dict.last(), Some(&key(1279)));
    assert!((0..10).all(|at| is_told(&dict, at)));
    let held = dict.clone();
    assert!(dict.find(&key(300)).is_some() && dict.find(&key(3000)).is_none());
    dict.remove(dict.find(&key(300)).unwrap());
    dict.insert(entry(&key(300), 2));
    assert!((0..10).all(|at| is_told(&dict, at) != (at == 2)), "one bucket is copied");
    assert!((0..10).all(|at| is_told(&held, at)));
    assert_eq!((held.get(&key(300)).unwrap().seq, dict.get(&key(300)).unwrap().seq), (1, 2));
}
