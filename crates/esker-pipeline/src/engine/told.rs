//! What the engine tells of runs and of its definition: lines of the log, and the definition's own record.

use esker_wire::record::{DEFINITION, Ended, Failure, RunRecord};
use jiff::Timestamp;

use crate::definition::defect::Defect;
use crate::key::sha256;

/// Tells of a run once, in one line.
pub(super) fn log(record: &RunRecord) {
    let outputs: Vec<String> = record.outputs.iter().map(|output| output.to_text()).collect();
    let outputs = outputs.join(", ");
    match &record.failure {
        None => tracing::info!(
            stage = record.stage,
            ended = %record.ended,
            duration_ms = record.duration_ms,
            outputs,
            "run"
        ),
        Some(failure) => tracing::warn!(
            stage = record.stage,
            ended = %record.ended,
            duration_ms = record.duration_ms,
            failure = failure.summary,
            count = failure.count,
            "run"
        ),
    }
}

/// What is wrong with the definition, in one line.
pub(super) fn definition_fault(record: Option<&RunRecord>) -> Option<String> {
    let failure = record?.failure.as_ref()?;
    Some(failure.summary.clone())
}

/// The record of a definition that cannot be used.
pub(super) fn bad_definition(defects: &[Defect], now: Timestamp) -> RunRecord {
    let lines: Vec<String> = defects.iter().map(Defect::to_string).collect();
    let first = defects.iter().find(|defect| defect.is_error());
    let detail = lines.join("\n");
    RunRecord {
        stage: DEFINITION.to_owned(),
        run_key: sha256(detail.as_bytes()),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: now,
        duration_ms: 0,
        failure: Some(Failure {
            summary: first.map_or_else(String::new, Defect::to_string),
            hint: "mend esker.toml; until then the last good definition stays in force".to_owned(),
            detail,
            count: 1,
            since: now,
            not_before: None,
        }),
        warnings: Vec::new(),
    }
}
