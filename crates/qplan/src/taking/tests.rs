//! Ends and what is left.

use super::*;

fn pool(days: &[f32]) -> Pool {
    Pool::new(days.to_vec())
}

#[test]
fn up_to_two_weeks_are_one_persons() {
    let mut pool = pool(&[3.0; 20]);
    assert_eq!(pool.take(Demand::of(Some(2.0))), Some(9));
    assert_eq!(pool.take(Demand::of(Some(2.0))), Some(9));
    assert_eq!(pool.take(Demand::of(Some(0.1))), Some(0));
}

#[test]
fn more_weeks_are_more_peoples() {
    let mut pool = pool(&[3.0; 20]);
    assert_eq!(pool.take(Demand::of(Some(4.0))), Some(9), "two people");
    assert_eq!(pool.take(Demand::of(Some(5.9))), Some(19), "two are wanted, one is free at first");
}

#[test]
fn nothing_to_do_ends_at_once_even_without_days() {
    let mut nobody = pool(&[]);
    assert_eq!(nobody.take(Demand::of(None)), Some(0));
    assert_eq!(nobody.take(Demand::of(Some(0.0))), Some(0));
    assert_eq!(nobody.take(Demand::of(Some(-3.0))), Some(0));
    assert_eq!(nobody.take(Demand::of(Some(0.1))), None);
}

#[test]
fn what_was_taken_in_vain_stays_taken() {
    let mut pool = pool(&[1.0, 0.0, 1.0]);
    assert_eq!(pool.take(Demand::of(Some(1.0))), None);
    assert_eq!(pool.take(Demand::of(Some(0.1))), None);
}

#[test]
fn days_without_people_are_walked_over() {
    let mut pool = pool(&[0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(pool.take(Demand::of(Some(0.2))), Some(1));
    assert_eq!(pool.take(Demand::of(Some(0.2))), Some(4));
}

#[test]
fn no_number_takes_nothing() {
    let mut pool = pool(&[1.0; 5]);
    assert_eq!(pool.take(Demand::of(Some(f32::NAN))), None);
    assert_eq!(pool.take(Demand::of(Some(1.0))), Some(4));
}

#[test]
fn rounding_can_push_the_end_a_day_on() {
    // Three people and 7.8 weeks are 39.000004 days.
    let mut pool = pool(&[3.0; 20]);
    assert_eq!(pool.take(Demand::of(Some(7.8))), Some(13));
}
