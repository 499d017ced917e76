//! What pulls remember while esker runs and may forget: that a while ago, too, nothing was new.
//!
//! A pull that changes nothing stores nothing, so what it found out about time would be found out again and again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use esker_wire::revision::Revision;
use jiff::Timestamp;

use crate::plan::Run;

/// What was found of each source, by its name.
#[derive(Debug, Default)]
pub(crate) struct Recall(Mutex<BTreeMap<String, (Of, Times)>>);

/// What something was found of.
#[derive(Debug, PartialEq, Eq)]
struct Of {
    run_key: String,
    head: Option<Revision>,
}

/// When a source was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// When all that has changed until then was known.
    pub(super) at: Timestamp,
    /// When it was last looked what there is at all.
    pub(super) census: Timestamp,
}

impl Recall {
    /// What was found of the version that is there.
    pub(super) fn of(&self, run: &Run) -> Option<Times> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(run.name()).filter(|(found, _)| *found == of(run)).map(|(_, times)| *times)
    }

    pub(super) fn keep(&self, run: &Run, times: Times) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(run.name().to_owned(), (of(run), times));
    }
}

fn of(run: &Run) -> Of {
    Of { run_key: run.run_key.clone(), head: run.outputs.first().and_then(|(_, head)| *head) }
}
