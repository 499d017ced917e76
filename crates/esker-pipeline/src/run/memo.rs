//! Results of earlier runs: what was computed before for the same key is taken from the store, and no program starts.
//!
//! The records of a stage's runs are one resource, so its history tells what each run left: also those that found
//! their outputs unchanged. Which that are is kept in memory, and completed from the store before each run.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

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

impl Memo {
    /// The last record that was read of a stage. Whoever knows too much forgets all.
    fn until(&self, stage: &str) -> Option<Revision> {
        self.with(stage, |known| {
            if known.left.len() >= 2 * RUNS_MAX as usize {
                *known = Known::default();
            }
            known.until
        })
    }

    /// Several may do so at once, so nothing is taken out to be worked on.
    fn with<T>(&self, stage: &str, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(stage) {
            all.insert(stage.to_owned(), Known::default());
        }
        work(all.get_mut(stage).expect("it was just put there"))
    }

    /// Takes note of a run that the records on `records` do not tell of: one of a what-if.
    pub(crate) fn learn(&self, branch: &Branch, record: &RunRecord) {
        let left = (branch.clone(), record.outputs.clone());
        self.with(&record.stage, |known| known.left.insert(record.run_key.clone(), left));
    }
}

/// What an earlier run made for the same key, if one did and all of it is still there.
pub(super) fn find(
    (bench, line): (&Bench, &Line),
    run: &Run,
    run_key: &str,
) -> Result<Option<Made>, Halt> {
    let (memo, stage) = (&bench.memo, run.name());
    let until = memo.until(stage);
    match records((bench, line), stage, until)? {
        Ok((left, last)) => memo.with(stage, |known| {
            known.left.extend(left);
            known.until = last.or(known.until);
        }),
        // Without the records the program runs: it gives the same. What was read last may be there no more.
        Err(fault) => {
            if matches!(fault.code, Code::NotFound | Code::BadRequest) {
                memo.with(stage, |known| *known = Known::default());
            }
            return Ok(None);
        }
    }
    match memo.with(stage, |known| known.left.get(run_key).cloned()) {
        Some(left) => contents((bench, line), run, &left),
        None => Ok(None),
    }
}

/// What runs left, by their keys, and the last of their records.
type Left = (Vec<(String, (Branch, Vec<Input>))>, Option<Revision>);

/// Reads the records that were written since the last time.
fn records(
    (bench, line): (&Bench, &Line),
    stage: &str,
    until: Option<Revision>,
) -> Result<Result<Left, Fault>, Halt> {
    let resource = match RunRecord::resource(stage) {
        Ok(resource) => resource,
        Err(fault) => return Ok(Err(fault)),
    };
    let log = Log {
        resource: Some(resource.clone()),
        at: At::head(),
        branch: Branch::records(),
        limit: RUNS_MAX,
        filter: Filter { since: until.map(At::from), ..Filter::default() },
        after: None,
    };
    let page = match line.ask(bench, &log)? {
        Ok(page) => page,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut left = Vec::new();
    let last = page.entries.first().map(|entry| entry.revision);
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
            left.push((record.run_key, (Branch::main(), record.outputs)));
        }
    }
    Ok(Ok((left, last)))
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
