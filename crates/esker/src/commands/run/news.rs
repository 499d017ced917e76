//! What has run since the beginning, as the records of runs tell it.

use std::collections::BTreeMap;

use anyhow::Result;
use esker_pipeline::record;
use esker_wire::name::{Branch, Resource};
use esker_wire::record::RunRecord;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, List, Resolve};

use crate::reach::{Hub, found};

/// The records of runs as they were read last.
#[derive(Default)]
pub(super) struct News {
    at: Option<Revision>,
    seen: BTreeMap<Resource, Revision>,
    /// What has run, by stage.
    pub(super) ran: BTreeMap<String, RunRecord>,
}

impl News {
    /// What there is at the beginning, which is no news.
    pub(super) fn begin(hub: &Hub) -> Result<(Self, BTreeMap<String, RunRecord>)> {
        let mut news = Self::default();
        let records = news.changed(hub)?;
        let records = records.into_iter().map(|record| (record.stage.clone(), record));
        Ok((news, records.collect()))
    }

    /// The runs that have ended since the last time.
    pub(super) fn read(&mut self, hub: &Hub) -> Result<Vec<RunRecord>> {
        let mut ended = self.changed(hub)?;
        ended.retain(|record| !record::is_asked(record));
        for record in &ended {
            self.ran.insert(record.stage.clone(), record.clone());
        }
        Ok(ended)
    }

    fn changed(&mut self, hub: &Hub) -> Result<Vec<RunRecord>> {
        let ask = Resolve { at: At::head(), branch: Branch::records(), zone: None };
        let at = found(hub.call(&ask))?.map(|resolved| resolved.revision);
        if at.is_none() || at == self.at {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        let runs = List { prefix: "run/".to_owned(), ..List::all(Branch::records()) };
        for entry in hub.listing(runs)? {
            let known = self.seen.insert(entry.resource.clone(), entry.revision);
            if known == Some(entry.revision) {
                continue;
            }
            let get = Get::listed(&entry, Branch::records());
            let bytes = hub.call(&get)?.bytes.unwrap_or_default();
            // What cannot be read, which a later esker may have written, is no news.
            changed.extend(RunRecord::from_bytes(&bytes));
        }
        self.at = at;
        Ok(changed)
    }
}
