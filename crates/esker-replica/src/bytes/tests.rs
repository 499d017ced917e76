//! Varints have one form each, and whoever lies about a length gets nothing.

use proptest::prelude::*;

use super::*;

fn varint(bytes: &[u8]) -> Result<u64, Malformed> {
    Reader::new(bytes).varint()
}

proptest! {
    #[test]
    fn every_number_comes_back(number: u64) {
        let mut out = Vec::new();
        put_varint(&mut out, number);
        prop_assert!(out.len() <= 10);
        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.varint(), Ok(number));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn whatever_is_read_as_a_varint_has_only_that_form(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        let mut reader = Reader::new(&bytes);
        if let Ok(number) = reader.varint() {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            prop_assert_eq!(&out[..], &bytes[..bytes.len() - reader.left()]);
        }
    }

    #[test]
    fn texts_and_bytes_come_back(text: String, rest: Vec<u8>) {
        let mut out = Vec::new();
        put_bytes(&mut out, text.as_bytes());
        out.extend(&rest);
        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.text(), Ok(text.as_str()));
        prop_assert_eq!(reader.left(), rest.len());
    }
}

#[test]
fn a_length_is_only_a_claim() {
    let four_gib = [0xff, 0xff, 0xff, 0xff, 0x0f, b'a'];
    assert_eq!(Reader::new(&four_gib).count().unwrap_err().what, "it announces more than there is");
    assert!(Reader::new(&four_gib).bytes().is_err());
    let all = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(varint(&all), Ok(u64::MAX));
    assert!(Reader::new(&all).count().is_err());
    assert!(Reader::new(b"\x02a").bytes().is_err());
    assert_eq!(Reader::new(b"\x01a").bytes(), Ok(&b"a"[..]));
}

#[test]
fn where_something_is_wrong_is_told() {
    let mut reader = Reader::new(b"ab\x01\xff");
    reader.take(2).unwrap();
    assert_eq!(reader.text(), Err(Malformed { what: "a text is not UTF-8", at: 2 }));
    let error = Reader::new(b"abc").take(4).unwrap_err();
    assert_eq!(error.to_string(), "it ends too early, at byte 0");
}
