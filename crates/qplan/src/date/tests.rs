//! The calendar, and which dates are read.

use super::*;

#[test]
fn dates_read_with_the_originals_leniency() {
    let accepted = [
        "Jan 6, 2025",
        "Jan  6, 2025",
        "Jan 06, 2025",
        "Jan 006, 2025",
        "jan 6, 2025",
        "JAN 6, 2025",
        " Jan 6, 2025",
        "Jan 6, 2025 ",
        "Jan 6,  2025",
        "Jan 6, 2025\r",
        "Jan\u{a0}6, 02025",
    ];
    for text in accepted {
        assert_eq!(Day::parse(text), Day::new(2025, 1, 6), "{text:?}");
    }
    assert_eq!(Day::parse("Jan 6, 25"), Day::new(25, 1, 6));
    assert_eq!(Day::parse("Feb 29, 2024"), Day::new(2024, 2, 29));
}

#[test]
fn what_is_no_date() {
    let refused = [
        "",
        "January 6, 2025",
        "Jan 6,2025",
        "Jan 6 , 2025",
        "2025-01-06",
        "Feb 30, 2024",
        "Feb 29, 2025",
        "Feb 29, 2100",
        "Jan6, 2025",
        "Jan 0, 2025",
        "Jan 32, 2025",
        "Jan , 2025",
        "Jan 6, ",
        "Jan 6, 2025 x",
        "Jän 6, 2025",
        "Foo 6, 2025",
        "Jan -6, 2025",
        "Jan 6, -2025",
        "Jan 99999999999, 2025",
        "Jan 6, 9999999",
    ];
    for text in refused {
        assert_eq!(Day::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_day_is_padded_unless_told_otherwise() {
    let day = Day::new(2025, 1, 6).expect("a day");
    assert_eq!(format!("{day} {day:#}"), "Jan  6, 2025 Jan 6, 2025");
    let day = Day::new(25, 12, 31).expect("a day");
    assert_eq!(day.to_string(), "Dec 31, 25");
}

#[test]
fn days_follow_each_other_through_leap_years() {
    let mut day = Day::new(1999, 12, 31).expect("a day");
    let (mut year, mut month, mut in_month, mut weekday) = (1999, 12, 31, 4);
    for _ in 0..400 * 366 {
        day = day.plus(1);
        weekday = (weekday + 1) % 7;
        in_month += 1;
        if Day::new(year, month, in_month).is_none() {
            in_month = 1;
            month += 1;
        }
        if month > 12 {
            month = 1;
            year += 1;
        }
        assert_eq!(day.civil(), (year, month, in_month));
        assert_eq!(Day::new(year, month, in_month), Some(day));
        assert_eq!(day.is_weekend(), weekday >= 5, "{day}");
    }
    assert!(year > 2398);
}

#[test]
fn a_day_knows_how_long_it_is_after_another() {
    let (first, last) = (Day::new(2024, 2, 28), Day::new(2024, 3, 1));
    let (first, last) = first.zip(last).expect("days");
    assert_eq!(last.since(first), Some(2));
    assert_eq!(first.since(first), Some(0));
    assert_eq!(first.since(last), None);
}
