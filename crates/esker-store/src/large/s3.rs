//! A bucket that speaks S3: the one file that names `object_store`. Everything here waits for the network, so nothing
//! of it is called by the owner of the store.
//!
//! A content is the object `PREFIX/aa/bb/HASH`, as the files lie in `lfs/objects`.

use std::fs::File;
use std::future::Future;
use std::io::{Read as _, Seek as _};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::blobs::Blobs;
use esker_wire::pointer::ContentId;
use esker_wire::revision::Revision;
use futures_util::future::{Either, select, try_join_all};
use futures_util::stream::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, MultipartUpload, ObjectStore as _, ObjectStoreExt as _,
    RetryConfig,
};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::bucket::{Trouble, redact};
use super::id_of_content;
use super::tier::Held;
use crate::error::Error;

/// The object that tells whose contents these are: the first commit of a store.
const OWNER: &str = "esker-store";
/// A content with more bytes is brought in parts.
const WHOLE_MAX: u64 = 16 * 1024 * 1024;
/// The least part of one.
const PART_MIN: u64 = 16 * 1024 * 1024;
/// How many parts there may be.
const PARTS_MAX: u64 = 9_000;
/// How many parts are brought at once; all of them are in memory.
const PARTS_AT_ONCE: usize = 2;
/// What is fetched with one request, and how many of those are made at once.
const PIECE: u64 = 8 * 1024 * 1024;
const PIECES_AT_ONCE: u64 = 4;
/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(120);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How often a request is made again at once; beyond that the caller waits, and tells of it.
const RETRIES_MAX: usize = 2;
const RETRY_MAX: Duration = Duration::from_secs(10);

/// A place in a bucket.
pub(super) struct Bucket {
    store: AmazonS3,
    prefix: Path,
    runtime: Runtime,
    ends: watch::Sender<bool>,
}

