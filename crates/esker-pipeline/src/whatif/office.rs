//! What all what-ifs of a project share: what is remembered, and how many are worked on and run at once.

use std::sync::Arc;
use std::time::Duration;

use esker_bus::caller::Caller;

use crate::run::line::Line;
use crate::run::load::Load;
use crate::run::{Bench, Halt};

use super::flights::Flights;
use super::shelf::Shelf;

/// How many are worked on at once: one whose programs take long keeps others with little to do from nothing.
const CASES_MAX: usize = 16;

/// How soon one whose program waits for room looks again.
const TURN_LOOK: Duration = Duration::from_millis(5);

/// What all what-ifs of a project share.
pub(super) struct Office {
    pub(super) bench: Bench,
    /// How many are worked on at once; the programs that they run have slots of their own.
    cases: Load,
    pub(super) flights: Flights,
    pub(super) shelf: Shelf,
}

impl Office {
    pub(super) fn new(bench: &Bench) -> Self {
        // What is remembered of what-ifs is theirs alone: `main` takes nothing that was not made on it.
        let (load, memo) = (Arc::<Load>::default(), Arc::default());
        let shelf = Shelf::new(&bench.dir);
        let cases = Load::default();
        cases.set(CASES_MAX);
        let bench = Bench { load, memo, ..bench.clone() };
        Self { bench, cases, flights: Flights::default(), shelf }
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.bench.caller
    }

    /// How many of their programs may run at once.
    pub(super) fn load_set(&self, jobs: usize) {
        self.bench.load.set(jobs);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.cases.is_idle()
    }
}

/// The right to work on one.
pub(super) struct Slot(Arc<Office>);

impl Slot {
    pub(super) fn take(office: &Arc<Office>) -> Option<Self> {
        office.cases.begin().then(|| Self(Arc::clone(office)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.cases.end();
    }
}

/// The right to run one program of a what-if.
pub(super) struct Turn<'a>(&'a Load);

impl<'a> Turn<'a> {
    /// Waits for it.
    pub(super) fn wait(load: &'a Load, line: &Line) -> Result<Self, Halt> {
        while !load.begin() {
            line.pause(TURN_LOOK)?;
        }
        load.nobody_waits();
        Ok(Self(load))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
