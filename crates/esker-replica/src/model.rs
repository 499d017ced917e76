//! A model: nested dicts with leaves at their ends, and the digest of all of it at any time.
//!
//! A clone costs nothing and stays as it is: it is a *cut*. Nothing here knows publishers, replicas or sockets.

pub(crate) mod ahead;
pub(crate) mod append;
pub(crate) mod audit;
mod between;
pub(crate) mod dict;
pub(crate) mod walk;

use std::sync::Arc;

use crate::bytes::Malformed;
use crate::digest::{Digest, Hasher, of_dict};
use crate::op::{Act, Op, Ops};
use crate::path::{Key, Path};
use crate::value::Value;
pub(crate) use ahead::Known;
pub use ahead::TOGETHER;
use dict::{Dict, Entry, Leaf, Node, Place};

/// The most leaves and dicts in a model, unless it is told otherwise.
pub const NODES_MAX: u64 = 100_000_000;

/// What is at a path.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A leaf.
    Leaf(&'a Value),
    /// A dict.
    Dict(Branch<'a>),
}

/// A dict of a model.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a>(&'a Dict);

impl<'a> Branch<'a> {
    /// How many keys it has.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether it has no key.
    pub fn is_empty(self) -> bool {
        self.0.len() == 0
    }

    /// The digest of it and all below it.
    pub fn digest(self) -> Digest {
        self.0.digest
    }

    /// How many leaves and dicts it is, with all below it.
    pub fn nodes(self) -> u64 {
        self.0.nodes
    }

    /// What a key leads to.
    pub fn get(self, key: &str) -> Option<Found<'a>> {
        self.0.get(&Key::new(key)).map(|entry| Found::from(&entry.node))
    }

    /// Its keys from one on and before another, and what they lead to, in order.
    pub(crate) fn between(
        self,
        from: Option<&Key>,
        to: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Node)> {
        let end = to.cloned();
        let mut place = from.map_or(Place::FIRST, |from| self.0.lower_bound(from));
        std::iter::from_fn(move || {
            let (entry, at) = self.0.entry_from(place)?;
            place = at.next();
            let is_before = end.as_ref().is_none_or(|end| entry.key < *end);
            is_before.then_some((&entry.key, &entry.node))
        })
    }

    /// Its keys, and what they lead to, in order.
    pub fn children(self) -> impl DoubleEndedIterator<Item = (&'a Key, Found<'a>)> {
        self.0.entries().map(|entry| (&entry.key, Found::from(&entry.node)))
    }
}

impl<'a> From<&'a Node> for Found<'a> {
    fn from(node: &'a Node) -> Self {
        match node {
            Node::Leaf(leaf) => Self::Leaf(&leaf.value),
            Node::Dict(dict) => Self::Dict(Branch(dict)),
        }
    }
}

/// Nested dicts, with the digest of all.
#[derive(Debug, Clone)]
pub struct Model {
    root: Arc<Dict>,
    hasher: Hasher,
}

impl Default for Model {
    fn default() -> Self {
        Self { root: Arc::new(Dict::new(of_dict(&[]), 0)), hasher: Hasher::default() }
    }
}

/// Two models are equal if their digests are.
impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Model {}

/// What an operation did to the dicts above the node.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    digest: Digest,
    nodes: i64,
    changed: bool,
}

impl Effect {
    const NONE: Self = Self { digest: Digest::ZERO, nodes: 0, changed: false };

    /// One node's worth in place of another's.
    fn between(old: Worth, new: Worth) -> Self {
        let nodes = new.nodes.cast_signed() - old.nodes.cast_signed();
        Self { digest: new.digest - old.digest, nodes, changed: true }
    }
}

/// What a node adds to the dicts above it.
#[derive(Debug, Clone, Copy, Default)]
struct Worth {
    digest: Digest,
    nodes: u64,
}

impl Worth {
    fn of(node: &Node) -> Self {
        Self { digest: node.digest(), nodes: node.nodes() }
    }
}

/// One operation under way.
struct Doing<'a> {
    path: &'a [Key],
    act: &'a Act,
    seq: u64,
    known: Known,
    hasher: &'a mut Hasher,
}

impl Model {
    /// The digest of the whole model.
    pub fn digest(&self) -> Digest {
        self.root.digest
    }

