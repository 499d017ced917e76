//! What is made from what a source or stage makes: what stays behind when it fails.

use std::collections::{HashMap, HashSet};

use esker_wire::name::Resource;

use super::{Definition, Stage};

impl Definition {
    /// Every stage that reads, by whatever way, what a source or stage makes, in the order of the file.
    pub fn below(&self, name: &str) -> Vec<&Stage> {
        let mut readers: HashMap<&Resource, Vec<&Stage>> = HashMap::new();
        for stage in &self.stages {
            for input in &stage.inputs {
                readers.entry(input).or_default().push(stage);
            }
        }
        let source = self.sources.iter().find(|source| source.name == name);
        let stage = self.stages.iter().find(|stage| stage.name == name);
        let mut made: Vec<&Resource> = source.map(|source| &source.output).into_iter().collect();
        made.extend(stage.into_iter().flat_map(|stage| &stage.outputs));
        let mut found: HashSet<&str> = HashSet::new();
        while let Some(resource) = made.pop() {
            for reader in readers.get(resource).into_iter().flatten() {
                if found.insert(&reader.name) {
                    made.extend(&reader.outputs);
                }
            }
        }
        self.stages.iter().filter(|stage| found.contains(stage.name.as_str())).collect()
    }
}

#[cfg(test)]
mod tests;
