//! A content comes back from the bucket: on a thread of its own, checked, and put in its place when it is whole.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use esker_wire::pointer::{ContentId, Pointer};
use sha2::{Digest, Sha256};

use super::bucket::Trouble;
use super::copies::Shared;
use super::tier;
use crate::error::Error;
use crate::files;

/// How far one is.
pub(super) enum Fetch {
    /// So many bytes are here.
    UnderWay(Arc<AtomicU64>),
    /// It did not come; whoever asks is told once, and the next one begins again.
    Failed {
        why: String,
        /// Whether the bucket does not have it.
        is_lost: bool,
    },
}

impl Fetch {
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self, Self::UnderWay(_))
    }
}

/// Begins to fetch a content; `have` counts what is here.
pub(super) fn start(shared: Arc<Shared>, pointer: Pointer, have: Arc<AtomicU64>) {
    let theirs = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name("store-fetch".to_owned());
    let work = move || {
        let fetched = fetch(&shared, pointer, &have);
        end(&shared, pointer.id, fetched);
    };
    if let Err(error) = thread.spawn(work) {
        end(&theirs, pointer.id, Err(Trouble::here(error)));
    }
}

fn end(shared: &Shared, id: ContentId, fetched: Result<(), Trouble>) {
    let mut state = shared.lock();
    match fetched {
        Ok(()) => {
            state.fetches.remove(&id);
            state.is_grown = true;
        }
        Err(trouble) => {
            let is_lost = matches!(trouble, Trouble::Gone | Trouble::Wrong(_));
            if let (true, Some(there)) = (is_lost, &mut state.there) {
                // Then it is missing, until someone brings it again.
                there.remove(&id);
            }
            state.fetches.insert(id, Fetch::Failed { why: trouble.text(), is_lost });
        }
    }
}

fn fetch(shared: &Shared, pointer: Pointer, have: &AtomicU64) -> Result<(), Trouble> {
    let Pointer { id, size } = pointer;
    let path = files::temporary(&shared.git_dir).join(format!("fetch-{id}"));
    let fetched = write(shared, pointer, (&path, have)).and_then(|found| {
        if found == id {
            return tier::place(&shared.git_dir, &path, id).map_err(here);
        }
        tracing::error!(content = %id, hash = %found, "the copy of a large content is damaged");
        Err(Trouble::Wrong(found))
    });
    if fetched.is_err() {
        drop(files::remove(&path));
    } else {
        tracing::info!(content = %id, size, "a large content was fetched from the bucket");
    }
    fetched
}

/// Writes it to a file of its own, synced; its hash.
fn write(
    shared: &Shared,
    Pointer { id, size }: Pointer,
    (path, have): (&std::path::Path, &AtomicU64),
) -> Result<ContentId, Trouble> {
    let mut file = files::create(path).map_err(here)?;
    let mut hash = Sha256::new();
    shared.bucket.get(id, size, &mut |bytes| {
        hash.update(bytes);
        file.write_all(bytes).map_err(Trouble::here)?;
        have.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    })?;
    file.sync().map_err(here)?;
    Ok(ContentId::from_bytes(hash.finalize().into()))
}

#[expect(clippy::needless_pass_by_value, reason = "errors are turned into it on their way")]
fn here(error: Error) -> Trouble {
    Trouble::Here(error.to_string())
}
