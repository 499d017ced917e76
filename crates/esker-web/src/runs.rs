//! Runs over HTTP: every run of which there is a record, newest first, and one with all its program said.
//!
//! The history of the branch `records` is the history of the runs: each run's record is a commit of `run/STAGE`, known
//! by that commit's revision.

use axum::Json;
use axum::extract::State;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Entry, Get, Log, Mark, Page, Stat};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Asked, Failed, Named};
use crate::hub::Hub;
use crate::problems;

/// The most runs of one answer.
pub(crate) const RUNS_MAX: usize = 500;

/// As many are told if nobody says how many.
const RUNS_DEFAULT: usize = 50;

/// How many entries of the log are asked for at once.
const PAGE: u32 = 1_000;

/// The most pages looked through for one answer: there may be more runs though it tells none.
const PAGES_MAX: usize = 20;

/// What the resources of the runs' records begin with.
const PREFIX: &str = "run/";

#[derive(Deserialize)]
pub(crate) struct RunsQuery {
    pub(crate) stage: Option<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) failed: Option<bool>,
    pub(crate) after: Option<String>,
}

/// `GET /api/runs?stage=plan&failed=true&limit=50&after=…`: runs, newest first, without what their programs said.
pub(crate) async fn list(
    State(hub): State<Hub>,
    Asked(query): Asked<RunsQuery>,
) -> Result<Json<Value>, Failed> {
    let (runs, next) = told(&hub, &query).await?;
    Ok(Json(json!({ "runs": runs, "next": next.map(|mark| mark.to_string()) })))
}

/// Runs as they are told, newest first, and what to go on with.
pub(crate) async fn told(
    hub: &Hub,
    query: &RunsQuery,
) -> Result<(Vec<Value>, Option<Mark>), Fault> {
    let after = given(query.after.as_deref()).map(str::parse::<Mark>).transpose();
    let mut log = Log {
        resource: given(query.stage.as_deref()).map(RunRecord::resource).transpose()?,
        branch: Branch::records(),
        after: after.map_err(Fault::bad_request)?,
        ..Log::newest(PAGE)
    };
    let limit = query.limit.unwrap_or(RUNS_DEFAULT).clamp(1, RUNS_MAX);
    let only_failed = query.failed.unwrap_or_default();
    let mut runs = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = page(hub, &log).await? else {
            log.after = None;
            break;
        };
        for entry in &page.entries {
            if runs.len() == limit {
                break;
            }
            log.after = Some(behind(entry));
            if is_run(entry) && !(only_failed && went_well(entry)) {
                let record = read(hub, entry).await?;
                let record = record.filter(|one| !only_failed || one.failure.is_some());
                runs.extend(record.map(|record| (entry.revision, record)));
            }
        }
        let is_all_seen = page.entries.last().map(behind) == log.after || page.entries.is_empty();
        if is_all_seen {
            log.after = page.next;
        }
        if runs.len() == limit || log.after.is_none() {
            break;
        }
    }
    let mut told = Vec::new();
    for (revision, record) in &runs {
        told.push(tell(*revision, record, host(hub, record).await.as_deref()));
    }
    Ok((told, log.after))
}

/// `GET /api/runs/REVISION`: one, with what its program said at the end.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Named(run): Named<String>,
) -> Result<Json<Value>, Failed> {
    let revision: Revision = run.parse().map_err(Fault::bad_request)?;
    let log = Log { at: revision.into(), branch: Branch::records(), ..Log::newest(1) };
    let page = page(&hub, &log).await?;
    let entry = page.and_then(|page| page.entries.into_iter().next());
    let found = match entry.filter(|entry| entry.revision == revision && is_run(entry)) {
        Some(entry) => read(&hub, &entry).await?,
        None => None,
    };
    let Some(record) = found else {
        let fault = Fault::new(Code::NotFound, format!("there is no run {run}"));
        return Err(fault.hint("GET /api/runs tells which there are").into());
    };
    let mut told = tell(revision, &record, host(&hub, &record).await.as_deref());
    told["detail"] = record.failure.map(|failure| failure.detail).into();
    Ok(Json(told))
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A page of the log; none if there is nothing it could be of.
async fn page(hub: &Hub, log: &Log) -> Result<Option<Page>, Fault> {
    match hub.call(log).await {
        Ok(page) => Ok(Some(page)),
        // Nothing has run yet, or not this stage. Where it cannot go on, that is another thing, and said.
        Err(fault) if fault.code == Code::NotFound && log.after.is_none() => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn behind(entry: &Entry) -> Mark {
    Mark { revision: entry.revision, resource: Some(entry.resource.clone()) }
}

fn is_run(entry: &Entry) -> bool {
    entry.resource.as_str().starts_with(PREFIX)
}

/// Whether the message of the record's commit, as esker writes it, says so: then it need not be read.
fn went_well(entry: &Entry) -> bool {
    let ended = entry.summary.rsplit_once(": ").map(|(_, word)| word.parse::<Ended>());
    matches!(ended, Some(Ok(Ended::Stored | Ended::Unchanged)))
}

/// The record of a run; none if it is a wish for one, if it was removed, or if it cannot be read, since a later esker
/// may have written it.
async fn read(hub: &Hub, entry: &Entry) -> Result<Option<RunRecord>, Fault> {
    if entry.blob.is_none() {
        return Ok(None);
    }
    let content = hub.call(&Get::listed(entry, Branch::records())).await?;
    match RunRecord::from_bytes(&content.bytes.unwrap_or_default()) {
        Ok(record) => Ok(Some(record).filter(|record| !is_wish(record))),
        Err(fault) => {
            tracing::debug!(%fault, resource = %entry.resource, "skipping a record");
            Ok(None)
        }
    }
}

fn is_wish(record: &RunRecord) -> bool {
    record.ended == Ended::Retry && record.failure.as_ref().is_none_or(|failure| failure.count == 0)
}

/// Where it ran. Only the commit of what it stored tells that.
async fn host(hub: &Hub, record: &RunRecord) -> Option<String> {
    let output = record.outputs.first().filter(|_| record.ended == Ended::Stored)?;
    let (resource, at) = (output.resource.clone(), output.revision.into());
    let entry = hub.call(&Stat { resource, at, branch: Branch::main() }).await.ok()?;
    let provenance = entry.provenance.filter(|_| entry.revision == output.revision)?;
    Some(provenance.host).filter(|host| !host.is_empty())
}

/// A run as it is told, without what its program said.
fn tell(revision: Revision, record: &RunRecord, host: Option<&str>) -> Value {
    let versions = |all: &[Input]| all.iter().map(problems::json::input).collect::<Vec<_>>();
    let failure = record.failure.as_ref();
    json!({
        "id": revision.to_string(),
        "stage": record.stage,
        "ended": record.ended.to_string(),
        "started": record.started.to_string(),
        "duration_ms": record.duration_ms,
        "inputs": versions(&record.inputs),
        "outputs": versions(&record.outputs),
        "host": host,
        "warnings": record.warnings,
        "summary": failure.map(|failure| &failure.summary),
        "hint": failure.map(|failure| &failure.hint),
        "count": failure.map(|failure| failure.count),
        "since": failure.map(|failure| failure.since.to_string()),
        "retry_at": failure.and_then(|failure| failure.not_before).map(|time| time.to_string()),
    })
}

#[cfg(test)]
mod tests;
