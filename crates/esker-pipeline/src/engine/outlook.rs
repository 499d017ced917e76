//! How a project stands, seen by a process that does not run it: the same files, the same store, the same planner.
//!
//! What depends on environment variables is the one thing it cannot tell: those of the engine are not its own. Parts that
//! are given some are taken for what their records say.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use jiff::Timestamp;

use crate::definition::defect::Defect;
use crate::plan::{self, State, World};
use crate::record::is_asked;

use super::heads::Cut;
use super::ledger::Ledger;
use super::library::Library;
use super::lull::Lulls;
use super::status::{Seen, Status};

/// A look at a project that another process runs.
pub struct Outlook {
    caller: Caller,
    library: Library,
    ledger: Ledger,
    status: Status,
}

impl Outlook {
    /// Prepares to look at a project.
    ///
    /// # Errors
    /// Every defect of a definition that cannot be used.
    pub fn open(dir: &Path, caller: Caller) -> Result<Self, Vec<Defect>> {
        let library = Library::open(dir)?;
        Ok(Self { caller, library, ledger: Ledger::default(), status: Status::default() })
    }

    /// How everything stands now; what runs is shown as about to run.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn look(&mut self) -> Result<Arc<Status>, Fault> {
        self.library.turn();
        self.library.look();
        let cut = self.ledger.read(&self.caller, self.library.definition())?;
        let definition = Arc::clone(self.library.definition());
        let now = Timestamp::now();
        let world = World {
            definition: &definition,
            at: cut.at,
            heads: &cut.heads,
            records: self.ledger.records(),
            prints: self.library.prints(),
            queues: self.ledger.queues(),
            busy: &BTreeMap::new(),
            held: &BTreeSet::new(),
            now,
        };
        let mut plan = plan::plan(&world, &HashSet::new());
        for (name, state) in &mut plan.states {
            let given = self.library.prints().get(name).is_some_and(|print| !print.env.is_empty());
            let record = self.ledger.records().get(name);
            if let Some(record) = record.filter(|record| given && !is_asked(record)) {
                *state = by_record(&cut, record, state);
            }
        }
        self.status = self.status.after(&Seen {
            definition: &definition,
            plan: &plan,
            records: self.ledger.records(),
            lulls: &Lulls::default(),
            progress: &BTreeMap::new(),
            now,
        });
        Ok(Arc::new(self.status.clone()))
    }
}

/// How a part stands as far as its last run tells.
fn by_record(cut: &Cut, record: &RunRecord, planned: &State) -> State {
    let is_there = |version: &Input| {
        let head = cut.heads.get(&version.resource);
        head.is_some_and(|head| head.revision == version.revision)
    };
    let is_same = record.inputs.iter().all(is_there);
    match record.ended {
        _ if matches!(planned, State::Waiting(_)) => planned.clone(),
        Ended::Retry => match record.failure.as_ref().and_then(|failure| failure.not_before) {
            Some(time) => State::Retry(time),
            None => State::Stale,
        },
        _ if !is_same => State::Stale,
        Ended::Problem => State::Problem,
        Ended::Stored | Ended::Unchanged if record.outputs.iter().all(is_there) => State::Fresh,
        Ended::Stored | Ended::Unchanged => State::Stale,
    }
}
