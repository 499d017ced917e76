//! Objects by their id: what is on disk, loose or packed, and what waits to be written.
//!
//! The only file that names gix. Ids are [`Revision`]s everywhere else.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use esker_wire::revision::Revision;
use gix_object::Find as _;
use gix_odb::Header as _;

use crate::cache::Cache;
use crate::error::Error;

/// How much of what was read lately is kept in memory, in bytes.
const CACHE_MAX: usize = 64 * 1024 * 1024;
/// For how many blobs the size is kept in memory.
const SIZES_MAX: usize = 1_000_000;

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

    fn to_git(self) -> gix_object::Kind {
        match self {
            Self::Blob => gix_object::Kind::Blob,
            Self::Tree => gix_object::Kind::Tree,
            Self::Commit => gix_object::Kind::Commit,
            Self::Tag => gix_object::Kind::Tag,
        }
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
}

/// All objects of a store.
pub(crate) struct Objects {
    disk: gix_odb::HandleArc,
    cache: Cache<Object>,
    sizes: Cache<u64>,
    pending: HashMap<Revision, usize>,
    waiting: Vec<Object>,
}

impl Objects {
    pub(crate) fn open(git_dir: &Path) -> Result<Self, Error> {
        let dir = git_dir.join("objects");
        let disk = gix_odb::at(&dir, gix_hash::Kind::Sha1)
            .and_then(|handle| handle.into_arc())
            .map_err(Error::read(&dir))?;
        Ok(Self {
            disk,
            cache: Cache::new(CACHE_MAX),
            sizes: Cache::new(SIZES_MAX),
            pending: HashMap::new(),
            waiting: Vec::new(),
        })
    }

    /// Takes an object in; it is readable at once, and durable after the next flush.
    pub(crate) fn put(&mut self, kind: Kind, bytes: impl Into<Bytes>) -> Result<Revision, Error> {
        let bytes = bytes.into();
        let id = id_of(kind, &bytes)?;
        if !self.pending.contains_key(&id) {
            self.pending.insert(id, self.waiting.len());
            self.waiting.push(Object { id, kind, bytes });
        }
        Ok(id)
    }

    /// What waits to be written, in the order it came: contents before trees before commits.
    pub(crate) fn waiting(&self) -> &[Object] {
        &self.waiting
    }

    /// What waited is durable.
    pub(crate) fn written(&mut self) {
        self.pending.clear();
        for object in self.waiting.drain(..) {
            let weight = object.bytes.len() + 128;
            self.cache.insert(object.id, object, weight);
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
        if let Some(object) = self.cache.get(&id) {
            return Ok(Some(object));
        }
        let found = self.read(id)?;
        if let Some(object) = &found {
            self.cache.insert(id, object.clone(), object.bytes.len() + 128);
        }
        Ok(found)
    }

    /// Reads an object once, without keeping it in memory: for walks over everything.
    pub(crate) fn read(&self, id: Revision) -> Result<Option<Object>, Error> {
        let mut bytes = Vec::new();
        let found =
            self.disk.try_find(&to_git(id), &mut bytes).map_err(|error| damaged(id, &error))?;
        let Some(data) = found else {
            return Ok(None);
        };
        let kind = Kind::from_git(data.kind);
        let bytes = Bytes::from(bytes);
        Ok(Some(Object { id, kind, bytes }))
    }

    /// The size of a blob, if it is there.
    pub(crate) fn size(&mut self, id: Revision) -> Result<Option<u64>, Error> {
        if let Some(index) = self.pending.get(&id) {
            return Ok(Some(self.waiting[*index].bytes.len() as u64));
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
    let dir = Path::new("an object's id");
    let id = gix_object::compute_hash(gix_hash::Kind::Sha1, kind.to_git(), bytes)
        .map_err(|error| Error::write(dir)(std::io::Error::other(error.to_string())))?;
    let bytes = id.as_slice().try_into();
    Ok(Revision::from_bytes(bytes.expect("a SHA-1 id has 20 bytes")))
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
