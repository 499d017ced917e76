//! The cache keeps what is asked for and forgets the rest.

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

#[test]
fn what_is_asked_for_stays() {
    let mut cache = Cache::new(16);
    for number in 0..100 {
        cache.insert(id(number), number, 1);
        assert_eq!(cache.get(&id(0)), Some(0), "after {number}");
    }
    assert_eq!(cache.get(&id(1)), None);
    assert!(cache.young.len() + cache.old.len() <= 16);
}

#[test]
fn what_is_too_heavy_is_not_kept() {
    let mut cache = Cache::new(16);
    cache.insert(id(1), 1, 3);
    assert_eq!(cache.get(&id(1)), None);
}
