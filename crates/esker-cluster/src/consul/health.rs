//! Workers as Consul tells of them: pure, from its answers to members and coordinates, and from a member to what is
//! announced.

use std::collections::{BTreeMap, BTreeSet};

use esker_wire::member::Member;
use serde::Deserialize;

use crate::coordinate::{Coordinate, Coordinates};
use crate::membership::{MEMBERS_MAX, Trouble, defect};

/// The largest list of members: each with the longest texts, twice over for what else Consul tells.
pub(crate) const LIST_MAX: u64 = 32 << 20;

/// What a list says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The members, sorted.
    pub(crate) members: Vec<Member>,
    /// What is wrong with the list.
    pub(crate) troubles: BTreeMap<Trouble, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry {
    node: Node,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    node: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
    #[serde(default)]
    modify_index: u64,
}

/// Reads the entries of a service.
pub(crate) fn told(mut entries: Vec<Entry>) -> Told {
    let mut told = Told::default();
    // Of two that say to be one, the newer is it: a worker that moved to another agent.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.service.modify_index));
    let mut seen = BTreeSet::new();
    let mut unreadable = Vec::new();
    for entry in &entries {
        match member(entry) {
            Ok(member) if seen.insert(member.node) => told.members.push(member),
            Ok(_) => {}
            Err(why) => unreadable.push((entry, why)),
        }
    }
    if let Some((entry, why)) = unreadable.first() {
        let message = format!(
            "{} entries of the service are not workers of this esker and are passed over: {:?} at node {:?}: {why}",
            unreadable.len(),
            entry.service.id,
            entry.node.node
        );
        told.troubles.insert(Trouble::Unreadable, message);
    }
    told.members.sort();
    if told.members.len() > MEMBERS_MAX {
        let message =
            format!("{} workers are announced, {MEMBERS_MAX} are used", told.members.len());
        told.troubles.insert(Trouble::TooMany, message);
        told.members.truncate(MEMBERS_MAX);
    }
    told
}

fn member(entry: &Entry) -> Result<Member, String> {
    let none = BTreeMap::new();
    let meta = entry.service.meta.as_ref().unwrap_or(&none);
    let text = |key: &str| meta.get(key).ok_or_else(|| format!("it has no {key}"));
    let number = |key: &str| {
        let bad = |_| format!("{key} is not a number");
        text(key)?.parse::<u64>().map_err(bad)
    };
    let small = |key: &str| u32::try_from(number(key)?).map_err(|_| format!("{key} is too large"));
    let member = Member {
        node: text("node")?.parse().map_err(|error| format!("{error}"))?,
        name: entry.node.node.clone(),
        control: text("control")?.clone(),
        bulk: text("bulk")?.clone(),
        cpus: small("cpus")?,
        memory: number("memory")?,
        free: u8::try_from(small("free")?).map_err(|_| "free is too large".to_owned())?,
    };
    defect(&member).map_or(Ok(member), Err)
}

/// What Consul keeps of a worker beside its name and address.
pub(crate) fn meta(member: &Member, version: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("node", member.node.to_string()),
        ("control", member.control.clone()),
        ("bulk", member.bulk.clone()),
        ("cpus", member.cpus.to_string()),
        ("memory", member.memory.to_string()),
        ("free", member.free.to_string()),
        ("version", version.to_owned()),
    ])
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Placed {
    node: String,
    #[serde(default)]
    segment: String,
    coord: Option<Coordinate>,
}

/// The places of nodes.
pub(crate) fn coordinates(placed: Vec<Placed>) -> Coordinates {
    let mut coordinates = Coordinates::default();
    for Placed { node, segment, coord } in placed {
        if let Some(coord) = coord {
            coordinates.insert(&node, &segment, coord);
        }
    }
    coordinates
}

#[cfg(test)]
mod tests;
