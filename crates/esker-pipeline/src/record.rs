//! The records of runs as the store keeps them, and how a person asks for another try.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::snapshot::{Item, Put};
use jiff::Timestamp;

/// The record that makes the engine run a source or stage again at once: a failed one, or a source that reads
/// the world outside. A stage whose outputs are what they should be is not run.
pub fn again(record: &RunRecord, now: Timestamp) -> RunRecord {
    let asked = Failure {
        summary: "asked to run again".to_owned(),
        hint: String::new(),
        detail: String::new(),
        count: 0,
        since: now,
        not_before: Some(now),
    };
    RunRecord { ended: Ended::Retry, failure: Some(asked), ..record.clone() }
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

fn change(resource: Resource, content: Option<Bytes>, message: String) -> Put {
    let item = Item { resource, content, if_head: None, content_type: None };
    Put {
        items: vec![item],
        branch: Branch::records(),
        message: Some(message),
        author: None,
        provenance: None,
    }
}
