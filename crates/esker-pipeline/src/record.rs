//! The records of runs as the store keeps them, and how a run is asked for.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::name::Resource;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::snapshot::Put;
use jiff::Timestamp;

/// The record that makes the engine run for the first time what has none.
pub fn first(stage: &str, now: Timestamp) -> RunRecord {
    RunRecord {
        stage: stage.to_owned(),
        run_key: String::new(),
        ended: Ended::Retry,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: now,
        duration_ms: 0,
        failure: None,
        warnings: Vec::new(),
    }
}

/// Whether a record asks for another run, and none has come of it yet.
pub fn is_asked(record: &RunRecord) -> bool {
    record.ended == Ended::Retry && record.failure.as_ref().is_none_or(|failure| failure.count == 0)
}

/// The PUT that keeps a record in place of the one before.
///
/// # Errors
/// `bad-request` if its stage cannot be named.
pub fn put(record: &RunRecord) -> Result<Put, Fault> {
    Ok(put_as(RunRecord::resource(&record.stage)?, record))
}

/// The PUT that keeps a record under this name.
pub fn put_as(resource: Resource, record: &RunRecord) -> Put {
    let content = Some(Bytes::from(record.to_bytes()));
    Put::noted(resource, content, format!("{}: {}", record.stage, record.ended))
}

/// The PUT that removes a record.
pub fn remove(resource: Resource) -> Put {
    let message = format!("{resource}: forgotten");
    Put::noted(resource, None, message)
}
