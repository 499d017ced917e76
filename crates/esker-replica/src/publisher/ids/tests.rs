//! What was done under a name is remembered for ten minutes, and of a hundred thousand names.

use super::*;

#[test]
fn a_name_is_known_for_ten_minutes() {
    let mut ids = Ids::default();
    ids.put("a".to_owned(), 1, Duration::from_secs(10));
    ids.put("b".to_owned(), 2, Duration::from_secs(11));
    ids.forget(Duration::from_secs(610));
    assert_eq!((ids.get("a"), ids.get("b"), ids.get("c")), (Some(1), Some(2), None));
    ids.forget(Duration::from_millis(610_001));
    assert_eq!((ids.get("a"), ids.get("b")), (None, Some(2)));
    ids.put("a".to_owned(), 3, Duration::from_secs(611));
    assert_eq!(ids.get("a"), Some(3));
}

#[test]
fn the_oldest_goes_when_there_are_too_many() {
    let mut ids = Ids::default();
    for seq in 0..=KEPT_MAX as u64 {
        ids.put(seq.to_string(), seq, Duration::ZERO);
    }
    assert_eq!((ids.get("0"), ids.get("1")), (None, Some(1)));
    assert_eq!((ids.done.len(), ids.order.len()), (KEPT_MAX, KEPT_MAX));
}
