//! Objects by their id: what is on disk, loose or packed, and what waits to be written.
//!
//! The only file that names gix. Ids are [`Revision`]s everywhere else.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use bytes::Bytes;
use esker_wire::revision::Revision;
use gix_object::Find as _;
use gix_odb::Header as _;

use crate::cache::Cache;
use crate::error::Error;

/// How much of what was read lately is kept in memory, in bytes.
const CACHE_MAX: usize = 32 * 1024 * 1024;
/// The same for who reads almost everything once.
const CACHE_LEAN: usize = 2 * 1024 * 1024;
/// For how many blobs the size is kept in memory.
const SIZES_MAX: usize = 100_000;
/// How many packs there may be at once.
const PACKS_MAX: u16 = 10_000;
/// The largest object that is read, in bytes.
pub(crate) const OBJECT_MAX: usize = 1024 * 1024 * 1024;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Blob, Self::Tree, Self::Commit, Self::Tag]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    fn from_git(kind: gix_object::Kind) -> Self {
        match kind {
            gix_object::Kind::Blob => Self::Blob,
            gix_object::Kind::Tree => Self::Tree,
            gix_object::Kind::Commit => Self::Commit,
            gix_object::Kind::Tag => Self::Tag,
        }
    }
}

/// One object: what it is and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) id: Revision,
    pub(crate) kind: Kind,
    pub(crate) bytes: Bytes,
    /// What it was made from, and so has much in common with.
    pub(crate) base: Option<Revision>,
}

/// All objects of a store.
pub(crate) struct Objects {
    disk: gix_odb::HandleArc,
    cache: Cache<Object>,
    sizes: Cache<u64>,
    pending: HashMap<Revision, usize>,
    waiting: Vec<Object>,
    /// What is durable, but not yet where git looks for it.
    fresh: HashMap<Revision, Object>,
    /// Which objects came with which batch.
    batches: VecDeque<(u64, Vec<Revision>)>,
}

impl Objects {
    pub(crate) fn open(git_dir: &Path) -> Result<Self, Error> {
        let dir = git_dir.join("objects");
        let options = gix_odb::store::init::Options {
            slots: gix_odb::store::init::Slots::Given(PACKS_MAX),
            alloc_limit_bytes: Some(OBJECT_MAX),
            ..Default::default()
        };
        let disk = gix_odb::at_opts(&dir, gix_hash::Kind::Sha1, [], options)
            .and_then(|handle| handle.into_arc())
            .map_err(Error::read(&dir))?;
        Ok(Self {
            disk,
            cache: Cache::new(CACHE_MAX),
            sizes: Cache::new(SIZES_MAX),
            pending: HashMap::new(),
            waiting: Vec::new(),
            fresh: HashMap::new(),
            batches: VecDeque::new(),
        })
    }

    /// The same, keeping little of what it reads.
    pub(crate) fn lean(self) -> Self {
        Self { cache: Cache::new(CACHE_LEAN), ..self }
    }

    /// Takes an object in; it is readable at once, and durable after the next flush. `base` is what it was made
    /// from.
    pub(crate) fn put(
        &mut self,
        kind: Kind,
        bytes: impl Into<Bytes>,
        base: Option<Revision>,
    ) -> Result<Revision, Error> {
        let bytes = bytes.into();
        let id = id_of(kind, &bytes)?;
        if !self.pending.contains_key(&id) {
            self.pending.insert(id, self.waiting.len());
            self.waiting.push(Object { id, kind, bytes, base });
        }
        Ok(id)
    }

    /// What waits to be written, in the order it came: contents before trees before commits.
    pub(crate) fn waiting(&self) -> &[Object] {
        &self.waiting
    }

    /// What waited is durable, as the batch of a number.
    pub(crate) fn written(&mut self, number: u64) {
        self.pending.clear();
        self.batches.push_back((number, self.waiting.iter().map(|object| object.id).collect()));
        self.fresh.extend(self.waiting.drain(..).map(|object| (object.id, object)));
    }

    /// The batches up to a number are where git looks for them.
    pub(crate) fn settled(&mut self, number: u64) {
        while self.batches.front().is_some_and(|(batch, _)| *batch <= number) {
            for id in self.batches.pop_front().into_iter().flat_map(|(_, ids)| ids) {
                if let Some(object) = self.fresh.remove(&id) {
                    let weight = object.bytes.len() + 128;
                    self.cache.insert(id, object, weight);
                }
            }
        }
    }

