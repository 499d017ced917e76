//! What has happened, as a commit of the store tells it: new versions, runs and how they ended, problems that come
//! and go.
//!
//! A run that stored something is told by the commit of what it stored, so that one whose record was lost with the
//! process is told too; any other is told by its record.

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::{Input, Provenance};
use esker_wire::record::{DEFINITION, Ended, Failure, RunRecord};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, Log};
use jiff::{SignedDuration, Timestamp};

use crate::rejected;

use super::history::Commit;
use crate::commits::DEADLINE;

/// What the names of records of runs begin with.
const RUNS: &str = "run/";
/// What the names of records of runs that were passed over begin with.
const SKIPPED: &str = "skipped/";

/// Something that has happened.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    /// The commit that tells.
    pub(crate) revision: Revision,
    /// When it was told.
    pub(crate) time: Timestamp,
    pub(crate) what: What,
}

/// What has happened.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A resource has a new version, or is gone.
    Put(Box<Entry>),
    /// A run has ended.
    Ran(Box<Ran>),
    /// Checks have refused what a run made; this is where it is kept.
    Rejected { ran: Box<Ran>, branch: Branch, kept: Vec<Entry> },
    /// There is a problem.
    Problem(Box<RunRecord>),
    /// A problem is over; this is what it was.
    Resolved(Box<RunRecord>),
}

/// A run that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// The source or stage.
    pub(crate) stage: String,
    pub(crate) run_key: String,
    pub(crate) ended: Ended,
    pub(crate) started: Timestamp,
    pub(crate) duration_ms: u64,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) failure: Option<Failure>,
    pub(crate) warnings: Vec<String>,
    /// What it stored says of it; none if it stored nothing.
    pub(crate) provenance: Option<Provenance>,
}

/// What a run left.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) resource: Resource,
    pub(crate) revision: Revision,
    /// In bytes, if the run stored it.
    pub(crate) size: Option<u64>,
}

impl Ran {
    pub(crate) fn finished(&self) -> Timestamp {
        finished(self.started, self.duration_ms)
    }

    fn of_record(record: &RunRecord) -> Self {
        let output = |output: &Input| Output {
            resource: output.resource.clone(),
            revision: output.revision,
            size: None,
        };
        Self {
            stage: record.stage.clone(),
            run_key: record.run_key.clone(),
            ended: record.ended,
            started: record.started,
            duration_ms: record.duration_ms,
            inputs: record.inputs.clone(),
            outputs: record.outputs.iter().map(output).collect(),
            failure: record.failure.clone(),
            warnings: record.warnings.clone(),
            provenance: None,
        }
    }

    fn of_commit(provenance: &Provenance, entries: &[Entry], warnings: Vec<String>) -> Self {
        let output = |entry: &Entry| Output {
            resource: entry.resource.clone(),
            revision: entry.revision,
            size: Some(entry.size),
        };
        Self {
            stage: provenance.stage.clone(),
            run_key: provenance.run_key.clone(),
            ended: Ended::Stored,
            started: provenance.started,
            duration_ms: provenance.duration_ms,
            inputs: provenance.inputs.clone(),
            outputs: entries.iter().map(output).collect(),
            failure: None,
            warnings,
            provenance: Some(provenance.clone()),
        }
    }
}

/// When a run ended.
pub(crate) fn finished(started: Timestamp, duration_ms: u64) -> Timestamp {
    let took = SignedDuration::from_millis(i64::try_from(duration_ms).unwrap_or(i64::MAX));
    started.saturating_add(took).unwrap_or(started)
}

/// When the run ended of which a commit of records tells, if it tells of one.
pub(crate) fn ended(caller: &Caller, commit: &Commit) -> Result<Option<Timestamp>, Fault> {
    let Some(entry) = commit.entries.first().filter(|entry| {
        let name = entry.resource.as_str();
        entry.blob.is_some() && (name.starts_with(RUNS) || name.starts_with(SKIPPED))
    }) else {
        return Ok(None);
    };
    let record = read(caller, &entry.resource, At::from(entry.revision))?;
    Ok(record.map(|record| finished(record.started, record.duration_ms)))
}

/// All that a commit tells.
pub(crate) fn tell(caller: &Caller, commit: &Commit) -> Result<Vec<Happening>, Fault> {
    let mut told = Vec::new();
    match commit.is_record {
        false => of_data(caller, commit, &mut told)?,
        true => {
            for entry in &commit.entries {
                of_record(caller, entry, &mut told)?;
            }
        }
    }
    let happening = |what: What| Happening { revision: commit.revision, time: commit.time, what };
    Ok(told.into_iter().map(happening).collect())
}

