//! What stages that see every version of their input have before them, read from the log as far as they get.

use std::collections::BTreeMap;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, LOG_MAX, Log, Page};

use crate::commits::DEADLINE;
use crate::definition::{Definition, Stage};
use crate::plan::Head;
use crate::plan::each::{self, Queue, Version};

use crate::engine::heads::Cut;

/// How many versions a queue holds; what follows them is read when these have been seen.
const VERSIONS_MAX: usize = 10_000;
/// How many passed-over versions of one stage are remembered: the last.
const SKIPPED_MAX: usize = 100;

/// What the stages have before them.
#[derive(Debug, Default)]
pub(super) struct Queues {
    all: BTreeMap<String, Queue>,
    /// The records of runs that failed for versions that were then passed over.
    pub(super) skipped: BTreeMap<Resource, RunRecord>,
}

impl Queues {
    pub(super) fn all(&self) -> &BTreeMap<String, Queue> {
        &self.all
    }

    /// Brings every queue up to this cut of the store.
    pub(super) fn read(
        &mut self,
        caller: &Caller,
        definition: &Definition,
        (records, cut): (&BTreeMap<String, RunRecord>, &Cut),
    ) -> Result<(), Fault> {
        let mut before = std::mem::take(&mut self.all);
        for stage in &definition.stages {
            let Some(input) = each::input(stage) else {
                continue;
            };
            let anchor = each::anchor(stage, records, &cut.heads);
            let mut queue = before.remove(&stage.name).unwrap_or_default();
            let head = cut.heads.get(input);
            let head = head.map(Head::version);
            reread(caller, (input, cut.at), (anchor, head), &mut queue.versions)?;
            queue.again = self.again(caller, stage, input)?;
            self.all.insert(stage.name.clone(), queue);
        }
        Ok(())
    }

    /// Takes out what is remembered of stages that need not see every version any more.
    pub(super) fn settle(&mut self, definition: &Definition) -> Vec<Resource> {
        let gone = self.skipped.extract_if(.., |_, record| !belongs(definition, record));
        gone.map(|(resource, _)| resource).collect()
    }

    /// The version that somebody wants a stage to try again.
    fn again(
        &self,
        caller: &Caller,
        stage: &Stage,
        input: &Resource,
    ) -> Result<Option<(Version, RunRecord)>, Fault> {
        let mut skipped = self.skipped.values().filter(|record| record.stage == stage.name);
        let Some(record) = skipped.find(|record| record.ended == Ended::Retry) else {
            return Ok(None);
        };
        let Some(revision) = record.inputs.first().map(|input| input.revision) else {
            return Ok(None);
        };
        let found = version_at(caller, input, revision)?;
        Ok(found.map(|version| (version, record.clone())))
    }

    /// Remembers a record of a version that is passed over; gives what is to be let go for it.
    pub(super) fn skip(&mut self, definition: &Definition, record: &RunRecord) -> Vec<Resource> {
        if let Some(resource) = skipped(definition, record) {
            self.skipped.insert(resource, record.clone());
        }
        let of_stage = self.skipped.iter().filter(|(_, one)| one.stage == record.stage);
        let mut of_stage: Vec<_> = of_stage.map(|(name, one)| (one.started, name)).collect();
        of_stage.sort();
        let excess = of_stage.len().saturating_sub(SKIPPED_MAX);
        let old: Vec<Resource> =
            of_stage[..excess].iter().map(|(_, name)| (*name).clone()).collect();
        old.iter().for_each(|name| drop(self.skipped.remove(name)));
        old
    }
}

/// Whether a record of a passed-over version belongs to a stage that sees every version.
fn belongs(definition: &Definition, record: &RunRecord) -> bool {
    skipped(definition, record).is_some()
}

/// Whether a stage that sees every version goes on behind one it failed for.
pub(super) fn is_passed(definition: &Definition, before: &RunRecord, after: &RunRecord) -> bool {
    before.ended == Ended::Problem && before.inputs != after.inputs && belongs(definition, before)
}

