//! How addresses are read.

use super::*;

fn read(text: &str) -> String {
    match text.parse::<Join>() {
        Ok(join) => join.to_string(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn addresses_are_read_and_written() {
    for (text, wanted) in [
        ("consul://h", "consul://h:8500?prefix=esker&service=shoveling-worker"),
        (
            "consul://127.0.0.1:18500/",
            "consul://127.0.0.1:18500?prefix=esker&service=shoveling-worker",
        ),
        ("consul://[::1]", "consul://[::1]:8500?prefix=esker&service=shoveling-worker"),
        ("consul://[::1]:1", "consul://[::1]:1?prefix=esker&service=shoveling-worker"),
        (
            "consul+https://a.b-c:443?service=w&dc=dc2&prefix=p-1",
            "consul+https://a.b-c:443?dc=dc2&prefix=p-1&service=w",
        ),
        ("static:a/members.toml", "static:a/members.toml"),
        ("static:///etc/members.toml", "static:/etc/members.toml"),
    ] {
        assert_eq!(read(text), wanted);
        assert_eq!(read(&read(text)), read(text));
    }
}

#[test]
fn bad_addresses_are_refused_with_a_hint() {
    for bad in [
        "",
        "consul:",
        "consul://",
        "consul://:8500",
        "consul://h:0",
        "consul://h:99999",
        "consul://h:x",
        "consul://h h",
        "consul://h/path",
        "consul://[::g]",
        "consul://h?dc=",
        "consul://h?dc=A",
        "consul://h?color=red",
        "consul://h?prefix=a/b",
        "consul://h?service=-a",
        "http://h",
        "static:",
    ] {
        let told = read(bad);
        assert!(
            told.starts_with("cannot join") && told.contains("write consul://"),
            "{bad}: {told}"
        );
    }
    assert!(read(&format!("consul://{}", "h".repeat(2000))).contains("too long"));
}

#[test]
fn a_token_in_an_address_is_refused_and_not_repeated() {
    for bad in ["consul://:s3cr3t@h", "consul://h?token=s3cr3t", "consul://h?dc=a&token=s3cr3t"] {
        let told = read(bad);
        assert!(told.contains("CONSUL_HTTP_TOKEN") && !told.contains("s3cr3t"), "{told}");
    }
}
