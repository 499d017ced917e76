//! Interop mode: a model as the Cylc experiment's programs published and followed it, so that theirs and ours work together.
//!
//! Theirs is a nested dict whose keys keep the order they came in. Changes are told as nested dicts of new leaves, with a time
//! that rises; `update` is answered with the whole, `verify` with a SHA-256 of its JSON as Python writes it. Nothing can be
//! taken away, and no leaf become a dict: such changes are left out, and said so; `verify` differs until a client does `update`.
//! [`Interop`] publishes a model of ours so, [`mirror`] follows one of theirs; [`serve`] knows the bus.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::model::{Found, Model};
use crate::op::{Act, Op};
use crate::path::{self, Key, Path};
use ordered::{Dict, Node};

pub mod mirror;
pub mod serve;

mod ordered;
mod text;

/// Leaves that others may still have where here is something else. Beyond, no change is told any more.
const STUCK_MAX: usize = 1_000_000;

/// The answer to what is neither `update` nor `verify`.
const UNKNOWN: &str = "[null, \"unknown request\"]";

/// A model as it is published to them.
#[derive(Debug, Default)]
pub struct Interop {
    data: Dict,
    /// The last change's time; none before the first.
    time: Option<f64>,
    /// Paths at which a client that heard all changes may have a leaf, where here is none any more. What would be below one is left
    /// out: it would end their program.
    stuck: BTreeSet<Path>,
    checksum: Option<String>,
}

/// What comes of changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What is to be published, one message each.
    pub events: Vec<String>,
    /// How many changes could not be said.
    pub left_out: usize,
    /// The first of these.
    pub first: Option<Path>,
}

impl Interop {
    /// Takes a transaction; `wall` is the clock, in seconds.
    pub fn change(&mut self, ops: &[Op], wall: f64) -> Told {
        let (delta, empties, told) = (Dict::default(), Vec::new(), Told::default());
        let mut change = Change { interop: self, wall, delta, empties, told };
        for op in ops {
            change.one(op);
        }
        change.flush();
        change.told
    }

    /// Takes a model as a whole: what differs is told as one change.
    pub fn renew(&mut self, model: &Model, wall: f64) -> Told {
        let mut ops = Vec::new();
        gone(&self.data, model, &mut Path::new(), &mut ops);
        set(Found::Dict(model.root()), &self.data, &mut Path::new(), &mut ops);
        self.change(&ops, wall)
    }

    /// Answers a request.
    pub fn answer(&mut self, request: &[u8]) -> String {
        let said = match request {
            b"update" => self.data.to_text(),
            b"verify" => format!("\"{}\"", self.checksum()),
            _ => return UNKNOWN.to_owned(),
        };
        // Before the first change it is an integer, as theirs is.
        let time = self.time.map_or_else(|| "0".to_owned(), text::float);
        format!("[{time}, {said}]")
    }

    /// The SHA-256 of the model's text, worked out when it is asked for.
    fn checksum(&mut self) -> &str {
        let data = &self.data;
        self.checksum.get_or_insert_with(|| checksum(data))
    }

    fn is_stuck(&self, path: &[Key]) -> bool {
        self.stuck.len() > STUCK_MAX
            || !self.stuck.is_empty()
                && (1..=path.len()).any(|end| self.stuck.contains(&path[..end]))
    }

    /// A leaf at a path is said: whoever hears it has nothing else there or below.
    fn unstick(&mut self, path: &Path) {
        let below = self.stuck.range(path.clone()..).take_while(|stuck| stuck.starts_with(path));
        for stuck in below.cloned().collect::<Vec<_>>() {
            self.stuck.remove(&stuck);
        }
    }

    /// What is taken away here stays with those who only hear changes.
    fn stick(&mut self, path: &[Key], node: &Node) {
        if let Node::Dict(dict) = node {
            let below = dict.breadth_first().into_iter();
            self.stuck.extend(below.map(|(below, _)| [path, &below].concat()));
        } else {
            self.stuck.insert(path.to_vec());
        }
    }
}

