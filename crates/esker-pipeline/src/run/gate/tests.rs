//! What is refused, told in one line and in full.

use crate::gate::finding::Finding;

use super::*;

fn refusal(output: &str, what: &str) -> Refusal {
    let findings = Findings::one(Finding::new(what));
    let (by, severity) = ("rules.json".to_owned(), Severity::Error);
    Refusal { output: output.parse().unwrap(), by, findings, severity }
}

#[test]
fn all_that_is_refused_is_told_and_no_more_than_a_record_holds() {
    let told = broken(&[refusal("out/a", "no rows"), refusal("out/b", "no columns")]);
    assert!(told.summary.starts_with("out/a: refused by rules.json: no rows"), "{}", told.summary);
    assert!(told.summary.ends_with("; also out/b by rules.json"), "{}", told.summary);
    assert!(told.detail.contains("no columns"), "{}", told.detail);
    let many: Vec<Refusal> = (0..2_000).map(|_| refusal("out/a", &"é".repeat(100))).collect();
    assert!(broken(&many).detail.len() <= STDERR_MAX);
}
