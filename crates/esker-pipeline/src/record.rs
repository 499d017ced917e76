//! The records of runs as the store keeps them, and how a person asks for another try.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::snapshot::{Item, Put};
use jiff::Timestamp;

use crate::key::sha256;

/// How much of a problem's id people are shown, and need not type more of.
pub const ID_SHOWN: usize = 7;

/// What a problem is known by: the same for the same stage and run key, in hexadecimal.
pub fn id(record: &RunRecord) -> String {
    sha256(format!("{}\n{}", record.stage, record.run_key).as_bytes())
}

/// The record that makes the engine run a source or stage again at once, although its outputs are what they should be.
pub fn again(record: &RunRecord, now: Timestamp) -> RunRecord {
    let asked = record.failure.as_ref().map(|failure| Failure {
        summary: "asked to run again".to_owned(),
        hint: String::new(),
        detail: String::new(),
        count: 0,
        // It fails as long as it does, whoever asks meanwhile.
        since: failure.since,
        not_before: Some(now),
    });
    RunRecord { ended: Ended::Retry, failure: asked, ..record.clone() }
}

/// The same for what has no record.
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
    change(resource, content, format!("{}: {}", record.stage, record.ended))
}

/// The PUT that removes a record.
pub fn remove(resource: Resource) -> Put {
    let message = format!("{resource}: forgotten");
    change(resource, None, message)
}

/// The PUT that keeps something on the branch of records in place of what was there, or removes it.
pub(crate) fn change(resource: Resource, content: Option<Bytes>, message: String) -> Put {
    let item = Item { resource, content, if_head: None, content_type: None };
    Put {
        items: vec![item],
        branch: Branch::records(),
        message: Some(message),
        author: None,
        provenance: None,
        base: None,
    }
}
