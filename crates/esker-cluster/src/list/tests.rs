//! Lists as people write them.

use super::*;

const ONE: &str =
    "[[member]]\nname = \"a\"\ncontrol = \"tcp://a:5060\"\nbulk = \"tcp://a:5061\"\ncpus = 4\n";

#[test]
fn a_list_is_read() {
    let members = parse(&format!("{ONE}memory = \"2GiB\"\n")).unwrap();
    let node = node_of("a");
    let (name, control) = ("a".to_owned(), "tcp://a:5060".to_owned());
    let bulk = "tcp://a:5061".to_owned();
    assert_eq!(members, [Member { node, name, control, bulk, cpus: 4, memory: 2 << 30, free: 64 }]);
    assert_eq!(parse("").unwrap(), []);
    // Pinned: data of a worker is found again by it.
    assert_eq!(node_of("a").to_string(), "ca978112ca1bbdcafac231b39a23dc4d");
}

#[test]
fn sizes_have_units() {
    for (text, wanted) in [
        ("5", Some(5)),
        ("\"5KiB\"", Some(5 << 10)),
        ("\"5 MiB\"", Some(5 << 20)),
        ("\"5TiB\"", Some(5 << 40)),
        ("\"5\"", None),
        ("\"5GB\"", None),
        ("\"GiB\"", None),
        ("\"-5GiB\"", None),
        ("-5", None),
        ("\"99999999999TiB\"", None),
    ] {
        let read = parse(&format!("{ONE}memory = {text}\n")).ok();
        assert_eq!(read.map(|members| members[0].memory), wanted, "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let memory = "memory = 1\n";
    for (text, wanted) in [
        (format!("{ONE}{memory}{ONE}{memory}"), "are one node"),
        (format!("{ONE}{memory}node = \"x\"\n"), "\"x\" is not the identity"),
        (ONE.replace("tcp://a:5060", "a:5060") + memory, "control is not an address"),
        (ONE.replace("cpus = 4", "cpus = 0") + memory, "cpus is 0"),
        (ONE.replace("\"a\"", "\"\"") + memory, "its name"),
        (format!("{ONE}{memory}color = 1\n"), "color"),
        (ONE.to_owned(), "memory"),
        ("[[members]]\n".to_owned(), "members"),
    ] {
        let told = parse(&text).unwrap_err();
        assert!(told.contains(wanted), "{text}: {told}");
    }
    let many: String = (0..=MEMBERS_MAX)
        .map(|number| ONE.replace("\"a\"", &format!("\"a{number}\"")) + memory)
        .collect();
    assert!(parse(&many).unwrap_err().contains("more than 4096"));
}
