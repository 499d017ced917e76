//! Large contents: their bytes lie in files of their own, and git holds pointers of git-lfs to them.
//!
//! The files are where git-lfs looks in a repository beside it, so stock `git lfs` reads them. A content comes
//! whole with a PUT, or in pieces with UPLOAD before the PUT that names it; either way its file is on disk
//! before a commit that names it is acknowledged.

mod attributes;
mod bucket;
mod collect;
mod copier;
mod copies;
pub(crate) mod copy;
mod fetch;
mod finish;
mod intake;
#[cfg_attr(not(feature = "s3"), path = "large/no_s3.rs")]
mod s3;
mod serve;
mod tier;
mod uploads;
mod walk;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use esker_wire::blobs::Blobs;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::revision::Revision;
use esker_wire::snapshot::MirrorReport;
use sha2::{Digest, Sha256};

pub(crate) use self::intake::{ATTRIBUTES, Taken};
pub(crate) use self::serve::MEND;
pub(crate) use self::tier::{path as file_of, place};
pub(crate) use self::walk::{Walk, tips};

use crate::cache::Cache;
use crate::error::Error;

use self::collect::Collecting;
use self::copies::Copies;
use self::s3::Bucket;
use self::tier::Tier;
use self::uploads::Uploads;

/// For how many blobs it is kept in memory what they point to.
const POINTERS_MAX: usize = 100_000;

/// The large contents of a store.
pub(crate) struct Large {
    pub(crate) tier: Tier,
    uploads: Uploads,
    /// What small blobs point to, if they are pointers.
    pointers: Cache<Option<Pointer>>,
    collecting: Option<Collecting>,
}

impl Large {
    pub(crate) fn open(git_dir: &Path) -> Self {
        Self {
            tier: Tier::new(git_dir),
            uploads: Uploads::new(git_dir),
            pointers: Cache::new(POINTERS_MAX),
            collecting: None,
        }
    }

    /// Begins to keep copies in a bucket, which knows the store by its first commit.
    pub(crate) fn copy_to(&mut self, blobs: &Blobs, store: Revision) -> Result<(), Error> {
        self.tier.copies = Some(Copies::start(self.tier.git_dir(), blobs, store)?);
        Ok(())
    }

    /// The contents in a bucket, with their sizes.
    pub(crate) fn listed(blobs: &Blobs) -> Result<HashMap<ContentId, u64>, Error> {
        let found = Bucket::open(blobs)?
            .list()
            .map_err(|why| Error::Blobs { place: blobs.to_string(), reason: why.text() })?;
        Ok(found.into_iter().map(|held| (held.id, held.size)).collect())
    }

    /// What a thread of its own asks the bucket for, if there is one: which contents it has.
    pub(crate) fn lister(
        &self,
    ) -> Option<impl FnOnce() -> Result<HashSet<ContentId>, Error> + Send + 'static> {
        let list = self.tier.copies.as_ref().map(Copies::lister)?;
        Some(move || Ok(list()?.into_iter().map(|held| held.id).collect()))
    }

    /// Whether a content is here, or known to be in the bucket.
    pub(crate) fn is_known(&self, id: ContentId) -> Result<bool, Error> {
        Ok(self.tier.size(id)?.is_some() || matches!(self.tier.size_anywhere(id), Ok(Some(_))))
    }

    /// How the bucket stands, if there is one.
    pub(crate) fn report(&self) -> Option<MirrorReport> {
        self.tier.copies.as_ref().map(Copies::report)
    }

    /// Removes a content for good.
    pub(crate) fn remove(&mut self, id: ContentId) -> Result<(), Error> {
        self.tier.remove(id)
    }

    /// Removes what was left unfinished too long ago.
    pub(crate) fn sweep(&mut self) -> Result<(), Error> {
        self.uploads.sweep()
    }
}

/// Refuses a large content that is missing or is not what it is named, reading all of it.
pub(crate) fn check_whole(tier: &Tier, pointer: Pointer) -> Result<(), Error> {
    tier.check_size(pointer)?;
    copy::check(&tier.path(pointer.id), pointer.id)
}

/// The hash of a content that is in memory.
fn id_of_content(bytes: &[u8]) -> ContentId {
    ContentId::from_bytes(Sha256::digest(bytes).into())
}
