//! Which addresses are read, and which may be bound.

use super::Address;

fn check(text: &str, bound: Result<&str, &str>) {
    let was = Address::parse(text).and_then(|address| address.to_bind());
    match (was, bound) {
        (Ok(was), Ok(bound)) => assert_eq!(was, bound),
        (Err(fault), Err(part)) => assert!(fault.message.contains(part), "{text}: {fault}"),
        (was, bound) => panic!("{text}: {was:?}, expected {bound:?}"),
    }
}

#[test]
fn loopback_is_bound() {
    for text in ["tcp://127.0.0.1:5000", "tcp://127.255.0.9:0", "tcp://[::1]:65535"] {
        check(text, Ok(text));
    }
    check("tcp://localhost:1", Ok("tcp://127.0.0.1:1"));
}

#[test]
fn elsewhere_is_not_bound() {
    for host in ["0.0.0.0", "10.0.0.1", "[::]", "[::ffff:10.0.0.1]", "example.org", "128.0.0.1"] {
        check(&format!("tcp://{host}:1"), Err("not a loopback address"));
        let address = Address::parse(&format!("tcp://{host}:1")).unwrap();
        assert_eq!(address.to_connect().unwrap(), format!("tcp://{host}:1"));
    }
}

#[test]
fn what_is_no_address_is_named() {
    for text in [
        "",
        "tcp://",
        "tcp://:1",
        "tcp://a",
        "tcp://a:",
        "tcp://a:65536",
        "tcp://a:+1",
        "tcp://a:-1",
        "tcp://a b:1",
        "tcp://[::1:1",
        "tcp://::1:1",
        "tcp://[a]:1",
        "tcp://a/b:1",
        "udp://a:1",
        "a:1",
        "tcp://*:1",
    ] {
        check(text, Err(&format!("cannot read the address {text:?}")));
    }
}

#[test]
fn nobody_is_at_port_0() {
    assert!(Address::parse("tcp://localhost:0").unwrap().to_connect().is_err());
}

#[test]
fn what_is_on_this_machine_is_known() {
    for (host, is_near) in [
        ("127.0.0.1", true),
        ("[::1]", true),
        ("localhost", true),
        ("10.0.0.1", false),
        ("hub", false),
    ] {
        let address = Address::parse(&format!("tcp://{host}:1")).unwrap();
        assert_eq!(address.is_loopback(), is_near, "{host}");
    }
}
