//! The store as the engine knows it: the heads of one commit, and the records of the last runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::record::RunRecord;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Get, List, Listing, Resolve};

use crate::plan::{Head, Made};
use crate::record;

/// What the names of records of runs begin with.
const RUNS: &str = "run/";

/// How long the store may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// One cut of the store.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) at: Option<Revision>,
    pub(super) heads: BTreeMap<Resource, Head>,
}

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
}

impl Ledger {
    pub(super) fn records(&self) -> &BTreeMap<String, RunRecord> {
        &self.records
    }

    /// Reads the store: the records as they are, then the heads of one commit. Where nothing has been put since the
    /// last time, what was read then is still true.
    pub(super) fn read(&mut self, caller: &Caller) -> Result<Arc<Cut>, Fault> {
        self.flush(caller)?;
        let records_at = newest(caller, Branch::records())?;
        if records_at.is_none() || records_at != self.records_at {
            self.read_records(caller)?;
            // What came while they were listed is read again next time.
            self.records_at = records_at;
        }
        let at = newest(caller, Branch::main())?;
        if at.is_none() || at != self.cut.at {
            self.cut = Arc::new(heads(caller)?);
        }
        Ok(Arc::clone(&self.cut))
    }

    fn read_records(&mut self, caller: &Caller) -> Result<(), Fault> {
        let listing =
            list(caller, List { prefix: RUNS.to_owned(), ..List::all(Branch::records()) })?;
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
        self.records.insert(record.stage.clone(), record.clone());
        self.unsaved.insert(record.stage.clone(), record);
        if let Err(fault) = self.flush(caller) {
            tracing::warn!(%fault, "cannot keep a record yet");
        }
    }

    /// Removes the record of what there is no more.
    pub(super) fn forget(&mut self, caller: &Caller, name: &str) {
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
                Ok(_) => {}
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

/// The heads of one commit.
fn heads(caller: &Caller) -> Result<Cut, Fault> {
    let listing = list(caller, List { older: true, ..List::all(Branch::main()) })?;
    let heads = listing.entries.into_iter();
    let mut heads: BTreeMap<Resource, Head> = heads.filter_map(head).collect();
    // A definition that says an older name means what it is called now.
    for (name, now) in listing.older {
        if let Some(head) = heads.get(&now).cloned() {
            heads.entry(name).or_insert(head);
        }
    }
    Ok(Cut { at: listing.at, heads })
}

fn list(caller: &Caller, mut request: List) -> Result<Listing, Fault> {
    let mut listing = match caller.call_blocking(&request, DEADLINE) {
        // A branch nobody has written to may not exist yet.
        Err(fault) if fault.code == Code::NotFound => {
            return Ok(Listing { at: None, entries: Vec::new(), next: None, older: Vec::new() });
        }
        answer => answer?,
    };
    while let Some(next) = request.after(&listing) {
        let page = caller.call_blocking(&next, DEADLINE)?;
        listing.entries.extend(page.entries);
        listing.next = page.next;
        request = next;
    }
    Ok(listing)
}

fn head(entry: Entry) -> Option<(Resource, Head)> {
    let made = entry
        .provenance
        .map(|provenance| Made { run_key: provenance.run_key, started: provenance.started });
    let head = Head { revision: entry.revision, blob: entry.blob?, made };
    Some((entry.resource, head))
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
