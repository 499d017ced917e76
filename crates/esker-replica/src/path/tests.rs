//! Paths keep every key as it is, and are held against their limits in all their forms.

use proptest::prelude::*;

use super::*;

fn any_path() -> impl Strategy<Value = Path> {
    let odd = prop_oneof![
        Just("".to_owned()),
        Just("\0".to_owned()),
        Just("\u{1}".to_owned()),
        any::<String>()
    ];
    proptest::collection::vec(odd.prop_map(Key::from), 0..6)
}

fn decoded(before: &Path, bytes: &[u8]) -> Result<Path, Malformed> {
    let mut path = before.clone();
    decode_after(&mut path, &mut Reader::new(bytes))?;
    Ok(path)
}

proptest! {
    #[test]
    fn a_path_comes_back_behind_any_other(before in any_path(), path in any_path()) {
        let shared = before.iter().zip(&path).take_while(|(a, b)| a == b).count();
        for shared in 0..=shared {
            let mut out = Vec::new();
            encode_shared(shared, &path, &mut out);
            prop_assert_eq!(decoded(&before, &out), Ok(path.clone()));
        }
        prop_assert_eq!(from_json(&to_json(&path)), Ok(path));
    }

    #[test]
    fn sections_have_topics_of_their_own(one in any_path(), other in any_path()) {
        let same = topic("m", &one) == topic("m", &other);
        prop_assert_eq!(same, one == other);
        let begins = topic("m", &other).starts_with(&topic("m", &one));
        prop_assert_eq!(begins, if one.is_empty() { other.is_empty() } else { other.starts_with(&one) });
    }
}

fn long(keys: usize, bytes: usize) -> Path {
    vec![Key::from("x".repeat(bytes)); keys]
}

#[test]
fn limits_are_held_to_the_byte() {
    let cases = [
        (long(DEPTH_MAX, 1), None),
        (long(DEPTH_MAX + 1, 1), Some(TooLong::Depth(513))),
        (long(1, KEY_MAX), None),
        (long(1, KEY_MAX + 1), Some(TooLong::Key(1025))),
        (long(64, KEY_MAX), None),
        (long(512, 128), None),
        (long(512, 129), Some(TooLong::Path(512 * 129))),
        (long(65, KEY_MAX), Some(TooLong::Path(65 * 1024))),
    ];
    for (path, wrong) in cases {
        assert_eq!(check(&path).err(), wrong);
        let mut out = Vec::new();
        encode_shared(0, &path, &mut out);
        assert_eq!(decoded(&Path::new(), &out).is_err(), wrong.is_some(), "{wrong:?}");
        assert_eq!(from_json(&to_json(&path)).is_err(), wrong.is_some(), "{wrong:?}");
    }
    assert_eq!(
        check(&long(513, 1)).unwrap_err().to_string(),
        "a path has 513 keys, 512 are allowed"
    );
}

#[test]
fn what_is_shared_counts_too() {
    let before = long(DEPTH_MAX, 1);
    assert!(decoded(&before, &[0xff, 0x03, 1, 1, b'a']).is_ok(), "511 and one more");
    assert!(decoded(&before, &[0x80, 0x04, 1, 1, b'a']).is_err(), "512 and one more");
    assert!(decoded(&before, &[0x81, 0x04, 0]).is_err(), "513 were never there");
    let before = long(63, KEY_MAX);
    let mut out = Vec::new();
    encode_shared(63, &[&before[..], &long(2, KEY_MAX)].concat(), &mut out);
    assert!(decoded(&before, &out).is_err());
}

#[test]
fn topics_have_no_key_with_nul() {
    assert_eq!(topic("m", &[]), b"esker-sync/1 m\0\0");
    assert_eq!(topic("m", &path(["a", ""])), b"esker-sync/1 m\0a\0\x01\x03\0");
    assert_eq!(topic("m", &path(["\0\u{1}"])), b"esker-sync/1 m\0\x01\x01\x01\x02\0");
    let long = topic("m", &path(["x".repeat(201)]));
    let hash = digest::of_dict(&path(["x".repeat(201)])).to_string();
    assert_eq!(long, [b"esker-sync/1 m\0\x01\x04", hash.as_bytes(), b"\0"].concat());
    assert_eq!(topic("m", &path(["x".repeat(200)])).len(), 15 + 201);
}

#[test]
fn no_other_json_is_a_path() {
    for wrong in ["", "{}", "[1]", "[null]", "[[\"a\"]]", "[\"a\"", "\"a\"", "[\"\\ud800\"]"] {
        assert!(from_json(wrong).is_err(), "{wrong}");
    }
}
