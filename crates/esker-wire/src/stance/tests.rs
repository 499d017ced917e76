//! What people say of problems, as it rests in the store, and how long it holds.

use jiff::Timestamp;

use super::{Said, Stance};
use crate::record::{Ended, Failure, RunRecord};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn stance() -> Stance {
    Stance {
        said: Said::Ack,
        stage: "condition".to_owned(),
        run_key: "abc".to_owned(),
        summary: "python3 condition.py exited 1".to_owned(),
        since: time("2026-11-20T16:00:00Z"),
        at: time("2026-11-20T17:00:00Z"),
        by: "ann <ann@host>".to_owned(),
        until: None,
        note: Some("the vendor mends it".to_owned()),
    }
}

fn record() -> RunRecord {
    RunRecord {
        stage: "condition".to_owned(),
        run_key: "abc".to_owned(),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: time("2026-11-20T16:00:00Z"),
        duration_ms: 12,
        failure: Some(Failure {
            summary: "python3 condition.py exited 1".to_owned(),
            hint: String::new(),
            detail: "at 0x1234".to_owned(),
            count: 1,
            since: time("2026-11-20T16:00:00Z"),
            not_before: None,
        }),
        warnings: Vec::new(),
    }
}

/// The format rests in stores for years: this text must be read for ever.
#[test]
fn the_format_is_a_promise() {
    let golden = "=====stance v1\n\tsaid: ack\n\tstage: condition\n\trun-key: abc\n\
        \tsummary: python3 condition.py exited 1\n\tsince: 2026-11-20T16:00:00Z\n\
        \tat: 2026-11-20T17:00:00Z\n\tby: ann <ann@host>\n\tnote: the vendor mends it\n";
    assert_eq!(Stance::from_bytes(golden.as_bytes()), Ok(stance()));
    assert_eq!(String::from_utf8(stance().to_bytes()).as_deref(), Ok(golden));
    let muted = Stance {
        said: Said::Mute,
        until: Some(time("2026-11-22T17:00:00Z")),
        note: None,
        ..stance()
    };
    assert_eq!(Stance::from_bytes(&muted.to_bytes()), Ok(muted));
}

#[test]
fn it_holds_until_the_failure_is_another_one() {
    let now = time("2026-11-21T00:00:00Z");
    assert!(stance().holds(&record(), now));
    let failing = |change: fn(&mut Failure)| {
        let mut record = record();
        record.failure.as_mut().map(change).expect("it fails");
        record
    };
    let another_key = RunRecord { run_key: "abd".to_owned(), ..record() };
    let well = RunRecord { failure: None, ..record() };
    let another_summary = failing(|failure| failure.summary = "exited 2".to_owned());
    let new = failing(|failure| failure.since = time("2026-11-20T18:00:00Z"));
    for changed in [&another_key, &well, &another_summary, &new] {
        assert!(!stance().holds(changed, now), "{changed:?}");
    }
    let again = failing(|failure| {
        failure.count = 7;
        failure.detail = "at 0x5678".to_owned();
    });
    assert!(stance().holds(&again, now), "the same failure once more");
}

#[test]
fn with_a_time_it_holds_until_then_whatever_fails() {
    let until = time("2026-11-22T00:00:00Z");
    let muted = Stance { said: Said::Mute, until: Some(until), ..stance() };
    let other = RunRecord { run_key: "abd".to_owned(), ..record() };
    assert!(muted.holds(&other, time("2026-11-21T23:59:59Z")));
    assert!(!muted.holds(&other, until));
    let well = RunRecord { failure: None, ..record() };
    assert!(!muted.holds(&well, time("2026-11-21T00:00:00Z")));
}

#[test]
fn what_cannot_be_read_says_what_is_missing() {
    for (bytes, expected) in [
        (&b""[..], "no `stance v1`"),
        (b"=====stance v1\n\tsaid: shouted\n", "\"shouted\" is nothing that is said"),
        (b"=====stance v1\n\tsaid: ack\n", "the field `stage` is missing"),
    ] {
        let fault = Stance::from_bytes(bytes).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
}
