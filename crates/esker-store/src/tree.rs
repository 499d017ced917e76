//! Trees: which content each resource has. A resource's name is its path.

use std::collections::HashMap;

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::name::{NAME_MAX, Resource};
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::objects::{Kind, Objects};

/// The mode of a file, as git writes it.
const FILE: &[u8] = b"100644";
/// The mode of a folder.
const FOLDER: &[u8] = b"40000";

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    mode: Bytes,
    name: Bytes,
    id: Revision,
}

impl Node {
    fn is_folder(&self) -> bool {
        self.mode == FOLDER
    }

    fn is_file(&self) -> bool {
        self.mode.starts_with(b"100")
    }

    /// Git sorts a folder as if its name ended in a slash.
    fn key(&self) -> impl Iterator<Item = u8> + '_ {
        let slash: &[u8] = if self.is_folder() { b"/" } else { b"" };
        self.name.iter().chain(slash).copied()
    }
}

/// A path and the content it gets; none removes it.
pub(crate) type Edit<'a> = (&'a str, Option<Revision>);

/// The tree with the edits made; none if nothing is left.
pub(crate) fn edit(
    objects: &mut Objects,
    tree: Option<Revision>,
    edits: &[Edit<'_>],
) -> Result<Option<Revision>, Fault> {
    let mut nodes = match tree {
        Some(tree) => nodes(objects, tree)?,
        None => Vec::new(),
    };
    let mut rest: Vec<Edit<'_>> = edits.to_vec();
    rest.sort_by(|a, b| first(a.0).cmp(first(b.0)));
    for group in rest.chunk_by(|a, b| first(a.0) == first(b.0)) {
        edit_one(objects, &mut nodes, group)?;
    }
    if nodes.is_empty() {
        return Ok(None);
    }
    nodes.sort_by(|a, b| a.key().cmp(b.key()));
    Ok(Some(objects.put(Kind::Tree, to_bytes(&nodes), tree)?))
}

/// Makes the edits that share their path's first part: removals, then what lies deeper, then additions, so
/// that a file may take the place of a folder that the same edits empty, and the other way round.
fn edit_one(objects: &mut Objects, nodes: &mut Vec<Node>, group: &[Edit<'_>]) -> Result<(), Fault> {
    let name = first(group[0].0);
    let here = |path: &str| path.len() == name.len();
    if group.iter().any(|(path, id)| here(path) && id.is_none()) {
        nodes.retain(|node| node.name != name || node.is_folder());
    }
    let deeper: Vec<Edit<'_>> = group
        .iter()
        .filter(|(path, _)| !here(path))
        .map(|(path, id)| (&path[name.len() + 1..], *id))
        .collect();
    if !deeper.is_empty() {
        edit_folder(objects, nodes, name, &deeper)?;
    }
    for (path, id) in group {
        if let (true, Some(id)) = (here(path), id) {
            if nodes.iter().any(|node| node.name == name && !node.is_file()) {
                return Err(clash(name, "a folder of other resources has that name"));
            }
            nodes.retain(|node| node.name != name);
            nodes.push(node(FILE, name, *id));
        }
    }
    Ok(())
}

fn edit_folder(
    objects: &mut Objects,
    nodes: &mut Vec<Node>,
    name: &str,
    deeper: &[Edit<'_>],
) -> Result<(), Fault> {
    let found = nodes.iter().position(|node| node.name == name);
    let old = match found {
        Some(index) if nodes[index].is_folder() => Some(nodes[index].id),
        Some(_) if deeper.iter().all(|(_, id)| id.is_none()) => return Ok(()),
        Some(_) => return Err(clash(name, "a resource has that name")),
        None => None,
    };
    let new = edit(objects, old, deeper)?;
    nodes.retain(|node| node.name != name);
    nodes.extend(new.map(|id| node(FOLDER, name, id)));
    Ok(())
}

fn clash(name: &str, reason: &str) -> Fault {
    Fault::bad_request(format!("cannot put below or at {name:?}: {reason}"))
        .hint("a name cannot be a resource and the beginning of others' names at once")
}

/// The content at a path, if a file is there.
pub(crate) fn lookup(
    objects: &mut Objects,
    tree: Revision,
    path: &str,
) -> Result<Option<Revision>, Error> {
    let name = first(path);
    let nodes = nodes(objects, tree)?;
    let Some(found) = nodes.iter().find(|node| node.name == name) else {
        return Ok(None);
    };
    match path.get(name.len() + 1..) {
        None => Ok(found.is_file().then_some(found.id)),
        Some(rest) if found.is_folder() => lookup(objects, found.id, rest),
        Some(_) => Ok(None),
    }
}

/// Every resource whose content differs between two trees, with the new content.
pub(crate) fn changes(
    objects: &mut Objects,
    old: Option<Revision>,
    new: Option<Revision>,
) -> Result<Vec<(Resource, Option<Revision>)>, Error> {
    let mut out = Vec::new();
    if old != new {
        walk(objects, (old, new), "", &mut out)?;
    }
    Ok(out)
}

fn walk(
    objects: &mut Objects,
    (old, new): (Option<Revision>, Option<Revision>),
    prefix: &str,
    out: &mut Vec<(Resource, Option<Revision>)>,
) -> Result<(), Error> {
    if prefix.len() > NAME_MAX {
        return Ok(());
    }
    let mut read = |tree: Option<Revision>| match tree {
        Some(tree) => nodes(objects, tree),
        None => Ok(Vec::new()),
    };
    let (old, new) = (read(old)?, read(new)?);
    for (before, after) in pairs(&old, &new) {
        let Some(one) = after.or(before) else {
            continue;
        };
        let Ok(name) = std::str::from_utf8(&one.name) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        let folder = |node: Option<&Node>| node.filter(|node| node.is_folder()).map(|node| node.id);
        let file = |node: Option<&Node>| node.filter(|node| node.is_file()).map(|node| node.id);
        let (was, is) = (file(before), file(after));
        if was != is
            && let Ok(resource) = path.parse()
        {
            out.push((resource, is));
        }
        let (was, is) = (folder(before), folder(after));
        if was != is {
            walk(objects, (was, is), &format!("{path}/"), out)?;
        }
    }
    Ok(())
}

/// Finds what the trees and contents of a tree were made from: what has the same name in another.
pub(crate) fn near(
    objects: &mut Objects,
    (old, new): (Revision, Revision),
    out: &mut HashMap<Revision, Revision>,
) -> Result<(), Error> {
    if old == new || out.insert(new, old).is_some() {
        return Ok(());
    }
    let (before, after) = (nodes(objects, old)?, nodes(objects, new)?);
    for pair in pairs(&before, &after) {
        let (Some(before), Some(after)) = pair else {
            continue;
        };
        if before.is_folder() && after.is_folder() {
            near(objects, (before.id, after.id), out)?;
        } else if before.is_file() && after.is_file() {
            out.insert(after.id, before.id);
        }
    }
    Ok(())
}

/// The nodes of two trees that differ, by name.
fn pairs<'a>(old: &'a [Node], new: &'a [Node]) -> Vec<(Option<&'a Node>, Option<&'a Node>)> {
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while i < old.len() || j < new.len() {
        let order = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) => a.key().cmp(b.key()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, _) => std::cmp::Ordering::Greater,
        };
        let before = order.is_le().then(|| &old[i]);
        let after = order.is_ge().then(|| &new[j]);
        i += usize::from(before.is_some());
        j += usize::from(after.is_some());
        if before != after {
            out.push((before, after));
        }
    }
    out
}

