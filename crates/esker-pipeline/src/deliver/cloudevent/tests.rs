//! What webhooks are told: who wants it, what it is called, and that it stays small.

use esker_wire::record::Failure;
use jiff::Timestamp;

use super::*;
use crate::definition::Definition;

fn webhook(lines: &str) -> Webhook {
    let text = format!("[project]\nname = \"p\"\n[webhook.a]\nurl = \"https://a.b\"\n{lines}");
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    definition.unwrap_or_else(|| panic!("{defects:?}")).webhooks.remove(0)
}

fn problem(stage: &str) -> Happening {
    let failure = Failure {
        summary: "x".repeat(10_000),
        hint: "mend it".to_owned(),
        detail: "é".repeat(40_000),
        count: 1,
        since: Timestamp::UNIX_EPOCH,
        not_before: None,
    };
    let record = RunRecord {
        stage: stage.to_owned(),
        run_key: "ab".to_owned(),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 1,
        failure: Some(failure),
        warnings: Vec::new(),
    };
    Happening {
        revision: "0123456789012345678901234567890123456789".parse().expect("a revision"),
        time: Timestamp::UNIX_EPOCH,
        what: What::Problem(Box::new(record)),
    }
}

#[test]
fn an_event_has_what_cloudevents_asks_for_and_is_small() {
    let event = draft(&problem("clean"), "plan über").numbered(7);
    for (key, wanted) in [
        ("specversion", "1.0"),
        ("type", "dev.esker.problem.v1"),
        ("source", "/esker/plan%20%C3%BCber"),
        ("subject", "clean"),
        ("time", "1970-01-01T00:00:00Z"),
        ("sequence", "00000000000000000007"),
        ("id", "0123456789012345678901234567890123456789/clean/problem"),
    ] {
        assert_eq!(event[key], wanted, "{key}");
    }
    let text = event.to_string();
    assert!(text.len() < 64 * 1024, "{}", text.len());
    // What is no part of the specification is an extension: lower-case letters and digits, at most 20.
    let fields = event.as_object().expect("an object");
    let is_plain = |name: &String| name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase());
    assert!(fields.keys().all(is_plain), "{text}");
}

#[test]
fn a_webhook_is_told_what_it_wants() {
    let draft = draft(&problem("clean"), "p");
    assert!(draft.is_for(&webhook("")), "problems where nothing is said");
    assert!(!draft.is_for(&webhook("events = \"put\"\n")));
    assert!(draft.is_for(&webhook("stages = [\"x\", \"cl*\"]\n")));
    assert!(!draft.is_for(&webhook("stages = [\"x\"]\n")));
    assert!(!draft.is_for(&webhook("resources = [\"raw/*\"]\n")));
    assert!(!super::draft(&problem("webhook.a"), "p").is_for(&webhook("")), "not of itself");
    assert!(super::draft(&problem("webhook.b"), "p").is_for(&webhook("")));
}
