//! Problems are found among records, named by people, and settled by PUTs.

use super::*;
use crate::name::Branch;

fn record(stage: &str, run_key: &str, fails: bool) -> RunRecord {
    let failure = Failure {
        summary: "it broke".to_owned(),
        hint: String::new(),
        detail: String::new(),
        count: 3,
        since: Timestamp::UNIX_EPOCH,
        not_before: None,
    };
    RunRecord {
        stage: stage.to_owned(),
        run_key: run_key.to_owned(),
        ended: if fails { Ended::Problem } else { Ended::Stored },
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 0,
        failure: fails.then_some(failure),
        warnings: Vec::new(),
    }
}

fn found(stages: &[(&str, &str, bool)], stances: &[Stance]) -> Vec<Problem> {
    let one = |(stage, key, fails): &(&str, &str, bool)| {
        (format!("run/{stage}").parse().unwrap(), record(stage, key, *fails))
    };
    all(stages.iter().map(one).collect(), stances, Timestamp::UNIX_EPOCH)
}

#[test]
fn what_runs_well_is_no_problem_and_each_is_told_once() {
    let problems = found(&[("a", "1", true), ("b", "2", false), ("a", "1", true)], &[]);
    let ids: Vec<&str> = problems.iter().map(Problem::short).collect();
    assert_eq!(ids, ["4f395a2"], "promised to whoever is told of problems");
    assert!(problems[0].is_open());
}

#[test]
fn a_problem_is_named_by_its_stage_or_its_id() {
    let problems = found(&[("a", "1", true), ("b", "2", true)], &[]);
    let by = |name: &str| named(&problems, name).map(|one| one.record.stage.as_str());
    assert_eq!(by("b").unwrap(), "b");
    assert_eq!(by(&problems[0].id[..4]).unwrap(), "a");
    let fault = by(&problems[0].id[..3]).unwrap_err();
    assert_eq!((fault.code, fault.hint.as_str()), (Code::NotFound, "problems are: a, b"));
    assert_eq!(named(&[], "a").unwrap_err().hint, "there are no problems");
}

#[test]
fn what_was_said_holds_until_it_is_taken_back() {
    let (now, by) = (Timestamp::UNIX_EPOCH, Some("Ann <ann@a>".to_owned()));
    let problem = &found(&[("a", "1", true)], &[])[0];
    let stance = problem.say(Said::Mute, by.clone(), Some("why".to_owned()), (now, None)).unwrap();
    let put = stance.put(by.clone()).unwrap();
    assert_eq!(
        (put.branch, put.author, put.message.as_deref()),
        (Branch::records(), by, Some("a: mute: why"))
    );
    let muted = &found(&[("a", "1", true)], &[stance])[0];
    assert!(!muted.is_open() && muted.said(Said::Ack).is_none());
    assert!(muted.take_back(Said::Mute, None).unwrap().items[0].content.is_none());
    assert_eq!(muted.take_back(Said::Ack, None).unwrap_err().code, Code::Conflict);
    let late = now.checked_add(MUTE_MAX + SignedDuration::from_secs(1)).unwrap();
    for (note, until) in [(Some("x".repeat(NOTE_MAX + 1)), None), (None, Some(late))] {
        let refused = problem.say(Said::Mute, None, note, (now, until)).unwrap_err();
        assert_eq!(refused.code, Code::BadRequest);
    }
}

#[test]
fn what_cannot_run_is_not_tried_again() {
    let now = Timestamp::UNIX_EPOCH;
    let problems = found(&[("a", "1", true), (DEFINITION, "2", true)], &[]);
    let put = problems[0].retry(None, now).unwrap();
    let record = RunRecord::from_bytes(put.items[0].content.as_ref().unwrap()).unwrap();
    assert_eq!((record.ended, record.failure.unwrap().not_before), (Ended::Retry, Some(now)));
    assert_eq!(problems[1].retry(None, now).unwrap_err().code, Code::Conflict);
}
