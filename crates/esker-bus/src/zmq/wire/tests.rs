//! Messages cut anywhere.

use super::{GREETING, Scanner};

/// A greeting, a command, messages of one and of three frames, and the beginning of another.
fn bytes() -> Vec<u8> {
    let mut bytes = vec![0xff; GREETING];
    bytes.extend([4, 3, 7, 7, 7]);
    bytes.extend([0, 2, 7, 7]);
    bytes.extend([1, 0, 1, 1, 7, 2, 0, 0, 0, 0, 0, 0, 1, 0]);
    bytes.extend([7; 256]);
    bytes.extend([0, 0]);
    bytes.extend([1, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 7]);
    bytes
}

#[test]
fn messages_are_counted_however_they_are_cut() {
    let bytes = bytes();
    for size in 1..bytes.len() {
        let mut scanner = Scanner::default();
        let mut came = Vec::new();
        for piece in bytes.chunks(size) {
            scanner.scan(piece, |message| came.push(message));
        }
        assert_eq!(came, [1, 2, 3], "in pieces of {size}");
        assert!(scanner.is_within_message());
        assert_eq!(scanner.announced, 65536 + 2 * 64);
    }
}

#[test]
fn between_messages_nothing_is_under_way() {
    let mut scanner = Scanner::default();
    scanner.scan(&bytes()[..GREETING + 9], |_| ());
    assert!(!scanner.is_within_message());
    scanner.scan(&[1], |_| ());
    assert!(scanner.is_within_message());
}
