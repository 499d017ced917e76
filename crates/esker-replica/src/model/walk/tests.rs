//! Walks see every node once, in order of paths, wherever they begin.

use super::*;
use crate::op::Act;
use crate::path::path;

fn model() -> Model {
    let mut model = Model::default();
    let mut seq = 0;
    let mut apply = |keys: &[&str], act: Act| {
        seq += 1;
        model.apply(&path(keys), &act, seq);
    };
    apply(&["a"], Act::Set(1_i64.into()));
    apply(&["b", "", "x"], Act::Set(2_i64.into()));
    apply(&["b", "\0"], Act::Dict);
    for number in 0..300_i64 {
        apply(&["c", &format!("{number:03}")], Act::Set(number.into()));
    }
    apply(&["d"], Act::Set(3_i64.into()));
    model
}

fn all<'a>(mut walk: Walk<'a>, since: Option<u64>) -> Vec<Path> {
    std::iter::from_fn(|| walk.next(since).map(|(path, _)| path.to_vec())).collect()
}

#[test]
fn everything_is_told_once_in_order() {
    let model = model();
    let told = all(Walk::of(&model, &[]), None);
    assert_eq!(told.len() as u64, model.nodes());
    assert!(told.is_sorted() && told[0].is_empty());
    for (index, after) in told.iter().enumerate() {
        assert_eq!(all(Walk::of(&model, &[]).behind(after), None), told[index + 1..], "{after:?}");
    }
}

#[test]
fn a_walk_goes_on_behind_what_is_not_there() {
    let model = model();
    let told = all(Walk::of(&model, &[]), None);
    let gone: [&[&str]; 9] = [
        &["a", "below a leaf"],
        &["b", ""],
        &["b", "", "w"],
        &["b", "", "x", "y"],
        &["b", "\u{1}"],
        &["c", "0995"],
        &["c", "299", "x"],
        &["cc"],
        &["e"],
    ];
    for keys in gone {
        let after = path(keys);
        let rest: Vec<Path> = told.iter().filter(|one| **one > after).cloned().collect();
        assert_eq!(all(Walk::of(&model, &[]).behind(&after), None), rest, "{keys:?}");
    }
}

#[test]
fn a_walk_stays_below_its_base() {
    let model = model();
    let told = all(Walk::of(&model, &[]), None);
    for base in [path(["a"]), path(["b"]), path(["b", ""]), path(["c"]), path(["c", "007"])] {
        let below: Vec<Path> = told.iter().filter(|one| one.starts_with(&base)).cloned().collect();
        assert_eq!(all(Walk::of(&model, &base), None), below);
        let last = below.last().unwrap().clone();
        assert!(all(Walk::of(&model, &base).behind(&last), None).is_empty());
        assert_eq!(
            all(Walk::of(&model, &base).behind(&path(["\0"])), None),
            below,
            "it begins later"
        );
    }
    for base in [path(["x"]), path(["a", "x"]), path(["b", "x", "y"])] {
        assert!(all(Walk::of(&model, &base), None).is_empty());
    }
}

#[test]
fn what_has_not_changed_since_is_passed_over() {
    let mut model = model();
    assert!(all(Walk::of(&model, &[]), Some(304)).is_empty());
    assert_eq!(all(Walk::of(&model, &[]), Some(303)), [path(["d"])]);
    assert_eq!(all(Walk::of(&model, &[]), Some(302)), [path(["c", "299"]), path(["d"])]);
    model.apply(&path(["c", "007"]), &Act::Set(true.into()), 400);
    model.apply(&path(["a", "new"]), &Act::Dict, 401);
    model.apply(&path(["b"]), &Act::Clear, 402);
    let told = [path(["a"]), path(["a", "new"]), path(["b"]), path(["c", "007"])];
    assert_eq!(all(Walk::of(&model, &[]), Some(399)), told);
    assert_eq!(all(Walk::of(&model, &[]).behind(&told[1]), Some(399)), told[2..]);
    model.begin_anew();
    assert!(all(Walk::of(&model, &[]), Some(0)).is_empty());
}
