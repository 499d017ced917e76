//! What a run says against overrides is found in its record.

use jiff::Timestamp;

use super::*;
use crate::record::{Ended, Failure};

fn record(summary: &str, detail: &str) -> RunRecord {
    let failure = Failure {
        summary: summary.to_owned(),
        hint: String::new(),
        detail: detail.to_owned(),
        count: 1,
        since: Timestamp::UNIX_EPOCH,
        not_before: None,
    };
    RunRecord {
        stage: "condition".to_owned(),
        run_key: String::new(),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 0,
        failure: Some(failure),
        warnings: Vec::new(),
    }
}

/// As the runner words it.
#[test]
fn what_a_run_says_against_overrides_is_told_of_each() {
    let told = ["2, mid/a:[x].y: changed: it was \"1\"", "11, mid/a:[x, y].z: gone: it was \"4\""];
    let detail = told.map(|told| format!("override {told}")).join("\n");
    let summary = format!("mid/a contradicts override {}; and 1 more", told[0]);
    let against = against(&record(&summary, &detail)).unwrap();
    assert_eq!((against.of.as_str(), against.stage.as_str()), ("mid/a", "condition"));
    assert_eq!(against.each[&2], "mid/a:[x].y: changed: it was \"1\"");
    assert_eq!(against.each.keys().copied().collect::<Vec<_>>(), [2, 11]);
    assert!(super::against(&record("sh exited 1", &detail)).is_none());
}
