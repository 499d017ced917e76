//! Buckets by themselves: finding by hashes, and leaves that are told.

use proptest::prelude::*;

use super::*;
use crate::op::{Ops, Writer};
use crate::value::Value;

fn key(number: u32) -> Key {
    Key::from(format!("{number:05}"))
}

fn entry(key: &Key, seq: u64) -> Entry {
    let node = Node::Leaf(Leaf::new(Value::from(seq), Digest(seq.into())));
    Entry { key: key.clone(), seq, node }
}

/// A bucket of these leaves, told.
fn told(numbers: impl IntoIterator<Item = u32>) -> Bucket {
    let body: Bytes = writer(numbers).finish().into();
    telling(&body).take(&body, 1)
}

fn writer(numbers: impl IntoIterator<Item = u32>) -> Writer {
    let mut writer = Writer::default();
    for number in numbers {
        let path = [Key::new("above"), key(number)];
        writer.push_leaf(&path, &Value::from(u64::from(number)));
    }
    writer
}

/// What is told in a body, each with its key's number as its digest.
fn telling(body: &[u8]) -> Telling<'_> {
    let mut telling = Telling::default();
    let mut ops = Ops::new(body);
    while ops.next().unwrap().is_some() {
        let key = ops.key().unwrap();
        let number = telling.push(key, ops.at()).expect("they rise");
        telling.set_digest(number, Digest(str::from_utf8(key).unwrap().parse().unwrap()));
    }
    telling
}

/// Whether nobody has looked yet.
fn is_told(bucket: &Bucket) -> bool {
    matches!(bucket, Bucket::Told(_))
}

#[test]
fn what_was_told_is_there_when_somebody_looks() {
    let mut bucket = told(3..90);
    assert_eq!((bucket.first(), bucket.last(), bucket.len()), (Some(&key(3)), Some(&key(89)), 87));
    for (number, entry) in (3..).zip(&bucket.open().entries) {
        assert_eq!((&entry.key, entry.seq), (&key(number), 1));
        let Node::Leaf(leaf) = &entry.node else { panic!("leaves were told") };
        assert_eq!(leaf.value, Value::from(u64::from(number)));
        assert_eq!(leaf.digest(), Digest(number.into()));
    }
    assert!(is_told(&bucket) && !is_told(&bucket.clone()));
    assert_eq!(bucket.open_mut().entries.len(), 87);
    assert!(!is_told(&bucket));
}

#[test]
fn threads_that_look_at_the_same_time_see_the_same() {
    let bucket = told(0..128);
    let looks = std::thread::scope(|scope| {
        let look = || std::ptr::from_ref(bucket.open()).addr();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(looks.iter().all(|one| *one == looks[0]));
}

#[test]
fn what_does_not_rise_is_not_told() {
    let mut telling = Telling::default();
    assert!(telling.push(b"5", 0..0).is_some());
    assert!(telling.push(b"5", 0..0).is_none() && telling.push(b"4", 0..0).is_none());
    let body: Bytes = writer(3..20).finish().into();
    let mut telling = self::telling(&body);
    assert_eq!(telling.take(&body, 1).len(), 17);
    assert!(telling.push(b"00019", 0..0).is_none(), "it goes on behind");
    assert_eq!(telling.take(&body, 1).len(), 0);
    telling.begin(Some(&Key::new("3")));
    assert!(telling.push(b"3", 0..0).is_none() && telling.push(b"4", 0..0).is_some());
}

#[test]
fn a_few_are_made_entries_at_once() {
    let is_told = |count| is_told(&told(0..count));
    assert!(!is_told(1) && !is_told(7) && is_told(8));
    assert_eq!(told(0..7).open().entries.len(), 7);
}

#[test]
fn equal_hashes_are_told_apart_by_their_keys() {
    let mut bucket = Open::default();
    for number in 0..40 {
        bucket.hashes.push(7);
        bucket.entries.push(entry(&key(number), 1));
    }
    for number in 0..40 {
        assert_eq!(bucket.find(7, &key(number)), Some(number as usize));
    }
    assert_eq!((bucket.find(7, &key(40)), bucket.find(8, &key(1))), (None, None));
}

proptest! {
    #[test]
    fn a_hash_is_found_where_it_is_first(
        hashes in prop::collection::vec(0_u16..100, 0..=BUCKET_MAX),
        hash in 0_u16..100,
    ) {
        prop_assert_eq!(position(&hashes, hash), hashes.iter().position(|one| *one == hash));
    }
}
