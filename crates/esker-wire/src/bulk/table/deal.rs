//! Dealing slots out to nodes, for the first time or again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::bulk::table::{NODES_MAX, Place, REPLICAS_MAX, SLOTS, Table, TableNode};
use crate::member::NodeId;

impl Table {
    /// Deals the slots out for the first time, as version 1.
    ///
    /// # Panics
    /// If there is no node, or there are more than [`NODES_MAX`].
    pub fn new(nodes: Vec<TableNode>, replicas: u8) -> Self {
        let nodes = in_order(nodes);
        let weights: Vec<i64> = nodes.iter().map(|node| i64::from(node.weight)).collect();
        let all: i64 = weights.iter().sum();
        let mut turns = vec![0; nodes.len()];
        let mut deal = || {
            for (turn, weight) in turns.iter_mut().zip(&weights) {
                *turn += weight;
            }
            let next = (0..turns.len()).max_by_key(|node| (turns[*node], Reverse(*node)));
            let next = next.expect("a table has a node");
            turns[next] -= all;
            vec![Place { node: next as u16, since: 1 }]
        };
        let slots = (0..SLOTS).map(|_| deal()).collect();
        let mut table =
            Self { version: 1, replicas: replicas.min(REPLICAS_MAX as u8), nodes, slots };
        table.even_copies(1);
        table
    }

    /// The table that follows when the nodes are these: what is gone is dealt out again, and as little else as
    /// makes it even.
    ///
    /// # Panics
    /// As [`Table::new`].
    #[must_use]
    pub fn next(&self, nodes: Vec<TableNode>) -> Self {
        let nodes = in_order(nodes);
        let version = self.version + 1;
        let place_of: BTreeMap<NodeId, u16> =
            nodes.iter().enumerate().map(|(at, node)| (node.node, at as u16)).collect();
        let kept = |place: &Place| {
            let node = place_of.get(&self.nodes[usize::from(place.node)].node);
            node.map(|node| Place { node: *node, since: place.since })
        };
        let slots = self.slots.iter().map(|places| places.iter().filter_map(kept).collect());
        let mut table = Self { version, replicas: self.replicas, nodes, slots: slots.collect() };
        table.even_primaries(version);
        table.even_copies(version);
        table
    }

    /// Gives every slot a primary, and every node as many as its weight says.
    fn even_primaries(&mut self, version: u32) {
        let mut counts = self.primaries();
        let quotas = quotas(&self.nodes, SLOTS, &counts);
        let mut open = Vec::new();
        for slot in mixed_slots() {
            let places = &mut self.slots[slot];
            let Some(first) = places.first().map(|place| usize::from(place.node)) else {
                open.push(slot);
                continue;
            };
            if counts[first] <= quotas[first] {
                continue;
            }
            counts[first] -= 1;
            // A copy that is there already needs nothing to be moved.
            let has_room =
                |place: &Place| counts[usize::from(place.node)] < quotas[usize::from(place.node)];
            match places.iter().position(has_room).filter(|at| *at > 0) {
                Some(at) => {
                    counts[usize::from(places[at].node)] += 1;
                    places.swap(0, at);
                }
                None => open.push(slot),
            }
        }
        let mut wanting = Vec::new();
        for (node, (count, quota)) in counts.iter().zip(&quotas).enumerate() {
            let missing = quota.saturating_sub(*count);
            // In turn: by how much of its own each has been given.
            wanting.extend((0..missing).map(|turn| ((turn * SLOTS) / missing, node)));
        }
        wanting.sort_unstable();
        open.sort_unstable();
        for (slot, (_, node)) in open.into_iter().zip(wanting) {
            let places = &mut self.slots[slot];
            let node = node as u16;
            let place = match places.iter().position(|place| place.node == node) {
                Some(at) => places.remove(at),
                None => Place { node, since: version },
            };
            // Who had it stays beside the new one as far as there are copies.
            places.insert(0, place);
        }
    }

    /// Gives every slot its further copies, and every node as many of them as its weight says, as far as no node
    /// has a slot twice.
    fn even_copies(&mut self, version: u32) {
        let copies = usize::from(self.replicas).min(self.nodes.len() - 1);
        let mut counts = vec![0; self.nodes.len()];
        for place in self.slots.iter().flat_map(|places| places.iter().skip(1).take(copies)) {
            counts[usize::from(place.node)] += 1;
        }
        let quotas = quotas(&self.nodes, SLOTS * copies, &counts);
        for slot in mixed_slots() {
            let places = &mut self.slots[slot];
            places.truncate(1 + copies);
            let mut at = 1;
            while at < places.len() {
                let node = usize::from(places[at].node);
                if counts[node] > quotas[node] {
                    counts[node] -= 1;
                    places.remove(at);
                } else {
                    at += 1;
                }
            }
            while places.len() <= copies {
                let is_free =
                    |node: &usize| places.iter().all(|place| usize::from(place.node) != *node);
                // Who lacks most for its weight; among equals, another one for every slot.
                let next = (0..self.nodes.len()).filter(is_free).min_by_key(|node| {
                    let share = (counts[*node] as u64 + 1) * 1_000_000
                        / u64::from(self.nodes[*node].weight);
                    (share, mix(slot, *node))
                });
                let next = next.expect("there are more nodes than copies");
                counts[next] += 1;
                places.push(Place { node: next as u16, since: version });
            }
        }
    }
}

fn in_order(mut nodes: Vec<TableNode>) -> Vec<TableNode> {
    nodes.sort_unstable_by_key(|node| node.node);
    nodes.dedup_by_key(|node| node.node);
    assert!((1..=NODES_MAX).contains(&nodes.len()), "a table has 1 to {NODES_MAX} nodes");
    nodes
}

/// How many of `all` each node is to have by its weight: the largest remainders are rounded up, first of those who
/// have so many already.
fn quotas(nodes: &[TableNode], all: usize, counts: &[usize]) -> Vec<usize> {
    let total: u64 = nodes.iter().map(|node| u64::from(node.weight)).sum();
    let share = |node: &TableNode| all as u64 * u64::from(node.weight);
    let mut quotas: Vec<usize> = nodes.iter().map(|node| (share(node) / total) as usize).collect();
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_unstable_by_key(|node| {
        Reverse((share(&nodes[*node]) % total, counts[*node] > quotas[*node], Reverse(*node)))
    });
    let left = all - quotas.iter().sum::<usize>();
    for node in order.into_iter().take(left) {
        quotas[node] += 1;
    }
    quotas
}

/// The slots in an order that has nothing to do with whose they are.
fn mixed_slots() -> Vec<usize> {
    let mut order: Vec<usize> = (0..SLOTS).collect();
    order.sort_unstable_by_key(|slot| mix(*slot, 0));
    order
}

/// A number that looks like chance, the same everywhere (the finalizer of SplitMix64).
fn mix(slot: usize, node: usize) -> u64 {
    let mut mixed = ((slot as u64) << 32 | node as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
