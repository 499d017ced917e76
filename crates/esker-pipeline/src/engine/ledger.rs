//! The store as the engine knows it: the heads of one commit, and the records of the last runs.

mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::record::RunRecord;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Entry, Get, List};

use crate::commits::{DEADLINE, newest};
use crate::definition::Definition;
use crate::plan::each::Queue;
use crate::record;

use super::fresh::News;
use super::heads::{self, Cut};

use self::queue::Queues;

/// What the names of records of runs begin with.
const RUNS: &str = "run/";
/// What the names of records of runs that were passed over begin with.
const SKIPPED: &str = "skipped/";

/// The records of the last runs, and those the store has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What each resource of the branch held when it was last read, if it could be understood.
    seen: BTreeMap<Resource, (Revision, Option<RunRecord>)>,
    /// Records that wait to be stored, in this order; they count before those in the store.
    unsaved: Vec<(Resource, RunRecord)>,
    /// All of them, by the name of the source or stage.
    records: BTreeMap<String, RunRecord>,
    /// The commit they were read at.
    records_at: Option<Revision>,
    /// The heads as they were read last.
    cut: Arc<Cut>,
    /// What stages that see every version have before them.
    queues: Queues,
    /// What has changed since somebody asked.
    news: News,
}

impl Ledger {
    pub(super) fn records(&self) -> &BTreeMap<String, RunRecord> {
        &self.records
    }

    /// What has changed since this was last asked.
    pub(super) fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    pub(super) fn queues(&self) -> &BTreeMap<String, Queue> {
        self.queues.all()
    }

    /// Reads the store: the records as they are, then the heads of one commit. What was put since the last time is
    /// taken in; only where that cannot be told, all is read again.
    pub(super) fn read(
        &mut self,
        caller: &Caller,
        definition: &Definition,
    ) -> Result<Arc<Cut>, Fault> {
        self.flush(caller)?;
        let records_at = newest(caller, Branch::records())?;
        if records_at.is_none() || records_at != self.records_at {
            if !self.catch_up(caller, records_at)? {
                self.read_records(caller)?;
            }
            // What came while they were listed is read again next time.
            self.records_at = records_at;
        }
        let at = newest(caller, Branch::main())?;
        let is_known = match at {
            Some(at) if self.cut.at == Some(at) => true,
            Some(at) => {
                let news = Arc::make_mut(&mut self.cut).catch_up(caller, Branch::main(), at)?;
                self.news.resources.extend(news.iter().flatten().cloned());
                news.is_some()
            }
            None => false,
        };
        if !is_known {
            self.news.all = true;
            self.cut = Arc::new(Cut::read(caller, Branch::main())?);
        }
        self.queues.read(caller, definition, (&self.records, &self.cut))?;
        Ok(Arc::clone(&self.cut))
    }

    /// Takes in the records that were put since they were read; false if that cannot be told.
    fn catch_up(&mut self, caller: &Caller, at: Option<Revision>) -> Result<bool, Fault> {
        let (Some(since), Some(at)) = (self.records_at, at) else {
            return Ok(false);
        };
        let Some(news) = heads::news(caller, Branch::records(), (since, at))? else {
            return Ok(false);
        };
        let is_record = |entry: &&Entry| {
            let name = entry.resource.as_str();
            name.starts_with(RUNS) || name.starts_with(SKIPPED)
        };
        for entry in news.iter().filter(is_record) {
            self.take(caller, entry)?;
        }
        Ok(true)
    }

    /// Takes in one record, or that it is gone.
    fn take(&mut self, caller: &Caller, entry: &Entry) -> Result<(), Fault> {
        let known = self.seen.get(&entry.resource);
        if known.is_some_and(|(revision, _)| *revision == entry.revision) {
            return Ok(());
        }
        let is_there = entry.blob.is_some();
        let record = if is_there { fetch(caller, entry)? } else { None };
        if let Some((_, Some(before))) = self.seen.remove(&entry.resource) {
            self.replace(&entry.resource, (before.stage, None));
        }
        if let Some(record) = &record {
            self.replace(&entry.resource, (record.stage.clone(), Some(record.clone())));
        }
        if is_there {
            self.seen.insert(entry.resource.clone(), (entry.revision, record));
        }
        Ok(())
    }

    /// Puts a record of a stage in the place of the one before.
    fn replace(&mut self, resource: &Resource, (stage, record): (String, Option<RunRecord>)) {
        self.news.names.push(stage.clone());
        let is_run = resource.as_str().starts_with(RUNS);
        match (is_run, record) {
            (true, Some(record)) => drop(self.records.insert(stage, record)),
            (true, None) => drop(self.records.remove(&stage)),
            (false, Some(record)) => {
                drop(self.queues.skipped.insert(resource.clone(), record));
            }
            (false, None) => drop(self.queues.skipped.remove(resource)),
        }
    }

    fn read_records(&mut self, caller: &Caller) -> Result<(), Fault> {
        self.news.all = true;
        let runs = listed(caller, RUNS, &mut self.seen)?;
        let skipped = listed(caller, SKIPPED, &mut self.seen)?;
        let kept = |records: &Listed| {
            let kept = records.iter().filter_map(|(name, (_, record))| {
                record.as_ref().map(|record| (name.clone(), record.clone()))
            });
            kept.collect::<Vec<_>>()
        };
        let records = kept(&runs).into_iter();
        self.records = records.map(|(_, record)| (record.stage.clone(), record)).collect();
        self.queues.skipped = kept(&skipped).into_iter().collect();
        self.seen = runs.into_iter().chain(skipped).collect();
        Ok(())
    }

