//! Marks and times.

use jiff::ToSpan as _;
use proptest::prelude::*;

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

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("the zone database is there")
}

/// Thursday noon in London, 13:00 in Berlin.
fn now() -> Timestamp {
    "2025-11-20T12:00:00Z".parse().unwrap()
}

fn in_berlin(text: &str) -> Option<Moment> {
    moment(text, now(), &berlin()).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn written(second: i64) -> String {
    Timestamp::from_second(second).unwrap().to_string()
}

#[test]
fn moments() {
    for (text, expected) in [
        ("2025-11-20 17:00", "2025-11-20T16:00:00Z"),
        ("2025-11-20  9:05:30.9", "2025-11-20T08:05:30Z"),
        ("2025-11-20, 5pm", "2025-11-20T16:00:00Z"),
        ("2025-11-20 12:30 AM", "2025-11-19T23:30:00Z"),
        ("2025-11-20 at noon", "2025-11-20T11:00:00Z"),
        ("noon", "2025-11-20T11:00:00Z"),
        ("17:00", "2025-11-20T16:00:00Z"),
        ("at 17:00", "2025-11-20T16:00:00Z"),
        ("17:00 yesterday", "2025-11-19T16:00:00Z"),
        ("yesterday 17:00", "2025-11-19T16:00:00Z"),
        ("tomorrow 17:00", "2025-11-21T16:00:00Z"),
        ("now", "2025-11-20T12:00:00Z"),
        // RFC 3339 and RFC 9557.
        ("2025-11-20T17:00:00Z", "2025-11-20T17:00:00Z"),
        ("2025-11-20t17:00:00.5z", "2025-11-20T17:00:00Z"),
        ("2025-11-20T23:59:60+00:00", "2025-11-20T23:59:59Z"),
        ("20251120T170000Z", "2025-11-20T17:00:00Z"),
        ("2025-11-20T17", "2025-11-20T16:00:00Z"),
        ("2025-11-20T17:00:00-03:30", "2025-11-20T20:30:00Z"),
        ("2025-11-20T17:00:00-05:00[America/New_York]", "2025-11-20T22:00:00Z"),
        ("2025-11-20T17:00[America/New_York]", "2025-11-20T22:00:00Z"),
        ("2025-11-20 17:00 [!America/New_York]", "2025-11-20T22:00:00Z"),
        ("2025-11-20 17:00[+05:00]", "2025-11-20T12:00:00Z"),
        // Zones beside any time.
        ("2025-11-20 17:00 America/New_York", "2025-11-20T22:00:00Z"),
        ("last friday 17:00 america/new_york", "2025-11-14T22:00:00Z"),
        ("2025-11-20 17:00 +02:00", "2025-11-20T15:00:00Z"),
        ("2025-11-20 17:00+02:00", "2025-11-20T15:00:00Z"),
        ("yesterday 17:00 UTC", "2025-11-19T17:00:00Z"),
        ("20 Nov 2025 17:00 +2", "2025-11-20T15:00:00Z"),
        // Days of the week: the newest that has begun, or that is over.
        ("friday 17:00", "2025-11-14T16:00:00Z"),
        ("thursday 17:00", "2025-11-20T16:00:00Z"),
        ("last thursday 17:00", "2025-11-13T16:00:00Z"),
        ("this friday 17:00", "2025-11-21T16:00:00Z"),
        ("last friday at 5:30 pm", "2025-11-14T16:30:00Z"),
        // So long ago, or at a time of that day.
        ("an hour ago", "2025-11-20T11:00:00Z"),
        ("2 weeks ago", "2025-11-06T12:00:00Z"),
        ("3 months ago", "2025-08-20T11:00:00Z"),
        ("three days ago", "2025-11-17T12:00:00Z"),
        ("3 days ago 17:00", "2025-11-17T16:00:00Z"),
        ("2 years ago noon", "2023-11-20T11:00:00Z"),
    ] {
        let second = expected.parse::<Timestamp>().unwrap().as_second();
        assert_eq!(in_berlin(text), Some(Moment { first: second, last: second }), "{text}");
    }
}

#[test]
fn a_date_alone_lasts_to_its_last_second() {
    for (text, first, last) in [
        ("2025-11-20", "2025-11-20", "2025-11-20"),
        ("20251120", "2025-11-20", "2025-11-20"),
        ("2025/11/20", "2025-11-20", "2025-11-20"),
        ("20.11.2025", "2025-11-20", "2025-11-20"),
        ("13/04/2025", "2025-04-13", "2025-04-13"),
        ("04/04/2025", "2025-04-04", "2025-04-04"),
        ("20 Nov 2025", "2025-11-20", "2025-11-20"),
        ("20-nov-2025", "2025-11-20", "2025-11-20"),
        ("November 20th, 2025", "2025-11-20", "2025-11-20"),
        ("1 sept 2025", "2025-09-01", "2025-09-01"),
        ("20 Nov", "2025-11-20", "2025-11-20"),
        ("21 Nov", "2024-11-21", "2024-11-21"),
        ("feb 29", "2024-02-29", "2024-02-29"),
        ("today", "2025-11-20", "2025-11-20"),
        ("YESTERDAY", "2025-11-19", "2025-11-19"),
        ("thursday", "2025-11-20", "2025-11-20"),
        ("last thursday", "2025-11-13", "2025-11-13"),
        ("fri", "2025-11-14", "2025-11-14"),
        ("last friday", "2025-11-14", "2025-11-14"),
        ("this monday", "2025-11-17", "2025-11-17"),
        ("last week", "2025-11-10", "2025-11-16"),
        ("this week", "2025-11-17", "2025-11-23"),
        ("last month", "2025-10-01", "2025-10-31"),
        ("last year", "2024-01-01", "2024-12-31"),
        ("november", "2025-11-01", "2025-11-30"),
        ("last november", "2024-11-01", "2024-11-30"),
        ("dec", "2024-12-01", "2024-12-31"),
        ("february 2024", "2024-02-01", "2024-02-29"),
        ("2025-11", "2025-11-01", "2025-11-30"),
        ("2025-W47", "2025-11-17", "2025-11-23"),
        ("2025W01", "2024-12-30", "2025-01-05"),
        ("2025-W47-3", "2025-11-19", "2025-11-19"),
        ("2025", "2025-01-01", "2025-12-31"),
    ] {
        let midnight = |date: &str, days: i64| {
            let date = date.parse::<Date>().unwrap().checked_add(days.days()).unwrap();
            date.to_zoned(berlin()).unwrap().timestamp().as_second()
        };
        let expected = Moment { first: midnight(first, 0), last: midnight(last, 1) - 1 };
        assert_eq!(in_berlin(text), Some(expected), "{text}");
    }
    let elsewhere = in_berlin("2025-11-20 America/New_York").unwrap();
    assert_eq!(written(elsewhere.first), "2025-11-20T05:00:00Z");
    assert_eq!(written(elsewhere.last), "2025-11-21T04:59:59Z");
}

#[test]
fn no_times() {
    for text in [
        "",
        "HEAD",
        "v1",
        "deadbeef",
        "release/v1",
        "release-2027-01-04",
        "2025-13-01",
        "2025-02-30",
        "25-11-20",
        "2025-11-20 25:00",
        "2025-11-20 17",
        "-1 days ago",
        "3 fortnights ago",
        "99999999999 days ago",
        "last",
        "week",
        "ago",
        "next friday",
        "fr",
        "2025-W54",
        "2025-W47-8",
        "last week 17:00",
        "november 17:00",
        "now 17:00",
        "31 november 2025",
        "20 nov 25",
        "13:00 pm",
        "0:30 am",
        "32/01/2025",
        "13/13/2025",
        "1.2.3",
        "2.0",
        "99999",
        "+02:00",
        "utc",
        "2025.11.20",
        "1234",
        "é",
        "2025-11-20t",
        "[]",
        "17:00[",
    ] {
        assert_eq!(in_berlin(text), None, "{text}");
    }
}

#[test]
fn what_may_mean_two_days_is_refused() {
    let fault = moment("03/04/2025", now(), &berlin()).unwrap_err();
    assert_eq!(fault.code, Code::Ambiguous);
    assert_eq!(fault.candidates, ["2025-04-03", "2025-03-04"]);
    let fault = moment("03/04/2025 17:00", now(), &berlin()).unwrap_err();
    assert_eq!(fault.code, Code::Ambiguous);
    let fault = moment("friday midnight", now(), &berlin()).unwrap_err();
    assert_eq!(fault.candidates, ["2025-11-14 00:00", "2025-11-14"]);
    for (text, expected) in [
        ("2025-11-20 17:00 Europe/Berlim", "there is no time zone"),
        ("2025-11-20 17:00[../../etc/passwd]", "there is no time zone"),
        ("2025-11-20 17:00 +99:00", "there is no time zone"),
        ("2025-11-20T17:00+05:00[Europe/Berlin]", "europe/berlin is not at +05:00"),
    ] {
        let fault = moment(text, now(), &berlin()).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{text}");
        assert!(fault.message.contains(expected), "{fault}");
    }
}

/// In Berlin 02:30 is left out on 30 March 2025 and shown twice on 26 October.
#[test]
fn times_around_a_change_of_the_clock() {
    let of = |text: &str| {
        let Moment { first, last } = in_berlin(text).unwrap();
        (written(first), written(last))
    };
    let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    let left_out = pair("2025-03-30T01:00:00Z", "2025-03-30T00:59:59Z");
    assert_eq!(of("2025-03-30 02:30"), left_out);
    assert_eq!(of("2025-03-30 02:00"), left_out);
    let twice = pair("2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z");
    assert_eq!(of("2025-10-26 02:30"), twice);
    assert_eq!(of("2025-10-26T02:30[Europe/Berlin]"), twice);
    let first = pair("2025-10-26T00:30:00Z", "2025-10-26T00:30:00Z");
    assert_eq!(of("2025-10-26T02:30+02:00[Europe/Berlin]"), first);
    // Days of 23 and 25 hours.
    assert_eq!(of("2025-03-30"), pair("2025-03-29T23:00:00Z", "2025-03-30T21:59:59Z"));
    assert_eq!(of("2025-10-26"), pair("2025-10-25T22:00:00Z", "2025-10-26T22:59:59Z"));
    // Where midnight itself is left out, the day begins at one o'clock.
    let santiago = of("2025-09-07 America/Santiago");
    assert_eq!(santiago, pair("2025-09-07T04:00:00Z", "2025-09-08T02:59:59Z"));
}

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
];

