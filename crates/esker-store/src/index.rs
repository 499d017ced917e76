//! The index: a branch's history in one file, so that a start need not read every commit.
//!
//! `esker/index/BRANCH` is a line `esker index 1`, then chunks: the length of what follows and its CRC-32, each four
//! bytes, the lowest first, then entries, one for each commit in order: its id, its time (eight bytes), how many
//! resources it changed (four bytes), and for each the number of its name (four bytes; a number not yet used is
//! followed by the name's length, two bytes, and the name), one byte that tells whether it was left there, and its
//! content's id if so.
//!
//! It is derived: what is missing or broken is read from the commits again. It also remembers where a branch was
//! when esker stopped, so that history rewritten meanwhile is noticed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::files;
use crate::history::History;
use crate::refs;

/// Where the indexes are.
const FOLDER: &str = "esker/index";
const HEAD: &[u8] = b"esker index 1\n";
/// How many bytes one chunk holds at most; a longer one is damage.
const CHUNK_MAX: usize = 256 * 1024 * 1024;
/// How many bytes a chunk holds before the next is begun.
const CHUNK: usize = 1024 * 1024;

/// What of a branch's history is on disk.
pub(crate) struct Index {
    path: PathBuf,
    /// How long the file's good part is.
    length: u64,
    /// How many commits that holds.
    steps: u32,
    names: BTreeMap<Resource, u32>,
}

impl Index {
    /// Reads the index of a branch, as far as it is good.
    pub(crate) fn load(git_dir: &Path, branch: &Branch) -> Result<(History, Self), Error> {
        let path = path(git_dir, branch);
        let bytes = match fs::read(&path) {
            Err(error) if is_absent(&error) => Vec::new(),
            read => read.map_err(Error::read(&path))?,
        };
        let (history, names, length) = read(&bytes);
        let steps = history.last().map_or(0, |last| last + 1);
        let names = (0..).zip(names).map(|(number, name)| (name, number)).collect();
        Ok((history, Self { path, length, steps, names }))
    }

    /// The index of a new branch.
    pub(crate) fn new(git_dir: &Path, branch: &Branch) -> Self {
        Self { path: path(git_dir, branch), length: 0, steps: 0, names: BTreeMap::new() }
    }

    /// How many commits of the history are on disk.
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    /// Forgets what is on disk: it is of another history.
    pub(crate) fn reset(&mut self) {
        self.length = 0;
        self.steps = 0;
        self.names.clear();
    }

    /// Writes the commits up to a position that are not on disk yet, without waiting for the disk.
    pub(crate) fn save(&mut self, history: &History, last: u32) -> Result<(), Error> {
        let mut bytes = if self.length == 0 { HEAD.to_vec() } else { Vec::new() };
        let mut chunk = Vec::new();
        for position in self.steps..=last {
            self.entry(history, position, &mut chunk);
            if chunk.len() > CHUNK || position == last {
                bytes.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
                bytes.extend_from_slice(&crc32fast::hash(&chunk).to_le_bytes());
                bytes.append(&mut chunk);
            }
        }
        let written = self.write(&bytes);
        if written.is_err() {
            // The names may be told anew: what is on disk is not trusted to have them.
            self.reset();
        }
        written?;
        self.length += bytes.len() as u64;
        self.steps = last + 1;
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.path.parent().map_or(Ok(()), files::make_folder)?;
        let file = files::open(&self.path)?;
        files::set_length(&file, &self.path, self.length)?;
        files::write_at(&file, &self.path, (self.length, bytes))
    }

    fn entry(&mut self, history: &History, position: u32, out: &mut Vec<u8>) {
        let step = history.step(position);
        out.extend_from_slice(step.revision.as_bytes());
        out.extend_from_slice(&step.seconds.to_le_bytes());
        let changed: Vec<&Resource> = history.changed_at(position).collect();
        out.extend_from_slice(&(changed.len() as u32).to_le_bytes());
        for resource in changed {
            let next = self.names.len() as u32;
            let known = self.names.get(resource).copied();
            out.extend_from_slice(&known.unwrap_or(next).to_le_bytes());
            if known.is_none() {
                let name = resource.as_str();
                out.extend_from_slice(&(name.len() as u16).to_le_bytes());
                out.extend_from_slice(name.as_bytes());
                self.names.insert(resource.clone(), next);
            }
            let change = history.changes(resource, position).last();
            match change.and_then(|change| change.blob) {
                Some(blob) => {
                    out.push(1);
                    out.extend_from_slice(blob.as_bytes());
                }
                None => out.push(0),
            }
        }
    }
}

/// The branches of which there is an index.
pub(crate) fn branches(git_dir: &Path) -> Result<Vec<Branch>, Error> {
    let names = refs::loose_names(git_dir, FOLDER)?;
    let names = names.iter().filter_map(|name| name.strip_prefix(FOLDER)?.strip_prefix('/'));
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// Forgets where a branch was: what git says is believed at the next start.
pub(crate) fn remove(git_dir: &Path, branch: &Branch) -> Result<(), Error> {
    let path = path(git_dir, branch);
    files::remove(&path).map_err(Error::write(&path))
}

fn path(git_dir: &Path, branch: &Branch) -> PathBuf {
    git_dir.join(FOLDER).join(branch.as_str())
}

/// What an index holds as far as it is good: the history, the names by number, and how long that part is.
pub(crate) fn read(bytes: &[u8]) -> (History, Vec<Resource>, u64) {
    let (mut history, mut names) = (History::default(), Vec::new());
    let Some(mut rest) = bytes.strip_prefix(HEAD) else {
        return (history, names, 0);
    };
    while let Some((chunk, after)) = chunk(rest) {
        let known = names.len();
        let Some(entries) = entries(chunk, &mut names) else {
            names.truncate(known);
            break;
        };
        for entry in entries {
            history.push(entry.revision, entry.seconds, entry.changes);
        }
        rest = after;
    }
    (history, names, (bytes.len() - rest.len()) as u64)
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

/// The first chunk, if it is good, and what follows it.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (chunk, rest) = rest.split_at_checked(length)?;
    let is_good = length <= CHUNK_MAX && crc32fast::hash(chunk) == u32::from_le_bytes(*sum);
    is_good.then_some((chunk, rest))
}

struct Entry {
    revision: Revision,
    seconds: i64,
    changes: Vec<(Resource, Option<Revision>)>,
}

fn entries(chunk: &[u8], names: &mut Vec<Resource>) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut rest = Rest(chunk);
    while !rest.0.is_empty() {
        let revision = rest.id()?;
        let seconds = i64::from_le_bytes(rest.take()?);
        let count = u32::from_le_bytes(rest.take()?);
        let mut changes = Vec::new();
        for _ in 0..count {
            let number = u32::from_le_bytes(rest.take()?) as usize;
            if number == names.len() {
                let length = u16::from_le_bytes(rest.take()?);
                let name = rest.bytes(usize::from(length))?;
                names.push(std::str::from_utf8(name).ok()?.parse().ok()?);
            }
            let resource = names.get(number)?.clone();
            let blob = match rest.take::<1>()? {
                [0] => None,
                _ => Some(rest.id()?),
            };
            changes.push((resource, blob));
        }
        entries.push(Entry { revision, seconds, changes });
    }
    Some(entries)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn id(&mut self) -> Option<Revision> {
        self.take().map(Revision::from_bytes)
    }
}

#[cfg(test)]
mod tests;
