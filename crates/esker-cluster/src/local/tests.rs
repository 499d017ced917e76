//! What the integration tests of both kinds of keys do not reach.

use super::*;

#[test]
fn nothing_of_a_refused_change_is_left() {
    let local = Local::default();
    let put = |key: &str| Op::Put { key: key.to_owned(), value: vec![1] };
    local.txn(&[put("a")]);
    let before = local.list("");
    let refused = [
        put("b"),
        Op::Delete { key: "a".to_owned() },
        Op::Expect { key: "b".to_owned(), index: 9 },
    ];
    assert_eq!(local.txn(&refused), Some(2));
    assert_eq!(local.list(""), before);
    local.txn(&[put("c")]);
    assert_eq!(local.get("c").unwrap().index, before[0].index + 1);
}

#[test]
fn a_put_does_not_take_a_lock_away() {
    let local = Local::default();
    let (a, b) = (local.new_session(), local.new_session());
    assert!(local.acquire(&a, "k", b"1"));
    local.txn(&[Op::Put { key: "k".to_owned(), value: vec![2] }]);
    assert!(!local.acquire(&b, "k", b"3"));
    local.end_session(&a);
    assert_eq!(local.get("k").unwrap().value, [2]);
    assert!(local.acquire(&b, "k", b"3"));
}
