//! A store in which little is large, for the tests of large contents.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_store::names::{Names, NamesHandle};
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::Fault;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::snapshot::{Collected, Content, Gc, Get, Put, Range, Stored, Upload, Uploaded};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{Dice, call, resource};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A store in which more than 1,000 bytes are large, and an answer may have 20,000.
pub(crate) struct Deep {
    pub(crate) folder: TempDir,
    pub(crate) snapshots: Snapshots,
}

impl Deep {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let snapshots = open(folder.path());
        Self { folder, snapshots }
    }

    pub(crate) fn reopen(self) -> Self {
        let Self { folder, snapshots } = self;
        drop(snapshots);
        let snapshots = open(folder.path());
        Self { folder, snapshots }
    }

    /// The folder, when git sees all that was acknowledged.
    pub(crate) fn path(&mut self) -> &Path {
        self.snapshots.settle().unwrap();
        self.folder.path()
    }

    /// Where the bytes of a content lie.
    pub(crate) fn file(&self, bytes: &[u8]) -> PathBuf {
        let digits = id(bytes).digits();
        let folder = self.folder.path().join("lfs/objects").join(&digits[..2]).join(&digits[2..4]);
        folder.join(digits)
    }

    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Stored {
        self.try_put(name, bytes).unwrap()
    }

    pub(crate) fn try_put(&mut self, name: &str, bytes: &[u8]) -> Result<Stored, Fault> {
        let put = Put::one(resource(name), Bytes::copy_from_slice(bytes));
        call(&mut self.snapshots, &put)
    }

    pub(crate) fn get(&mut self, name: &str) -> Result<Content, Fault> {
        call(&mut self.snapshots, &Get::head(resource(name)))
    }

    pub(crate) fn part(&mut self, name: &str, offset: u64, length: u64) -> Result<Bytes, Fault> {
        let range = Some(Range { offset, length });
        let get = Get { range, ..Get::head(resource(name)) };
        Ok(call(&mut self.snapshots, &get)?.bytes.unwrap())
    }

    pub(crate) fn piece(
        &mut self,
        of: &[u8],
        offset: usize,
        length: usize,
    ) -> Result<Uploaded, Fault> {
        let chunk = Some(Bytes::copy_from_slice(&of[offset..offset + length]));
        let upload = Upload { id: id(of), size: of.len() as u64, offset: offset as u64, chunk };
        call(&mut self.snapshots, &upload)
    }

    pub(crate) fn ask(&mut self, of: &[u8]) -> Result<Uploaded, Fault> {
        let upload = Upload { id: id(of), size: of.len() as u64, offset: 0, chunk: None };
        call(&mut self.snapshots, &upload)
    }

    /// Asks until it is complete, or cannot be.
    pub(crate) fn complete(&mut self, of: &[u8]) -> Result<(), Fault> {
        let begun = Instant::now();
        while !self.ask(of)?.is_complete {
            assert!(begun.elapsed() < PATIENCE, "it is never complete");
            std::thread::yield_now();
        }
        Ok(())
    }

    pub(crate) fn collect(
        &mut self,
        grace_s: u64,
        remove: bool,
    ) -> Result<(Vec<ContentId>, u64), Fault> {
        let begun = Instant::now();
        loop {
            match call(&mut self.snapshots, &Gc { grace_s, remove })? {
                Collected::Done { unnamed, kept, .. } => {
                    return Ok((unnamed.into_iter().map(|one| one.id).collect(), kept));
                }
                Collected::Working => assert!(begun.elapsed() < PATIENCE, "gc never ends"),
            }
            std::thread::yield_now();
        }
    }
}

pub(crate) fn open(folder: &Path) -> Snapshots {
    let options = Options {
        large_min: 1_000,
        large_max: 100_000_000,
        content_max: 20_000,
        ..Options::default()
    };
    let store = Store::open(folder, options).unwrap();
    Snapshots::new(store, NamesHandle::new(Names::default()))
}

pub(crate) fn id(bytes: &[u8]) -> ContentId {
    ContentId::from_bytes(Sha256::digest(bytes).into())
}

pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    (0..length).map(|_| u8::try_from(dice.below(256)).unwrap()).collect()
}

pub(crate) fn pointer(bytes: &[u8]) -> Bytes {
    Pointer { id: id(bytes), size: bytes.len() as u64 }.to_bytes()
}
