//! Problems as JSON: for the page, for scripts, and for the command line.

use esker_wire::problem::Problem;
use esker_wire::provenance::Input;
use esker_wire::stance::Stance;
use jiff::Timestamp;
use serde_json::{Value, json};

/// All of one; `behind` are the stages below it, which go on with the last good version.
pub fn problem(problem: &Problem, behind: &[&str]) -> Value {
    let record = &problem.record;
    let failure = record.failure.as_ref();
    let age_s = failure.map(|failure| Timestamp::now().duration_since(failure.since).as_secs());
    json!({
        "id": problem.short(),
        "stage": record.stage,
        "run_key": record.run_key,
        "ended": record.ended.to_string(),
        "summary": failure.map(|failure| &failure.summary),
        "hint": failure.map(|failure| &failure.hint),
        "detail": failure.map(|failure| &failure.detail),
        "count": failure.map(|failure| failure.count),
        "since": failure.map(|failure| failure.since.to_string()),
        "age_s": age_s,
        "not_before": failure.and_then(|failure| failure.not_before).map(|time| time.to_string()),
        "behind": failure.map_or(&[][..], |_| behind),
        "warnings": record.warnings,
        "inputs": record.inputs.iter().map(input).collect::<Vec<_>>(),
        "acknowledged": problem.ack.as_ref().map(stance),
        "muted": problem.mute.as_ref().map(stance),
    })
}

/// A version of a resource.
pub(crate) fn input(input: &Input) -> Value {
    json!({ "resource": input.resource.as_str(), "revision": input.revision.to_string() })
}

fn stance(stance: &Stance) -> Value {
    json!({
        "by": stance.by,
        "at": stance.at.to_string(),
        "note": stance.note,
        "until": stance.until.map(|time| time.to_string()),
    })
}
