//! The deeds of `disk`, watched: under a watched folder each is noted, and made to fail when asked.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk;

/// What was done, or said by the test, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A file was made.
    Create(PathBuf),
    Write(PathBuf, u64, Vec<u8>),
    Length(PathBuf, u64),
    Sync(PathBuf),
    /// The disk said that it could not: what was written may be lost, whatever it says the next time.
    SyncFailed(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
    MakeFolder(PathBuf),
    RemoveFolder(PathBuf),
    SyncFolder(PathBuf),
    SyncAll,
    /// The test begins something, by number.
    Begun(usize),
    /// It was told that this is done.
    Told(usize),
    /// It was told that this is refused.
    Refused(usize),
}

/// A failure to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    /// Before which deed.
    pub(crate) at: usize,
    pub(crate) errno: rustix::io::Errno,
    /// Whether all that follow fail as well.
    pub(crate) lasts: bool,
}

#[derive(Default)]
struct Tape {
    deeds: Vec<Deed>,
    /// How many deeds were asked for.
    count: usize,
    failure: Option<Failure>,
    /// What failed.
    failed: Vec<String>,
}

static WATCHES: Mutex<Vec<(PathBuf, Arc<Mutex<Tape>>)>> = Mutex::new(Vec::new());

/// A folder that is watched until this is dropped.
pub(crate) struct Watch {
    folder: PathBuf,
    tape: Arc<Mutex<Tape>>,
}

impl Watch {
    pub(crate) fn begin(folder: &Path) -> Self {
        let tape = Arc::<Mutex<Tape>>::default();
        lock(&WATCHES).push((folder.to_owned(), Arc::clone(&tape)));
        Self { folder: folder.to_owned(), tape }
    }

    pub(crate) fn fail(&self, failure: Option<Failure>) {
        lock(&self.tape).failure = failure;
    }

    pub(crate) fn note(&self, deed: Deed) {
        lock(&self.tape).deeds.push(deed);
    }

    /// What was done so far.
    pub(crate) fn deeds(&self) -> Vec<Deed> {
        lock(&self.tape).deeds.clone()
    }

    /// How many deeds were asked for.
    pub(crate) fn count(&self) -> usize {
        lock(&self.tape).count
    }

    pub(crate) fn failed(&self) -> Vec<String> {
        lock(&self.tape).failed.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&WATCHES).retain(|(folder, _)| *folder != self.folder);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(path: &Path) -> Option<Arc<Mutex<Tape>>> {
    let watches = lock(&WATCHES);
    let found = watches.iter().find(|(folder, _)| path.starts_with(folder));
    found.map(|(_, tape)| Arc::clone(tape))
}

/// Does it and notes it, or fails; `half` is what a failure leaves done.
fn deed<T>(
    path: &Path,
    deed: impl FnOnce() -> Deed,
    run: impl FnOnce() -> io::Result<T>,
    half: impl FnOnce(&Path) -> Option<Deed>,
) -> io::Result<T> {
    let Some(tape) = watch(path) else {
        return run();
    };
    // Held while it is done, so that the order that is noted is that in which it was done.
    let mut tape = lock(&tape);
    let at = tape.count;
    tape.count += 1;
    let fails = |failure: &Failure| failure.at == at || failure.lasts && failure.at < at;
    if let Some(failure) = tape.failure.filter(fails) {
        let left = half(path);
        let what = match deed() {
            Deed::Write(path, place, bytes) => {
                format!("{} bytes at {place} of {}", bytes.len(), path.display())
            }
            deed => format!("{deed:?}"),
        };
        tape.failed.push(format!("{at}: {what}"));
        tape.deeds.extend(left);
        return Err(failure.errno.into());
    }
    let done = run()?;
    tape.deeds.push(deed());
    Ok(done)
}

fn nothing(_: &Path) -> Option<Deed> {
    None
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    deed(path, || Deed::Create(path.to_owned()), || disk::create_new(path), nothing)
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    if path.exists() {
        return disk::open(path);
    }
    deed(path, || Deed::Create(path.to_owned()), || disk::open(path), nothing)
}

/// A write that fails has come half way, as on a disk that is full.
pub(super) fn write_at(file: &File, path: &Path, (at, bytes): (u64, &[u8])) -> io::Result<()> {
    let write = |bytes: &[u8]| Deed::Write(path.to_owned(), at, bytes.to_vec());
    let half = |path: &Path| {
        let half = &bytes[..bytes.len() / 2];
        disk::write_at(file, path, (at, half)).ok().map(|()| write(half))
    };
    deed(path, || write(bytes), || disk::write_at(file, path, (at, bytes)), half)
}

pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
    let lost = |path: &Path| Some(Deed::SyncFailed(path.to_owned()));
    deed(path, || Deed::Sync(path.to_owned()), || disk::sync(file, path), lost)
}

pub(super) fn set_length(file: &File, path: &Path, length: u64) -> io::Result<()> {
    let set = || disk::set_length(file, path, length);
    deed(path, || Deed::Length(path.to_owned(), length), set, nothing)
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let done = || Deed::Rename(from.to_owned(), to.to_owned());
    deed(to, done, || disk::rename(from, to), nothing)
}

pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    let done = || Deed::Link(from.to_owned(), to.to_owned());
    deed(to, done, || disk::link(from, to), nothing)
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return disk::remove(path);
    }
    deed(path, || Deed::Remove(path.to_owned()), || disk::remove(path), nothing)
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    deed(path, || Deed::MakeFolder(path.to_owned()), || disk::make_folder(path), nothing)
}

pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    deed(path, || Deed::RemoveFolder(path.to_owned()), || disk::remove_folder(path), nothing)
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    deed(path, || Deed::SyncFolder(path.to_owned()), || disk::sync_folder(path), nothing)
}

pub(super) fn sync_all(path: &Path) -> io::Result<()> {
    deed(path, || Deed::SyncAll, || disk::sync_all(path), nothing)
}
