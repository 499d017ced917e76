//! Marks and times.

use super::*;

#[test]
fn marks() {
    for (text, expected) in [
        ("HEAD", Some(("HEAD", 0))),
        ("HEAD~", Some(("HEAD", 1))),
        ("HEAD~3^^1", Some(("HEAD", 5))),
        ("HEAD^0", Some(("HEAD", 0))),
        ("v1~12", Some(("v1", 12))),
        ("~2", Some(("", 2))),
        ("HEAD^2", None),
        ("HEAD~x", None),
        ("HEAD~é", None),
        ("HEAD~99999999999999999999", None),
    ] {
        assert_eq!(split(text), expected, "{text}");
    }
    assert_eq!(split(&"^".repeat(200)), None);
}

fn in_berlin(text: &str) -> Option<String> {
    let zone = TimeZone::get("Europe/Berlin").expect("the zone database is there");
    let now: Timestamp = "2025-11-20T12:00:00Z".parse().unwrap();
    let seconds = time(text, now, &zone)?;
    Some(Timestamp::from_second(seconds).unwrap().to_string())
}

#[test]
fn times_are_local_and_days_end() {
    for (text, expected) in [
        ("2025-11-20", Some("2025-11-20T22:59:59Z")),
        ("2025-03-30", Some("2025-03-30T21:59:59Z")),
        ("2025-11-20 17:00", Some("2025-11-20T16:00:00Z")),
        ("2025-11-20T17:00:00Z", Some("2025-11-20T17:00:00Z")),
        ("today", Some("2025-11-20T22:59:59Z")),
        ("yesterday", Some("2025-11-19T22:59:59Z")),
        ("an hour ago", Some("2025-11-20T11:00:00Z")),
        ("2 weeks ago", Some("2025-11-06T12:00:00Z")),
        ("3 months ago", Some("2025-08-20T11:00:00Z")),
        ("-1 days ago", None),
        ("3 fortnights ago", None),
        ("2025-13-01", None),
        ("deadbeef", None),
    ] {
        assert_eq!(in_berlin(text).as_deref(), expected, "{text}");
    }
}
