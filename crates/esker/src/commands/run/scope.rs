//! What is to be run: what a person names and what that is made from, or all there is.

use std::collections::BTreeSet;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::engine::status::{Part, Status};
use esker_pipeline::plan::State;
use esker_wire::name::Resource;
use jiff::{SignedDuration, Timestamp};

use crate::cli::Run;
use crate::say::hinted;

/// How long another try is waited for; a server may ask to be left alone for longer.
const RETRY_MAX: SignedDuration = SignedDuration::from_mins(6);

/// What is to be run.
pub(super) struct Scope {
    /// What is named, or all.
    pub(super) targets: BTreeSet<String>,
    /// The same and everything above it.
    pub(super) wanted: BTreeSet<String>,
    /// Whether nothing is named.
    pub(super) is_all: bool,
}

impl Scope {
    pub(super) fn of(definition: &Definition, asked: &Run) -> Result<Self> {
        let is_all = asked.names.is_empty();
        let targets: BTreeSet<String> = if is_all {
            definition.names().map(str::to_owned).collect()
        } else {
            asked.names.iter().map(|name| named(definition, name)).collect::<Result<_>>()?
        };
        let wanted = definition.with_above(targets.iter().cloned());
        Ok(Self { targets, wanted, is_all })
    }

    /// The parts that are to be run.
    pub(super) fn parts<'s>(&'s self, status: &'s Status) -> impl Iterator<Item = &'s Part> {
        status.parts.iter().filter(|part| self.wanted.contains(&part.name))
    }

    /// Whether nothing of it is left to do. A source that has run has done what it should, though it may be due again.
    pub(super) fn is_settled(&self, status: &Status, has_run: impl Fn(&Part) -> bool) -> bool {
        let is_left = |part: &Part| match part.state {
            State::Stale | State::Running => !has_run(part),
            State::Retry(at) => at.duration_since(Timestamp::now()) <= RETRY_MAX,
            State::Fresh | State::Waiting(_) | State::Problem => false,
        };
        let is_seen = self.wanted.is_empty() || !status.parts.is_empty();
        is_seen && status.store.is_none() && !self.parts(status).any(is_left)
    }
}

/// The source or stage of a name, or that makes a resource of the name.
fn named(definition: &Definition, name: &str) -> Result<String> {
    if definition.names().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let is = |resource: &Resource| resource.as_str() == name;
    let source = definition.sources.iter().find(|source| is(&source.output));
    let stage = definition.stages.iter().find(|stage| stage.outputs.iter().any(is));
    let maker = source.map(|source| &source.name).or(stage.map(|stage| &stage.name));
    maker.cloned().ok_or_else(|| {
        let known: Vec<&str> = definition.names().collect();
        let hint = match known.as_slice() {
            [] => "esker.toml has neither sources nor stages".to_owned(),
            known => format!("there are: {}", known.join(", ")),
        };
        hinted(format!("no source or stage is called {name}"), hint)
    })
}