fn first(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn node(mode: &'static [u8], name: &str, id: Revision) -> Node {
    Node { mode: Bytes::from_static(mode), name: Bytes::copy_from_slice(name.as_bytes()), id }
}

fn to_bytes(nodes: &[Node]) -> Vec<u8> {
    let mut out = Vec::new();
    for node in nodes {
        out.extend_from_slice(&node.mode);
        out.push(b' ');
        out.extend_from_slice(&node.name);
        out.push(0);
        out.extend_from_slice(node.id.as_bytes());
    }
    out
}

fn nodes(objects: &mut Objects, tree: Revision) -> Result<Vec<Node>, Error> {
    let bytes = objects.get(tree, Kind::Tree)?;
    from_bytes(&bytes).ok_or_else(|| Error::Damaged {
        id: tree,
        reason: "is not a tree that can be read".to_owned(),
    })
}

/// What a tree names.
pub(crate) struct Entries {
    pub(crate) folders: Vec<Revision>,
    pub(crate) files: Vec<Revision>,
}

/// Everything a tree names, commits of other repositories apart; none if it cannot be read.
pub(crate) fn entries(bytes: &Bytes) -> Option<Entries> {
    let nodes = from_bytes(bytes)?;
    let of = |wanted: fn(&Node) -> bool| {
        nodes.iter().filter(|node| wanted(node)).map(|node| node.id).collect()
    };
    Some(Entries { folders: of(Node::is_folder), files: of(Node::is_file) })
}

/// One thing a tree names.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) id: Revision,
    pub(crate) is_folder: bool,
}

/// As [`entries`], with the names.
pub(crate) fn named(bytes: &Bytes) -> Option<Vec<Named>> {
    let nodes = from_bytes(bytes)?;
    let ours = nodes.iter().filter(|node| node.is_folder() || node.is_file());
    let named = |node: &Node| Named {
        name: String::from_utf8_lossy(&node.name).into_owned(),
        id: node.id,
        is_folder: node.is_folder(),
    };
    Some(ours.map(named).collect())
}

fn from_bytes(bytes: &Bytes) -> Option<Vec<Node>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let blank = at + bytes[at..].iter().position(|byte| *byte == b' ')?;
        let end = blank + bytes[blank..].iter().position(|byte| *byte == 0)?;
        let id = bytes.get(end + 1..end + 21)?.try_into().ok()?;
        out.push(Node {
            mode: bytes.slice(at..blank),
            name: bytes.slice(blank + 1..end),
            id: Revision::from_bytes(id),
        });
        at = end + 21;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
