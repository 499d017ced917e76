//! What is fresh for sure: an earlier look has found it so, and nothing that it depends on has been touched since.
//! The planner need not work it out again; it would find the same.

use std::collections::{HashMap, HashSet};

use esker_wire::name::Resource;

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

/// The stages that are fresh for sure.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    names: HashSet<String>,
    /// Who reads or makes a resource.
    about: HashMap<Resource, Vec<String>>,
}

impl Fresh {
    /// Another definition is in force: nothing is sure.
    pub(super) fn adopt(&mut self, definition: &Definition) {
        self.clear();
        self.about.clear();
        for stage in &definition.stages {
            for resource in stage.inputs.iter().chain(&stage.outputs) {
                self.about.entry(resource.clone()).or_default().push(stage.name.clone());
            }
        }
    }

    /// Nothing is sure.
    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    pub(super) fn names(&self) -> &HashSet<String> {
        &self.names
    }

    /// What depends on the news is not sure any more.
    pub(super) fn touch(&mut self, news: &News) {
        if news.all {
            self.clear();
        }
        let readers = news.resources.iter().filter_map(|resource| self.about.get(resource));
        for name in readers.flatten().chain(&news.names) {
            self.names.remove(name);
        }
    }

    /// A look has found these to be fresh.
    pub(super) fn learn(&mut self, definition: &Definition, plan: &Plan) {
        for stage in &definition.stages {
            let is_new = !self.names.contains(&stage.name);
            if is_new && plan.states.get(&stage.name) == Some(&State::Fresh) {
                self.names.insert(stage.name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
