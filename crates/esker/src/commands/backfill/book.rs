//! A backfill as it stands on its branch: what it is, and what has come of each version so far. The branch is all the
//! state there is: a backfill that was killed goes on from it.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use anyhow::Result;
use esker_pipeline::past::{self, Broken, Contents};
use esker_wire::backfill::{ABOUT, About};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::{Input, Provenance};
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Branches, Expect, Get, Item, Log, Put, Stat};
use jiff::Timestamp;

use crate::commands::pages;
use crate::reach::{Hub, found};
use crate::say::hinted;

/// A backfill.
pub(super) struct Book {
    pub(super) id: String,
    pub(super) branch: Branch,
    pub(super) about: About,
    /// What has come of each version, by its inputs.
    pub(super) done: BTreeMap<Vec<Input>, Done>,
    /// Where the result for each run key is.
    pub(super) keys: HashMap<String, Revision>,
    /// The last record.
    last: Option<Revision>,
    /// Where it was last said what this is.
    told: Revision,
}

/// What has come of one version.
#[derive(Debug, Clone)]
pub(super) struct Done {
    /// The commit of the branch.
    pub(super) revision: Revision,
    /// Why there is no result, if there is none.
    pub(super) failed: Option<String>,
}

/// What has come of one version, to be kept.
pub(super) struct Page {
    pub(super) contents: Result<Contents, Broken>,
    pub(super) warnings: Vec<String>,
    pub(super) provenance: Provenance,
}

impl Book {
    /// The backfill of this id, if there is one.
    pub(super) fn open(hub: &Hub, id: &str) -> Result<Option<Self>> {
        let Some(branch) = past::branch(id) else {
            return Ok(None);
        };
        let ask = Get { branch: branch.clone(), ..Get::head(ABOUT.parse()?) };
        let Some(content) = found(hub.call(&ask))? else {
            return Ok(None);
        };
        let about = About::from_bytes(&content.bytes.unwrap_or_default())?;
        let (id, told) = (id.to_owned(), content.entry.revision);
        let (done, keys) = (BTreeMap::new(), HashMap::new());
        let mut book = Self { id, branch, about, done, keys, last: None, told };
        book.read(hub)?;
        Ok(Some(book))
    }

    /// Begins one, or goes on with the one there is.
    pub(super) fn begin(hub: &Hub, id: &str, about: &About) -> Result<Self> {
        if let Some(book) = Self::open(hub, id)? {
            return Ok(book);
        }
        let gone = || hinted(format!("the backfill {id} is gone"), "run the same again");
        let branch = past::branch(id).ok_or_else(gone)?;
        let item = item(ABOUT.parse()?, about.to_bytes(), Some(Expect::Absent));
        put(hub, &commit(vec![item], &branch, format!("{}: a backfill is begun", about.stage)))?;
        Self::open(hub, id)?.ok_or_else(gone)
    }

    /// Every backfill there is, oldest first.
    pub(super) fn all(hub: &Hub) -> Result<Vec<Self>> {
        let branches = hub.call(&Branches { prefix: past::BACKFILLS.to_owned() })?;
        let mut books = Vec::new();
        for (branch, _) in branches {
            if let Some(id) = branch.as_str().strip_prefix(past::BACKFILLS) {
                books.extend(Self::open(hub, id)?);
            }
        }
        books.sort_by_key(|book| book.about.begun);
        Ok(books)
    }

    /// The one that is meant: by its id, or the beginning of it if no other begins so.
    pub(super) fn find(hub: &Hub, text: &str) -> Result<Self> {
        if let Some(book) = Self::open(hub, text)? {
            return Ok(book);
        }
        let mut near = Self::all(hub)?;
        near.retain(|book| book.id.starts_with(text));
        match near.len() {
            1 => Ok(near.remove(0)),
            0 => Err(hinted(format!("there is no backfill {text}"), "see: esker backfill list")),
            several => {
                let ids: Vec<&str> = near.iter().map(|book| book.id.as_str()).collect();
                let what = format!("{several} backfills begin with {text}");
                Err(hinted(what, format!("they are {}", ids.join(", "))))
            }
        }
    }

    fn record(&self) -> Result<Resource> {
        Ok(RunRecord::resource(&self.about.stage)?)
    }

    /// Reads what has come of the versions; of several words on one the newest counts.
    fn read(&mut self, hub: &Hub) -> Result<()> {
        let (resource, branch) = (Some(self.record()?), self.branch.clone());
        let log = Log { resource, branch, ..Log::newest(0) };
        found(pages::walk(hub, &log, |entry| {
            self.last = self.last.or(Some(entry.revision));
            if let Some(made) = entry.provenance {
                let failed = (made.exit != 0).then_some(entry.summary);
                if failed.is_none() {
                    self.keys.entry(made.run_key).or_insert(entry.revision);
                }
                let done = Done { revision: entry.revision, failed };
                self.done.entry(made.inputs).or_insert(done);
            }
            Ok(ControlFlow::Continue(()))
        }))?;
        Ok(())
    }

