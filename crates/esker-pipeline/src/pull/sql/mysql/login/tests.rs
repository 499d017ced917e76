//! Greetings and proofs, by the bytes.

use super::*;

const NONCE: [u8; 20] = *b"NR3HP:qIYa_9=db?Sd{`";
const PASSWORD: &[u8] = b"G!ider27";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same bytes as the client library `mysql_common` and the servers' own client compute.
#[test]
fn a_password_is_shown_to_be_known() {
    let native = proof("mysql_native_password", &NONCE, PASSWORD, false).unwrap();
    assert_eq!(hex(&native), "09cff8855e9e705340ff2270d8fb9fadba906b70");
    let caching = proof("caching_sha2_password", &NONCE, PASSWORD, false).unwrap();
    assert_eq!(hex(&caching), "4f97bbfd202401c42a69deaae53bda077ed7578563c1a80eb816c82119b68d2e");
    assert_eq!(proof("mysql_native_password", &NONCE, b"", false).unwrap(), [0; 0]);
}

#[test]
fn a_password_goes_in_the_clear_only_where_nobody_listens() {
    assert!(proof("mysql_clear_password", &NONCE, PASSWORD, false).is_err());
    assert_eq!(proof("mysql_clear_password", &NONCE, b"x", true).unwrap(), b"x\0");
    assert!(
        matches!(proof("dialog", &NONCE, b"x", true), Err(Wrong::Strange(why)) if why.contains("\"dialog\""))
    );
}

#[test]
fn a_greeting_is_read_and_what_is_none_refused() {
    let mut packet = vec![10];
    packet.extend(b"8.4.0\0");
    packet.extend([1, 0, 0, 0]);
    packet.extend(b"abcdefgh\0");
    packet.extend([0x00, 0x08, 45, 2, 0, 0x08, 0x00, 21]);
    packet.extend([0; 10]);
    packet.extend(b"ijklmnopqrst\0caching_sha2_password\0");
    let read = greeting(&packet).unwrap();
    assert_eq!((read.version.as_str(), read.way.as_str()), ("8.4.0", "caching_sha2_password"));
    assert_eq!((read.nonce.as_slice(), read.can), (&b"abcdefghijklmnopqrst"[..], 0x8_0800));
    for length in 0..packet.len() - 30 {
        assert!(greeting(&packet[..length]).is_err(), "{length}");
    }
    assert!(greeting(b"HTTP/1.1 400 Bad Request").is_err());
}