fn of_data(caller: &Caller, commit: &Commit, told: &mut Vec<What>) -> Result<(), Fault> {
    told.extend(commit.entries.iter().map(|entry| What::Put(Box::new(entry.clone()))));
    let provenance = commit.entries.iter().find_map(|entry| entry.provenance.as_ref());
    if let Some(provenance) = provenance {
        // Its record follows at once; while it is the last of its stage, it knows more.
        let resource = RunRecord::resource(&provenance.stage)?;
        let record = read(caller, &resource, At::head())?;
        let same = record.filter(|record| record.started == provenance.started);
        let warnings = same.map_or(Vec::new(), |record| record.warnings);
        told.push(What::Ran(Box::new(Ran::of_commit(provenance, &commit.entries, warnings))));
    }
    Ok(())
}

fn of_record(caller: &Caller, entry: &Entry, told: &mut Vec<What>) -> Result<(), Fault> {
    let name = entry.resource.as_str();
    let is_skipped = name.starts_with(SKIPPED);
    if !is_skipped && !name.starts_with(RUNS) {
        return Ok(());
    }
    // What is passed over is first kept as it was told when it failed.
    if is_skipped && entry.previous.is_none() {
        return Ok(());
    }
    let version = |revision: Option<Revision>| match revision {
        Some(revision) => read(caller, &entry.resource, At::from(revision)),
        None => Ok(None),
    };
    let before = version(entry.previous)?;
    let now = match entry.blob {
        Some(_) => version(Some(entry.revision))?,
        None => None,
    };
    if let Some(record) = &now
        && is_run(record, before.as_ref())
    {
        let ran = Ran::of_record(record);
        if record.failure.is_some()
            && let Some((branch, kept)) = kept(caller, record)?
        {
            told.push(What::Rejected { ran: Box::new(ran.clone()), branch, kept });
        }
        told.push(What::Ran(Box::new(ran)));
    }
    match (before, now) {
        (before, Some(now)) if now.ended == Ended::Problem => {
            let is_known = before.is_some_and(|before| {
                before.ended == Ended::Problem && before.run_key == now.run_key
            });
            told.extend((!is_known).then(|| What::Problem(Box::new(now))));
        }
        (Some(before), now) if was_problem(&before) => {
            let is_over = now.is_none_or(|now| now.failure.is_none());
            told.extend(is_over.then(|| What::Resolved(Box::new(before))));
        }
        _ => {}
    }
    Ok(())
}

/// Whether a record tells of a run that nothing else tells of: not of a wish, nor of a failure that is over without a
/// run, nor of one that has stored something.
fn is_run(record: &RunRecord, before: Option<&RunRecord>) -> bool {
    if record.stage == DEFINITION || is_destination(&record.stage) {
        return false;
    }
    match record.ended {
        Ended::Stored => false,
        Ended::Unchanged => before.is_none_or(|before| before.started != record.started),
        Ended::Retry | Ended::Problem => {
            record.failure.as_ref().is_some_and(|failure| failure.count > 0)
        }
    }
}

/// Whether it is no source or stage that is called so, but somebody who is told.
pub(crate) fn is_destination(name: &str) -> bool {
    name.contains('.') && name != DEFINITION
}

/// Whether there was a problem, though somebody may have asked for another run since.
fn was_problem(record: &RunRecord) -> bool {
    let is_asked = record.failure.as_ref().is_some_and(|failure| failure.count == 0);
    record.ended == Ended::Problem || record.ended == Ended::Retry && is_asked
}

/// Where what a failed run made is kept, if it was checks that refused it.
fn kept(caller: &Caller, record: &RunRecord) -> Result<Option<(Branch, Vec<Entry>)>, Fault> {
    let Some(branch) = rejected::branch(record) else {
        return Ok(None);
    };
    let log = Log { branch: branch.clone(), ..Log::newest(100) };
    let page = match caller.call_blocking(&log, DEADLINE) {
        Ok(page) => page,
        // It goes by itself after a while.
        Err(fault) if fault.code == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let of_run = |entry: &Entry| {
        let made = entry.provenance.as_ref();
        made.is_some_and(|made| made.started == record.started)
    };
    let kept: Vec<Entry> = page.entries.into_iter().filter(of_run).collect();
    Ok((!kept.is_empty()).then_some((branch, kept)))
}

/// A record as it was; none if there was none, or none that this esker can read.
pub(crate) fn read(
    caller: &Caller,
    resource: &Resource,
    at: At,
) -> Result<Option<RunRecord>, Fault> {
    let get = Get { at, branch: Branch::records(), ..Get::head(resource.clone()) };
    match caller.call_blocking(&get, DEADLINE) {
        Ok(content) => Ok(RunRecord::from_bytes(&content.bytes.unwrap_or_default()).ok()),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
