//! Small texts in, values out.

use super::*;

#[test]
fn durations_are_read() {
    for (text, seconds) in
        [("30s", 30.0), ("15m", 900.0), ("1h30m", 5400.0), ("250ms", 0.25), ("1d", 86_400.0)]
    {
        assert_eq!(duration(text).unwrap().as_secs_f64(), seconds, "{text}");
    }
    for text in ["", "5", "m", "5 m", "-5m", "1h30", "99999999999999999999s", "400d"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_are_read() {
    for (text, bytes) in
        [("1000", 1000), ("64KiB", 65_536), ("10 MB", 10_000_000), ("64MiB", 67_108_864)]
    {
        assert_eq!(size(text).unwrap(), bytes, "{text}");
    }
    for text in ["", "0", "MB", "1TB", "1GiB", "67108865", "99999999999999GB", "-1"] {
        assert!(size(text).is_err(), "{text}");
    }
}

#[track_caller]
fn check_cron(pattern: &str, zone: &str, last: &str, expected: &str) {
    let last: Timestamp = last.parse().unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let schedule = Schedule::cron(pattern, zone, last).unwrap();
    assert_eq!(schedule.next_after(last).unwrap(), expected.parse().unwrap());
}

#[test]
fn cron_follows_its_time_zone() {
    check_cron("0 6 * * MON-FRI", "Europe/Paris", "2027-01-08T06:00:00Z", "2027-01-11T05:00:00Z");
    check_cron("0 6 * * *", "UTC", "2027-01-08T05:59:59Z", "2027-01-08T06:00:00Z");
    // In the night in which 02:30 does not exist it runs when the clock has gone forward.
    check_cron("30 2 * * *", "Europe/Paris", "2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z");
}

#[test]
fn cron_that_never_comes_true_is_refused() {
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    assert!(Schedule::cron("0 0 30 2 *", TimeZone::UTC, now).is_err());
}

#[test]
fn addresses_have_a_host_and_a_port() {
    assert!(endpoint("tcp://127.0.0.1:5000").is_ok());
    for text in ["127.0.0.1:5000", "tcp://127.0.0.1", "tcp://:5000", "ipc://x", "tcp://h:70000"] {
        assert!(endpoint(text).is_err(), "{text}");
    }
}
