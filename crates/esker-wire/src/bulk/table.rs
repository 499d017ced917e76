//! Which nodes have which slots. Every id belongs to one of [`SLOTS`] slots; a table says where each is, on how
//! many nodes, and since when.
//!
//! A new table deals the slots out in turn (smooth weighted round robin), so that consecutive slots are on
//! different nodes and any run of them is spread evenly. A table that follows another moves as few slots as there
//! are to be moved: those of nodes that are gone, and those that the others have too many of.

mod deal;
mod text;

pub use text::BadTable;

use crate::member::{Member, NodeId};

/// How many slots there are.
pub const SLOTS: usize = 4096;
/// The most copies of a slot beside the first.
pub const REPLICAS_MAX: usize = 2;
/// The most nodes of a table.
pub const NODES_MAX: usize = 4096;

/// One node of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNode {
    /// Who it is.
    pub node: NodeId,
    /// What people call it.
    pub name: String,
    /// Where it takes and gives bulk data: `tcp://HOST:PORT`.
    pub bulk: String,
    /// Its share among the weights of all; at least 1.
    pub weight: u32,
}

/// Where one copy of a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The node, by its place in the table.
    pub(crate) node: u16,
    /// The version of the table since which it has been there.
    pub(crate) since: u32,
}

/// Which nodes have which slots. The first place of a slot is its primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    version: u32,
    replicas: u8,
    nodes: Vec<TableNode>,
    /// For every slot as many places as there are copies; fewer if there are fewer nodes.
    slots: Vec<Vec<Place>>,
}

impl TableNode {
    /// A member, with a weight of at least 1.
    pub fn new(member: &Member, weight: u32) -> Self {
        Self {
            node: member.node,
            name: member.name.clone(),
            bulk: member.bulk.clone(),
            weight: weight.max(1),
        }
    }
}

impl Table {
    /// How often it was changed.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How many copies of each slot there are beside the first, given nodes enough.
    pub fn replicas(&self) -> u8 {
        self.replicas
    }

    /// Its nodes, in the order of their identities.
    pub fn nodes(&self) -> &[TableNode] {
        &self.nodes
    }

    /// The nodes that have a slot, the primary first.
    pub fn owners(&self, slot: usize) -> impl Iterator<Item = &TableNode> {
        self.slots[slot % SLOTS].iter().map(|place| &self.nodes[usize::from(place.node)])
    }

    /// The version since which a node has had a slot; nothing if it has not.
    pub fn since(&self, slot: usize, node: NodeId) -> Option<u32> {
        let places = self.slots[slot % SLOTS].iter();
        let mut places = places.filter(|place| self.nodes[usize::from(place.node)].node == node);
        places.next().map(|place| place.since)
    }

    /// Of how many slots each node is the primary, in the order of the nodes.
    pub fn primaries(&self) -> Vec<usize> {
        let mut counts = vec![0; self.nodes.len()];
        for place in self.slots.iter().filter_map(|places| places.first()) {
            counts[usize::from(place.node)] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests;
