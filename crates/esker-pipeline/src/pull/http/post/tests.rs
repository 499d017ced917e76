//! The signature is the one others compute.

use super::signature;

/// RFC 4231, test case 2.
#[test]
fn the_signature_is_as_in_the_rfc() {
    let wanted = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signature("Jefe", "what do ya want for nothing?"), wanted);
}
