//! The store as the engine knows it: the heads of one commit, and the records of the last runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::record::RunRecord;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, List, Resolve};

use crate::record;

use super::fresh::News;
use super::heads::{self, Cut};

/// What the names of records of runs begin with.
const RUNS: &str = "run/";

/// How long the store may take to answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// The records of the last runs, and those the store has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What each resource of the branch held when it was last read, if it could be understood.
    seen: BTreeMap<Resource, (Revision, Option<RunRecord>)>,
    /// Records that wait to be stored; they count before those in the store.
    unsaved: BTreeMap<String, RunRecord>,
    /// All of them, by the name of the source or stage.
    records: BTreeMap<String, RunRecord>,
    /// The commit they were read at.
    records_at: Option<Revision>,
    /// The heads as they were read last.
    cut: Arc<Cut>,
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

    /// Reads the store: the records as they are, then the heads of one commit. What was put since the last time is
    /// taken in; only where that cannot be told, all is read again.
    pub(super) fn read(&mut self, caller: &Caller) -> Result<Arc<Cut>, Fault> {
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
                let news = Arc::make_mut(&mut self.cut).catch_up(caller, at)?;
                self.news.resources.extend(news.iter().flatten().cloned());
                news.is_some()
            }
            None => false,
        };
        if !is_known {
            self.news.all = true;
            self.cut = Arc::new(Cut::read(caller)?);
        }
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
        for entry in news.iter().filter(|entry| entry.resource.as_str().starts_with(RUNS)) {
            self.take(caller, entry)?;
        }
        Ok(true)
    }

    fn take(&mut self, caller: &Caller, entry: &Entry) -> Result<(), Fault> {
        let known = self.seen.get(&entry.resource);
        if known.is_some_and(|(revision, _)| *revision == entry.revision) {
            return Ok(());
        }
        let is_there = entry.blob.is_some();
        let record = if is_there { fetch(caller, entry)? } else { None };
        if let Some((_, Some(before))) = self.seen.remove(&entry.resource) {
            self.records.remove(&before.stage);
            self.news.names.push(before.stage);
        }
        if let Some(record) = &record {
            self.news.names.push(record.stage.clone());
            self.records.insert(record.stage.clone(), record.clone());
        }
        if is_there {
            self.seen.insert(entry.resource.clone(), (entry.revision, record));
        }
        Ok(())
    }

    fn read_records(&mut self, caller: &Caller) -> Result<(), Fault> {
        self.news.all = true;
        let listing =
            heads::list(caller, List { prefix: RUNS.to_owned(), ..List::all(Branch::records()) })?;
        let mut seen = BTreeMap::new();
        for entry in listing.entries {
            let known = self.seen.remove(&entry.resource);
            let record = match known {
                Some((revision, record)) if revision == entry.revision => record,
                _ => fetch(caller, &entry)?,
            };
            seen.insert(entry.resource, (entry.revision, record));
        }
        self.seen = seen;
        let kept = self.seen.values().filter_map(|(_, record)| record.clone());
        self.records = kept.map(|record| (record.stage.clone(), record)).collect();
        Ok(())
    }

    /// Keeps a record: at once here, and in the store as soon as it takes it.
    pub(super) fn keep(&mut self, caller: &Caller, record: RunRecord) {
        self.news.names.push(record.stage.clone());
        self.records.insert(record.stage.clone(), record.clone());
        self.unsaved.insert(record.stage.clone(), record);
        if let Err(fault) = self.flush(caller) {
            tracing::warn!(%fault, "cannot keep a record yet");
        }
    }

    /// Removes the record of what there is no more.
    pub(super) fn forget(&mut self, caller: &Caller, name: &str) {
        self.news.names.push(name.to_owned());
        self.unsaved.remove(name);
        self.records.remove(name);
        let removed = record::remove(name).and_then(|put| caller.call_blocking(&put, DEADLINE));
        if let Err(fault) = removed {
            tracing::warn!(%fault, name, "cannot remove a record");
        }
    }

    fn flush(&mut self, caller: &Caller) -> Result<(), Fault> {
        while let Some((name, record)) = self.unsaved.first_key_value() {
            let stored = record::put(record).and_then(|put| caller.call_blocking(&put, DEADLINE));
            match stored {
                Ok(stored) => {
                    // It need not be read again.
                    let items = stored.items.into_iter();
                    self.seen.extend(items.filter_map(|item| {
                        Some((item.resource, (item.revision?, Some(record.clone()))))
                    }));
                }
                // What the store will never take must not keep the others.
                Err(fault) if matches!(fault.code, Code::BadRequest | Code::TooLarge) => {
                    tracing::error!(%fault, name, "the store refuses a record");
                }
                Err(fault) => return Err(fault),
            }
            self.unsaved.pop_first();
        }
        Ok(())
    }
}

/// The newest commit of a branch, if there is one.
fn newest(caller: &Caller, branch: Branch) -> Result<Option<Revision>, Fault> {
    let request = Resolve { at: At::head(), branch, zone: None };
    match caller.call_blocking(&request, DEADLINE) {
        Ok(resolved) => Ok(Some(resolved.revision)),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The record an entry holds; none if it is no record, which then counts as if there were none.
fn fetch(caller: &Caller, entry: &Entry) -> Result<Option<RunRecord>, Fault> {
    let request = Get { branch: Branch::records(), ..Get::head(entry.resource.clone()) };
    let bytes = match caller.call_blocking(&request, DEADLINE) {
        Ok(content) => content.bytes.unwrap_or_default(),
        Err(fault) if fault.code == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    match RunRecord::from_bytes(&bytes) {
        Ok(record) if RunRecord::resource(&record.stage).as_ref() == Ok(&entry.resource) => {
            Ok(Some(record))
        }
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
