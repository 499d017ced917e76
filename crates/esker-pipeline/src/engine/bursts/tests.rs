//! Who waits for a burst to end, and for how long.

use jiff::Timestamp;

use super::*;

const DEFINITION: &str = "project.name = \"p\"\n\
    [stage.a]\ninput = \"raw/a\"\nrun = [\"sort\"]\noutput = \"mid/a\"\n\
    [stage.each]\ninput = \"raw/a\"\nrun = [\"sort\"]\noutput = \"mid/each\"\nmode = \"each\"\n";

fn bursts() -> Bursts {
    let (definition, defects) = Definition::parse(DEFINITION, Timestamp::UNIX_EPOCH);
    let mut bursts = Bursts::default();
    bursts.adopt(&definition.unwrap_or_else(|| panic!("{defects:?}")));
    bursts
}

fn put(bursts: &mut Bursts, now: Instant, busy: bool) {
    bursts.touch(&["raw/a".parse().unwrap()], now, |_| busy);
}

fn held(bursts: &Bursts, now: Instant) -> Vec<&String> {
    bursts.held(now).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn the_first_change_is_not_kept_waiting() {
    let (mut bursts, now) = (bursts(), Instant::now());
    put(&mut bursts, now, false);
    assert!(held(&bursts, now).is_empty());
    assert_eq!(bursts.wait(now), None);
}

#[test]
fn a_change_long_after_the_last_run_is_a_first_one() {
    let (mut bursts, now) = (bursts(), Instant::now());
    bursts.ended("a", now);
    put(&mut bursts, now + DEBOUNCE, false);
    assert!(held(&bursts, now + DEBOUNCE).is_empty());
}

#[test]
fn a_change_while_it_runs_or_right_after_waits_for_rest() {
    for busy in [true, false] {
        let (mut bursts, now) = (bursts(), Instant::now());
        if !busy {
            bursts.ended("a", now);
        }
        put(&mut bursts, now + ms(1), busy);
        assert_eq!(held(&bursts, now + ms(2)), ["a"], "what sees each version does not wait");
        put(&mut bursts, now + ms(40), false);
        assert_eq!(held(&bursts, now + ms(60)), ["a"]);
        assert_eq!(bursts.wait(now + ms(60)), Some(ms(30)));
        assert!(held(&bursts, now + ms(90)).is_empty());
    }
}

#[test]
fn it_does_not_wait_for_ever() {
    let (mut bursts, now) = (bursts(), Instant::now());
    for at in (0..=2_000).step_by(20) {
        put(&mut bursts, now + ms(at), true);
    }
    assert_eq!(held(&bursts, now + ms(1_999)), ["a"]);
    assert!(held(&bursts, now + ms(2_000)).is_empty());
    bursts.started("a");
    put(&mut bursts, now + ms(2_010), true);
    assert_eq!(held(&bursts, now + ms(2_011)), ["a"], "the next burst");
}
