//! What can still be read of a damaged pack: its entries one after another, each by what it is and not by its index.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use bytes::Bytes;
use esker_wire::revision::Revision;
use flate2::{Decompress, FlushDecompress, Status};

use crate::error::Error;
use crate::objects::{Kind, OBJECT_MAX, Object, Objects, id_of};
use crate::pack::{OFS_DELTA, REF_DELTA};
use crate::source::{head_of, places_of};

/// How long a pack's head is.
const HEAD: usize = 12;
/// How many deltas may be one on another.
const DEPTH_MAX: usize = 5_000;

/// An entry that could be inflated.
struct Found {
    kind: Form,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Form {
    Whole(Kind),
    At(usize),
    Of(Revision),
}

/// Every object of a pack that is whole; deltas may be of what `others` have.
pub(super) fn salvage(stem: &Path, others: &Objects) -> Result<Vec<Object>, Error> {
    let path = stem.with_extension("pack");
    let Ok(bytes) = fs::read(&path) else {
        return Ok(Vec::new());
    };
    // Where entries begin, as far as the index can tell, for going on behind what is broken.
    let index = fs::read(stem.with_extension("idx")).unwrap_or_default();
    let places = places_of(&index).unwrap_or_default();
    let known: BTreeSet<usize> = places.iter().map(|place| place.at as usize).collect();
    let mut found = BTreeMap::new();
    let mut at = HEAD;
    while at < bytes.len() {
        match entry(&bytes, at) {
            Some((entry, next)) => {
                found.insert(at, entry);
                at = next;
            }
            None => match known.range(at + 1..).next() {
                Some(next) => at = *next,
                None => break,
            },
        }
    }
    let ids: BTreeSet<Revision> = places.iter().map(|place| place.id).collect();
    let objects = objects(&found, others)?;
    Ok(objects.into_iter().filter(|object| ids.is_empty() || ids.contains(&object.id)).collect())
}

/// The entry at a place, and where the next begins.
fn entry(bytes: &[u8], at: usize) -> Option<(Found, usize)> {
    let head = head_of(&bytes[at..])?;
    let size = usize::try_from(head.size).ok().filter(|size| *size <= OBJECT_MAX)?;
    let mut from = at + head.length;
    let kind = match head.code {
        OFS_DELTA => Form::At(at.checked_sub(usize::try_from(head.back).ok()?)?),
        REF_DELTA => {
            let id = *bytes.get(from..)?.first_chunk()?;
            from += 20;
            Form::Of(Revision::from_bytes(id))
        }
        code => Form::Whole(Kind::of_code(code)?),
    };
    let mut out = Vec::new();
    // A size that is damaged is not believed: there is never more than what the bytes can hold.
    out.try_reserve_exact(size.min(bytes.len().saturating_mul(1_100)) + 1).ok()?;
    let mut zlib = Decompress::new(true);
    let status = zlib.decompress_vec(bytes.get(from..)?, &mut out, FlushDecompress::Finish);
    let is_whole = matches!(status, Ok(Status::StreamEnd)) && out.len() == size;
    let next = from + usize::try_from(zlib.total_in()).ok()?;
    is_whole.then_some((Found { kind, bytes: out }, next))
}

/// The objects that the entries are.
fn objects(found: &BTreeMap<usize, Found>, others: &Objects) -> Result<Vec<Object>, Error> {
    let mut made: HashMap<usize, Object> = HashMap::new();
    let mut by_id: HashMap<Revision, usize> = HashMap::new();
    // An entry whose base comes later, by its id, is made in a later pass.
    loop {
        let before = made.len();
        for at in found.keys() {
            if made.contains_key(at) {
                continue;
            }
            if let Some(object) = object(*at, found, (&made, &by_id), others)? {
                by_id.insert(object.id, *at);
                made.insert(*at, object);
            }
        }
        if made.len() == before {
            return Ok(found.keys().filter_map(|at| made.remove(at)).collect());
        }
    }
}

fn object(
    at: usize,
    found: &BTreeMap<usize, Found>,
    (made, by_id): (&HashMap<usize, Object>, &HashMap<Revision, usize>),
    others: &Objects,
) -> Result<Option<Object>, Error> {
    let mut deltas: Vec<&[u8]> = Vec::new();
    let mut next = at;
    let (kind, mut bytes, base) = loop {
        if let Some(object) = made.get(&next) {
            break (object.kind, object.bytes.clone(), Some(object.id));
        }
        let Some(entry) = found.get(&next).filter(|_| deltas.len() < DEPTH_MAX) else {
            return Ok(None);
        };
        match entry.kind {
            Form::Whole(kind) => break (kind, Bytes::copy_from_slice(&entry.bytes), None),
            Form::At(base) => next = base,
            Form::Of(id) => match by_id.get(&id) {
                Some(base) => next = *base,
                None => {
                    let Ok(Some(object)) = others.read(id) else {
                        return Ok(None);
                    };
                    deltas.push(&entry.bytes);
                    break (object.kind, object.bytes, None);
                }
            },
        }
        deltas.push(&entry.bytes);
    };
    for delta in deltas.into_iter().rev() {
        match apply(&bytes, delta) {
            Some(made) => bytes = Bytes::from(made),
            None => return Ok(None),
        }
    }
    Ok(Some(Object { id: id_of(kind, &bytes)?, kind, bytes, base }))
}

/// What a delta makes of its base; none if it cannot.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta.iter().copied();
    if size(&mut rest)? != base.len() {
        return None;
    }
    let total = size(&mut rest)?;
    let mut out = Vec::new();
    while let Some(op) = rest.next() {
        if op & 0x80 == 0 {
            for _ in 0..op {
                out.push(rest.next()?);
            }
            continue;
        }
        let mut number = |bits: std::ops::Range<u8>| {
            let mut value = 0_usize;
            for (place, bit) in bits.enumerate() {
                if op & (1 << bit) != 0 {
                    value |= usize::from(rest.next()?) << (8 * place);
                }
            }
            Some(value)
        };
        let (from, length) = (number(0..4)?, number(4..7)?);
        let length = if length == 0 { 0x10000 } else { length };
        out.extend_from_slice(base.get(from..from.checked_add(length)?)?);
        if out.len() > total {
            return None;
        }
    }
    (out.len() == total).then_some(out)
}

fn size(rest: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let (mut value, mut shift) = (0_usize, 0);
    loop {
        let byte = rest.next()?;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}
