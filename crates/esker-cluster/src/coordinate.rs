//! How far nodes are from each other, by Consul's network coordinates: pure.
//!
//! Consul lets every node learn a place in a space of some dimensions, a height above it (its own way into the
//! network) and an adjustment, all in seconds, such that distances there are round trips. What it does not know is
//! unknown here too, and never near.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// The most dimensions a place has.
const DIMENSIONS_MAX: usize = 64;
/// No round trip on earth takes as long; a distance beyond it is a coordinate gone wild.
const DISTANCE_MAX: f64 = 3600.0;

/// One node's place in one segment of the network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Coordinate {
    /// Where it is, in seconds in each dimension.
    pub vec: Vec<f64>,
    /// How far it is from that place into the network, in seconds.
    pub height: f64,
    /// What is added to each distance, in seconds; may be negative.
    pub adjustment: f64,
}

/// The places of all nodes, by name and segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coordinates {
    nodes: BTreeMap<String, BTreeMap<String, Coordinate>>,
}

impl Coordinate {
    fn is_sound(&self) -> bool {
        let mut all = self.vec.iter().chain([&self.height, &self.adjustment]);
        self.vec.len() <= DIMENSIONS_MAX && all.all(|number| number.is_finite())
    }

    /// The round trip from here to there; nothing where the two are not of one space.
    pub fn distance(&self, other: &Self) -> Option<Duration> {
        if self.vec.len() != other.vec.len() {
            return None;
        }
        let pairs = self.vec.iter().zip(&other.vec);
        let squares: f64 = pairs.map(|(here, there)| (here - there) * (here - there)).sum();
        let raw = squares.sqrt() + self.height + other.height;
        let adjusted = raw + self.adjustment + other.adjustment;
        // An adjustment that would make the way negative is not one to follow.
        let seconds = if adjusted > 0.0 { adjusted } else { raw };
        let is_sound = (0.0..DISTANCE_MAX).contains(&seconds);
        is_sound.then(|| Duration::from_secs_f64(seconds))
    }
}

impl Coordinates {
    /// Takes a node's place in; one that cannot be is passed over.
    pub fn insert(&mut self, node: &str, segment: &str, place: Coordinate) {
        if place.is_sound() {
            self.nodes.entry(node.to_owned()).or_default().insert(segment.to_owned(), place);
        }
    }

    /// How many nodes have a place.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no node has one.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The round trip between two nodes; nothing where it is not known. A node is at no distance from itself.
    pub fn distance(&self, a: &str, b: &str) -> Option<Duration> {
        if a == b {
            return Some(Duration::ZERO);
        }
        let (here, there) = (self.nodes.get(a)?, self.nodes.get(b)?);
        let segment = common_segment(here, there);
        here.get(segment)?.distance(there.get(segment)?)
    }

    /// The nearest first; those whose distance is not known last, in the order they came.
    pub fn nearest_first<'a>(&self, from: &str, nodes: &[&'a str]) -> Vec<&'a str> {
        let mut sorted = nodes.to_vec();
        sorted.sort_by_key(|node| self.distance(from, node).unwrap_or(Duration::MAX));
        sorted
    }
}

/// The segment in which two nodes are compared: the one of that which is only in one, as clients are; servers are in
/// all.
fn common_segment<'a>(
    here: &'a BTreeMap<String, Coordinate>,
    there: &'a BTreeMap<String, Coordinate>,
) -> &'a str {
    let only = |segments: &'a BTreeMap<String, Coordinate>| match segments.len() {
        1 => segments.keys().next().map(String::as_str),
        _ => None,
    };
    only(there).or_else(|| only(here)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
