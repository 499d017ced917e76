//! Runs of which nothing comes: how long they rest, and when people are told.

use super::*;

fn stale(name: &str) -> Plan {
    let mut plan = Plan::default();
    plan.states.insert(name.to_owned(), State::Stale);
    plan
}

#[test]
fn each_time_in_a_row_it_rests_twice_as_long() {
    let now = Instant::now();
    let mut lulls = Lulls::default();
    for wait in [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
        lulls.add("a", "lost".to_owned(), (now, Timestamp::UNIX_EPOCH));
        let wait = Duration::from_millis(wait);
        assert_eq!(lulls.wait(now), Some(wait));
        assert!(lulls.held(now).contains("a"));
        assert!(lulls.held(now + wait).is_empty());
    }
    lulls.end("a");
    lulls.add("a", "lost".to_owned(), (now, Timestamp::UNIX_EPOCH));
    assert_eq!(lulls.wait(now), Some(Duration::from_millis(200)));
}

#[test]
fn people_are_told_from_the_third_time_on() {
    let now = Instant::now();
    let mut lulls = Lulls::default();
    for told in [false, false, true, true] {
        lulls.add("a", "the heads have moved".to_owned(), (now, Timestamp::UNIX_EPOCH));
        let mut plan = stale("a");
        lulls.settle(&mut plan);
        assert_eq!(lulls.why("a").is_some(), told);
        assert_eq!(matches!(plan.states["a"], State::Retry(_)), told);
    }
}

#[test]
fn what_is_no_longer_to_run_is_forgotten() {
    let now = Instant::now();
    let mut lulls = Lulls::default();
    lulls.add("a", "lost".to_owned(), (now, Timestamp::UNIX_EPOCH));
    let mut plan = stale("a");
    plan.states.insert("a".to_owned(), State::Fresh);
    lulls.settle(&mut plan);
    assert!(lulls.held(now).is_empty());
}
