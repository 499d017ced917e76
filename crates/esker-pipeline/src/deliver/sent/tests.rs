//! What is kept is read again, and what another esker may have written is no trouble.

use super::*;

#[test]
fn what_is_kept_is_read_again() {
    let main = "0123456789012345678901234567890123456789".parse().expect("a revision");
    let sent = Sent {
        position: Position { main: Some(main), records: None },
        sequence: 7,
        refused: 1,
        last: Some(Timestamp::UNIX_EPOCH),
    };
    assert_eq!(Sent::from_bytes(&sent.to_bytes()).expect("read"), sent);
    assert_eq!(Sent::from_bytes(&Sent::default().to_bytes()).expect("read"), Sent::default());
    assert!(Sent::from_bytes(b"=====sent v2\n\tmain: x\n").is_err());
}
