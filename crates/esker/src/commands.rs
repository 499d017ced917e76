//! The commands that ask a hub, look at a project, or filter. One file each; shapes they share are here.

pub(crate) mod backfill;
pub(crate) mod bisect;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod excavate;
pub(crate) mod export;
pub(crate) mod gc;
pub(crate) mod get;
pub(crate) mod init;
pub(crate) mod large;
pub(crate) mod lineage;
pub(crate) mod log;
pub(crate) mod model;
pub(crate) mod mv;
pub(crate) mod overrides;
mod pages;
pub(crate) mod password;
mod past;
pub(crate) mod problems;
pub(crate) mod prune;
pub(crate) mod put;
pub(crate) mod qplan;
pub(crate) mod repair;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod sort;
pub(crate) mod tag;
mod tree;
pub(crate) mod uses;
pub(crate) mod watch;
pub(crate) mod webhooks;
pub(crate) mod whatif;
pub(crate) mod why;
pub(crate) mod worker;

use std::time::{Duration, Instant};

use anyhow::Result;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::{Input, Provenance};
use esker_wire::snapshot::{DropBranch, Entry};
use serde_json::{Value, json};

use crate::reach::Hub;

/// How long a branch that is being moved is waited for.
const MOVED_MAX: Duration = Duration::from_secs(10);
/// How long between two looks at it.
const MOVED_LOOK: Duration = Duration::from_millis(50);

/// Removes a branch; whether there was one. What was stored last may still be on its way to where git looks for it.
fn drop_branch(hub: &Hub, branch: &Branch) -> Result<bool> {
    let begun = Instant::now();
    loop {
        let dropped = hub.call(&DropBranch { branch: branch.clone() });
        let is_moved = dropped.as_ref().is_err_and(|error| is_fault(error, Code::Busy));
        if !is_moved || begun.elapsed() > MOVED_MAX {
            return dropped;
        }
        std::thread::sleep(MOVED_LOOK);
    }
}

/// Whether the hub said this.
fn is_fault(error: &anyhow::Error, code: Code) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == code)
}

/// One revision of a resource as every `--json` prints it.
fn entry_json(entry: &Entry) -> Value {
    json!({
        "resource": entry.resource.as_str(),
        "asked": entry.asked.as_ref().map(Resource::as_str),
        "moved_from": entry.moved_from.as_ref().map(Resource::as_str),
        "revision": entry.revision.to_string(),
        "previous": entry.previous.map(|revision| revision.to_string()),
        "blob": entry.blob.map(|blob| blob.to_string()),
        "content_id": entry.content_id.map(|id| id.to_string()),
        "size": entry.size,
        "pruned": entry.pruned.as_ref().map(ToString::to_string),
        "content_type": entry.content_type,
        "time": entry.time.to_string(),
        "author": entry.author,
        "summary": entry.summary,
        "provenance": entry.provenance.as_ref().map(provenance_json),
    })
}

fn provenance_json(provenance: &Provenance) -> Value {
    json!({
        "stage": provenance.stage,
        "run_key": provenance.run_key,
        "inputs": provenance.inputs.iter().map(input_json).collect::<Vec<_>>(),
        "program": provenance.program,
        "code": provenance.code,
        "engine": provenance.engine,
        "host": provenance.host,
        "started": provenance.started.to_string(),
        "duration_ms": provenance.duration_ms,
        "exit": provenance.exit,
        "failed_parts": provenance.failed_parts,
    })
}

fn input_json(input: &Input) -> Value {
    json!({
        "resource": input.resource.as_str(),
        "revision": input.revision.to_string(),
    })
}
