//! What something is made from: the sources and stages that must be up to date for it to be.

use std::collections::{BTreeSet, HashMap};

use esker_wire::name::Resource;

use super::Definition;

impl Definition {
    /// These sources and stages, and every one above them.
    pub fn with_above(&self, names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut makers: HashMap<&Resource, &str> = HashMap::new();
        for source in &self.sources {
            makers.insert(&source.output, &source.name);
        }
        for stage in &self.stages {
            makers.extend(stage.outputs.iter().map(|output| (output, stage.name.as_str())));
        }
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = names.into_iter().collect();
        while let Some(name) = open.pop() {
            let stage = self.stages.iter().find(|stage| stage.name == name);
            let inputs = stage.into_iter().flat_map(|stage| &stage.inputs);
            let above = inputs.filter_map(|input| makers.get(input));
            let above: Vec<String> = above.map(|name| (*name).to_owned()).collect();
            if found.insert(name) {
                open.extend(above);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
