//! Audits: whether the digests that are kept are those of what is there. Nothing but failing memory, or a mistake of ours, makes
//! them differ.

use std::sync::Arc;
use std::time::Duration;

use super::Model;
use super::dict::{Dict, Leaf, Node};
use crate::digest::{Digest, Hasher};
use crate::path::{self, Path};

/// How often a model is audited.
pub(crate) const EVERY: Duration = Duration::from_secs(600);

/// How many dicts one audit names.
const NAMED_MAX: usize = 100;

impl Model {
    /// The dicts that do not keep the digest of what they have, up to a hundred of them, in order. Looks at everything.
    pub fn audit(&self) -> Vec<Path> {
        let mut wrong = Vec::new();
        let mut open = vec![(Path::new(), &self.root)];
        let mut hasher = Hasher::default();
        while let Some((path, dict)) = open.pop() {
            if wrong.len() < NAMED_MAX && sum(dict, &path, &mut hasher) != (dict.digest, dict.nodes)
            {
                wrong.push(path.clone());
            }
            for entry in dict.entries().rev() {
                if let Node::Dict(child) = &entry.node {
                    open.push(([&path[..], std::slice::from_ref(&entry.key)].concat(), child));
                }
            }
        }
        wrong
    }

    /// Has every dict keep the digest of what it has.
    pub(crate) fn rebuild(&mut self) {
        let mut path = Path::new();
        rebuild(&mut self.root, &mut path, &mut self.hasher);
    }
}

/// Audits a model, and tells people what was found.
pub(crate) fn told(model: &Model) -> Vec<Path> {
    let wrong = model.audit();
    if let Some(path) = wrong.first() {
        let (path, count) = (path::to_json(path), wrong.len());
        tracing::error!(%path, count, "a model is not what its digests say: is this machine's memory failing?");
    }
    wrong
}

/// What a dict is to keep: its own digest and those that its children keep, and how many nodes it is.
fn sum(dict: &Dict, path: &Path, hasher: &mut Hasher) -> (Digest, u64) {
    let mut all = (hasher.dict(path), 1);
    let mut path = path.clone();
    for entry in dict.entries() {
        let (digest, nodes) = match &entry.node {
            Node::Dict(child) => (child.digest, child.nodes),
            Node::Leaf(leaf) => {
                path.push(entry.key.clone());
                let digest = hasher.leaf(&path, &leaf.value);
                path.pop();
                (digest, 1)
            }
        };
        all = (all.0 + digest, all.1 + nodes);
    }
    all
}

fn rebuild(dict: &mut Arc<Dict>, path: &mut Path, hasher: &mut Hasher) {
    let dict = Arc::make_mut(dict);
    for entry in dict.entries_mut() {
        path.push(entry.key.clone());
        match &mut entry.node {
            Node::Dict(child) => rebuild(child, path, hasher),
            Node::Leaf(leaf) => {
                *leaf = Leaf::new(leaf.value.clone(), hasher.leaf(path, &leaf.value))
            }
        }
        path.pop();
    }
    // What is below keeps what it should by now.
    let own = hasher.dict(path);
    dict.digest = own + dict.entries().map(|entry| entry.node.digest()).sum();
    dict.nodes = 1 + dict.entries().map(|entry| entry.node.nodes()).sum::<u64>();
}

#[cfg(test)]
impl Model {
    /// What failing memory may do: a leaf is another one, and nobody was told.
    pub(crate) fn corrupt(
        &mut self,
        path: &[crate::path::Key],
        value: impl Into<crate::value::Value>,
    ) {
        let digests = (self.root.digest, self.root.nodes);
        let mut dict = &mut self.root;
        let (last, above) = path.split_last().expect("a leaf's path");
        for key in above {
            let dict_ = Arc::make_mut(dict);
            let place = dict_.find(key).expect("it is there");
            let Node::Dict(child) = &mut dict_.at_mut(place).node else {
                panic!("a leaf is no dict")
            };
            dict = child;
        }
        let dict = Arc::make_mut(dict);
        let place = dict.find(last).expect("it is there");
        let Node::Leaf(leaf) = &mut dict.at_mut(place).node else { panic!("a leaf is no dict") };
        leaf.value = value.into();
        assert_eq!((self.root.digest, self.root.nodes), digests);
    }
}

#[cfg(test)]
mod tests;
