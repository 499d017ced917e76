//! Trees: what a node is to be, and the fewest operations that make it so.

use std::collections::BTreeMap;

use crate::model::Found;
use crate::op::{Act, Op};
use crate::path::{Key, Path};
use crate::value::Value;

/// A node by itself, with all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A leaf.
    Leaf(Value),
    /// A dict.
    Dict(BTreeMap<Key, Tree>),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Dict(BTreeMap::new())
    }
}

impl<V: Into<Value>> From<V> for Tree {
    fn from(value: V) -> Self {
        Self::Leaf(value.into())
    }
}

impl Tree {
    /// A dict of these.
    pub fn dict<K: Into<Key>>(children: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Dict(children.into_iter().map(|(key, child)| (key.into(), child)).collect())
    }

    /// Appends what makes the node at a path this tree, whatever is there.
    pub fn set(&self, path: &mut Path, ops: &mut Vec<Op>) {
        match self {
            Self::Leaf(value) => ops.push(Op { path: path.clone(), act: Act::Set(value.clone()) }),
            Self::Dict(children) => {
                ops.push(Op { path: path.clone(), act: Act::Clear });
                for (key, child) in children {
                    path.push(key.clone());
                    child.set(path, ops);
                    path.pop();
                }
            }
        }
    }

    /// Appends what makes of what was found at a path this tree: nothing where both are the same.
    pub fn change(&self, found: Option<Found<'_>>, path: &mut Path, ops: &mut Vec<Op>) {
        match (found, self) {
            (Some(Found::Leaf(old)), Self::Leaf(new)) if old == new => {}
            (Some(Found::Dict(branch)), Self::Dict(children)) => {
                for (key, _) in branch.children() {
                    if !children.contains_key(key) {
                        path.push(key.clone());
                        ops.push(Op::delete(path.clone()));
                        path.pop();
                    }
                }
                for (key, child) in children {
                    path.push(key.clone());
                    child.change(branch.get(key), path, ops);
                    path.pop();
                }
            }
            _ => self.set(path, ops),
        }
    }
}

#[cfg(test)]
mod tests;
