//! Nested dicts that keep the order their keys came in, with JSON texts as leaves.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::text;
use crate::path::{Key, Path};

/// A leaf's JSON text, or a dict.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Leaf(Box<str>),
    Dict(Dict),
}

/// A dict whose keys stand in the order they came in; one that is set again keeps its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Dict {
    order: BTreeMap<u64, (Key, Node)>,
    places: FxHashMap<Key, u64>,
    next: u64,
}

/// In the same order the same, wherever there were others between.
impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.order.values().eq(other.order.values())
    }
}

impl Dict {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// What is there, in order.
    pub(super) fn children(&self) -> impl Iterator<Item = &(Key, Node)> {
        self.order.values()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.order.get(self.places.get(key)?).map(|(_, node)| node)
    }

    /// Puts a node at a key, in the place of the one that is there, or at the end.
    pub(super) fn put(&mut self, key: &Key, node: Node) -> &mut Node {
        let place = *self.places.entry(key.clone()).or_insert(self.next);
        self.next = self.next.max(place + 1);
        let entry = self.order.entry(place).or_insert_with(|| (key.clone(), Node::Leaf("".into())));
        entry.1 = node;
        &mut entry.1
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let place = self.places.remove(key)?;
        self.order.remove(&place).map(|(_, node)| node)
    }

    /// What is at a path; nothing at the empty one, which is this.
    pub(super) fn find(&self, path: &[Key]) -> Option<&Node> {
        let (last, above) = path.split_last()?;
        let mut dict = self;
        for key in above {
            let Node::Dict(below) = dict.get(key)? else { return None };
            dict = below;
        }
        dict.get(last)
    }

    /// The shortest part of a path at which a leaf stands: above it, or with `itself`, there.
    pub(super) fn leaf_above<'a>(&self, path: &'a [Key], itself: bool) -> Option<&'a [Key]> {
        let mut dict = self;
        for (depth, key) in path.iter().enumerate() {
            match dict.get(key)? {
                Node::Leaf(_) if depth + 1 < path.len() || itself => return Some(&path[..=depth]),
                Node::Leaf(_) => return None,
                Node::Dict(below) => dict = below,
            }
        }
        None
    }

    /// Makes a node, and dicts of whatever is above it.
    pub(super) fn set(&mut self, path: &[Key], node: Node) {
        let Some((last, above)) = path.split_last() else { return };
        self.dict_at(above).put(last, node);
    }

    /// The dict at a path, made if there is none.
    pub(super) fn dict_at(&mut self, path: &[Key]) -> &mut Self {
        let mut dict = self;
        for key in path {
            let place = dict.places.get(key).copied();
            let is_dict = matches!(dict.get(key), Some(Node::Dict(_)));
            let node = match place {
                Some(place) if is_dict => dict.order.get_mut(&place).map(|(_, node)| node),
                _ => Some(dict.put(key, Node::Dict(Self::default()))),
            };
            let Some(Node::Dict(below)) = node else {
                unreachable!("a dict was found or put there");
            };
            dict = below;
        }
        dict
    }

    /// Takes away what is at a path.
    pub(super) fn remove(&mut self, path: &[Key]) -> Option<Node> {
        self.find(path)?;
        let (last, above) = path.split_last()?;
        self.dict_at(above).take(last)
    }

    /// All leaves, those of fewer keys first, otherwise in order.
    pub(super) fn breadth_first(&self) -> Vec<(Path, &str)> {
        let mut found = Vec::new();
        let mut dicts = VecDeque::from([(Path::new(), self)]);
        while let Some((above, dict)) = dicts.pop_front() {
            for (key, node) in dict.children() {
                let path: Path = above.iter().chain([key]).cloned().collect();
                match node {
                    Node::Leaf(text) => found.push((path, &**text)),
                    Node::Dict(below) => dicts.push_back((path, below)),
                }
            }
        }
        found
    }

    /// Appends it as Python writes it.
    pub(super) fn append(&self, out: &mut String) {
        out.push('{');
        for (index, (key, node)) in self.children().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            text::quote(key, out);
            out.push_str(": ");
            match node {
                Node::Leaf(text) => out.push_str(text),
                Node::Dict(below) => below.append(out),
            }
        }
        out.push('}');
    }

    /// It as Python writes it.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::new();
        self.append(&mut out);
        out
    }
}
