//! Full revisions and the texts people ask by.

use super::{At, Revision};

const FULL: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_full_revision_is_read_and_written() {
    let revision: Revision = FULL.parse().expect("40 digits");
    assert_eq!(revision.to_string(), FULL);
    assert_eq!(format!("{revision:?}"), FULL);
    assert_eq!(revision.short(), "0123456789");
    assert_eq!(Revision::from_bytes(*revision.as_bytes()), revision);
    let upper: Revision = FULL.to_uppercase().parse().expect("either case");
    assert_eq!(upper, revision);
    assert!(At::from(revision).as_str() == FULL);
}

#[test]
fn anything_else_is_no_full_revision() {
    let long = format!("{FULL}0");
    let cases = ["", "HEAD", "0123", &long, &FULL.replace('0', "g"), &FULL.replace('0', "é")];
    for text in cases {
        assert!(text.parse::<Revision>().is_err(), "{text}");
    }
}

#[test]
fn a_version_is_asked_for_in_one_short_line() {
    for text in ["HEAD", "HEAD~3", "3b734", "v1", "2025-11-20", "2025-11-20 17:00"] {
        assert_eq!(text.parse::<At>().expect(text).as_str(), text);
    }
    let long = "x".repeat(256);
    for text in ["", "a\nb", &long] {
        assert!(text.parse::<At>().is_err(), "{text:?}");
    }
    assert!(At::head().is_head());
}
