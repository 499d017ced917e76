//! A repair: going down where digests differ from those of a cut, and fetching only what does.
//!
//! Pure; it works on a copy of the model, so that nobody sees it half done.

use std::collections::VecDeque;

use crate::ask::Cutting;
use crate::bytes::Malformed;
use crate::frame::Frame;
use crate::model::{Found, Model};
use crate::nodes::{self, Child, QUERIES_MAX, Query, Range, Told};
use crate::op::{Act, Op};
use crate::path::{Key, Path};

/// The most questions of one repair: a publisher that answers nonsense is not asked for ever.
const ROUNDS_MAX: usize = 10_000;

/// The paths of one GET.
const PATHS_MAX: usize = 500;

/// The bytes of the keys of one GET, a path apart: they stand in its head.
const KEYS_MAX: usize = 1024 * 1024;

/// Where more than this differs a new copy is cheaper, and whoever answers nonsense has said enough.
const OPEN_MAX: usize = 100_000;

/// A repair that fetches more nodes than this, and more than a third of the model, gives way to a new copy.
const FETCHED_MIN: u64 = 10_000;

/// What a repair wants next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Digests.
    Nodes(Vec<u8>),
    /// Nodes.
    Get(Vec<Path>, Option<Path>),
    /// Nothing: it is done.
    Done,
    /// It costs more than a new copy of all.
    GiveUp,
}

/// A repair under way.
#[derive(Debug)]
pub(super) struct Repair {
    pub(super) cut: Cutting,
    pub(super) model: Model,
    /// What it did to the model.
    pub(super) done: Vec<Op>,
    open: VecDeque<Query>,
    asked: Vec<Query>,
    differ: VecDeque<Path>,
    fetching: Vec<Path>,
    /// Where the last page of what is being fetched ended.
    after: Option<Path>,
    fetched: u64,
    rounds: usize,
}

impl Repair {
    /// Begins at these nodes.
    pub(super) fn new(model: Model, cut: Cutting, bases: &[Path]) -> Self {
        let query = |path: &Path| Query { path: path.clone(), from: None, to: None };
        Self {
            cut,
            model,
            done: Vec::new(),
            open: bases.iter().map(query).collect(),
            asked: Vec::new(),
            differ: VecDeque::new(),
            fetching: Vec::new(),
            after: None,
            fetched: 0,
            rounds: 0,
        }
    }

    /// What to ask next.
    pub(super) fn next(&mut self) -> Wants {
        self.rounds += 1;
        let is_much = self.fetched > FETCHED_MIN.max(self.cut.nodes / 3)
            || self.open.len() + self.differ.len() > OPEN_MAX;
        if self.rounds > ROUNDS_MAX || is_much {
            return Wants::GiveUp;
        }
        if !self.open.is_empty() {
            let count = self.open.len().min(QUERIES_MAX);
            self.asked = self.open.drain(..count).collect();
            self.asked.sort_unstable();
            return Wants::Nodes(nodes::encode(&self.asked));
        }
        if self.after.is_none() {
            let mut bytes = 0;
            let fits = |path: &&Path| {
                let is_room = bytes < KEYS_MAX;
                bytes += path.iter().map(|key| key.len() + 4).sum::<usize>();
                is_room
            };
            let count = self.differ.iter().take(PATHS_MAX).take_while(fits).count();
            self.fetching = self.differ.drain(..count).collect();
        }
        if self.fetching.is_empty() {
            return Wants::Done;
        }
        Wants::Get(self.fetching.clone(), self.after.take())
    }

    /// Takes the digests that were asked for.
    pub(super) fn compare(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let asked = std::mem::take(&mut self.asked);
        let answers = nodes::answers(body, asked.len())?;
        for (query, told) in asked.into_iter().zip(answers) {
            self.compare_one(query, told);
        }
        Ok(())
    }

    fn compare_one(&mut self, query: Query, told: Told) {
        match told {
            Told::Nothing => self.delete(query.path),
            Told::Leaf(digest) => {
                if self.model.digest_at(&query.path) != digest {
                    self.differ.push_back(query.path);
                }
            }
            Told::Children(digest, _) | Told::Ranges(digest, _)
                if self.model.digest_at(&query.path) == digest => {}
            Told::Children(_, children) => self.compare_children(&query, &children),
            Told::Ranges(_, ranges) => self.compare_ranges(&query, &ranges),
        }
    }

    fn is_dict(&self, path: &[Key]) -> bool {
        matches!(self.model.get(path), Some(Found::Dict(_)))
    }

    fn compare_children(&mut self, query: &Query, children: &[Child]) {
        if !self.is_dict(&query.path) {
            // What is no dict here has nothing in common with one.
            self.differ.push_back(query.path.clone());
            return;
        }
        let Some(Found::Dict(branch)) = self.model.get(&query.path) else { return };
        let ours = branch.between(query.from.as_ref(), query.to.as_ref());
        let gone: Vec<Key> = ours
            .map(|(key, _)| key)
            .filter(|key| !children.iter().any(|child| child.key == **key))
            .cloned()
            .collect();
        for key in gone {
            self.delete(below(&query.path, key));
        }
        for child in children {
            let path = below(&query.path, child.key.clone());
            if self.model.digest_at(&path).low() == child.low && self.model.get(&path).is_some() {
                continue;
            }
            if child.is_dict && self.is_dict(&path) {
                self.open.push_back(Query { path, from: None, to: None });
            } else {
                self.differ.push_back(path);
            }
        }
    }

    fn compare_ranges(&mut self, query: &Query, ranges: &[Range]) {
        if !self.is_dict(&query.path) {
            self.differ.push_back(query.path.clone());
            return;
        }
        for (index, range) in ranges.iter().enumerate() {
            // Whatever stands before the first or behind the last belongs to them.
            let from = if index == 0 { query.from.clone() } else { Some(range.first.clone()) };
            let to = ranges.get(index + 1).map(|next| next.first.clone()).or(query.to.clone());
            let part = Query { path: query.path.clone(), from, to };
            if nodes::sum(&self.model, &part) != (range.count, range.low) {
                self.open.push_back(part);
            }
        }
    }

    fn delete(&mut self, path: Path) {
        if !path.is_empty() && self.model.apply(&path, &Act::Delete, self.cut.seq) {
            self.done.push(Op::delete(path));
        }
    }

    /// Takes a page of what was asked for.
    pub(super) fn fetch(&mut self, frame: &Frame, next: Option<Path>) -> Result<(), Malformed> {
        // What is fetched replaces what is there: nothing that is a dict on both sides is ever fetched whole.
        self.fetched += self.model.take_body(&frame.body, self.cut.seq, &mut self.done)?;
        self.after = next;
        Ok(())
    }
}

fn below(path: &[Key], key: Key) -> Path {
    let mut below = path.to_vec();
    below.push(key);
    below
}

#[cfg(test)]
mod tests;
