//! A table as it is kept and sent: lines of text.
//!
//! ```text
//! esker-table 1
//! version: 7
//! replicas: 1
//! node: 000102030405060708090a0b0c0d0e0f 1 tcp://127.0.0.1:5061 node1
//! slots: 0000…     four hexadecimal digits a slot, the primary's place among the nodes; ffff is none
//! since: 00000001… eight a slot, the version since which it has been there
//! ```
//!
//! `slots` and `since` come once for the primaries, and once more for each copy.

use std::fmt::Write as _;

use crate::bulk::table::{NODES_MAX, Place, REPLICAS_MAX, SLOTS, Table, TableNode};

/// The first line.
const FIRST: &str = "esker-table 1";
/// In place of a node: there are fewer nodes than copies.
const NONE: u16 = u16::MAX;

/// A text that is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no table of slots: {0}")]
pub struct BadTable(String);

impl Table {
    /// Writes it as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST}\nversion: {}\nreplicas: {}\n", self.version, self.replicas);
        for TableNode { node, name, bulk, weight } in &self.nodes {
            // Writing to a text does not fail.
            let _ = writeln!(text, "node: {node} {weight} {bulk} {name}");
        }
        for copy in 0..=usize::from(self.replicas) {
            let places = || self.slots.iter().map(|places| places.get(copy));
            text.push_str("slots: ");
            places().for_each(|place| {
                let _ = write!(text, "{:04x}", place.map_or(NONE, |place| place.node));
            });
            text.push_str("\nsince: ");
            places().for_each(|place| {
                let _ = write!(text, "{:08x}", place.map_or(0, |place| place.since));
            });
            text.push('\n');
        }
        text
    }

    /// Reads it from text.
    ///
    /// # Errors
    /// If it is no table, or one whose slots are not all dealt out to its nodes.
    pub fn from_text(text: &str) -> Result<Self, BadTable> {
        let bad = |why: &str| BadTable(why.to_owned());
        let mut lines = text.lines();
        if lines.next() != Some(FIRST) {
            return Err(bad("it does not begin with `esker-table 1`"));
        }
        let mut field = |name: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name));
            line.and_then(|value| value.trim().parse::<u32>().ok())
        };
        let version = field("version:").ok_or_else(|| bad("its version is missing"))?;
        let replicas = field("replicas:").ok_or_else(|| bad("its replicas are missing"))?;
        let replicas = u8::try_from(replicas).ok().filter(|it| usize::from(*it) <= REPLICAS_MAX);
        let replicas = replicas.ok_or_else(|| bad("it has too many replicas"))?;
        let mut nodes = Vec::new();
        let mut lines = lines.peekable();
        while let Some(line) = lines.next_if(|line| line.starts_with("node:")) {
            nodes.push(read_node(line).ok_or_else(|| bad("a node of it cannot be read"))?);
            if nodes.len() > NODES_MAX {
                return Err(bad("it has too many nodes"));
            }
        }
        if !nodes.is_sorted_by(|one, next| one.node < next.node) || nodes.is_empty() {
            return Err(bad("its nodes are not there, or not in their order"));
        }
        let mut slots = vec![Vec::new(); SLOTS];
        for _ in 0..=replicas {
            let found =
                digits(lines.next(), "slots: ", 4).ok_or_else(|| bad("slots are missing"))?;
            let since = digits(lines.next(), "since: ", 8)
                .ok_or_else(|| bad("a line `since` is missing"))?;
            for (places, (node, since)) in slots.iter_mut().zip(found.into_iter().zip(since)) {
                let node = node as u16;
                if node != NONE {
                    places.push(Place { node, since });
                }
            }
        }
        let copies = 1 + usize::from(replicas).min(nodes.len() - 1);
        let is_dealt = |places: &Vec<Place>| {
            let are_there = places.iter().all(|place| usize::from(place.node) < nodes.len());
            let is_twice = |at: usize| places[..at].iter().any(|it| it.node == places[at].node);
            places.len() == copies && are_there && !(1..places.len()).any(is_twice)
        };
        if !slots.iter().all(is_dealt) || lines.next().is_some() {
            return Err(bad("its slots are not dealt out to its nodes"));
        }
        Ok(Self { version, replicas, nodes, slots })
    }
}

fn read_node(line: &str) -> Option<TableNode> {
    let mut words = line.strip_prefix("node: ")?.splitn(4, ' ');
    let (node, weight) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (bulk, name) = (words.next()?.to_owned(), words.next()?.to_owned());
    (weight > 0).then_some(TableNode { node, name, bulk, weight })
}

/// A number of `size` hexadecimal digits for every slot.
fn digits(line: Option<&str>, name: &str, size: usize) -> Option<Vec<u32>> {
    let digits = line?.strip_prefix(name)?.as_bytes();
    if digits.len() != SLOTS * size || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let number = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    digits.chunks_exact(size).map(number).collect()
}
