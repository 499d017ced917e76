//! Walks over a model in the order of paths, from any path on, a page at a time.

use super::Model;
use super::dict::{Dict, Node, Place};
use crate::path::{Key, Path};
use crate::value::Value;

/// What a walk comes to: a dict before what is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// A dict.
    Dict,
    /// A leaf.
    Leaf(&'a Value),
    /// A leaf behind another one of the same dict.
    Beside(&'a Value),
}

/// A walk under one path.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The dicts that are open, and where in them it goes on.
    open: Vec<(&'a Dict, Place)>,
    /// How many keys lead to the first of them.
    base: usize,
    path: Path,
    /// The node the walk is of, and the transaction that made it, until it was told.
    first: Option<(Step<'a>, u64)>,
}

impl<'a> Walk<'a> {
    /// Everything at a path and below it.
    pub(crate) fn of(model: &'a Model, base: &[Key]) -> Self {
        let mut walk =
            Self { open: Vec::new(), base: base.len(), path: base.to_vec(), first: None };
        let mut dict: &Dict = &model.root;
        for (depth, key) in base.iter().enumerate() {
            match dict.get(key).map(|entry| (&entry.node, entry.seq)) {
                Some((Node::Dict(child), _)) => dict = child,
                Some((Node::Leaf(leaf), set)) if depth + 1 == base.len() => {
                    walk.first = Some((Step::Leaf(&leaf.value), set));
                    return walk;
                }
                _ => return walk,
            }
        }
        walk.first = Some((Step::Dict, dict.made));
        walk.open.push((dict, Place::FIRST));
        walk
    }

    /// Goes on behind a path, which need not be there.
    pub(crate) fn behind(mut self, after: &[Key]) -> Self {
        if !after.starts_with(&self.path) {
            return self;
        }
        self.first = None;
        for key in &after[self.base..] {
            let Some((dict, place)) = self.open.last_mut() else { break };
            *place = dict.lower_bound(key);
            let Some((entry, at)) = dict.entry_from(*place) else { break };
            if entry.key != *key {
                break;
            }
            *place = at.next();
            let Node::Dict(child) = &entry.node else { break };
            self.path.push(key.clone());
            self.open.push((child, Place::FIRST));
        }
        self
    }

    /// The next node; with `since`, only dicts that were made, and leaves that were set, after this transaction.
    pub(crate) fn next(&mut self, since: Option<u64>) -> Option<(&[Key], Step<'a>)> {
        if let Some((first, made)) = self.first.take()
            && since.is_none_or(|since| made > since)
        {
            return Some((&self.path, first));
        }
        if let Some(value) = self.beside(since) {
            return Some((&self.path, Step::Beside(value)));
        }
        loop {
            self.path.truncate(self.base + self.open.len().saturating_sub(1));
            let (dict, place) = self.open.last_mut()?;
            let dict: &'a Dict = dict;
            let Some((entry, at)) = dict.entry_from(*place) else {
                self.open.pop();
                continue;
            };
            *place = at.next();
            match &entry.node {
                Node::Leaf(leaf) if since.is_none_or(|since| entry.seq > since) => {
                    self.path.push(entry.key.clone());
                    return Some((&self.path, Step::Leaf(&leaf.value)));
                }
                Node::Dict(child) if since.is_none_or(|since| child.touched > since) => {
                    self.path.push(entry.key.clone());
                    self.open.push((child, Place::FIRST));
                    if since.is_none_or(|since| child.made > since) {
                        return Some((&self.path, Step::Dict));
                    }
                }
                _ => {}
            }
        }
    }

    /// Goes on to the next node if that is a leaf beside the one before: most are.
    fn beside(&mut self, since: Option<u64>) -> Option<&'a Value> {
        let key = self.path.get_mut((self.base + self.open.len()).checked_sub(1)?)?;
        let (dict, place) = self.open.last_mut()?;
        let (entry, at) = dict.entry_from(*place)?;
        let Node::Leaf(leaf) = &entry.node else { return None };
        if since.is_some_and(|since| entry.seq <= since) {
            return None;
        }
        *place = at.next();
        key.clone_from(&entry.key);
        Some(&leaf.value)
    }
}

#[cfg(test)]
mod tests;
