//! Waits.

use std::sync::Arc;
use std::time::Instant;

use super::*;

#[test]
fn waits_grow_to_a_bound_and_differ() {
    let mut backoff = Backoff::default();
    let waits: Vec<Duration> = (0..100).map(|_| backoff.next()).collect();
    assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2);
    assert!(waits[9..].iter().all(|wait| *wait <= LAST && *wait >= LAST / 2));
    assert!(waits[9..].windows(2).any(|pair| pair[0] != pair[1]));
    backoff.reset();
    assert!(backoff.next() <= FIRST);
}

#[test]
fn a_sleep_ends_when_told() {
    let stop = Arc::new(Stop::default());
    assert!(!stop.sleep(Duration::from_millis(1)));
    let (sleeper, begun) = (Arc::clone(&stop), Instant::now());
    let thread = std::thread::spawn(move || sleeper.sleep(Duration::from_secs(600)));
    stop.stop();
    assert!(thread.join().unwrap() && stop.is_stopped());
    assert!(stop.sleep(Duration::from_secs(600)) && begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn first_questions_are_short() {
    let mut patience = Patience::up_to(Duration::from_secs(1));
    let waits: Vec<u128> = (0..5).map(|_| patience.next().as_millis()).collect();
    assert_eq!(waits, [250, 500, 1000, 1000, 1000]);
    assert_eq!(Patience::up_to(Duration::from_millis(200)).next().as_millis(), 200);
}
