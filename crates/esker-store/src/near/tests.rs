//! Slips of the finger are found.

use super::*;

fn check(wanted: &str, expected: &[&str]) {
    let names = ["raw/plan", "raw/plane", "results/plan", "params/team", "x/y"];
    assert_eq!(nearest(wanted, names.into_iter()), expected, "{wanted}");
}

#[test]
fn near_and_far() {
    check("raw/plam", &["raw/plan", "raw/plane"]);
    check("RAW/PLAN", &["raw/plan", "raw/plane", "results/plan"]);
    check("param/team", &["params/team"]);
    check("team", &["params/team"]);
    check("completely different", &[]);
}
