//! Distances computed by hand.

use super::*;

fn at(vec: &[f64], height: f64, adjustment: f64) -> Coordinate {
    Coordinate { vec: vec.to_vec(), height, adjustment }
}

fn micros(a: &Coordinate, b: &Coordinate) -> Option<u128> {
    assert_eq!(a.distance(b), b.distance(a));
    a.distance(b).map(|distance| distance.as_micros())
}

#[test]
fn distances_are_as_by_hand() {
    let origin = at(&[0.0, 0.0], 0.0, 0.0);
    let far = at(&[0.003, 0.004], 0.0, 0.0);
    assert_eq!(micros(&origin, &far), Some(5000));
    assert_eq!(micros(&origin, &origin), Some(0));
    // Heights and adjustments of both count.
    let high = at(&[0.003, 0.004], 0.001, 0.002);
    assert_eq!(micros(&origin, &high), Some(8000));
    assert_eq!(micros(&high, &high), Some(6000));
    // An adjustment that brings it to nothing or below is not made.
    assert_eq!(micros(&origin, &at(&[0.003, 0.004], 0.001, -0.005)), Some(1000));
    assert_eq!(micros(&origin, &at(&[0.003, 0.004], 0.001, -0.006)), Some(6000));
    assert_eq!(micros(&origin, &at(&[0.003, 0.004], 0.001, -9.0)), Some(6000));
    // Other spaces, and what is none.
    assert_eq!(micros(&origin, &at(&[0.0], 0.0, 0.0)), None);
    assert_eq!(micros(&origin, &at(&[1e300, 1e300], 0.0, 0.0)), None);
    assert_eq!(micros(&origin, &at(&[0.0, 0.0], -1.0, 0.0)), None);
}

#[test]
fn what_is_not_known_is_never_near() {
    let mut places = Coordinates::default();
    places.insert("a", "", at(&[0.0], 0.0, 0.0));
    places.insert("b", "", at(&[0.05], 0.0, 0.0));
    places.insert("c", "", at(&[0.01], 0.0, 0.0));
    places.insert("wild", "", at(&[f64::NAN], 0.0, 0.0));
    places.insert("long", "", at(&[0.0; 65], 0.0, 0.0));
    assert_eq!(places.len(), 3);
    assert_eq!(places.distance("a", "wild"), None);
    assert_eq!(places.distance("nobody", "a"), None);
    assert_eq!(places.distance("nobody", "nobody"), Some(Duration::ZERO));
    let order = places.nearest_first("a", &["y", "b", "x", "c", "a"]);
    assert_eq!(order, ["a", "c", "b", "y", "x"]);
    assert!(Coordinates::default().is_empty());
}

#[test]
fn nodes_are_compared_in_the_segment_that_both_are_in() {
    let mut places = Coordinates::default();
    for (segment, x) in [("", 0.0), ("alpha", 1.0), ("beta", 2.0)] {
        places.insert("server", segment, at(&[x], 0.0, 0.0));
        places.insert("other", segment, at(&[x + 0.5], 0.0, 0.0));
    }
    places.insert("client", "alpha", at(&[1.25], 0.0, 0.0));
    places.insert("stranger", "beta", at(&[2.0], 0.0, 0.0));
    let seconds = |a, b| places.distance(a, b).map(|distance| distance.as_secs_f64());
    assert_eq!(seconds("server", "client"), Some(0.25));
    assert_eq!(seconds("client", "server"), Some(0.25));
    assert_eq!(seconds("server", "other"), Some(0.5));
    assert_eq!(seconds("client", "stranger"), None);
}
