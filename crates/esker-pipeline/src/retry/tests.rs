//! When a failed run is tried again.

use super::*;

fn delay(count: u32, allowed: u32, temporary: bool, chance: f64) -> Option<i64> {
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    let time = not_before(count, allowed, temporary, (now, chance))?;
    Some(time.duration_since(now).as_secs())
}

#[test]
fn a_failure_is_final_unless_it_may_pass() {
    assert_eq!(delay(1, 0, false, 0.0), None);
    assert_eq!(delay(1, 1, false, 0.0), Some(1));
    assert_eq!(delay(2, 1, false, 0.0), None);
    assert_eq!(delay(5, 0, true, 0.0), Some(1));
    assert_eq!(delay(6, 0, true, 0.0), None);
}

#[test]
fn the_wait_grows_to_its_bound() {
    assert_eq!(delay(1, 100, false, 1.0), Some(2));
    assert_eq!(delay(4, 100, false, 1.0), Some(16));
    assert_eq!(delay(90, 100, false, 1.0), Some(300));
    assert_eq!(delay(90, 100, false, 0.0), Some(1));
}
