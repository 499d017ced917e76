//! What is told of a run, and which commits are runs that failed.

use esker_wire::record::Failure;
use jiff::Timestamp;
use serde_json::Value;

use super::*;

fn record(ended: Ended, failure: Option<Failure>) -> RunRecord {
    let version = |name: &str, digit| Input {
        resource: name.parse().expect("a name"),
        revision: Revision::from_bytes([digit; 20]),
    };
    RunRecord {
        stage: "plan".into(),
        run_key: "k".into(),
        ended,
        inputs: vec![version("raw/plan", 1)],
        outputs: vec![version("results/plan", 2)],
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 12,
        failure,
        warnings: vec!["two columns are empty".into()],
    }
}

fn failure(count: u32) -> Failure {
    Failure {
        summary: "it broke".into(),
        hint: "mend it".into(),
        detail: "at length".into(),
        count,
        since: Timestamp::UNIX_EPOCH,
        not_before: None,
    }
}

fn entry(resource: &str, summary: &str) -> Entry {
    Entry {
        resource: resource.parse().expect("a name"),
        pruned: None,
        asked: None,
        moved_from: None,
        revision: Revision::from_bytes([3; 20]),
        previous: None,
        blob: None,
        content_id: None,
        size: 1,
        content_type: None,
        time: Timestamp::UNIX_EPOCH,
        author: String::new(),
        summary: summary.into(),
        provenance: None,
    }
}

#[test]
fn a_run_is_told_with_its_versions_and_without_what_its_program_said() {
    let told = tell(
        Revision::from_bytes([3; 20]),
        &record(Ended::Problem, Some(failure(2))),
        Some("planning"),
    );
    assert_eq!(told["id"], "03".repeat(20));
    assert_eq!((&told["stage"], &told["ended"]), (&"plan".into(), &"problem".into()));
    assert_eq!(told["inputs"][0]["resource"], "raw/plan");
    assert_eq!(told["outputs"][0]["revision"], "02".repeat(20));
    assert_eq!((&told["host"], &told["count"]), (&"planning".into(), &2.into()));
    assert_eq!(told["warnings"][0], "two columns are empty");
    assert_eq!(told.get("detail"), None);
}

#[test]
fn a_run_that_went_well_has_no_summary() {
    let told = tell(Revision::from_bytes([3; 20]), &record(Ended::Stored, None), None);
    for key in ["summary", "hint", "count", "since", "retry_at", "host"] {
        assert_eq!(told[key], Value::Null, "{key}");
    }
}

#[test]
fn a_wish_for_a_run_is_none() {
    assert!(is_wish(&record(Ended::Retry, None)));
    assert!(is_wish(&record(Ended::Retry, Some(failure(0)))));
    assert!(!is_wish(&record(Ended::Retry, Some(failure(1)))));
    assert!(!is_wish(&record(Ended::Stored, None)));
}

#[test]
fn only_what_is_said_to_have_gone_well_need_not_be_read() {
    assert!(went_well(&entry("run/plan", "plan: stored")));
    assert!(went_well(&entry("run/plan", "plan: unchanged")));
    assert!(!went_well(&entry("run/plan", "plan: problem")));
    assert!(!went_well(&entry("run/plan", "by hand")));
    assert!(is_run(&entry("run/plan", "")) && !is_run(&entry("skipped/plan", "")));
}
