//! Addresses taken apart.

use super::*;

#[test]
fn hosts_and_ports() {
    let both = |text: &str| host_and_port(text);
    assert_eq!(both("tcp://10.0.0.1:5060"), Some(("10.0.0.1".to_owned(), 5060)));
    assert_eq!(both("tcp://[::1]:5060"), Some(("::1".to_owned(), 5060)));
    for bad in ["inproc://a", "tcp://a", "tcp://:5", "tcp://a:0", "tcp://a:*", "tcp://a:70000"] {
        assert_eq!(both(bad), None, "{bad}");
    }
}