/// Words that dates are made of, so that chance makes dates of them.
const WORDS: [&str; 24] = [
    "last",
    "this",
    "friday",
    "week",
    "month",
    "nov",
    "20",
    "2025",
    "17:00",
    "5",
    "pm",
    "ago",
    "3",
    "days",
    "at",
    "noon",
    "2025-11-20",
    "t17",
    "+02:00",
    "europe/berlin",
    "[utc]",
    "03/04/2025",
    "midnight",
    "2025-w47",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_stops_it(text in "\\PC{0,40}", now in -9_000_000_000_i64..9_000_000_000) {
        let now = Timestamp::from_second(now).unwrap();
        drop(moment(&text, now, &berlin()));
        prop_assert!(split(&text).is_none_or(|(base, _)| text.starts_with(base)));
    }

    #[test]
    fn no_words_stop_it(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..6)) {
        if let Ok(Some(moment)) = moment(&words.join(" "), now(), &berlin()) {
            prop_assert!(moment.first <= moment.last + 1);
        }
    }

    /// Every moment can be written as its zone's clock shows it.
    #[test]
    fn what_a_clock_shows_is_found(second in 0..4_000_000_000_i64, zone in prop::sample::select(&ZONES[..])) {
        let time = Timestamp::from_second(second).unwrap();
        let zoned = time.to_zoned(TimeZone::get(zone).unwrap());
        let exact = moment(&zoned.to_string(), now(), &berlin()).unwrap();
        prop_assert_eq!(exact, Some(Moment { first: second, last: second }));
        let shown = zoned.strftime("%d %B %Y %H:%M:%S %Q").to_string();
        let found = moment(&shown, now(), &berlin()).unwrap().unwrap();
        prop_assert!(found.first == second || found.last == second, "{} {:?}", shown, found);
        let day = zoned.strftime("%Y-%m-%d %Q").to_string();
        let day = moment(&day, now(), &berlin()).unwrap().unwrap();
        prop_assert!(day.first <= second && second <= day.last);
        let week = zoned.strftime("%G-W%V %Q").to_string();
        let week = moment(&week, now(), &berlin()).unwrap().unwrap();
        prop_assert!(week.first <= day.first && day.last <= week.last);
    }

    /// A day ends where the next begins, and so do weeks, months and years.
    #[test]
    fn nothing_is_between_two_days(days in 0..40_000_i64, zone in prop::sample::select(&ZONES[..])) {
        let zone = TimeZone::get(zone).unwrap();
        let date = Date::constant(1971, 1, 1).checked_add(days.days()).unwrap();
        let next = date.tomorrow().unwrap();
        let of = |text: String| moment(&text, now(), &zone).unwrap().unwrap();
        prop_assert_eq!(of(date.to_string()).last + 1, of(next.to_string()).first);
        let month = |date: Date| of(date.strftime("%B %Y").to_string());
        let after = date.last_of_month().tomorrow().unwrap();
        prop_assert_eq!(month(date).last + 1, month(after).first);
    }

    /// Day names mean a day of the week before now, whatever day it is.
    #[test]
    fn friday_is_within_a_week(second in 0..4_000_000_000_i64) {
        let now = Timestamp::from_second(second).unwrap();
        let friday = moment("friday", now, &berlin()).unwrap().unwrap();
        let last = moment("last friday", now, &berlin()).unwrap().unwrap();
        prop_assert!(friday.first <= second && last.last < second);
        prop_assert!(second - friday.first <= 8 * 86_400 && second - last.last <= 8 * 86_400);
        prop_assert_eq!(Timestamp::from_second(friday.last).unwrap().to_zoned(berlin()).weekday(), jiff::civil::Weekday::Friday);
    }
}