/// The SHA-256 of a model's text.
fn checksum(data: &Dict) -> String {
    Sha256::digest(data.to_text()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is here and not, or as another kind of node, in a model.
fn gone(data: &Dict, model: &Model, path: &mut Path, ops: &mut Vec<Op>) {
    for (key, node) in data.children() {
        path.push(key.clone());
        match (node, model.get(path)) {
            (Node::Dict(below), Some(Found::Dict(_))) => gone(below, model, path, ops),
            (_, None) => ops.push(Op::delete(path.clone())),
            _ => {}
        }
        path.pop();
    }
}

/// The leaves and empty dicts of a model that are not here.
fn set(found: Found<'_>, data: &Dict, path: &mut Path, ops: &mut Vec<Op>) {
    match found {
        Found::Leaf(value) => {
            let is_here = matches!((data.find(path), text::of_value(value)),
                (Some(Node::Leaf(here)), Some(text)) if **here == *text);
            if !is_here {
                ops.push(Op { path: path.clone(), act: Act::Set(value.clone()) });
            }
        }
        Found::Dict(branch) => {
            if branch.is_empty() && !path.is_empty() {
                ops.push(Op { path: path.clone(), act: Act::Dict });
            }
            for (key, below) in branch.children() {
                path.push(key.clone());
                set(below, data, path, ops);
                path.pop();
            }
        }
    }
}

/// A transaction under way.
struct Change<'a> {
    interop: &'a mut Interop,
    wall: f64,
    /// What is to be said next.
    delta: Dict,
    /// Dicts that are to be there, for which there are no words as long as nothing is in them.
    empties: Vec<Path>,
    told: Told,
}

impl Change<'_> {
    fn one(&mut self, op: &Op) {
        let path = &op.path;
        match &op.act {
            _ if path.is_empty() => {}
            Act::Set(value) => match text::of_value(value) {
                Some(text) => self.set(path, text),
                None => self.take_away(path, true),
            },
            Act::Delete => self.take_away(path, false),
            Act::Dict => self.dict(path),
            Act::Clear => self.clear(path),
        }
    }

    fn set(&mut self, path: &Path, text: String) {
        let node = Node::Leaf(text.into());
        if self.can_be_said(path, false) {
            self.delta.set(path, node);
            return;
        }
        self.flush();
        self.make_way(path, false);
        self.interop.data.set(path, node);
        self.leave_out(path);
    }

    fn dict(&mut self, path: &Path) {
        if self.is_dict(path, |_| true) {
            return;
        }
        if self.can_be_said(path, true) {
            self.empties.push(path.clone());
            return;
        }
        self.flush();
        self.make_way(path, true);
        self.interop.data.dict_at(path);
        self.leave_out(path);
    }

    fn clear(&mut self, path: &Path) {
        if !self.is_dict(path, |dict| !dict.is_empty()) {
            self.dict(path);
            return;
        }
        self.flush();
        let emptied = std::mem::take(self.interop.data.dict_at(path));
        self.interop.stick(path, &Node::Dict(emptied));
        self.leave_out(path);
    }

    /// Of a value that JSON has not, it is said even if nothing was there.
    fn take_away(&mut self, path: &Path, always: bool) {
        self.flush();
        if let Some(node) = self.interop.data.remove(path) {
            self.interop.stick(path, &node);
            self.leave_out(path);
        } else if always {
            self.leave_out(path);
        }
    }

    /// Whether nobody can have a leaf above a path, or with `itself`, there.
    fn can_be_said(&self, path: &Path, itself: bool) -> bool {
        let above = &path[..path.len() - usize::from(!itself)];
        !self.interop.is_stuck(above)
            && self.delta.leaf_above(path, itself).is_none()
            && self.interop.data.leaf_above(path, itself).is_none()
    }

    /// A leaf that becomes a dict here stays one with others.
    fn make_way(&mut self, path: &Path, itself: bool) {
        if let Some(leaf) = self.interop.data.leaf_above(path, itself) {
            self.interop.stuck.insert(leaf.to_vec());
        }
    }

    /// Whether a dict stands there, or will, that is as wanted.
    fn is_dict(&self, path: &Path, wanted: impl Fn(&Dict) -> bool) -> bool {
        let is_there =
            |data: &Dict| matches!(data.find(path), Some(Node::Dict(dict)) if wanted(dict));
        // A leaf that is to be said takes the place of a dict.
        self.delta.leaf_above(path, true).is_none()
            && (is_there(&self.delta) || is_there(&self.interop.data))
    }

    fn leave_out(&mut self, path: &Path) {
        self.told.left_out += 1;
        self.told.first.get_or_insert_with(|| path.clone());
        self.interop.checksum = None;
    }

    /// Does what was gathered, in the order in which theirs does it, and says it.
    fn flush(&mut self) {
        let delta = std::mem::take(&mut self.delta);
        if !delta.is_empty() {
            for (path, text) in delta.breadth_first() {
                self.interop.data.set(&path, Node::Leaf(text.into()));
                self.interop.unstick(&path);
            }
            let time = match self.interop.time {
                Some(last) if self.wall <= last => last.next_up(),
                _ => self.wall,
            };
            self.interop.time = Some(time);
            self.interop.checksum = None;
            self.told.events.push(format!("[{}, {}]", text::float(time), delta.to_text()));
        }
        for path in std::mem::take(&mut self.empties) {
            let is_free = self.interop.data.leaf_above(&path, true).is_none();
            if is_free && self.interop.data.find(&path).is_none() {
                self.interop.data.dict_at(&path);
                self.leave_out(&path);
            }
        }
    }
}

/// A path for the log.
fn shown(path: Option<&Path>) -> String {
    path.map(|path| path::to_json(path)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
