//! What is made of what browsers say.

use serde_json::json;

use super::*;

fn revision(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

/// Five PUTs, one a second, of two resources in turn; what two browsers have heard of each.
fn heard(arrivals: &[(u8, u64, u64)]) -> Heard {
    let arrivals: serde_json::Map<_, _> = arrivals
        .iter()
        .map(|(number, count, second)| {
            (revision(*number).to_string(), json!([count, second * 1_000_000_000]))
        })
        .collect();
    let said = json!({ "arrivals": arrivals, "browsers": 2, "lost": 0, "applied": 5.0, "cut": [] });
    let asked: Vec<_> =
        (1..=5).map(|number| (revision(number), u64::from(number) * 1_000_000_000)).collect();
    Heard::read(&said).expect("a report").since(&asked, 2)
}

#[test]
fn a_put_is_there_once_the_last_browser_has_it_or_what_came_after_it() {
    let all = heard(&[(1, 2, 2), (2, 2, 4), (3, 2, 3), (4, 2, 4), (5, 2, 5)]);
    assert_eq!((all.lost, all.took), (0, vec![0.0, 0.0, 0.0, 1.0, 2.0]));
    let skipped = heard(&[(2, 2, 2), (4, 2, 4), (5, 2, 6)]);
    assert_eq!((skipped.lost, skipped.took), (0, vec![0.0, 0.0, 1.0, 3.0, 5.0]));
}

#[test]
fn a_put_that_one_browser_has_not_heard_of_is_lost() {
    assert_eq!(heard(&[(1, 2, 1), (2, 1, 2), (3, 2, 3), (4, 2, 4), (5, 2, 5)]).lost, 1);
    assert_eq!(heard(&[(1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 4)]).lost, 1);
}