/// Where the record of a version that was passed over is kept; nowhere if the stage need not see every version.
pub(super) fn skipped(definition: &Definition, record: &RunRecord) -> Option<Resource> {
    let stage = definition.stages.iter().find(|stage| stage.name == record.stage)?;
    let input = each::input(stage)?;
    let seen = each::seen(&record.inputs, input)?;
    RunRecord::skipped(&record.stage, seen).ok()
}

/// Brings the versions of an input up to a cut: from the anchor on, or all of them if there is none.
fn reread(
    caller: &Caller,
    (input, cut): (&Resource, Option<Revision>),
    (anchor, head): (Option<Revision>, Option<Version>),
    versions: &mut Vec<Version>,
) -> Result<(), Fault> {
    let known = anchor
        .map_or(Some(0), |anchor| versions.iter().rposition(|version| version.revision == anchor));
    match known {
        Some(from) => drop(versions.drain(..from)),
        None => versions.clear(),
    }
    let up_to_date = versions.last().map(|last| last.revision) == head.map(|head| head.revision);
    let enough = versions.len() > VERSIONS_MAX / 2;
    let (Some(cut), false) = (cut, up_to_date || enough) else {
        return Ok(());
    };
    let since = versions.last().map(|last| last.revision).or(anchor);
    let Some(mut found) = between(caller, (input, cut), since)? else {
        // The version seen last is in no history any more: that is no reason to see all of them again.
        tracing::warn!(%input, "the version seen last is gone; going on with the newest");
        *versions = head.into_iter().collect();
        return Ok(());
    };
    if versions.is_empty()
        && let Some(anchor) = anchor
    {
        found.splice(..0, version_at(caller, input, anchor)?);
    }
    let room = VERSIONS_MAX.saturating_sub(versions.len()).max(1);
    versions.extend(found.into_iter().take(room));
    Ok(())
}

/// The version that a commit made of an input, if it made one.
fn version_at(
    caller: &Caller,
    input: &Resource,
    revision: Revision,
) -> Result<Option<Version>, Fault> {
    let log = Log { limit: 1, ..log(input, At::from(revision)) };
    let found = page(caller, &log)?.and_then(|page| page.entries.first().and_then(version));
    Ok(found.filter(|version| version.revision == revision))
}

/// The first versions after one, oldest first: as many as a queue holds. None if that one is in no history.
fn between(
    caller: &Caller,
    (input, cut): (&Resource, Revision),
    since: Option<Revision>,
) -> Result<Option<Vec<Version>>, Fault> {
    let filter = Filter { since: since.map(At::from), ..Filter::default() };
    let mut log = Log { filter, ..log(input, At::from(cut)) };
    let mut found = Vec::new();
    loop {
        let Some(page) = page(caller, &log)? else {
            return Ok(None);
        };
        found.extend(page.entries.iter().filter_map(version));
        // The log begins with the newest, so what is over the bound is at the front.
        found.drain(..found.len().saturating_sub(VERSIONS_MAX));
        log.after = page.next;
        if log.after.is_none() {
            found.reverse();
            return Ok(Some(found));
        }
    }
}

fn log(input: &Resource, at: At) -> Log {
    Log {
        resource: Some(input.clone()),
        at,
        branch: Branch::main(),
        limit: LOG_MAX,
        filter: Filter::default(),
        after: None,
    }
}

fn page(caller: &Caller, log: &Log) -> Result<Option<Page>, Fault> {
    match caller.call_blocking(log, DEADLINE) {
        Ok(page) => Ok(Some(page)),
        Err(fault) if matches!(fault.code, Code::NotFound | Code::BadRequest) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The version an entry tells of; none if it removed the resource.
fn version(entry: &Entry) -> Option<Version> {
    Some(Version { revision: entry.revision, blob: entry.blob? })
}
