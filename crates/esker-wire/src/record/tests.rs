//! Run records as they rest in the store.

use jiff::Timestamp;

use super::{Ended, Failure, RunRecord};
use crate::provenance::Input;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn record(ended: Ended, failure: Option<Failure>) -> RunRecord {
    let version = |name: &str| Input {
        resource: name.parse().expect("a name"),
        revision: "1111111111111111111111111111111111111111".parse().expect("40 digits"),
    };
    RunRecord {
        stage: "condition".to_owned(),
        run_key: "abc".to_owned(),
        ended,
        inputs: vec![version("raw/plan"), version("params/a plan")],
        outputs: vec![version("conditioned/plan")],
        started: time("2026-11-20T17:00:00Z"),
        duration_ms: 12,
        failure,
        warnings: Vec::new(),
    }
}

fn failure(detail: &str) -> Failure {
    Failure {
        summary: "python3 condition.py exited 1".to_owned(),
        hint: "mend the cell, or the program".to_owned(),
        detail: detail.to_owned(),
        count: 2,
        since: time("2026-11-20T16:00:00Z"),
        not_before: Some(time("2026-11-20T17:00:05Z")),
    }
}

#[test]
fn every_record_comes_back() {
    let records = [
        record(Ended::Stored, None),
        record(Ended::Unchanged, None),
        RunRecord {
            warnings: vec!["a: refused by b: c".to_owned(), "d".to_owned()],
            ..record(Ended::Stored, None)
        },
        record(Ended::Retry, Some(failure("Traceback\n  File \"x\"\n=====not a header\n"))),
        record(Ended::Problem, Some(failure(""))),
    ];
    for record in records {
        assert_eq!(RunRecord::from_bytes(&record.to_bytes()), Ok(record));
    }
}

/// The format rests in stores for years: this text must be read for ever.
#[test]
fn the_format_is_a_promise() {
    let golden = "=====run v1\n\tstage: condition\n\trun-key: abc\n\tended: retry\n\
        \tstarted: 2026-11-20T17:00:00Z\n\tduration-ms: 12\n\
        \tinput: raw/plan 1111111111111111111111111111111111111111\n\
        \tinput: params/a plan 1111111111111111111111111111111111111111\n\
        \toutput: conditioned/plan 1111111111111111111111111111111111111111\n\
        \tsummary: python3 condition.py exited 1\n\thint: mend the cell, or the program\n\tcount: 2\n\
        \tsince: 2026-11-20T16:00:00Z\n\tnot-before: 2026-11-20T17:00:05Z\n=====detail\n\tbad row\n";
    let expected = record(Ended::Retry, Some(failure("bad row\n")));
    assert_eq!(RunRecord::from_bytes(golden.as_bytes()), Ok(expected.clone()));
    assert_eq!(expected.to_bytes(), golden.as_bytes());
}

#[test]
fn a_broken_record_says_what_is_missing() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "no `run v1`"),
        (b"junk", "line 1: expected a header"),
        (b"=====run v1\n\tended: stored\n", "the field `stage` is missing"),
        (b"=====run v1\n\tstage: a\n\tended: burnt\n", "\"burnt\" is no way for a run to end"),
    ];
    for (bytes, expected) in cases {
        let fault = RunRecord::from_bytes(bytes).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
}

#[test]
fn a_record_has_a_resource_of_its_own() {
    assert_eq!(RunRecord::resource("condition").map(|r| r.to_string()), Ok("run/condition".into()));
    assert!(RunRecord::resource("..").is_err());
}
