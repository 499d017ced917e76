//! What is done with large files on a thread of its own, for it takes its time: an upload of which all has come is
//! checked, synced, and put in its place.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::SystemTime;

use esker_wire::fault::{Code, Fault};
use esker_wire::pointer::{ContentId, Pointer};
use sha2::{Digest, Sha256};

use super::tier;
use crate::error::Error;
use crate::files;

/// The most bytes that are checked while all others wait.
const AT_ONCE_MAX: u64 = 4096;

/// Work under way.
pub(super) struct Finish {
    thread: Option<JoinHandle<Result<(), Fault>>>,
    /// How it ended, if no thread could be had for it.
    ended: Option<Result<(), Fault>>,
}

/// How far it is.
pub(super) enum Finished {
    /// Ask again.
    NotYet,
    /// The content is in its place, on disk.
    Done,
    /// It is not.
    Failed(Fault),
}

impl Finish {
    pub(super) fn start(work: impl FnOnce() -> Result<(), Fault> + Clone + Send + 'static) -> Self {
        let thread = std::thread::Builder::new().name("store-large".to_owned());
        match thread.spawn(work.clone()) {
            Ok(thread) => Self { thread: Some(thread), ended: None },
            Err(_) => Self { thread: None, ended: Some(work()) },
        }
    }

    /// Does at once what takes no time; otherwise as [`Finish::start`].
    pub(super) fn of_size(
        size: u64,
        work: impl FnOnce() -> Result<(), Fault> + Clone + Send + 'static,
    ) -> Self {
        if size <= AT_ONCE_MAX {
            Self { thread: None, ended: Some(work()) }
        } else {
            Self::start(work)
        }
    }

    /// Checks an upload, syncs it and puts it in its place; `hash` is that of the file, where it is known.
    pub(super) fn upload(
        git_dir: &Path,
        path: &Path,
        Pointer { id, size }: Pointer,
        hash: Option<ContentId>,
    ) -> Self {
        let (git_dir, path) = (git_dir.to_owned(), path.to_owned());
        Self::of_size(size, move || finish(&git_dir, &path, id, hash))
    }

    /// Whether it was done when it began.
    pub(super) fn was_at_once(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it has ended, one way or the other.
    pub(super) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub(super) fn poll(&mut self) -> Finished {
        if !self.is_over() {
            return Finished::NotYet;
        }
        let panicked = || Err(Fault::new(Code::Internal, "checking the upload failed"));
        let joined = self.thread.take().map(|thread| thread.join().unwrap_or_else(|_| panicked()));
        match joined.or(self.ended.take()).unwrap_or_else(panicked) {
            Ok(()) => Finished::Done,
            Err(fault) => Finished::Failed(fault),
        }
    }
}

fn finish(
    git_dir: &Path,
    path: &Path,
    id: ContentId,
    hash: Option<ContentId>,
) -> Result<(), Fault> {
    let found = hash.map_or_else(|| hash_of(path), Ok).map_err(Error::read(path))?;
    if found != id {
        files::remove(path).map_err(Error::write(path))?;
        let text = format!("what was uploaded as {id} is not that: its hash is {found}");
        return Err(Fault::new(Code::Conflict, text)
            .hint("it was thrown away; has the file changed meanwhile? upload it again"));
    }
    // Whoever looks for what nobody names counts from here.
    let synced = File::options().write(true).open(path).and_then(|file| {
        file.set_modified(SystemTime::now())?;
        file.sync_all()
    });
    if let Err(error) = synced {
        // The disk may have lost a part of it, and will not say so a second time.
        drop(files::remove(path));
        return Err(Error::write(path)(error).into_fault());
    }
    Ok(tier::place(git_dir, path, id)?)
}

/// The hash of a file.
pub(super) fn hash_of(path: &Path) -> io::Result<ContentId> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer) {
            Ok(0) => return Ok(ContentId::from_bytes(hash.finalize().into())),
            Ok(read) => hash.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