    /// Keeps the record of a run: at once here, and in the store as soon as it takes it. If a stage that sees every
    /// version passes over one that failed, the record of that is kept too.
    pub(super) fn keep(&mut self, caller: &Caller, definition: &Definition, record: RunRecord) {
        self.news.names.push(record.stage.clone());
        let before = self.records.insert(record.stage.clone(), record.clone());
        if let Some(before) = before.filter(|before| queue::is_passed(definition, before, &record))
        {
            self.keep_skipped(caller, definition, before);
        }
        match RunRecord::resource(&record.stage) {
            Ok(resource) => self.save(caller, resource, record),
            Err(fault) => tracing::error!(%fault, "cannot name a record"),
        }
    }

    /// Keeps the record of a run for a version that was passed over.
    pub(super) fn keep_skipped(
        &mut self,
        caller: &Caller,
        definition: &Definition,
        record: RunRecord,
    ) {
        self.news.names.push(record.stage.clone());
        for name in self.queues.skip(definition, &record) {
            self.remove(caller, &name);
        }
        if let Some(resource) = queue::skipped(definition, &record) {
            self.save(caller, resource, record);
        }
    }

    /// Removes the record of a version that was passed over, and then seen after all.
    pub(super) fn forget_skipped(
        &mut self,
        caller: &Caller,
        definition: &Definition,
        record: &RunRecord,
    ) {
        if let Some(resource) = queue::skipped(definition, record) {
            self.news.names.push(record.stage.clone());
            self.queues.skipped.remove(&resource);
            self.remove(caller, &resource);
        }
    }

    /// Lets go what was passed over by stages that need not see every version any more.
    pub(super) fn settle(&mut self, caller: &Caller, definition: &Definition) {
        for gone in self.queues.settle(definition) {
            self.remove(caller, &gone);
        }
    }

    /// Removes the records of what there is no more.
    pub(super) fn forget(&mut self, caller: &Caller, name: &str) {
        self.news.names.push(name.to_owned());
        self.records.remove(name);
        self.unsaved.retain(|(_, record)| record.stage != name);
        let skipped = self.queues.skipped.extract_if(.., |_, record| record.stage == name);
        let skipped: Vec<Resource> = skipped.map(|(resource, _)| resource).collect();
        for resource in RunRecord::resource(name).into_iter().chain(skipped) {
            self.remove(caller, &resource);
        }
    }

    fn remove(&mut self, caller: &Caller, resource: &Resource) {
        self.unsaved.retain(|(name, _)| name != resource);
        if let Err(fault) = caller.call_blocking(&record::remove(resource.clone()), DEADLINE) {
            tracing::warn!(%fault, %resource, "cannot remove a record");
        }
    }

    fn save(&mut self, caller: &Caller, resource: Resource, record: RunRecord) {
        self.unsaved.retain(|(name, _)| *name != resource);
        self.unsaved.push((resource, record));
        if let Err(fault) = self.flush(caller) {
            tracing::warn!(%fault, "cannot keep a record yet");
        }
    }

    fn flush(&mut self, caller: &Caller) -> Result<(), Fault> {
        while let Some((resource, record)) = self.unsaved.first() {
            let put = record::put_as(resource.clone(), record);
            match caller.call_blocking(&put, DEADLINE) {
                Ok(stored) => {
                    // It need not be read again.
                    let items = stored.items.into_iter();
                    self.seen.extend(items.filter_map(|item| {
                        Some((item.resource, (item.revision?, Some(record.clone()))))
                    }));
                }
                // What the store will never take must not keep the others.
                Err(fault) if matches!(fault.code, Code::BadRequest | Code::TooLarge) => {
                    tracing::error!(%fault, %resource, "the store refuses a record");
                }
                Err(fault) => return Err(fault),
            }
            self.unsaved.remove(0);
        }
        Ok(())
    }
}

/// Records by the names they are kept under, with the revisions they were read at.
type Listed = BTreeMap<Resource, (Revision, Option<RunRecord>)>;

/// The records whose names begin so; those that are known already are taken from there.
fn listed(caller: &Caller, prefix: &str, known: &mut Listed) -> Result<Listed, Fault> {
    let listing =
        heads::list(caller, List { prefix: prefix.to_owned(), ..List::all(Branch::records()) })?;
    let mut seen = BTreeMap::new();
    for entry in listing.entries {
        let record = match known.remove(&entry.resource) {
            Some((revision, record)) if revision == entry.revision => record,
            _ => fetch(caller, &entry)?,
        };
        seen.insert(entry.resource, (entry.revision, record));
    }
    Ok(seen)
}

/// The record an entry holds; none if it is no record, which then counts as if there were none.
fn fetch(caller: &Caller, entry: &Entry) -> Result<Option<RunRecord>, Fault> {
    let request = Get::listed(entry, Branch::records());
    let bytes = match caller.call_blocking(&request, DEADLINE) {
        Ok(content) => content.bytes.unwrap_or_default(),
        Err(fault) if fault.code == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    match RunRecord::from_bytes(&bytes) {
        Ok(record) if is_at(&record, &entry.resource) => Ok(Some(record)),
        Ok(record) => {
            tracing::warn!(resource = %entry.resource, stage = record.stage, "a record in the wrong place");
            Ok(None)
        }
        Err(fault) => {
            tracing::warn!(resource = %entry.resource, %fault, "cannot read a record");
            Ok(None)
        }
    }
}

/// Whether a record is kept under a name that is its own.
fn is_at(record: &RunRecord, resource: &Resource) -> bool {
    let skipped = |input: &Input| RunRecord::skipped(&record.stage, input.revision);
    let skipped = record.inputs.first().map(skipped);
    let names = std::iter::once(RunRecord::resource(&record.stage)).chain(skipped);
    names.flatten().any(|name| name == *resource)
}