    /// How many leaves and dicts there are, the model itself among them.
    pub fn nodes(&self) -> u64 {
        self.root.nodes
    }

    /// The model as a dict.
    pub fn root(&self) -> Branch<'_> {
        Branch(&self.root)
    }

    /// What is at a path.
    pub fn get(&self, path: &[Key]) -> Option<Found<'_>> {
        let mut found = Found::Dict(self.root());
        for key in path {
            let Found::Dict(Branch(dict)) = found else { return None };
            found = Found::from(&dict.get(key)?.node);
        }
        Some(found)
    }

    /// The digest of what is at a path, zero if that is nothing.
    pub fn digest_at(&self, path: &[Key]) -> Digest {
        let Some((last, above)) = path.split_last() else { return self.digest() };
        match self.get(above) {
            Some(Found::Dict(Branch(dict))) => {
                dict.get(last).map_or(Digest::ZERO, |entry| entry.node.digest())
            }
            _ => Digest::ZERO,
        }
    }

    /// Does operations as one transaction. Paths have to be within the limits.
    pub fn take(&mut self, ops: &[Op], seq: u64) {
        self.take_each(ops, seq, |_| {});
    }

    /// As [`Model::take`]; those that changed anything.
    pub(crate) fn take_owned(&mut self, mut ops: Vec<Op>, seq: u64) -> Vec<Op> {
        let mut changed = Vec::with_capacity(ops.len());
        self.take_each(&ops, seq, |is_changed| changed.push(is_changed));
        let mut changed = changed.into_iter();
        ops.retain(|_| changed.next().unwrap_or_default());
        ops
    }

    /// As [`Model::take`]; tells of each whether it changed anything.
    fn take_each(&mut self, ops: &[Op], seq: u64, mut told: impl FnMut(bool)) {
        for ops in ops.chunks(TOGETHER) {
            let prepared = self.prepare(ops);
            for (op, known) in ops.iter().zip(prepared) {
                told(self.apply_prepared(op, known, seq));
            }
        }
    }

    /// Does the operations of a frame, adds to `done` what changed anything, and tells how many there were.
    ///
    /// # Errors
    /// What cannot be read; what came before it is done.
    pub(crate) fn take_body(
        &mut self,
        body: &[u8],
        seq: u64,
        done: &mut Vec<Op>,
    ) -> Result<u64, Malformed> {
        let mut ops = Ops::new(body);
        let mut count = 0;
        while let Some((path, act)) = ops.next()? {
            count += 1;
            if self.apply(path, &act, seq) {
                done.push(Op { path: path.to_vec(), act });
            }
        }
        Ok(count)
    }

    /// Does one operation as part of a transaction; whether anything is different now. The path is within the limits.
    pub(crate) fn apply(&mut self, path: &[Key], act: &Act, seq: u64) -> bool {
        self.do_one((path, act), Known::default(), seq)
    }

    fn do_one(&mut self, (path, act): (&[Key], &Act), known: Known, seq: u64) -> bool {
        let Self { root, hasher } = self;
        if path.is_empty() {
            let emptied = matches!(act, Act::Clear) && root.len() > 0;
            if emptied {
                *root = Arc::new(Dict::new(hasher.dict(path), seq));
            }
            return emptied;
        }
        Doing { path, act, seq, known, hasher }.below(root, 0).changed
    }

    /// Begins a new epoch: which transactions made it what it is counts no more.
    pub(crate) fn begin_anew(&mut self) {
        begin_anew(&mut self.root);
    }

    /// Works out the digest from the leaves up, as nobody ever need.
    pub fn recompute(&self) -> Digest {
        let mut hasher = Hasher::default();
        let mut path = Path::new();
        recompute(&self.root, &mut path, &mut hasher)
    }
}

fn begin_anew(dict: &mut Arc<Dict>) {
    let dict = Arc::make_mut(dict);
    (dict.made, dict.touched) = (0, 0);
    for entry in dict.entries_mut() {
        entry.seq = 0;
        if let Node::Dict(child) = &mut entry.node {
            begin_anew(child);
        }
    }
}

fn recompute(dict: &Dict, path: &mut Path, hasher: &mut Hasher) -> Digest {
    let mut digest = hasher.dict(path);
    for Entry { key, node, .. } in dict.entries() {
        path.push(key.clone());
        digest += match node {
            Node::Leaf(leaf) => hasher.leaf(path, &leaf.value),
            Node::Dict(dict) => recompute(dict, path, hasher),
        };
        path.pop();
    }
    digest
}

