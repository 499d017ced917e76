//! Packs: many objects in one file that git reads, and the index beside it.
//!
//! The formats are those of git's `Documentation/gitformat-pack.txt`, pack version 2 and index version 2. gix reads
//! packs; we write them, for only we know what was made from what, and copy entries as they are.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;
use flate2::{Compress, Compression, FlushCompress, Status};

use crate::delta;
use crate::error::Error;
use crate::files::{self, Output};
use crate::objects::{Kind, Object, Sum};

/// How many deltas one reads at most for a tree, which git reads seldom and esker from memory.
const TREE_DEPTH_MAX: u32 = 50;
/// The same for a content.
const BLOB_DEPTH_MAX: u32 = 10;
/// What marks an entry that is told as a delta of one earlier in the pack.
pub(crate) const OFS_DELTA: u8 = 6;
/// What marks one that is told as a delta of a named one.
pub(crate) const REF_DELTA: u8 = 7;
/// The first offset that takes eight bytes in an index.
const LARGE: u64 = 0x8000_0000;

/// After how many bytes what was written so far is flushed: who waits for a flush of the journal waits for this one too.
const FLUSH: u64 = 4 * 1024 * 1024;

/// What the files that keep packs are names of, and what they say.
pub(crate) const KEEP: &str = "esker/keep";
pub(crate) const KEEP_TEXT: &[u8] = b"esker\n";

/// One line of a pack's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) id: Revision,
    pub(crate) at: u64,
    /// The CRC-32 of the entry as it is in the pack.
    pub(crate) sum: u32,
}

/// Where an entry is, and how many deltas are below it.
#[derive(Debug, Clone, Copy)]
struct Known {
    at: u64,
    depth: u32,
}

/// A pack being written: a temporary file until it is whole.
pub(crate) struct PackWriter {
    git_dir: PathBuf,
    path: PathBuf,
    out: BufWriter<Output>,
    sum: Sum,
    at: u64,
    /// Up to where it was flushed.
    flushed: u64,
    places: Vec<Place>,
    known: HashMap<Revision, Known>,
    zlib: Compress,
}

/// A pack whose files are in their place.
#[derive(Debug)]
pub(crate) struct Pack {
    /// The path without its ending.
    path: PathBuf,
}

impl Pack {
    /// Lets `git gc` do as it likes with the pack: what it holds is now named by a reference.
    pub(crate) fn release(&self) -> Result<(), Error> {
        let keep = self.path.with_extension("keep");
        files::remove(&keep).map_err(Error::write(&keep))
    }
}

impl PackWriter {
    /// Begins a pack of so many objects. `name` is that of the temporary file.
    pub(crate) fn create(git_dir: &Path, name: &str, count: usize) -> Result<Self, Error> {
        let path = files::temporary(git_dir).join(name);
        let file = files::create(&path)?;
        let mut pack = Self {
            git_dir: git_dir.to_owned(),
            path,
            out: BufWriter::with_capacity(256 * 1024, file),
            sum: Sum::new(),
            at: 0,
            flushed: 0,
            places: Vec::with_capacity(count),
            known: HashMap::with_capacity(count),
            zlib: Compress::new(Compression::fast(), true),
        };
        let count = u32::try_from(count).expect("no pack is made of four thousand million objects");
        let head = [&b"PACK"[..], &2_u32.to_be_bytes(), &count.to_be_bytes()].concat();
        pack.write(&head)?;
        Ok(pack)
    }

    /// Whether the object is in the pack already.
    pub(crate) fn holds(&self, id: Revision) -> bool {
        self.known.contains_key(&id)
    }

    /// Whether an object may be told as a delta of another that is in the pack; on it there will be so many more.
    pub(crate) fn is_base(&self, kind: Kind, base: Revision, height: u32) -> bool {
        let depth_max = if kind == Kind::Tree { TREE_DEPTH_MAX } else { BLOB_DEPTH_MAX };
        self.known.get(&base).is_some_and(|known| known.depth + height < depth_max)
    }

    /// Adds an object; as a delta, if that is shorter and the base can be one.
    pub(crate) fn add(&mut self, object: &Object, base: Option<&Object>) -> Result<(), Error> {
        let (kind, bytes) = (object.kind, object.bytes.as_ref());
        let base = base.filter(|base| base.kind == kind && self.is_base(kind, base.id, 0));
        let delta = base.and_then(|base| {
            let delta = delta::encode(&base.bytes, bytes, bytes.len() / 2)?;
            Some((base.id, delta))
        });
        match delta {
            Some((base, delta)) => {
                let deflated = self.deflated(&delta);
                self.add_delta(object.id, base, (delta.len() as u64, &deflated))
            }
            None => {
                let deflated = self.deflated(bytes);
                self.add_whole(object.id, kind, (bytes.len() as u64, &deflated))
            }
        }
    }

    /// Adds an entry that is no delta: its size and its compressed bytes.
    pub(crate) fn add_whole(
        &mut self,
        id: Revision,
        kind: Kind,
        (size, deflated): (u64, &[u8]),
    ) -> Result<(), Error> {
        self.entry(id, 0, &[&head(kind.code(), size), deflated])
    }

