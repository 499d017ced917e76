//! What is fresh for sure: an earlier look has found it so, and nothing that it depends on has been touched since.
//! The planner need not work it out again; it would find the same.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use esker_wire::name::Resource;
use esker_wire::overrides;
use jiff::Timestamp;

use crate::definition::Definition;
use crate::plan::{Plan, State};

/// What was touched since it was last asked.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Anything may have been.
    pub(super) all: bool,
    /// Resources of which there is another version.
    pub(super) resources: Vec<Resource>,
    /// Sources and stages that have another record.
    pub(super) names: Vec<String>,
}

/// How long at most everything is taken for as it was found.
const REST_MAX: Duration = Duration::from_secs(60);

/// Everything was found as it should be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// How many sources and stages there are.
    pub(super) parts: usize,
    /// When something is to run.
    pub(super) wake: Option<Timestamp>,
    found: Instant,
}

/// What is fresh for sure.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// The stages that are.
    names: HashSet<String>,
    /// Who reads or makes a resource.
    about: HashMap<Resource, Vec<String>>,
    /// What sources make, or make more below.
    pulled: Vec<Resource>,
    /// Set if everything is.
    rest: Option<Rest>,
}

impl Fresh {
    /// Another definition is in force: nothing is sure.
    pub(super) fn adopt(&mut self, definition: &Definition) {
        self.clear();
        self.about.clear();
        let sources = definition.sources.iter();
        self.pulled = sources
            .flat_map(|source| {
                let beside = [overrides::of(&source.output), overrides::beneath(&source.output)];
                [Some(source.output.clone()), source.state()].into_iter().chain(beside)
            })
            .flatten()
            .collect();
        for stage in &definition.stages {
            let beneath = stage.outputs.iter().filter_map(overrides::beneath);
            let overrides = stage.outputs.iter().filter_map(overrides::of).chain(beneath);
            let read = stage.inputs.iter().chain(&stage.outputs).cloned();
            for resource in read.chain(overrides) {
                self.about.entry(resource).or_default().push(stage.name.clone());
            }
        }
    }

    /// Nothing is sure.
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.rest = None;
    }

    /// Whether a look would find everything as it should be, for sure.
    pub(super) fn rest(&self, now: Instant, clock: Timestamp) -> Option<Rest> {
        let is_young = |rest: &Rest| now < rest.found + REST_MAX;
        self.rest.filter(|rest| is_young(rest) && rest.wake.is_none_or(|wake| clock < wake))
    }

    pub(super) fn names(&self) -> &HashSet<String> {
        &self.names
    }

    /// What depends on the news is not sure any more.
    pub(super) fn touch(&mut self, news: &News) {
        // What is overridden may have another name than the definition says.
        let is_unknown = |name: &Resource| overrides::whose(name).is_some() && !self.concerns(name);
        if news.all || news.resources.iter().any(is_unknown) {
            self.clear();
        }
        if !news.names.is_empty() || news.resources.iter().any(|name| self.concerns(name)) {
            self.rest = None;
        }
        let readers = news.resources.iter().filter_map(|resource| self.about.get(resource));
        for name in readers.flatten().chain(&news.names) {
            self.names.remove(name);
        }
    }

    /// Whether a resource is read or made by what there is.
    fn concerns(&self, resource: &Resource) -> bool {
        let is_pulled = |output: &Resource| {
            let rest = resource.as_str().strip_prefix(output.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.about.contains_key(resource) || self.pulled.iter().any(is_pulled)
    }

    /// A look has found these to be fresh.
    pub(super) fn learn(&mut self, definition: &Definition, plan: &Plan, found: Instant) {
        for stage in &definition.stages {
            let is_new = !self.names.contains(&stage.name);
            if is_new && plan.states.get(&stage.name) == Some(&State::Fresh) {
                self.names.insert(stage.name.clone());
            }
        }
        let is_all = plan.states.values().all(|state| *state == State::Fresh);
        let rest = Rest { parts: plan.states.len(), wake: plan.wake, found };
        self.rest = is_all.then_some(rest);
    }
}

#[cfg(test)]
mod tests;
