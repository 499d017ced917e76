//! How a project stands, for people: a value that is replaced whenever it changes.

use std::collections::{BTreeMap, HashMap};

use esker_wire::name::Resource;
use esker_wire::record::RunRecord;
use jiff::Timestamp;

use crate::definition::Definition;
use crate::plan::{Plan, State};

use super::lull::Lulls;

/// How a project stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Every source and stage, in the order of the definition.
    pub parts: Vec<Part>,
    /// Why the store cannot be used, or does not take what was made, if so; it is tried again.
    pub store: Option<String>,
    /// What is wrong with `esker.toml`, if something is; the last good one stays in force.
    pub definition: Option<String>,
}

/// Whether a part of the definition brings data in or computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A source.
    Source,
    /// A stage.
    Stage,
}

/// How a source or stage stands: one part of the definition.
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
    /// How far its program says it is, while it runs.
    pub progress: Option<String>,
    /// What it makes.
    pub outputs: Vec<Resource>,
    /// What went wrong last, in one line: if it has failed since it last went well, or if for some time nothing
    /// has come of its runs.
    pub failure: Option<String>,
    /// How long the last run took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What keeps it on its last good version, if something above it has failed.
    pub behind: Option<Behind>,
}

/// Why what a part makes is not made from what is newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The source or stage above it that failed; the one that did first, if several have.
    pub because: String,
    /// Since when that fails.
    pub since: Timestamp,
}

/// What is behind, by its name.
fn behind(
    definition: &Definition,
    records: &BTreeMap<String, RunRecord>,
) -> BTreeMap<String, Behind> {
    let mut behind: BTreeMap<String, Behind> = BTreeMap::new();
    for (name, record) in records {
        let Some(failure) = &record.failure else {
            continue;
        };
        for stage in definition.below(name) {
            let known = behind.get(&stage.name);
            if known.is_none_or(|known| failure.since < known.since) {
                let because = Behind { because: name.clone(), since: failure.since };
                behind.insert(stage.name.clone(), because);
            }
        }
    }
    behind
}

/// What a status is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) definition: &'a Definition,
    pub(super) plan: &'a Plan,
    pub(super) records: &'a BTreeMap<String, RunRecord>,
    pub(super) lulls: &'a Lulls,
    pub(super) progress: &'a BTreeMap<String, String>,
    pub(super) now: Timestamp,
}

/// Whether it stands as before; that it is tried again later than was said is no change.
fn is_same(before: &State, after: &State) -> bool {
    before == after || matches!((before, after), (State::Retry(_), State::Retry(_)))
}

impl Status {
    /// The status after a plan was made; what has not changed keeps its `since`.
    pub(super) fn after(&self, seen: &Seen<'_>) -> Self {
        let Seen { definition, plan, records, lulls, progress, now } = *seen;
        let behind = behind(definition, records);
        let before: HashMap<&str, &Part> =
            self.parts.iter().map(|part| (part.name.as_str(), part)).collect();
        let part = |name: &str, kind: Kind, outputs: &[Resource]| {
            let record = records.get(name);
            let failure = record.and_then(|record| record.failure.as_ref());
            let state = plan.states.get(name).cloned().unwrap_or(State::Stale);
            let since = match (before.get(name), failure) {
                (Some(before), _) if is_same(&before.state, &state) => before.since,
                (_, Some(failure)) if state == State::Problem => failure.since,
                _ => now,
            };
            Part {
                name: name.to_owned(),
                kind,
                state,
                since,
                next: plan.next.get(name).copied(),
                progress: progress.get(name).cloned(),
                outputs: outputs.to_vec(),
                failure: lulls
                    .why(name)
                    .or(failure.map(|failure| failure.summary.as_str()))
                    .map(str::to_owned),
                duration_ms: record.map(|record| record.duration_ms),
                behind: behind.get(name).cloned(),
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
