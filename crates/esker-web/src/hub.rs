//! The hub as this crate sees it: a few calls with one deadline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::message::Request;
use esker_wire::name::Branch;
use esker_wire::provenance::Input;
use esker_wire::record::RunRecord;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Health, HealthReport, List, Listing, Stat};
use esker_wire::stance::{Said, Stance};

use crate::metrics::Metrics;

/// How long a browser's question may take the hub.
const DEADLINE: Duration = Duration::from_secs(10);

/// Calls to the hub.
#[derive(Clone)]
pub(crate) struct Hub {
    caller: Caller,
    /// Where it is counted how that goes, if somewhere.
    metrics: Option<Arc<Metrics>>,
}

/// What was read before and cannot change: records by their blob, contents of old revisions.
#[derive(Default)]
pub(crate) struct Memory {
    records: BTreeMap<Revision, RunRecord>,
    blobs: BTreeMap<Input, Revision>,
    stances: BTreeMap<Revision, Stance>,
}

impl Hub {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller, metrics: None }
    }

    /// The same, counted.
    pub(crate) fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    pub(crate) async fn call<R: Request + Sync>(&self, request: &R) -> Result<R::Reply, Fault> {
        let begun = Instant::now();
        let answer = self.caller.call(request, DEADLINE).await;
        if let Some(metrics) = &self.metrics {
            metrics.hub(answer.is_ok(), begun.elapsed());
        }
        answer
    }

    pub(crate) async fn health(&self) -> Result<HealthReport, Fault> {
        self.call(&Health).await
    }

    /// Every resource asked for.
    pub(crate) async fn listing(&self, mut request: List) -> Result<Listing, Fault> {
        let mut listing = self.call(&request).await?;
        while let Some(next) = request.after(&listing) {
            let page = self.call(&next).await?;
            listing.entries.extend(page.entries);
            listing.next = page.next;
            request = next;
        }
        Ok(listing)
    }

    /// Every stage's record, by the stage's name. One that cannot be read, which a later esker may have written,
    /// is left out.
    pub(crate) async fn records(
        &self,
        memory: &mut Memory,
    ) -> Result<BTreeMap<String, RunRecord>, Fault> {
        let runs = List { prefix: "run/".to_owned(), ..List::all(Branch::records()) };
        let listing = self.listing(runs).await?;
        let mut known = BTreeMap::new();
        for entry in listing.entries {
            let Some(blob) = entry.blob else { continue };
            if let Some(record) = memory.records.remove(&blob) {
                known.insert(blob, record);
                continue;
            }
            let get = Get::listed(&entry, Branch::records());
            let content = self.call(&get).await?;
            match RunRecord::from_bytes(&content.bytes.unwrap_or_default()) {
                Ok(record) => drop(known.insert(blob, record)),
                Err(fault) => tracing::warn!(%fault, resource = %get.resource, "skipping a record"),
            }
        }
        memory.records = known;
        let records = memory.records.values();
        Ok(records.map(|record| (record.stage.clone(), record.clone())).collect())
    }

    /// What people have said of problems; nobody is asked where there is none. What cannot be read is left out.
    pub(crate) async fn stances(
        &self,
        memory: &mut Memory,
        records: &BTreeMap<String, RunRecord>,
    ) -> Result<Vec<Stance>, Fault> {
        let mut known = BTreeMap::new();
        if records.values().any(|record| record.failure.is_some()) {
            for said in [Said::Ack, Said::Mute] {
                let prefix = said.prefix().to_owned();
                let listing = self.listing(List { prefix, ..List::all(Branch::records()) }).await?;
                for entry in listing.entries {
                    let Some(blob) = entry.blob else { continue };
                    if let Some(stance) = memory.stances.remove(&blob) {
                        known.insert(blob, stance);
                        continue;
                    }
                    let content = self.call(&Get::listed(&entry, Branch::records())).await?;
                    match Stance::from_bytes(&content.bytes.unwrap_or_default()) {
                        Ok(stance) => drop(known.insert(blob, stance)),
                        Err(fault) => {
                            tracing::debug!(%fault, "skipping what was said of a problem")
                        }
                    }
                }
            }
        }
        memory.stances = known;
        Ok(memory.stances.values().cloned().collect())
    }

    /// The contents that the runs' inputs had: a revision may differ from the head's and say the same.
    pub(crate) async fn blobs(
        &self,
        memory: &mut Memory,
        records: &BTreeMap<String, RunRecord>,
    ) -> BTreeMap<Input, Revision> {
        let mut known = BTreeMap::new();
        for input in records.values().flat_map(|record| &record.inputs) {
            let blob = match memory.blobs.remove(input) {
                Some(blob) => Some(blob),
                None => self.blob(input).await,
            };
            known.extend(blob.map(|blob| (input.clone(), blob)));
        }
        memory.blobs.clone_from(&known);
        known
    }

    async fn blob(&self, input: &Input) -> Option<Revision> {
        let stat = Stat {
            resource: input.resource.clone(),
            at: input.revision.into(),
            branch: Branch::main(),
        };
        self.call(&stat).await.ok()?.blob
    }
}
