//! Every switch is found, with few looks, around whatever is skipped.

use super::*;

fn search(length: usize, verdict: impl Fn(usize) -> Verdict) -> ((usize, usize), u32) {
    let mut search = Search::between(0, length - 1);
    let mut looks = 0;
    while let Some(place) = search.next() {
        search.learn(place, verdict(place));
        looks += 1;
    }
    (search.ends(), looks)
}

#[test]
fn every_switch_is_found_with_few_looks() {
    for length in 2..70 {
        for first_bad in 1..length {
            let verdict = |place| if place < first_bad { Verdict::Good } else { Verdict::Bad };
            let (ends, looks) = search(length, verdict);
            assert_eq!(ends, (first_bad - 1, first_bad));
            assert!(looks <= Search::between(0, length - 1).left(), "{length}: {looks} looks");
        }
    }
}

#[test]
fn what_is_skipped_stays_open_only_at_the_switch() {
    let verdict = |first_bad: usize, skipped: std::ops::Range<usize>| {
        move |place: usize| match place {
            place if skipped.contains(&place) => Verdict::Skip,
            place if place < first_bad => Verdict::Good,
            _ => Verdict::Bad,
        }
    };
    assert_eq!(search(50, verdict(30, 10..25)).0, (29, 30));
    assert_eq!(search(50, verdict(30, 20..35)).0, (19, 35));
    assert_eq!(search(50, verdict(30, 1..49)).0, (0, 49));
}

#[test]
fn where_it_switches_more_than_once_one_switch_is_found() {
    let verdict = |place: usize| if place % 10 < 5 { Verdict::Good } else { Verdict::Bad };
    let ((good, bad), _) = search(56, verdict);
    assert_eq!(good + 1, bad);
    assert_eq!((verdict(good), verdict(bad)), (Verdict::Good, Verdict::Bad));
}
