//! The hub as this crate sees it: a few calls with one deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::message::Request;
use esker_wire::name::Branch;
use esker_wire::record::RunRecord;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Health, HealthReport, List, Listing};

/// How long a browser's question may take the hub.
const DEADLINE: Duration = Duration::from_secs(10);

/// Calls to the hub.
#[derive(Clone)]
pub(crate) struct Hub {
    caller: Caller,
}

/// The records of runs, read once per version.
#[derive(Default)]
pub(crate) struct Records {
    by_blob: BTreeMap<Revision, RunRecord>,
}

impl Hub {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }

    pub(crate) async fn call<R: Request + Sync>(&self, request: &R) -> Result<R::Reply, Fault> {
        self.caller.call(request, DEADLINE).await
    }

    pub(crate) async fn health(&self) -> Result<HealthReport, Fault> {
        self.call(&Health).await
    }

    /// Every resource of a branch, at its head.
    pub(crate) async fn listing(&self, branch: Branch) -> Result<Listing, Fault> {
        self.call(&List { at: At::head(), branch }).await
    }

    /// Every stage's record, by the stage's name.
    pub(crate) async fn records(
        &self,
        known: &mut Records,
    ) -> Result<BTreeMap<String, RunRecord>, Fault> {
        let listing = self.listing(Branch::records()).await?;
        let mut by_blob = BTreeMap::new();
        for entry in listing.entries {
            let Some(blob) = entry.blob else { continue };
            let record = match known.by_blob.remove(&blob) {
                Some(record) => record,
                None => {
                    let get = Get { branch: Branch::records(), ..Get::head(entry.resource) };
                    let content = self.call(&get).await?;
                    RunRecord::from_bytes(&content.bytes.unwrap_or_default())?
                }
            };
            by_blob.insert(blob, record);
        }
        known.by_blob = by_blob;
        let records = known.by_blob.values();
        Ok(records.map(|record| (record.stage.clone(), record.clone())).collect())
    }
}
