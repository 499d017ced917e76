//! What a rule keeps.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Keep;

const NOW: &str = "2027-03-31T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Whether a version in force from one moment to another is kept.
fn keeps(rule: &str, from: &str, until: &str) -> bool {
    let keep: Keep = rule.parse().expect("a rule");
    assert_eq!(keep.to_string(), rule);
    keep.keeps((time(from), time(until)), time(NOW), &TimeZone::UTC)
}

#[test]
fn age_counts_from_the_replacement() {
    assert!(keeps("90d", "2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
    assert!(!keeps("90d", "2020-01-01T00:00:00Z", "2026-12-01T00:00:00Z"));
    assert!(keeps("forever", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"));
    assert!(keeps("12h", "2027-03-31T00:00:00Z", "2027-03-31T00:00:00Z"));
    assert!(!keeps("11h", "2027-03-31T00:00:00Z", "2027-03-31T00:00:00Z"));
}

#[test]
fn a_grain_keeps_what_was_in_force_at_its_end() {
    for (rule, kept, gone) in [
        ("hourly 30d", ("09:59:59Z", "10:00:01Z"), ("10:00:00Z", "10:59:59Z")),
        ("daily for 30d", ("23:59:59Z", "24"), ("00:00:00Z", "23:59:59Z")),
    ] {
        let end = |text: &str| match text {
            "24" => "2027-03-21T00:00:00.5Z".to_owned(),
            text => format!("2027-03-20T{text}"),
        };
        assert!(keeps(rule, &end(kept.0), &end(kept.1)), "{rule}");
        assert!(!keeps(rule, &end(gone.0), &end(gone.1)), "{rule}");
    }
    // 2027-03-22 is a Monday.
    assert!(keeps("weekly 1y", "2027-03-21T10:00:00Z", "2027-03-22T10:00:00Z"));
    assert!(!keeps("weekly 1y", "2027-03-22T10:00:00Z", "2027-03-28T10:00:00Z"));
    assert!(keeps("monthly 1y", "2027-02-28T10:00:00Z", "2027-03-01T10:00:00Z"));
    assert!(!keeps("monthly 1y", "2027-03-01T10:00:00Z", "2027-03-31T10:00:00Z"));
    assert!(keeps("yearly forever", "2025-12-31T10:00:00Z", "2026-01-01T10:00:00Z"));
    assert!(!keeps("yearly forever", "2026-01-01T10:00:00Z", "2026-12-31T10:00:00Z"));
    // It was in force at the end of many days, the last of which is young enough.
    assert!(keeps("daily 30d", "2020-01-01T00:00:00Z", "2027-03-20T10:00:00Z"));
    assert!(!keeps("daily 30d", "2020-01-01T00:00:00Z", "2027-02-20T10:00:00Z"));
}

#[test]
fn what_any_part_keeps_is_kept() {
    let rule = "all 7d, hourly 30d, daily 2y";
    assert!(keeps(rule, "2027-03-30T10:00:00Z", "2027-03-30T10:00:01Z"));
    assert!(!keeps(rule, "2027-03-10T10:00:00Z", "2027-03-10T10:00:01Z"));
    assert!(keeps(rule, "2027-03-10T10:00:00Z", "2027-03-10T11:00:00.1Z"));
    assert!(!keeps(rule, "2027-01-10T10:00:00Z", "2027-01-10T11:00:00.1Z"));
    assert!(keeps(rule, "2027-01-10T10:00:00Z", "2027-01-11T11:00:00Z"));
    assert!(!keeps(rule, "2024-01-10T10:00:00Z", "2024-01-11T11:00:00Z"));
}

#[test]
fn days_are_those_of_the_store() {
    let keep: Keep = "daily 1y".parse().expect("a rule");
    let east = TimeZone::fixed(jiff::tz::offset(1));
    // 23:30 UTC is past midnight there.
    let (from, until) = (time("2027-03-10T22:30:00Z"), time("2027-03-10T23:30:00Z"));
    assert!(keep.keeps((from, until), time(NOW), &east));
    assert!(!keep.keeps((from, until), time(NOW), &TimeZone::UTC));
}

#[test]
fn what_cannot_be_read_is_refused() {
    for (text, reason) in [
        ("", "a part of it is empty"),
        ("90d,", "a part of it is empty"),
        ("90", "no time such as"),
        ("0d", "no time at all"),
        ("999999999y", "too long"),
        ("99999999999999999999d", "no time such as"),
        ("fortnightly 1y", "is not all, hourly"),
        ("daily for ever more", "is not of the form"),
        ("5m", "no time such as"),
        ("1d,1d,1d,1d,1d,1d,1d,1d,1d", "9 parts"),
    ] {
        let error = text.parse::<Keep>().expect_err(text).to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!("1d, ".repeat(80).parse::<Keep>().is_err());
}
