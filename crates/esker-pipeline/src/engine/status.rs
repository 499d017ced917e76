//! How a project stands, for people: a value that is replaced whenever it changes.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use esker_wire::record::RunRecord;
use jiff::Timestamp;

use crate::definition::Definition;
use crate::plan::{Plan, State};

/// How a project stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Every source and stage, in the order of the definition.
    pub parts: Vec<Part>,
    /// Why the store cannot be used, if it cannot; it is tried again.
    pub store: Option<String>,
    /// What is wrong with `esker.toml`, if something is; the last good one stays in force.
    pub definition: Option<String>,
}

/// Whether a part brings data in or computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A source.
    Source,
    /// A stage.
    Stage,
}

/// How a source or stage stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it stands.
    pub state: State,
    /// Since when, as far as this engine has seen.
    pub since: Timestamp,
    /// When it runs next, if it has a schedule.
    pub next: Option<Timestamp>,
    /// What it makes.
    pub outputs: Vec<Resource>,
    /// What went wrong last, in one line, if it has failed since it last went well.
    pub failure: Option<String>,
    /// How long the last run took, in milliseconds.
    pub duration_ms: Option<u64>,
}

impl Status {
    /// The status after a plan was made; what has not changed keeps its `since`.
    pub(super) fn after(
        &self,
        definition: &Definition,
        plan: &Plan,
        records: &BTreeMap<String, RunRecord>,
        now: Timestamp,
    ) -> Self {
        let part = |name: &str, kind: Kind, outputs: &[Resource]| {
            let record = records.get(name);
            let failure = record.and_then(|record| record.failure.as_ref());
            let state = plan.states.get(name).cloned().unwrap_or(State::Stale);
            let before = self.parts.iter().find(|part| part.name == name);
            let since = match (before, failure) {
                (Some(before), _) if before.state == state => before.since,
                (_, Some(failure)) if state == State::Problem => failure.since,
                _ => now,
            };
            Part {
                name: name.to_owned(),
                kind,
                state,
                since,
                next: plan.next.get(name).copied(),
                outputs: outputs.to_vec(),
                failure: failure.map(|failure| failure.summary.clone()),
                duration_ms: record.map(|record| record.duration_ms),
            }
        };
        let sources = definition.sources.iter().map(|source| {
            let outputs = std::slice::from_ref(&source.output);
            part(&source.name, Kind::Source, outputs)
        });
        let stages = definition.stages.iter();
        let stages = stages.map(|stage| part(&stage.name, Kind::Stage, &stage.outputs));
        Self {
            parts: sources.chain(stages).collect(),
            store: None,
            definition: self.definition.clone(),
        }
    }
}