    /// What was taken in after the first `mark` will not be written.
    pub(crate) fn forget_after(&mut self, mark: usize) {
        for object in self.waiting.drain(mark..) {
            self.pending.remove(&object.id);
        }
    }

    /// What waited will not be written.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
        self.waiting.clear();
    }

    /// Reads an object of one kind.
    pub(crate) fn get(&mut self, id: Revision, kind: Kind) -> Result<Bytes, Error> {
        let object = self.find(id)?.ok_or_else(|| missing(id))?;
        if object.kind != kind {
            let reason = format!("is a {}, not a {}", object.kind.as_str(), kind.as_str());
            return Err(Error::Damaged { id, reason });
        }
        Ok(object.bytes)
    }

    /// Reads an object, if there is one.
    pub(crate) fn find(&mut self, id: Revision) -> Result<Option<Object>, Error> {
        if let Some(index) = self.pending.get(&id) {
            return Ok(Some(self.waiting[*index].clone()));
        }
        if let Some(object) = self.fresh.get(&id) {
            return Ok(Some(object.clone()));
        }
        if let Some(object) = self.cache.get(&id) {
            return Ok(Some(object));
        }
        let found = self.read(id)?;
        if let Some(object) = &found {
            self.cache.insert(id, object.clone(), object.bytes.len() + 128);
        }
        Ok(found)
    }

    /// Reads an object from the disk once, without keeping it in memory: for walks over everything. What is read is
    /// what its id says: a pack's deltas do not tell if one of them has changed.
    pub(crate) fn read(&self, id: Revision) -> Result<Option<Object>, Error> {
        let mut bytes = Vec::new();
        let found =
            self.disk.try_find(&to_git(id), &mut bytes).map_err(|error| damaged(id, &error))?;
        let Some(data) = found else {
            return Ok(None);
        };
        let kind = Kind::from_git(data.kind);
        if id_of(kind, &bytes)? != id {
            let reason = "is not what it was: its content has another id".to_owned();
            return Err(Error::Damaged { id, reason });
        }
        let bytes = Bytes::from(bytes);
        Ok(Some(Object { id, kind, bytes, base: None }))
    }

    /// The size of a blob, if it is there.
    pub(crate) fn size(&mut self, id: Revision) -> Result<Option<u64>, Error> {
        if let Some(index) = self.pending.get(&id) {
            return Ok(Some(self.waiting[*index].bytes.len() as u64));
        }
        if let Some(object) = self.fresh.get(&id) {
            return Ok(Some(object.bytes.len() as u64));
        }
        if let Some(size) = self.sizes.get(&id) {
            return Ok(Some(size));
        }
        let header = self.disk.try_header(&to_git(id));
        let Some(header) = header.map_err(|error| damaged(id, &error))? else {
            return Ok(None);
        };
        self.sizes.insert(id, header.size(), 1);
        Ok(Some(header.size()))
    }
}

/// The id an object has or would have.
pub(crate) fn id_of(kind: Kind, bytes: &[u8]) -> Result<Revision, Error> {
    let mut sum = Sum::new();
    sum.update(format!("{} {}\0", kind.as_str(), bytes.len()).as_bytes());
    sum.update(bytes);
    sum.finish()
}

/// The sum that git names objects and checks packs by.
pub(crate) struct Sum(gix_hash::Hasher);

impl Sum {
    pub(crate) fn new() -> Self {
        Self(gix_hash::hasher(gix_hash::Kind::Sha1))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum; an error if the bytes are such as only an attack on SHA-1 makes.
    pub(crate) fn finish(self) -> Result<Revision, Error> {
        let id = self.0.try_finalize().map_err(|error| {
            let path = Path::new("an object's id");
            Error::write(path)(std::io::Error::other(error.to_string()))
        })?;
        let bytes = id.as_slice().try_into();
        Ok(Revision::from_bytes(bytes.expect("a SHA-1 id has 20 bytes")))
    }
}

fn to_git(id: Revision) -> gix_hash::ObjectId {
    gix_hash::ObjectId::from_bytes_or_panic(id.as_bytes())
}

fn missing(id: Revision) -> Error {
    let reason = "is missing".to_owned();
    Error::Damaged { id, reason }
}

fn damaged(id: Revision, error: &dyn std::fmt::Display) -> Error {
    let reason = format!("cannot be read: {error}");
    Error::Damaged { id, reason }
}