impl Doing<'_> {
    /// Does it below a dict, whose path is the first `depth` keys.
    fn below(&mut self, dict: &mut Arc<Dict>, depth: usize) -> Effect {
        let key = &self.path[depth];
        let guess = self.known.guesses.get(depth).copied().flatten();
        let place = guess.filter(|place| dict.is_at(*place, key)).or_else(|| dict.find(key));
        let is_here = depth + 1 == self.path.len();
        let effect = match place {
            _ if is_here => self.here(dict, place),
            Some(place) => self.deeper(dict, place, depth),
            None if matches!(self.act, Act::Delete) => Effect::NONE,
            None => self.new_way(dict, depth),
        };
        if effect.changed {
            let dict = Arc::make_mut(dict);
            dict.digest += effect.digest;
            dict.nodes = dict.nodes.wrapping_add_signed(effect.nodes);
            dict.touched = self.seq;
        }
        effect
    }

    /// Goes on in what a key leads to, which becomes a dict if it is none.
    fn deeper(&mut self, dict: &mut Arc<Dict>, place: Place, depth: usize) -> Effect {
        let old = match &dict.at(place).node {
            Node::Dict(_) => {
                let Node::Dict(child) = &mut Arc::make_mut(dict).at_mut(place).node else {
                    unreachable!("it is a dict");
                };
                return self.below(child, depth + 1);
            }
            Node::Leaf(_) if matches!(self.act, Act::Delete) => return Effect::NONE,
            node @ Node::Leaf(_) => Worth::of(node),
        };
        let (child, new) = self.way(depth + 1);
        Arc::make_mut(dict).at_mut(place).node = Node::Dict(child);
        Effect::between(old, new)
    }

    /// Makes the dicts that are missing, and the node.
    fn new_way(&mut self, dict: &mut Arc<Dict>, depth: usize) -> Effect {
        let (child, new) = self.way(depth + 1);
        let key = self.path[depth].clone();
        let entry = Entry { key, seq: self.seq, node: Node::Dict(child) };
        Arc::make_mut(dict).insert(entry);
        Effect::between(Worth::default(), new)
    }

    /// A new dict at the first `depth` keys, with the node somewhere below it.
    fn way(&mut self, depth: usize) -> (Arc<Dict>, Worth) {
        let own = self.hasher.dict(&self.path[..depth]);
        let mut child = Arc::new(Dict::new(own, self.seq));
        self.below(&mut child, depth);
        let worth = Worth { digest: child.digest, nodes: child.nodes };
        (child, worth)
    }

    /// Does it to the node itself.
    fn here(&mut self, dict: &mut Arc<Dict>, place: Option<Place>) -> Effect {
        let old = place.map(|place| &dict.at(place).node);
        let same = match (self.act, old) {
            (Act::Delete, None) | (Act::Dict, Some(Node::Dict(_))) => true,
            (Act::Set(new), Some(Node::Leaf(old))) => *new == old.value,
            (Act::Clear, Some(Node::Dict(old))) => old.len() == 0,
            _ => false,
        };
        if same {
            return Effect::NONE;
        }
        let old = old.map_or(Worth::default(), Worth::of);
        let new = match self.act {
            Act::Delete => None,
            Act::Set(value) => {
                let digest = self.known.leaf.unwrap_or_else(|| self.hasher.leaf(self.path, value));
                Some(Node::Leaf(Leaf::new(value.clone(), digest)))
            }
            Act::Dict | Act::Clear => {
                let own = self.hasher.dict(self.path);
                Some(Node::Dict(Arc::new(Dict::new(own, self.seq))))
            }
        };
        let worth = new.as_ref().map_or(Worth::default(), Worth::of);
        let dict = Arc::make_mut(dict);
        match (place, new) {
            (Some(place), Some(node)) => {
                let entry = dict.at_mut(place);
                entry.node = node;
                entry.seq = self.seq;
            }
            (Some(place), None) => drop(dict.remove(place)),
            (None, Some(node)) => {
                let key = self.path.last().expect("a path that is not empty").clone();
                dict.insert(Entry { key, seq: self.seq, node });
            }
            (None, None) => {}
        }
        Effect::between(old, worth)
    }
}

#[cfg(test)]
mod tests;
