//! Where a PUT becomes durable: [`flush`]. Everything written here survives a loss of power once it returns.
//!
//! Objects first, references last, so that a reference never names what is not there:
//! 1. every object to a temporary file, each synced; renamed to its place; the folders touched, each synced;
//! 2. every reference to a temporary file, synced, linked as `<ref>.lock` as git does, compared with what was
//!    believed, renamed to its place; the folders touched, each synced.
//!
//! Temporary files live in `esker/tmp`; [`sweep`] removes what a killed process left there.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use esker_wire::revision::Revision;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::error::Error;
use crate::objects::Object;
use crate::refs;

/// How long a lock of git's on a reference is waited for.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long between two looks at it.
const LOCK_LOOK: Duration = Duration::from_millis(5);

/// A reference to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    /// Its full name.
    pub(crate) name: String,
    /// What it must name now.
    pub(crate) from: Option<Revision>,
    /// What it will name.
    pub(crate) to: Revision,
}

/// Writes the objects, then moves the references, all of them or (but for a failing disk) none.
pub(crate) fn flush(git_dir: &Path, objects: &[Object], moves: &[Move]) -> Result<(), Error> {
    write_objects(git_dir, objects)?;
    let mut locks = Locks::default();
    for step in moves {
        locks.take(git_dir, step)?;
    }
    locks.commit()
}

/// The folder for temporary files.
pub(crate) fn temporary(git_dir: &Path) -> PathBuf {
    git_dir.join("esker/tmp")
}

/// Writes one small file of esker's own: synced, then renamed to its place.
pub(crate) fn write_file(git_dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let from = temporary(git_dir).join("file");
    write_synced(&from, bytes)?;
    fs::rename(&from, path).map_err(Error::write(path))?;
    sync_parent(path)
}

/// Makes a folder and those above it, as far as they are missing, so that they survive a loss of power.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::write(path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Removes the temporary files and the locks that a killed process of ours has left. A lock is ours if it is
/// the same file as one of our temporary files; locks of git's own stay.
pub(crate) fn sweep(git_dir: &Path) -> Result<(), Error> {
    let folder = temporary(git_dir);
    let mut ours = BTreeSet::new();
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
        let entry = entry.map_err(Error::read(&folder))?;
        ours.insert(entry.metadata().map_err(Error::read(&folder))?.ino());
        files.push(entry.path());
    }
    if files.is_empty() {
        return Ok(());
    }
    remove_locks(&git_dir.join("refs"), &ours)?;
    for path in files {
        fs::remove_file(&path).map_err(Error::write(&path))?;
    }
    Ok(())
}

fn remove_locks(folder: &Path, ours: &BTreeSet<u64>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        let path = entry.path();
        let found = entry.metadata().map_err(Error::read(&path))?;
        if found.is_dir() {
            remove_locks(&path, ours)?;
        } else if path.extension().is_some_and(|end| end == "lock") && ours.contains(&found.ino()) {
            fs::remove_file(&path).map_err(Error::write(&path))?;
        }
    }
    Ok(())
}

fn write_objects(git_dir: &Path, objects: &[Object]) -> Result<(), Error> {
    let mut touched = BTreeSet::new();
    let mut renames = Vec::new();
    let scratch = temporary(git_dir);
    for (index, object) in objects.iter().enumerate() {
        let path = loose_path(git_dir, object.id);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
            touched.insert(folder.to_owned());
        }
        if is_fresh(&path) {
            continue;
        }
        let from = scratch.join(format!("object-{index}"));
        write_synced(&from, &deflated(object))?;
        renames.push((from, path));
    }
    for (from, path) in renames {
        fs::rename(&from, &path).map_err(Error::write(&path))?;
    }
    touched.iter().try_for_each(|folder| sync_folder(folder))
}

/// Whether the object is there; if so it is made young again, so that no `git gc` takes it for litter.
fn is_fresh(path: &Path) -> bool {
    File::options()
        .append(true)
        .open(path)
        .or_else(|_| File::open(path))
        .and_then(|file| file.set_modified(SystemTime::now()))
        .is_ok()
}

/// Where git looks for a loose object.
fn loose_path(git_dir: &Path, id: Revision) -> PathBuf {
    let digits = id.to_string();
    let (folder, file) = digits.split_at(2);
    git_dir.join("objects").join(folder).join(file)
}

/// A loose object's file: `KIND SIZE NUL CONTENT`, compressed.
fn deflated(object: &Object) -> Vec<u8> {
    let header = format!("{} {}\0", object.kind.as_str(), object.bytes.len());
    let room = Vec::with_capacity(object.bytes.len() / 2 + 128);
    let mut encoder = ZlibEncoder::new(room, Compression::fast());
    let written = encoder
        .write_all(header.as_bytes())
        .and_then(|()| encoder.write_all(&object.bytes))
        .and_then(|()| encoder.finish());
    written.expect("compressing into memory cannot fail")
}

/// References under way: locked, not yet moved.
#[derive(Default)]
struct Locks {
    held: Vec<Lock>,
}

struct Lock {
    scratch: PathBuf,
    lock: PathBuf,
    path: PathBuf,
}

impl Locks {
    fn take(&mut self, git_dir: &Path, step: &Move) -> Result<(), Error> {
        let path = git_dir.join(&step.name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let scratch = temporary(git_dir).join(format!("ref-{}", self.held.len()));
        let lock = PathBuf::from(format!("{}.lock", path.display()));
        write_synced(&scratch, format!("{}\n", step.to).as_bytes())?;
        link_patiently(&scratch, &lock)?;
        self.held.push(Lock {
            scratch,
            lock,
            path,
        });
        if refs::read(git_dir, &step.name)? == step.from {
            Ok(())
        } else {
            let reference = step.name.clone();
            Err(Error::Moved { reference })
        }
    }

    fn commit(mut self) -> Result<(), Error> {
        let mut touched = BTreeSet::new();
        while let Some(held) = self.held.pop() {
            let moved = fs::rename(&held.lock, &held.path).map_err(Error::write(&held.path));
            if moved.is_err() {
                self.held.push(held);
                return moved;
            }
            touched.extend(held.path.parent().map(Path::to_owned));
            fs::remove_file(&held.scratch).map_err(Error::write(&held.scratch))?;
        }
        touched.iter().try_for_each(|folder| sync_folder(folder))
    }
}

impl Drop for Locks {
    /// Gives up what was not moved. What cannot be removed now is swept at the next start.
    fn drop(&mut self) {
        for held in &self.held {
            drop(fs::remove_file(&held.lock));
            drop(fs::remove_file(&held.scratch));
        }
    }
}

/// Links, waiting for a moment while git holds the lock.
fn link_patiently(from: &Path, lock: &Path) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        match fs::hard_link(from, lock) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && start.elapsed() < LOCK_WAIT_MAX =>
            {
                std::thread::sleep(LOCK_LOOK);
            }
            linked => return linked.map_err(Error::write(lock)),
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(Error::write(path))
}

fn sync_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(Error::write(folder))
}

#[cfg(test)]
mod tests;
