//! Identities are read as they are written, and nothing else is.

use super::*;

#[test]
fn an_identity_is_read_as_it_is_written() {
    let node = NodeId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
    assert_eq!(node.to_string(), "000102030405060708090a0b0c0d0eff");
    assert_eq!(node.to_string().parse(), Ok(node));
}

#[test]
fn what_is_no_identity_is_refused() {
    let plus = format!("+{}", "0".repeat(31));
    for text in ["", "00", "0102030405060708090a0b0c0d0e0fxy", "é", plus.as_str()] {
        let fault = text.parse::<NodeId>().unwrap_err().to_string();
        assert!(fault.contains("32 hexadecimal digits"), "{text}: {fault}");
    }
}
