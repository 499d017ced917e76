//! One address keeps nobody else out.

use super::*;

#[test]
fn an_address_elsewhere_has_so_many_and_no_more() {
    let crowd = Arc::new(Crowd::default());
    let peer = |text: &str| Peer(text.parse().expect("an address"));
    let mut all: Vec<Among> =
        (0..ADDRESS_MAX).map(|_| crowd.join(peer("192.0.2.1")).expect("a place")).collect();
    assert!(crowd.join(peer("192.0.2.1")).is_none());
    assert!(crowd.join(peer("192.0.2.2")).is_some());
    assert!(all.pop().is_some());
    assert!(crowd.join(peer("192.0.2.1")).is_some());
    all.extend((0..2 * ADDRESS_MAX).filter_map(|_| crowd.join(peer("127.0.0.1"))));
    assert_eq!(all.len(), 3 * ADDRESS_MAX - 1);
    drop(all);
    assert!(crowd.all().is_empty());
}
