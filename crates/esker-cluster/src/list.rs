//! A list of members that somebody wrote, and watching it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::board::{Board, Troubles};
use crate::membership::{FREE_MAX, MEMBERS_MAX, Origin, Trouble, defect};
use crate::pace::Stop;

/// The largest list.
const SIZE_MAX: u64 = 1 << 20;
/// How often a list is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    member: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    node: Option<String>,
    name: String,
    control: String,
    bulk: String,
    cpus: u32,
    memory: Size,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

impl Size {
    fn bytes(&self) -> Option<u64> {
        let text = match self {
            Self::Bytes(bytes) => return Some(*bytes),
            Self::Text(text) => text,
        };
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
        let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
        let (number, shift) = found?;
        number.trim_end().parse::<u64>().ok()?.checked_mul(1 << shift)
    }
}

/// The identity of a member of a list that names none: always the same for the same name.
pub(crate) fn node_of(name: &str) -> NodeId {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    NodeId::from_bytes(bytes)
}

/// The members of a list, sorted.
pub(crate) fn parse(text: &str) -> Result<Vec<Member>, String> {
    let list: List = toml::from_str(text).map_err(|error| error.to_string())?;
    if list.member.len() > MEMBERS_MAX {
        return Err(format!("it has more than {MEMBERS_MAX} members"));
    }
    let mut members = Vec::new();
    for written in list.member {
        members.push(member(written)?);
    }
    in_order(members)
}

/// The same members sorted, if none is there twice.
pub(crate) fn in_order(mut members: Vec<Member>) -> Result<Vec<Member>, String> {
    members.sort();
    match members.windows(2).find(|pair| pair[0].node == pair[1].node) {
        Some(pair) => Err(format!(
            "members {:?} and {:?} are one node, {}",
            pair[0].name, pair[1].name, pair[0].node
        )),
        None => Ok(members),
    }
}

fn member(written: Written) -> Result<Member, String> {
    let name = written.name;
    let node = match &written.node {
        Some(text) => text.parse().map_err(|error| format!("member {name:?}: {error}"))?,
        None => node_of(&name),
    };
    let Some(memory) = written.memory.bytes() else {
        return Err(format!("member {name:?}: memory is not a size as 2147483648 or \"2GiB\""));
    };
    let (control, bulk, cpus) = (written.control, written.bulk, written.cpus);
    let member = Member { node, name, control, bulk, cpus, memory, free: FREE_MAX };
    match defect(&member) {
        Some(defect) => Err(format!("member {:?}: {defect}", member.name)),
        None => Ok(member),
    }
}

/// By what a changed file is known.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    modified: Option<SystemTime>,
    length: u64,
}

fn look(path: &Path) -> Option<Look> {
    let found = fs::metadata(path).ok()?;
    Some(Look { modified: found.modified().ok(), length: found.len() })
}

/// Reads a list.
pub(crate) fn read(path: &Path) -> Result<Vec<Member>, Fault> {
    let cannot = |why: String| {
        let message = format!("cannot use the list of members {}: {why}", path.display());
        Fault::new(Code::BadRequest, message)
            .hint("each [[member]] has name, control, bulk, cpus and memory")
    };
    let open = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(SIZE_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = open().map_err(|error| cannot(error.to_string()))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(cannot(format!("it is larger than {SIZE_MAX} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))?;
    parse(text).map_err(cannot)
}

/// Watches a list until told to stop. One that cannot be used leaves the last good one.
pub(crate) fn watch(path: &Path, board: &Arc<Board>, stop: &Stop) {
    let mut last = None;
    loop {
        let found = look(path);
        if last.as_ref() != Some(&found) {
            match read(path) {
                Ok(members) => board.post(members, Origin::Told, &Troubles::new()),
                Err(fault) => {
                    let current = board.current();
                    let message = format!("{fault}; the last good list is used");
                    let troubles = Troubles::from([(Trouble::BadList, message)]);
                    board.post(current.members.clone(), current.origin, &troubles);
                }
            }
            last = Some(found);
        }
        if stop.sleep(LOOK_EVERY) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
