//! What is shown of a case, and how it is judged.

use super::*;

fn per_second(values: &[f64]) -> Rounds {
    Rounds::new(Unit::PerSecond, values.to_vec())
}

fn put(ours: f64) -> Case {
    Case::new("put", "PUT", per_second(&[ours]))
        .against("peer", per_second(&[100.0]))
        .bound(Bound::AtLeast(50.0, 500.0))
}

#[test]
fn the_median_counts_not_the_best() {
    let case = Case::new("put", "PUT", per_second(&[900.0, 100.0, 200.0]));
    assert_eq!(case.row()[1], "200/s");
}

#[test]
fn a_ratio_is_judged_by_must_and_aim() {
    assert_eq!(put(4_999.0).verdict(), Verdict::Missed);
    assert_eq!(put(5_000.0).verdict(), Verdict::Must);
    assert_eq!(put(50_000.0).verdict(), Verdict::Aim);
}

#[test]
fn less_time_is_a_better_ratio() {
    let seconds = |value| Rounds::one(Unit::Seconds, value);
    let case = Case::new("log", "LOG", seconds(0.002)).against("git log", seconds(0.2));
    assert_eq!(case.row()[1..4], ["2.00 ms", "git log: 200 ms", "100×"]);
    assert_eq!(case.verdict(), Verdict::Recorded);
}

#[test]
fn age_is_how_many_times_worse_it_has_become() {
    let aged = |ours, bound| {
        let case = Case::new("aged", "PUT after", per_second(&[ours]));
        case.aged("before", per_second(&[1_000.0])).bound(bound)
    };
    let bound = Bound::AtMost(1.5, 1.1);
    assert_eq!(aged(500.0, bound).row()[3], "2×");
    assert_eq!(aged(500.0, bound).verdict(), Verdict::Missed);
    assert_eq!(aged(800.0, bound).verdict(), Verdict::Must);
    assert_eq!(aged(2_000.0, bound).verdict(), Verdict::Aim);
}

#[test]
fn one_fault_is_one_too_many() {
    let lost = |count| {
        Case::new("lost", "lost", Rounds::one(Unit::Count, count)).bound(Bound::Zero).verdict()
    };
    assert_eq!(lost(0.0), Verdict::Aim);
    assert_eq!(lost(1.0), Verdict::Missed);
}

#[test]
fn what_was_not_run_is_missed() {
    let mut table = Table::default();
    table.push(put(6_000.0));
    assert_eq!(table.check(), Ok(()));
    table.push(Case::not_run("old", "GET of old", "no git"));
    assert_eq!(table.check(), Err("1 of 2 cases missed: old".to_owned()));
    assert_eq!(table.rows()[1][2], "no git");
    assert_eq!(table.rows()[1][6], "not run");
}

#[test]
fn what_is_only_recorded_is_not_missed() {
    let mut table = Table::default();
    table.push(Case::new("rss", "memory", Rounds::one(Unit::Bytes, 1e9)));
    assert_eq!(table.check(), Ok(()));
}

#[test]
fn json_has_every_field_of_a_case() {
    let mut table = Table::default();
    table.push(put(6_000.0));
    let case = &table.json()[0];
    assert_eq!(case["key"], "put");
    assert_eq!(case["ours"]["median"], 6_000.0);
    assert_eq!(case["ours"]["unit"], "1/s");
    assert_eq!(case["peer"]["name"], "peer");
    assert_eq!((&case["ratio"], &case["must"]), (&json!(60.0), &json!(50.0)));
    assert_eq!(case["verdict"], "must");
}

#[test]
fn numbers_are_shown_with_three_digits_that_count() {
    let shown = |unit: Unit, value| unit.show(value);
    assert_eq!(shown(Unit::PerSecond, 1_234_567.0), "1,234,567/s");
    assert_eq!(shown(Unit::Seconds, 0.000_012_34), "12.3 µs");
    assert_eq!(shown(Unit::Seconds, 1.5), "1.50 s");
    assert_eq!(shown(Unit::Bytes, 4_096.0), "4,096 B");
    assert_eq!(shown(Unit::Bytes, 1.5e9), "1,500 MB");
    assert_eq!(shown(Unit::Count, 0.0), "0");
}

#[test]
fn what_has_a_limit_of_its_own_is_judged_by_that_and_not_by_what_stands_beside_it() {
    let look = |value| {
        let seconds = |value| Rounds::one(Unit::Seconds, value);
        let case = Case::new("look", "a look", seconds(value)).beside("make", seconds(0.030));
        case.bound(Bound::Within(0.010, 0.001))
    };
    let row = look(0.002).row();
    assert_eq!(row[1..6], ["2.00 ms", "make: 30.0 ms", "", "≤ 10.0 ms", "≤ 1.00 ms"]);
    let verdicts = [0.0009, 0.002, 0.011].map(|value| look(value).verdict());
    assert_eq!(verdicts, [Verdict::Aim, Verdict::Must, Verdict::Missed]);
}
