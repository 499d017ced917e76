//! Digests depend on all there is, and on nothing else.

use std::collections::BTreeSet;

use super::*;
use crate::path::{Path, path};

#[test]
fn what_is_hashed_is_what_the_page_says() {
    let mut input = vec![1, 2, 1, b'a', 0, 3, 2];
    let key = *blake3::hash(b"esker model v1").as_bytes();
    let first = |input: &[u8]| blake3::keyed_hash(&key, input).as_bytes()[..16].try_into().unwrap();
    let leaf = Digest::of_leaf(&path(["a", ""]), &Value::from(1_i64));
    assert_eq!(leaf, Digest(u128::from_le_bytes(first(&input))));
    input.truncate(5);
    input[0] = 2;
    assert_eq!(of_dict(&path(["a", ""])), Digest(u128::from_le_bytes(first(&input))));
    assert_eq!(section_id(&path(["a", ""])), of_dict(&path(["a", ""])).0 as u64);
}

#[test]
fn nothing_can_be_shifted_between_keys_and_values() {
    let one = |keys: &[&str], value: Value| Digest::of_leaf(&path(keys), &value);
    let text = |text: &str| Value::from(text);
    let all = [
        one(&["ab"], text("c")),
        one(&["a"], text("bc")),
        one(&["a", "b"], text("c")),
        one(&["a", "b", ""], text("c")),
        one(&["", "a", "b"], text("c")),
        one(&["a\u{1}b"], text("c")),
        one(&["ab\u{6}\u{1}c"], Value::Null),
        one(&["ab"], Value::Bytes(b"c".as_slice().into())),
        one(&["ab"], Value::List([text("c")].as_slice().into())),
        one(&["\u{e9}"], text("c")),
        one(&["e\u{301}"], text("c")),
        one(&["ab"], Value::from(1_i64)),
        one(&["ab"], Value::from(1.0)),
        one(&["ab"], Value::from(0.0)),
        one(&["ab"], Value::from(-0.0)),
        of_dict(&path(["ab"])),
        of_dict(&path(["a", "b"])),
        of_dict(&Path::new()),
    ];
    assert_eq!(all.iter().map(|digest| digest.0).collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn sums_go_round() {
    let most = Digest(u128::MAX);
    assert_eq!(most + Digest(2), Digest(1));
    assert_eq!(Digest(1) - Digest(2), most);
    let mut sum: Digest = [most, most, Digest(5)].into_iter().sum();
    assert_eq!(sum, Digest(3));
    sum -= Digest(4);
    assert_eq!(sum, most);
    sum += Digest(1);
    assert_eq!(sum, Digest::ZERO);
}

#[test]
fn a_digest_is_told_in_32_digits() {
    let digest = Digest(0xab);
    assert_eq!(digest.to_string(), "000000000000000000000000000000ab");
    assert_eq!(digest.to_string().parse(), Ok(digest));
    assert_eq!("000000000000000000000000000000AB".parse(), Ok(digest));
    for wrong in ["", "ab", "+00000000000000000000000000000ab", "000000000000000000000000000000ag"]
    {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
    assert_eq!(Digest::from_bytes(digest.to_bytes()), digest);
    assert_eq!(digest.to_bytes()[0], 0xab);
}
