//! NODES: the digests by which two models find where they differ, in few bytes; both sides work them out here.

use crate::bytes::{Malformed, Reader, put_bytes, put_varint};
use crate::digest::Digest;
use crate::model::dict::Node;
use crate::model::{Found, Model};
use crate::path::{self, Key, Path};

/// The most queries in one request.
pub(crate) const QUERIES_MAX: usize = 1000;

/// The children looked at beyond twice the nodes of the model: no honest request looks at one twice.
const LOOKS_MAX: u64 = 1_000_000;

/// A dict is told by up to so many children, and otherwise by so many ranges of them.
const FAN: usize = 16;

/// A node, or the part of a dict between two keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Query {
    pub(crate) path: Path,
    /// The first key of the part.
    pub(crate) from: Option<Key>,
    /// The key behind the part.
    pub(crate) to: Option<Key>,
}

/// What is told of a child: whether it is a dict, and the low half of its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) key: Key,
    pub(crate) is_dict: bool,
    pub(crate) low: u64,
}

/// What is told of children that follow one another: the first, how many, and the low half of their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: Key,
    pub(crate) count: u64,
    pub(crate) low: u64,
}

/// What is told of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Leaf(Digest),
    Children(Digest, Vec<Child>),
    Ranges(Digest, Vec<Range>),
}

const NOTHING: u8 = 0;
const LEAF: u8 = 1;
const DICT: u8 = 2;
const CHILDREN: u8 = 0;
const RANGES: u8 = 1;

/// What a model has to tell of a node, and how many children were looked at for that.
fn told(model: &Model, query: &Query) -> (Told, u64) {
    let branch = match model.get(&query.path) {
        None => return (Told::Nothing, 1),
        Some(Found::Leaf(_)) => return (Told::Leaf(model.digest_at(&query.path)), 1),
        Some(Found::Dict(branch)) => branch,
    };
    let children: Vec<Child> = branch
        .between(query.from.as_ref(), query.to.as_ref())
        .map(|(key, node)| {
            let is_dict = matches!(node, Node::Dict(_));
            Child { key: key.clone(), is_dict, low: node.digest().low() }
        })
        .collect();
    let looks = children.len() as u64;
    if children.len() <= FAN {
        return (Told::Children(branch.digest(), children), looks);
    }
    let ranges = children.chunks(children.len().div_ceil(FAN)).map(|chunk| Range {
        first: chunk[0].key.clone(),
        count: chunk.len() as u64,
        low: chunk.iter().fold(0, |sum, child| sum.wrapping_add(child.low)),
    });
    (Told::Ranges(branch.digest(), ranges.collect()), looks)
}

/// How many children there are between two keys, and the low half of their sum.
pub(crate) fn sum(model: &Model, query: &Query) -> (u64, u64) {
    let Some(Found::Dict(branch)) = model.get(&query.path) else { return (0, 0) };
    let (mut count, mut sum) = (0, 0_u64);
    for (_, node) in branch.between(query.from.as_ref(), query.to.as_ref()) {
        count += 1;
        sum = sum.wrapping_add(node.digest().low());
    }
    (count, sum)
}

