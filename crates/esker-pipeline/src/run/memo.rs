//! Results of earlier runs: what was computed before for the same key is taken from the store, and no program starts.
//!
//! The records of a stage's runs are one resource, so its history tells what each run left: also those that found
//! their outputs unchanged. Which that are is kept in memory, and completed from the store before each run.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Filter, Get, Log};

use crate::plan::Run;

use super::line::Line;
use super::{Bench, Halt, Made};

/// How many of a stage's last runs are known.
const RUNS_MAX: u32 = 1_000;

/// What the last runs of each stage left, by the stage's name.
#[derive(Debug, Default)]
pub(crate) struct Memo(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The last record that was read.
    until: Option<Revision>,
    /// The outputs and the branch they are on, by run key.
    left: HashMap<String, (Branch, Vec<Input>)>,
}

/// Runs that records tell of: the key of each with what it left, and the last record that was read.
type News = (Vec<(String, Vec<Input>)>, Option<Revision>);

impl Memo {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a run that the records on `records` do not tell of: one of a what-if.
    pub(crate) fn learn(&self, branch: &Branch, record: &RunRecord) {
        let left = (branch.clone(), record.outputs.clone());
        let mut all = self.all();
        all.entry(record.stage.clone()).or_default().left.insert(record.run_key.clone(), left);
    }

    /// The last record of a stage that was read; forgets what is known when that is much.
    fn until(&self, stage: &str) -> Option<Revision> {
        let mut all = self.all();
        if all.get(stage).is_some_and(|known| known.left.len() >= 2 * RUNS_MAX as usize) {
            all.remove(stage);
        }
        all.get(stage)?.until
    }

    /// Takes note of records that were read, up to one. Several runs may read at once: nothing that one has noted is
    /// lost by another.
    fn take(&self, stage: &str, (news, until): News) {
        let mut all = self.all();
        let known = all.entry(stage.to_owned()).or_default();
        let news = news.into_iter().map(|(run_key, outputs)| (run_key, (Branch::main(), outputs)));
        known.left.extend(news);
        known.until = until.or(known.until);
    }

    fn left(&self, stage: &str, run_key: &str) -> Option<(Branch, Vec<Input>)> {
        self.all().get(stage)?.left.get(run_key).cloned()
    }
}

/// What an earlier run made for the same key, if one did and all of it is still there.
pub(super) fn find(
    (bench, line): (&Bench, &Line),
    run: &Run,
    run_key: &str,
) -> Result<Option<Made>, Halt> {
    let (memo, stage) = (&bench.memo, run.name());
    let since = memo.until(stage);
    match news((bench, line), stage, since)? {
        Ok(news) => memo.take(stage, news),
        // Without the records the program runs: it gives the same. What was read last may be there no more.
        Err(fault) => {
            if matches!(fault.code, Code::NotFound | Code::BadRequest) {
                memo.all().remove(stage);
            }
            return Ok(None);
        }
    }
    match memo.left(stage, run_key) {
        Some(left) => contents((bench, line), run, &left),
        None => Ok(None),
    }
}

/// Reads the records that were written since one.
fn news(
    (bench, line): (&Bench, &Line),
    stage: &str,
    since: Option<Revision>,
) -> Result<Result<News, Fault>, Halt> {
    let resource = match RunRecord::resource(stage) {
        Ok(resource) => resource,
        Err(fault) => return Ok(Err(fault)),
    };
    let log = Log {
        resource: Some(resource.clone()),
        at: At::head(),
        branch: Branch::records(),
        limit: RUNS_MAX,
        filter: Filter { since: since.map(At::from), ..Filter::default() },
        after: None,
    };
    let page = match line.ask(bench, &log)? {
        Ok(page) => page,
        Err(fault) => return Ok(Err(fault)),
    };
    let (mut news, mut until) = (Vec::new(), None);
    for entry in page.entries.into_iter().rev() {
        let at = At::from(entry.revision);
        let (resource, branch) = (resource.clone(), Branch::records());
        let get = Get { resource, at, branch, range: None, unless: None };
        // What is removed or unreadable tells nothing.
        if let Ok(content) = line.ask(bench, &get)?
            && let Some(bytes) = content.bytes
            && let Ok(record) = RunRecord::from_bytes(&bytes)
            && matches!(record.ended, Ended::Stored | Ended::Unchanged)
        {
            news.push((record.run_key, record.outputs));
        }
        until = Some(entry.revision);
    }
    Ok(Ok((news, until)))
}

/// What the outputs held at these revisions.
fn contents(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (branch, left): &(Branch, Vec<Input>),
) -> Result<Option<Made>, Halt> {
    let mut contents = Vec::new();
    for (name, _) in &run.outputs {
        let Some(output) = left.iter().find(|output| output.resource == *name) else {
            return Ok(None);
        };
        let (at, branch) = (At::from(output.revision), branch.clone());
        let get = Get { at, branch, ..Get::head(name.clone()) };
        let Ok(content) = line.ask(bench, &get)? else {
            return Ok(None);
        };
        let Some(bytes) = content.bytes else {
            return Ok(None);
        };
        contents.push((name.clone(), bytes));
    }
    Ok(Some(Made::new(contents, None)))
}
