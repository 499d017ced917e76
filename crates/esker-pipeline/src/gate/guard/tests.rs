//! Rows, and how many may come and go.

use super::*;

#[test]
fn rows_are_counted_in_every_form() {
    assert_eq!(rows(b""), 0);
    assert_eq!(rows(b"a,b\n"), 0);
    assert_eq!(rows(b"a,b\n1,2\n\n3,4\n"), 2);
    assert_eq!(rows(b"a,b\n1,\"2\n3\"\n"), 1, "a quoted line feed ends no row");
    assert_eq!(rows(b"a,b\n1,\"x\"\"\n\"\n2,5\" disk\n3,\"\"\n"), 3, "doubled and stray quotes");
    assert_eq!(rows(b"a\tb\n1\t\"2\n3\t4\n"), 2, "in TSV a quote is nothing special");
    assert_eq!(rows(b"[1, {\"a\": [2]}, null]"), 3);
    assert_eq!(rows(b"=====A\n\tx\n\t1\n\t2\n=====B\n\ty\n\t\n\t3\n=====C\n"), 3);
}

fn guards(min: Option<u64>, drop: Option<u32>, delta: Option<u32>) -> Guards {
    let percent = |share: u32| Percent(share * 100);
    Guards { rows_min: min, rows_drop_max: drop.map(percent), row_delta_max: delta.map(percent) }
}

#[track_caller]
fn check(guards: &Guards, now: u64, before: Option<u64>, expected: &[&str]) {
    let found = judge(guards, now, before);
    let found: Vec<String> = found.shown.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn too_few_rows_and_too_large_changes_are_found() {
    check(&guards(Some(3), None, None), 3, None, &[]);
    check(&guards(Some(3), None, None), 2, None, &["2 rows; rows_min asks for 3"]);
    let half = guards(None, Some(50), None);
    check(&half, 50, Some(100), &[]);
    check(&half, 1_000, Some(100), &[]);
    check(&half, 0, None, &[]);
    check(&half, 0, Some(0), &[]);
    check(
        &half,
        499,
        Some(1_000),
        &["499 rows, 50.1% fewer than the 1000 before; rows_drop_max allows 50%"],
    );
    let tenth = guards(None, None, Some(10));
    check(&tenth, 110, Some(100), &[]);
    check(
        &tenth,
        111,
        Some(100),
        &["111 rows, 11% more than the 100 before; row_delta_max allows 10%"],
    );
    check(
        &tenth,
        10,
        Some(100),
        &["10 rows, 90% fewer than the 100 before; row_delta_max allows 10%"],
    );
    check(&tenth, 7, Some(0), &[]);
}

proptest::proptest! {
    #[test]
    fn a_drop_is_refused_exactly_above_the_share(now in 0u64..1000, before in 1u64..1000, share in 0u32..=100) {
        let found = judge(&guards(None, Some(share), None), now, Some(before));
        let is_too_much = (before as f64 - now as f64) / before as f64 > f64::from(share) / 100.0 + 1e-12;
        proptest::prop_assert_eq!(!found.is_empty(), is_too_much);
    }
}