/// Writes queries.
pub(crate) fn encode(queries: &[Query]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, queries.len() as u64);
    let mut before: &[Key] = &[];
    for query in queries {
        let shared = before.iter().zip(&query.path).take_while(|(a, b)| a == b).count();
        path::encode_shared(shared, &query.path, &mut out);
        before = &query.path;
        let flags = u8::from(query.from.is_some()) | u8::from(query.to.is_some()) << 1;
        put_varint(&mut out, flags.into());
        for key in query.from.iter().chain(&query.to) {
            put_bytes(&mut out, key.as_bytes());
        }
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<Query>, Malformed> {
    let mut reader = Reader::new(bytes);
    let count = reader.count()?;
    if count > QUERIES_MAX {
        return Err(reader.wrong("there are too many queries"));
    }
    let mut path = Path::new();
    let mut queries = Vec::with_capacity(count);
    for _ in 0..count {
        path::decode_after(&mut path, &mut reader)?;
        let flags = reader.varint()?;
        if flags > 3 {
            return Err(reader.wrong("a query has flags of another version"));
        }
        let mut key = |wanted: bool| wanted.then(|| reader.text().map(Key::new)).transpose();
        let (from, to) = (key(flags & 1 != 0)?, key(flags & 2 != 0)?);
        queries.push(Query { path: path.clone(), from, to });
    }
    if reader.is_empty() {
        Ok(queries)
    } else {
        Err(reader.wrong("there is more than the queries"))
    }
}

/// Answers queries.
pub(crate) fn answer(model: &Model, queries: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    let mut looks = model.nodes().saturating_mul(2).saturating_add(LOOKS_MAX);
    for query in decode(queries)? {
        let (told, more) = told(model, &query);
        let too_many = Malformed { what: "the queries ask for the same again and again", at: 0 };
        looks = looks.checked_sub(more).ok_or(too_many)?;
        match told {
            Told::Nothing => out.push(NOTHING),
            Told::Leaf(digest) => {
                out.push(LEAF);
                out.extend(digest.to_bytes());
            }
            Told::Children(digest, children) => {
                out.push(DICT);
                out.extend(digest.to_bytes());
                out.push(CHILDREN);
                put_varint(&mut out, children.len() as u64);
                for Child { key, is_dict, low } in children {
                    put_bytes(&mut out, key.as_bytes());
                    out.push(if is_dict { DICT } else { LEAF });
                    out.extend(low.to_le_bytes());
                }
            }
            Told::Ranges(digest, ranges) => {
                out.push(DICT);
                out.extend(digest.to_bytes());
                out.push(RANGES);
                put_varint(&mut out, ranges.len() as u64);
                for Range { first, count, low } in ranges {
                    put_bytes(&mut out, first.as_bytes());
                    put_varint(&mut out, count);
                    out.extend(low.to_le_bytes());
                }
            }
        }
    }
    Ok(out)
}

/// Reads the answers to so many queries.
pub(crate) fn answers(bytes: &[u8], queries: usize) -> Result<Vec<Told>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::with_capacity(queries.min(QUERIES_MAX));
    for _ in 0..queries {
        all.push(one(&mut reader)?);
    }
    if reader.is_empty() { Ok(all) } else { Err(reader.wrong("there is more than the answers")) }
}

fn one(reader: &mut Reader<'_>) -> Result<Told, Malformed> {
    let kind = reader.byte()?;
    if kind == NOTHING {
        return Ok(Told::Nothing);
    }
    let digest = Digest::from_bytes(reader.array()?);
    if kind == LEAF {
        return Ok(Told::Leaf(digest));
    }
    if kind != DICT {
        return Err(reader.wrong("there is no such kind of node"));
    }
    let form = reader.byte()?;
    let count = reader.count()?;
    if count > FAN {
        return Err(reader.wrong("a node is told in too many parts"));
    }
    match form {
        CHILDREN => {
            let child = |_| {
                let key = Key::new(reader.text()?);
                let is_dict = match reader.byte()? {
                    LEAF => false,
                    DICT => true,
                    _ => return Err(reader.wrong("there is no such kind of node")),
                };
                Ok(Child { key, is_dict, low: u64::from_le_bytes(reader.array()?) })
            };
            Ok(Told::Children(digest, (0..count).map(child).collect::<Result<_, _>>()?))
        }
        RANGES => {
            let range = |_| {
                let first = Key::new(reader.text()?);
                let count = reader.varint()?;
                Ok(Range { first, count, low: u64::from_le_bytes(reader.array()?) })
            };
            Ok(Told::Ranges(digest, (0..count).map(range).collect::<Result<_, _>>()?))
        }
        _ => Err(reader.wrong("there is no such form of telling a node")),
    }
}

#[cfg(test)]
mod tests;
