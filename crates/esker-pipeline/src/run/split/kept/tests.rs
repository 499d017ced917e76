//! What is kept is read again; what is damaged is nothing.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_kept_looks_so() {
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let kept = to_bytes(&[(&a, &Bytes::from("one\n\n")), (&b, &Bytes::new())]);
    assert_eq!(kept, "esker parts 1\na 5\nb 0\n\none\n\n");
}

#[test]
fn what_is_damaged_is_nothing() {
    for text in [
        "",
        "esker parts 1\n",
        "esker parts 2\n\n",
        "esker parts 1\na 5\n\none",
        "esker parts 1\na x\n\n",
    ] {
        assert_eq!(parse(&Bytes::from(text)), None, "{text:?}");
    }
    assert_eq!(parse(&Bytes::from("esker parts 1\n\n")), Some(Kept::new()));
}

proptest! {
    #[test]
    fn all_is_read_again(kept in prop::collection::btree_map("[0-9a-f]{4}", prop::collection::vec(any::<u8>(), 0..50), 0..9)) {
        let kept: Vec<(String, Bytes)> = kept.into_iter().map(|(key, made)| (key, made.into())).collect();
        let pairs: Vec<(&String, &Bytes)> = kept.iter().map(|(key, made)| (key, made)).collect();
        prop_assert_eq!(parse(&to_bytes(&pairs)), Some(kept.into_iter().collect()));
    }

    #[test]
    fn nothing_is_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut content = TITLE.to_vec();
        content.extend(bytes);
        drop(parse(&content.into()));
    }
}