impl Bucket {
    pub(super) fn open(blobs: &Blobs) -> Result<Self, Error> {
        let cannot =
            |reason: String| Error::Blobs { place: blobs.to_string(), reason: redact(&reason) };
        if let Some(endpoint) = &blobs.endpoint {
            let checked = Blobs::check_endpoint(endpoint, blobs.allow_http);
            checked.map_err(|error| cannot(error.to_string()))?;
        }
        let plain = blobs.endpoint.as_ref().is_some_and(|text| text.starts_with("http://"));
        let client = ClientOptions::new()
            .with_allow_http(plain)
            .with_timeout(REQUEST_MAX)
            .with_connect_timeout(CONNECT_MAX);
        let mut builder = AmazonS3Builder::from_env()
            .with_client_options(client)
            .with_bucket_name(&blobs.bucket)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_MAX,
            });
        if let Some(endpoint) = &blobs.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &blobs.region {
            builder = builder.with_region(region);
        }
        let store = builder.build().map_err(|error| cannot(chain(&error)))?;
        let prefix = Path::parse(&blobs.prefix).map_err(|error| cannot(chain(&error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-s3")
            .enable_all()
            .build()
            .map_err(|error| cannot(error.to_string()))?;
        Ok(Self { store, prefix, runtime, ends: watch::Sender::new(false) })
    }

    /// Breaks off whatever is waited for, now and later.
    pub(super) fn end(&self) {
        self.ends.send_replace(true);
    }

    /// Makes sure that the place belongs to this store, or to nobody: then it does from now on.
    pub(super) fn claim(&self, store: Revision) -> Result<(), Trouble> {
        let path = self.prefix.clone().join(OWNER);
        let ours = format!("{store}\n");
        self.run(async {
            let found = match self.store.get(&path).await {
                Ok(found) => found.bytes().await?,
                Err(object_store::Error::NotFound { .. }) => {
                    self.store.put(&path, ours.clone().into()).await?;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            if found == ours {
                return Ok(());
            }
            let text = "the contents there are those of another store; name another prefix";
            Err(Trouble::There(text.to_owned()))
        })
    }

    /// Everything that lies there.
    pub(super) fn list(&self) -> Result<Vec<Held>, Trouble> {
        self.run(async {
            let mut found = Vec::new();
            let mut objects = self.store.list(Some(&self.prefix));
            while let Some(object) = objects.try_next().await? {
                let name = object.location.filename().map(ContentId::from_digits);
                // What is not where a content would be is someone else's.
                let ours = name.and_then(Result::ok).filter(|id| self.path(*id) == object.location);
                if let Some(id) = ours {
                    let modified = object.last_modified.into();
                    found.push(Held { id, size: object.size, modified, used: modified });
                }
            }
            Ok(found)
        })
    }

    /// The size of a content there, if there is one.
    pub(super) fn size(&self, id: ContentId) -> Result<Option<u64>, Trouble> {
        let path = self.path(id);
        self.run(async {
            match self.store.head(&path).await {
                Ok(found) => Ok(Some(found.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Brings a file there; what is not what it is named is not brought.
    pub(super) fn put(&self, id: ContentId, file: &mut File, size: u64) -> Result<(), Trouble> {
        let path = self.path(id);
        self.run(async {
            if size <= WHOLE_MAX {
                let bytes = read(file, WHOLE_MAX + 1)?;
                check(id, id_of_content(&bytes))?;
                self.store.put(&path, bytes.into()).await?;
                return Ok(());
            }
            let mut upload = self.store.put_multipart(&path).await?;
            let brought = parts(upload.as_mut(), file, size).await;
            match brought.and_then(|found| check(id, found)) {
                Ok(()) => {
                    upload.complete().await?;
                    Ok(())
                }
                Err(trouble) => {
                    // What cannot be removed now, the bucket's own rule removes.
                    drop(upload.abort().await);
                    Err(trouble)
                }
            }
        })
    }

    /// Fetches a content, handing on its bytes as they come; they are not checked.
    pub(super) fn get(
        &self,
        id: ContentId,
        size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let path = self.path(id);
        self.run(async {
            let mut at = 0;
            while at < size {
                let end = size.min(at + PIECES_AT_ONCE * PIECE);
                let starts = (at..end).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX));
                let ranges = starts.map(|start| start..end.min(start + PIECE));
                let pieces = ranges.map(|range| self.store.get_range(&path, range));
                let pieces: Vec<Bytes> = try_join_all(pieces).await?;
                pieces.iter().try_for_each(|piece| take(piece))?;
                at = end;
            }
            Ok(())
        })
    }

    /// Removes a content for good.
    pub(super) fn remove(&self, id: ContentId) -> Result<(), Trouble> {
        let path = self.path(id);
        self.run(async {
            match self.store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn path(&self, id: ContentId) -> Path {
        let digits = id.digits();
        let (first, second) = (digits[..2].to_owned(), digits[2..4].to_owned());
        self.prefix.clone().join(first).join(second).join(digits)
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        let mut ends = self.ends.subscribe();
        self.runtime.block_on(async {
            match select(pin!(work), pin!(ends.wait_for(|ends| *ends))).await {
                Either::Left((out, _)) => out,
                Either::Right(_) => Err(Trouble::There("esker ends".to_owned())),
            }
        })
    }
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Gone,
            other => Self::There(redact(&chain(&other))),
        }
    }
}

/// An error with all that is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    text
}

fn check(id: ContentId, found: ContentId) -> Result<(), Trouble> {
    if found == id {
        return Ok(());
    }
    Err(Trouble::Here(format!("its file is damaged: its hash is {found}")))
}

/// Brings all parts of a file, some at once; its hash.
async fn parts(
    upload: &mut dyn MultipartUpload,
    file: &mut File,
    size: u64,
) -> Result<ContentId, Trouble> {
    let length = PART_MIN.max(size.div_ceil(PARTS_MAX));
    let mut hash = Sha256::new();
    file.rewind().map_err(Trouble::here)?;
    loop {
        let mut puts = Vec::new();
        for _ in 0..PARTS_AT_ONCE {
            let part = read(file, length)?;
            if part.is_empty() {
                break;
            }
            hash.update(&part);
            puts.push(upload.put_part(part.into()));
        }
        if puts.is_empty() {
            return Ok(ContentId::from_bytes(hash.finalize().into()));
        }
        try_join_all(puts).await?;
    }
}

fn read(file: &mut File, at_most: u64) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    file.take(at_most).read_to_end(&mut bytes).map_err(Trouble::here)?;
    Ok(bytes)
}
