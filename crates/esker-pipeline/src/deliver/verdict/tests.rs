//! The lines of the gate are understood, and no others.

use super::parse;

#[test]
fn a_refusal_is_known_by_its_line() {
    let line = "conditioned/plan: refused by plan.schema.json: line 3: row 2: no end; and 4 more";
    let refusal = parse(line).expect("a refusal");
    assert_eq!((refusal.output, refusal.by), ("conditioned/plan", "plan.schema.json"));
    assert_eq!(refusal.why, "line 3: row 2: no end; and 4 more");
    assert!(parse("python3 clean.py exited 1: refused by me: x").is_none());
    assert!(parse("python3 clean.py exited 1").is_none());
}
