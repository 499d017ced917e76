//! What the page is told in each situation.

use std::collections::BTreeMap;

use esker_wire::provenance::{Input, Provenance};
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Entry, Listing};
use esker_wire::stance::{Said, Stance};
use jiff::Timestamp;
use serde_json::Value;

use super::{Seen, log, state};
use crate::project::{Project, Stage, View};

fn revision(digit: u8) -> Revision {
    Revision::from_bytes([digit; 20])
}

fn input(name: &str, digit: u8) -> Input {
    Input { resource: name.parse().expect("a name"), revision: revision(digit) }
}

fn entry(name: &str, digit: u8, inputs: &[Input]) -> Entry {
    let provenance = (!inputs.is_empty()).then(|| Provenance {
        stage: "s".into(),
        run_key: "k".into(),
        inputs: inputs.to_vec(),
        program: "p".into(),
        code: String::new(),
        engine: String::new(),
        host: String::new(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 5,
        exit: 0,
        failed_parts: Vec::new(),
    });
    Entry {
        resource: name.parse().expect("a name"),
        pruned: None,
        asked: None,
        moved_from: None,
        revision: revision(digit),
        previous: None,
        blob: Some(revision(digit)),
        content_id: None,
        size: 1,
        content_type: None,
        time: Timestamp::UNIX_EPOCH,
        author: "a".into(),
        summary: "<b>not markup</b>".into(),
        provenance,
    }
}

fn record(stage: &str, ended: Ended, inputs: &[Input], outputs: &[Input]) -> RunRecord {
    let failure = Failure {
        summary: "it broke".into(),
        hint: "mend it".into(),
        detail: "at length".into(),
        count: 3,
        since: Timestamp::UNIX_EPOCH,
        not_before: None,
    };
    RunRecord {
        stage: stage.into(),
        run_key: "k".into(),
        ended,
        inputs: inputs.to_vec(),
        outputs: outputs.to_vec(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 5,
        warnings: Vec::new(),
        failure: matches!(ended, Ended::Problem | Ended::Retry).then_some(failure),
    }
}

fn stage(name: &str, inputs: &[&str], outputs: &[&str]) -> Stage {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Stage {
        name: name.into(),
        is_source: inputs.is_empty(),
        inputs: owned(inputs),
        outputs: owned(outputs),
        program: "p".into(),
    }
}

fn told(entries: Vec<Entry>, records: Vec<RunRecord>) -> Value {
    told_of(entries, records, &[])
}

fn told_of(entries: Vec<Entry>, records: Vec<RunRecord>, stances: &[Stance]) -> Value {
    let project = Project {
        app: None,
        as_of: None,
        has_runner: true,
        name: "qplan".into(),
        version: "0.1.0".into(),
        stages: vec![
            stage("pull", &[], &["raw/a"]),
            stage("condition", &["raw/a"], &["cond/a"]),
            stage("schedule", &["cond/a"], &["results/a"]),
        ],
        views: vec![View {
            name: "v".into(),
            title: "V".into(),
            resource: "results/a".into(),
            kind: "plan".into(),
        }],
    };
    let listing = Listing { at: Some(revision(9)), entries, next: None, older: Vec::new() };
    let records: BTreeMap<_, _> = records.into_iter().map(|r| (r.stage.clone(), r)).collect();
    let blobs = BTreeMap::from([(input("raw/a", 6), revision(1))]);
    let seen =
        Seen { listing: &listing, records: &records, blobs, stances, now: Timestamp::UNIX_EPOCH };
    let text = state(&project, &seen);
    serde_json::from_str(&text).expect("JSON")
}

/// Each stage's state, with a `+` where it is behind.
fn states(entries: Vec<Entry>, records: Vec<RunRecord>) -> Vec<String> {
    let told = told(entries, records);
    let stages = told["stages"].as_array().expect("a list").iter();
    let state = |stage: &Value| {
        let behind = if stage["behind"] == true { "+" } else { "" };
        format!("{}{behind}", stage["state"].as_str().expect("a text"))
    };
    stages.map(state).collect()
}

fn chain(raw: u8) -> Vec<Entry> {
    vec![
        entry("raw/a", raw, &[]),
        entry("cond/a", 2, &[input("raw/a", 1)]),
        entry("results/a", 3, &[input("cond/a", 2)]),
    ]
}

#[test]
fn an_empty_store_waits() {
    assert_eq!(states(Vec::new(), Vec::new()), ["waiting", "waiting", "waiting"]);
}

#[test]
fn what_was_made_from_the_heads_is_fresh() {
    assert_eq!(states(chain(1), Vec::new()), ["fresh", "fresh", "fresh"]);
}

#[test]
fn newer_inputs_make_stale_and_what_follows_behind() {
    assert_eq!(states(chain(7), Vec::new()), ["fresh", "stale", "fresh+"]);
    let mut unfinished = chain(1);
    unfinished.pop();
    assert_eq!(states(unfinished, Vec::new()), ["fresh", "fresh", "stale"]);
}

#[test]
fn verified_against_newer_inputs_is_fresh() {
    let verified =
        record("condition", Ended::Unchanged, &[input("raw/a", 7)], &[input("cond/a", 2)]);
    assert_eq!(states(chain(7), vec![verified.clone()]), ["fresh", "fresh", "fresh"]);
    assert_eq!(states(chain(8), vec![verified]), ["fresh", "stale", "fresh+"]);
}

#[test]
fn a_run_that_changed_one_of_two_outputs_left_both_fresh() {
    let stored = record("condition", Ended::Stored, &[input("raw/a", 7)], &[input("cond/a", 2)]);
    assert_eq!(states(chain(7), vec![stored]), ["fresh", "fresh", "fresh"]);
}

#[test]
fn an_input_that_went_back_to_what_it_was_is_no_news() {
    let stored = record("condition", Ended::Stored, &[input("raw/a", 6)], &[input("cond/a", 2)]);
    assert_eq!(states(chain(1), vec![stored]), ["fresh", "fresh", "fresh"]);
}

#[test]
fn a_problem_is_told_whole_and_what_follows_is_behind() {
    let failed = record("condition", Ended::Problem, &[input("raw/a", 7)], &[]);
    assert_eq!(states(chain(7), vec![failed.clone()]), ["fresh", "problem", "fresh+"]);
    let told = told(chain(7), vec![failed]);
    let problem = &told["problems"][0];
    assert_eq!(problem["summary"], "it broke");
    assert_eq!(problem["hint"], "mend it");
    assert_eq!(problem["detail"], "at length");
    assert_eq!(problem["count"], 3);
    let failed = record("condition", Ended::Retry, &[], &[]);
    assert_eq!(states(chain(7), vec![failed]), ["fresh", "retry", "fresh+"]);
}

#[test]
fn what_people_have_said_of_a_problem_is_told_with_it_as_long_as_it_holds() {
    let record = || record("condition", Ended::Problem, &[input("raw/a", 7)], &[]);
    let failure = record().failure.expect("a failure");
    let stance = |said, until: Option<Timestamp>| Stance {
        said,
        stage: "condition".into(),
        run_key: record().run_key,
        summary: failure.summary.clone(),
        since: failure.since,
        at: Timestamp::UNIX_EPOCH,
        by: "ann".into(),
        until,
        note: Some("known".into()),
    };
    let said = |stances: &[Stance]| {
        let told = told_of(chain(2), vec![record()], stances);
        ["acknowledged", "muted"].map(|what| told["problems"][0][what]["by"].clone())
    };
    let (known, later) = (stance(Said::Ack, None), Timestamp::from_second(9).expect("a time"));
    assert_eq!(said(&[]), [Value::Null, Value::Null]);
    assert_eq!(said(std::slice::from_ref(&known)), ["ann".into(), Value::Null]);
    assert_eq!(said(&[known.clone(), stance(Said::Mute, Some(later))]), ["ann", "ann"]);
    let over = stance(Said::Mute, Some(Timestamp::UNIX_EPOCH));
    let of_another = Stance { run_key: "another".into(), ..known };
    assert_eq!(said(&[over, of_another]), [Value::Null, Value::Null]);
}

#[test]
fn warnings_are_told_beside_problems() {
    let mut warned = record("condition", Ended::Stored, &[], &[]);
    warned.warnings.push("condition: two rows without a region".to_owned());
    let told = told(chain(1), vec![warned]);
    assert_eq!(told["warnings"][0], "condition: two rows without a region");
    assert_eq!(told["problems"].as_array().map(Vec::len), Some(0));
}

#[test]
fn the_state_names_every_revision() {
    let told = told(chain(1), Vec::new());
    assert_eq!(told["head"], revision(9).to_string());
    assert_eq!(told["resources"][1]["inputs"][0]["revision"], revision(1).to_string());
    assert_eq!(told["views"][0]["kind"], "plan");
}

#[test]
fn a_log_is_a_list_of_entries() {
    let text = log(&chain(1));
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["entries"].as_array().map(Vec::len), Some(3));
    assert_eq!(told["entries"][0]["summary"], "<b>not markup</b>");
}