    /// Adds an entry that is a delta of one in the pack: the delta's size and its compressed bytes.
    pub(crate) fn add_delta(
        &mut self,
        id: Revision,
        base: Revision,
        (size, deflated): (u64, &[u8]),
    ) -> Result<(), Error> {
        let known = self.known.get(&base).expect("a delta's base is in the pack before it");
        let (back, depth) = (self.at - known.at, known.depth + 1);
        self.entry(id, depth, &[&head(OFS_DELTA, size), &distance(back), deflated])
    }

    fn entry(&mut self, id: Revision, depth: u32, parts: &[&[u8]]) -> Result<(), Error> {
        let at = self.at;
        let mut sum = crc32fast::Hasher::new();
        for part in parts {
            sum.update(part);
            self.write(part)?;
        }
        self.known.insert(id, Known { at, depth });
        self.places.push(Place { id, at, sum: sum.finalize() });
        if self.at - self.flushed < FLUSH {
            return Ok(());
        }
        self.flushed = self.at;
        self.out.flush().map_err(Error::write(&self.path))?;
        self.out.get_ref().sync()
    }

    /// Makes the pack durable and puts it in its place, kept from `git gc` until [`Pack::release`].
    pub(crate) fn finish(mut self) -> Result<Pack, Error> {
        let sum = std::mem::replace(&mut self.sum, Sum::new()).finish()?;
        let written = self.out.write_all(sum.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(Error::write(&self.path))?;
        self.out.get_ref().sync()?;
        let index = self.path.with_extension("idx");
        files::write_new(&index, &index_of(&mut self.places, sum)?, true)?;
        let folder = self.git_dir.join("objects/pack");
        let path = folder.join(format!("pack-{sum}"));
        keep(&self.git_dir, &path.with_extension("keep"))?;
        files::rename(&self.path, &path.with_extension("pack"))?;
        // With its index the pack is seen.
        files::rename(&index, &path.with_extension("idx"))?;
        files::sync_folder(&folder)?;
        Ok(Pack { path })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sum.update(bytes);
        self.at += bytes.len() as u64;
        self.out.write_all(bytes).map_err(Error::write(&self.path))
    }

    fn deflated(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.zlib.reset();
        // What compressing adds to bytes that do not compress is less than this.
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 64);
        let status = self.zlib.compress_vec(bytes, &mut out, FlushCompress::Finish);
        assert!(matches!(status, Ok(Status::StreamEnd)), "compressing into enough memory ends");
        out
    }
}

/// Keeps a pack from `git gc`. The file is a second name of one that was flushed long ago: a new one would have to be,
/// for after a loss of power an empty one is taken for someone's who keeps the pack for good.
fn keep(git_dir: &Path, path: &Path) -> Result<(), Error> {
    match files::link(&git_dir.join(KEEP), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::write_new(path, KEEP_TEXT, true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.map_err(Error::write(path)),
    }
}

impl Kind {
    /// The type of an entry in git's numbers.
    fn code(self) -> u8 {
        match self {
            Self::Commit => 1,
            Self::Tree => 2,
            Self::Blob => 3,
            Self::Tag => 4,
        }
    }

    /// The kind of an entry that is no delta.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// An entry's type and size: four bits of the size beside the type, then seven in each byte.
fn head(code: u8, size: u64) -> Vec<u8> {
    let mut out = vec![code << 4 | (size & 15) as u8];
    let mut rest = size >> 4;
    while rest > 0 {
        *out.last_mut().expect("there is a first") |= 0x80;
        out.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    out
}

/// How far back a base is: seven bits in each byte, the highest first, each but the last counted from one.
fn distance(back: u64) -> Vec<u8> {
    let mut out = vec![(back & 0x7f) as u8];
    let mut rest = back >> 7;
    while rest > 0 {
        rest -= 1;
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.reverse();
    out
}

/// A pack's index.
fn index_of(places: &mut [Place], pack: Revision) -> Result<Vec<u8>, Error> {
    places.sort_unstable();
    let mut out = Vec::with_capacity(1100 + places.len() * 28);
    out.extend_from_slice(b"\xfftOc\x00\x00\x00\x02");
    let mut below = 0;
    for first in 0..=u8::MAX {
        below += places[below..].iter().take_while(|place| place.id.as_bytes()[0] == first).count();
        out.extend_from_slice(&(below as u32).to_be_bytes());
    }
    places.iter().for_each(|place| out.extend_from_slice(place.id.as_bytes()));
    places.iter().for_each(|place| out.extend_from_slice(&place.sum.to_be_bytes()));
    let mut large = Vec::new();
    for place in &*places {
        let at = if place.at < LARGE {
            place.at as u32
        } else {
            large.push(place.at);
            LARGE as u32 | (large.len() - 1) as u32
        };
        out.extend_from_slice(&at.to_be_bytes());
    }
    large.iter().for_each(|at| out.extend_from_slice(&at.to_be_bytes()));
    out.extend_from_slice(pack.as_bytes());
    let mut sum = Sum::new();
    sum.update(&out);
    out.extend_from_slice(sum.finish()?.as_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests;
