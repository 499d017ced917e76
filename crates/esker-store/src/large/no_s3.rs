//! In the place of `s3.rs` where esker is built without the feature `s3`: there is no bucket.

use std::fs::File;

use esker_wire::blobs::Blobs;
use esker_wire::pointer::ContentId;
use esker_wire::revision::Revision;

use super::bucket::Trouble;
use super::tier::Held;
use crate::error::Error;

/// A place in a bucket, of which there is none.
pub(super) enum Bucket {}

impl Bucket {
    pub(super) fn open(blobs: &Blobs) -> Result<Self, Error> {
        let reason =
            "this esker was built without S3; build it with `cargo install esker --features s3`";
        Err(Error::Blobs { place: blobs.to_string(), reason: reason.to_owned() })
    }

    pub(super) fn end(&self) {
        match *self {}
    }

    pub(super) fn claim(&self, _: Revision) -> Result<(), Trouble> {
        match *self {}
    }

    pub(super) fn list(&self) -> Result<Vec<Held>, Trouble> {
        match *self {}
    }

    pub(super) fn size(&self, _: ContentId) -> Result<Option<u64>, Trouble> {
        match *self {}
    }

    pub(super) fn put(&self, _: ContentId, _: &mut File, _: u64) -> Result<(), Trouble> {
        match *self {}
    }

    pub(super) fn get(
        &self,
        _: ContentId,
        _: u64,
        _: &mut dyn FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        match *self {}
    }

    pub(super) fn remove(&self, _: ContentId) -> Result<(), Trouble> {
        match *self {}
    }
}
