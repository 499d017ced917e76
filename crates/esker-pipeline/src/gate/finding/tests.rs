//! How findings are told.

use super::*;

#[test]
fn a_finding_says_where_before_what() {
    let finding = Finding {
        stream: Some("Work".to_owned()),
        line: Some(17),
        row: Some(3),
        place: Some("column days".to_owned()),
        what: "\"x\" is not an integer (type)".to_owned(),
    };
    assert_eq!(
        finding.to_string(),
        "stream Work, line 17, row 3, column days: \"x\" is not an integer (type)"
    );
    assert_eq!(Finding::new("3 rows").to_string(), "3 rows");
}

#[test]
fn a_hundred_are_shown_and_all_are_counted() {
    let mut findings = Findings::default();
    (0..250).for_each(|n| findings.add(|| Finding::new(format!("f{n}"))));
    assert_eq!((findings.shown.len(), findings.count), (100, 250));
    assert_eq!(findings.summary(), "f0, and 249 more");
    assert!(findings.lines().ends_with("f99\nand 150 more\n"));
    let mut two = Findings::one(Finding::new("a"));
    two.extend(findings);
    assert_eq!((two.shown.len(), two.count), (100, 251));
}

#[test]
fn long_and_odd_values_stay_on_one_line() {
    assert_eq!(quoted(&"x".repeat(1_000)), format!("\"{}\"… (1000 bytes)", "x".repeat(80)));
    assert_eq!(quoted("a\nb"), "\"a\\nb\"");
    assert_eq!(plain("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
}
