//! The journal as the first version of esker wrote it: `esker/journal`, and `journal.old` before it.
//!
//! A record is a line `esker journal 1 LENGTH SUM`, then a payload: a line `boot ID`, lines `move NAME FROM TO`, and
//! for each object a line `object ID LENGTH` and the bytes of its loose file. The sum is the git id of the payload.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;
use flate2::read::ZlibDecoder;

use super::{Batch, item_move, line, read_file};
use crate::error::Error;
use crate::files;
use crate::objects::{Kind, Object, id_of};

const MAGIC: &str = "esker journal 1";

/// Its whole batches.
pub(super) fn load(git_dir: &Path) -> Result<Vec<Batch>, Error> {
    let [before, path] = paths(git_dir);
    let bytes = [read_file(&before)?, read_file(&path)?].concat();
    let mut batches = Vec::new();
    let mut rest = bytes.as_slice();
    let broken = |reason| Error::Journal { path: path.clone(), reason };
    while let Some((payload, after)) = frame(rest) {
        batches.push(batch(payload).ok_or_else(|| broken("it holds what cannot be read"))?);
        rest = after;
    }
    let mut starts = memchr::memmem::find_iter(rest, MAGIC.as_bytes()).filter(|at| *at > 0);
    if starts.any(|at| frame(&rest[at..]).is_some()) {
        return Err(broken("whole records follow a broken one"));
    }
    Ok(batches)
}

/// Removes it.
pub(super) fn remove(git_dir: &Path) -> Result<(), Error> {
    for path in paths(git_dir) {
        files::remove(&path).map_err(Error::write(&path))?;
    }
    Ok(())
}

fn paths(git_dir: &Path) -> [PathBuf; 2] {
    ["journal.old", "journal"].map(|name| git_dir.join("esker").join(name))
}

/// The first record's payload, and what follows it; none if it is not whole.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = line(bytes)?;
    let (length, sum) = head.strip_prefix(MAGIC)?.strip_prefix(' ')?.split_once(' ')?;
    let (payload, rest) = rest.split_at_checked(length.parse().ok()?)?;
    (id_of(Kind::Blob, payload).ok()?.to_string() == sum).then_some((payload, rest))
}

fn batch(mut payload: &[u8]) -> Option<Batch> {
    let mut batch = Batch::default();
    while !payload.is_empty() {
        let (text, rest) = line(payload)?;
        let words: Vec<&str> = text.split(' ').collect();
        payload = match words.as_slice() {
            ["boot", _] => rest,
            ["move", name, from, to] => {
                batch.moves.push(item_move(name, from, to)?);
                rest
            }
            ["object", id, length] => {
                let (bytes, rest) = rest.split_at_checked(length.parse().ok()?)?;
                batch.objects.push(inflated(id.parse().ok()?, bytes)?);
                rest
            }
            _ => return None,
        };
    }
    Some(batch)
}

/// The object in a loose file.
fn inflated(id: Revision, bytes: &[u8]) -> Option<Object> {
    let mut out = Vec::new();
    ZlibDecoder::new(bytes).read_to_end(&mut out).ok()?;
    let end = memchr::memchr(0, &out)?;
    let (kind, _) = std::str::from_utf8(&out[..end]).ok()?.split_once(' ')?;
    let kind = Kind::parse(kind)?;
    let bytes = bytes::Bytes::from(out).slice(end + 1..);
    Some(Object { id, kind, bytes, base: None })
}