    /// Where the result for a version is, if there is one.
    pub(super) fn good(&self, inputs: &[Input]) -> Option<Revision> {
        let done = self.done.get(inputs).filter(|done| done.failed.is_none());
        done.map(|done| done.revision)
    }

    /// How many versions have a result, and how many have failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        let good = self.done.values().filter(|done| done.failed.is_none()).count();
        (good, self.done.len() - good)
    }

    /// Keeps what has come of a version, unless the same is known of it already.
    pub(super) fn keep(&mut self, hub: &Hub, page: Page) -> Result<()> {
        let Page { contents, warnings, provenance } = page;
        let stage = &self.about.stage;
        let summary = match &contents {
            Ok(_) => format!("{stage}: computed anew"),
            Err(broken) => {
                format!("{stage}: failed: {}", broken.summary.replace(['\n', '\r'], " "))
            }
        };
        let known = self.done.get(&provenance.inputs).and_then(|done| done.failed.as_ref());
        if contents.is_err() && known == Some(&summary) {
            return Ok(());
        }
        let record = record(&provenance, contents.as_ref().err(), warnings).to_bytes();
        let head = self.last.map_or(Expect::Absent, Expect::Revision);
        let mut items = vec![item(self.record()?, record, Some(head))];
        let is_good = contents.is_ok();
        let contents = contents.unwrap_or_default().into_iter();
        items.extend(contents.map(|(resource, bytes)| item(resource, bytes, None)));
        let request = Put {
            provenance: Some(provenance.clone()),
            ..commit(items, &self.branch, summary.clone())
        };
        let revision = put(hub, &request)?;
        self.last = Some(revision);
        if is_good {
            self.keys.insert(provenance.run_key, revision);
        }
        let failed = (!is_good).then_some(summary);
        self.done.insert(provenance.inputs, Done { revision, failed });
        Ok(())
    }

    /// What a result is remembered by.
    pub(super) fn provenance(&self, hub: &Hub, revision: Revision) -> Result<Option<Provenance>> {
        let branch = self.branch.clone();
        let ask = Stat { resource: self.record()?, at: revision.into(), branch };
        Ok(hub.call(&ask)?.provenance)
    }

    /// Says that its results are adopted.
    pub(super) fn adopted(&mut self, hub: &Hub) -> Result<()> {
        let about = About { adopted: Some(Timestamp::now()), ..self.about.clone() };
        let item = item(ABOUT.parse()?, about.to_bytes(), Some(Expect::Revision(self.told)));
        let message = format!("{}: adopted", about.stage);
        self.told = put(hub, &commit(vec![item], &self.branch, message))?;
        self.about = about;
        Ok(())
    }
}

fn item(resource: Resource, content: impl Into<bytes::Bytes>, if_head: Option<Expect>) -> Item {
    Item { resource, content: Some(content.into()), if_head, content_type: None }
}

fn commit(items: Vec<Item>, branch: &Branch, message: String) -> Put {
    let (branch, message) = (branch.clone(), Some(message));
    Put { items, branch, message, author: None, provenance: None, base: None }
}

/// The record of one version. Its outputs are what the same commit holds.
fn record(made: &Provenance, broken: Option<&Broken>, warnings: Vec<String>) -> RunRecord {
    RunRecord {
        stage: made.stage.clone(),
        run_key: made.run_key.clone(),
        ended: if broken.is_some() { Ended::Problem } else { Ended::Stored },
        inputs: made.inputs.clone(),
        outputs: Vec::new(),
        started: made.started,
        duration_ms: made.duration_ms,
        failure: broken.map(|broken| Failure {
            summary: broken.summary.clone(),
            hint: broken.hint.clone(),
            detail: broken.detail.clone(),
            count: 1,
            since: made.started,
            not_before: None,
        }),
        warnings,
    }
}

/// Stores. That somebody else has stored meanwhile means that two work on one backfill.
fn put(hub: &Hub, put: &Put) -> Result<Revision> {
    hub.call(put).map(|stored| stored.revision).map_err(|error| {
        let fault = error.downcast_ref::<Fault>();
        if fault.is_some_and(|fault| fault.code == Code::Conflict) {
            let what = format!("another esker works on the backfill {}", put.branch);
            return hinted(what, "wait until it is done, then run the same again");
        }
        error
    })
}
