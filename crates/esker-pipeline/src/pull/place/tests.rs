//! Addresses in, addresses or complaints out.

use super::*;

#[track_caller]
fn check_join(from: &str, location: &str, to: &str) {
    let joined = parse(from).unwrap().join(location).unwrap();
    assert_eq!(joined.uri().to_string(), to);
}

#[test]
fn redirects_lead_where_browsers_go() {
    let from = "https://a.org/x/y.csv?q=1";
    check_join(from, "https://b.org/z", "https://b.org/z");
    check_join(from, "//b.org/z", "https://b.org/z");
    check_join(from, "/z?r", "https://a.org/z?r");
    check_join(from, "z.csv", "https://a.org/x/z.csv");
    check_join(from, "?r=2", "https://a.org/x/y.csv?r=2");
    check_join(from, "./z:1", "https://a.org/x/./z:1");
    check_join("https://a.org", "z", "https://a.org/z");
    assert!(parse(from).unwrap().join("file:///etc/passwd").is_err());
}

#[test]
fn what_is_no_address_is_refused() {
    for (text, why) in [
        ("plan.csv", "an address begins with https:// or http://"),
        ("ftp://a.org/x", "an address begins with https:// or http://"),
        ("https://me:pw@a.org/x", "a user or password in an address is seen by everyone"),
        ("https://a.org/a b", "this is no address: invalid uri character"),
    ] {
        assert_eq!(parse(text).unwrap_err().0, why, "{text}");
    }
    assert!(parse(&format!("https://a.org/{}", "x".repeat(9000))).is_err());
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let is_same =
        |one: &str, other: &str| parse(one).unwrap().has_origin_of(&parse(other).unwrap());
    assert!(is_same("https://a.org/x", "https://A.org:443/y?z"));
    assert!(!is_same("https://a.org", "http://a.org"));
    assert!(!is_same("https://a.org", "https://a.org:8443"));
    assert!(!is_same("https://a.org", "https://b.a.org"));
}

#[test]
fn an_address_tells_what_the_content_is() {
    let name = |text: &str| parse(text).unwrap().file_name();
    assert_eq!(name("https://a.org/x/plan.xlsx?raw=1"), "plan.xlsx");
    assert_eq!(
        name("https://docs.google.com/spreadsheets/d/1/export?format=csv&gid=0"),
        "export.csv"
    );
    assert_eq!(name("https://a.org"), "");
}
