//! A reference is moved as git does it: locked, compared with what is believed, then moved by one rename.
//!
//! A lock is a second name of a temporary file of ours: by that the next start tells our locks from git's. After a loss
//! of power that name may be gone; then our lock is one that names what the journal is about to put there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use esker_wire::revision::Revision;

use crate::error::Error;
use crate::files;
use crate::refs;

/// What it means that a lock is not given back.
pub(crate) const IN_THE_WAY: &str =
    "git holds this lock, or was killed with it; if no git works in the store, remove the file";
/// How old a lock is that a working git does not hold any more.
const STALE: Duration = Duration::from_secs(60);
/// How long a lock of git's on a reference is waited for.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How long between two looks at it.
const LOOK: Duration = Duration::from_millis(5);

/// Where git keeps references that it has packed.
const PACKED: &str = "packed-refs";

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

/// What became of a reference that was to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It is where it was to be.
    There,
    /// Someone else has moved it; it stays where it is.
    Elsewhere(Option<Revision>),
}

/// Moves a reference, if it is where it is believed to be; durable when its folder is synced.
pub(crate) fn place(git_dir: &Path, step: &Move) -> Result<Moved, Error> {
    let path = git_dir.join(&step.name);
    path.parent().map_or(Ok(()), files::make_folder)?;
    if path.is_dir() {
        remove_empty(&path)?;
    }
    let scratch = files::temporary(git_dir).join("ref");
    let lock = lock_of(&path);
    files::write_new(&scratch, content(step.to).as_bytes(), true)?;
    link_patiently(&scratch, &lock).inspect_err(|_| drop(files::remove(&scratch)))?;
    let moved = match refs::read(git_dir, &step.name) {
        Ok(found) if found == step.from => files::rename(&lock, &path).map(|()| Moved::There),
        Ok(found) => {
            drop(files::remove(&lock));
            Ok(if found == Some(step.to) { Moved::There } else { Moved::Elsewhere(found) })
        }
        Err(error) => Err(error),
    };
    // What cannot be removed now is swept at the next start.
    if moved.is_err() {
        drop(files::remove(&lock));
    }
    drop(files::remove(&scratch));
    moved
}

/// Removes a reference, if it names what it is believed to, and waits until that is on disk; whether it did.
pub(crate) fn remove(git_dir: &Path, name: &str, from: Revision) -> Result<bool, Error> {
    let path = git_dir.join(name);
    path.parent().map_or(Ok(()), files::make_folder)?;
    // Another thread may be moving a reference, by way of a scratch of its own.
    let scratch = files::temporary(git_dir).join("gone");
    let lock = lock_of(&path);
    files::write_new(&scratch, b"", false)?;
    link_patiently(&scratch, &lock).inspect_err(|_| drop(files::remove(&scratch)))?;
    let removed = match refs::read(git_dir, name) {
        // The packed one first: the other way round it would come back for a moment.
        Ok(found) if found == Some(from) => unpack(git_dir, name)
            .and_then(|()| files::remove(&path).map_err(Error::write(&path)))
            .map(|()| true),
        found => found.map(|_| false),
    };
    drop(files::remove(&lock));
    drop(files::remove(&scratch));
    files::sync_parent(&path)?;
    removed
}

/// Takes a reference out of the packed ones, if it is among them.
fn unpack(git_dir: &Path, name: &str) -> Result<(), Error> {
    let path = git_dir.join(PACKED);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::read(&path)(error)),
    };
    let is_it = |line: &str| line.split_once(' ').is_some_and(|(_, known)| known == name);
    if !text.lines().any(is_it) {
        return Ok(());
    }
    let (scratch, lock) = (files::temporary(git_dir).join("packed"), lock_of(&path));
    files::write_new(&scratch, b"", false)?;
    link_patiently(&scratch, &lock).inspect_err(|_| drop(files::remove(&scratch)))?;
    // Only now nobody else changes it.
    let written = fs::read_to_string(&path).map_err(Error::read(&path)).and_then(|text| {
        files::write_new(&scratch, without(&text, name).as_bytes(), true)?;
        files::rename(&scratch, &path)?;
        files::sync_parent(&path)
    });
    drop(files::remove(&lock));
    drop(files::remove(&scratch));
    written
}

/// The packed references but one, and what is said of it.
fn without(text: &str, name: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut is_of_it = false;
    for line in text.split_inclusive('\n') {
        is_of_it = match line.strip_prefix('^') {
            Some(_) => is_of_it,
            None => line.trim_end().split_once(' ').is_some_and(|(_, known)| known == name),
        };
        if !is_of_it {
            left.push_str(line);
        }
    }
    left
}

fn lock_of(reference: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", reference.display()))
}

/// What the file of a reference holds.
fn content(to: Revision) -> String {
    format!("{to}\n")
}

/// The locks on references that nobody has given back for a while.
pub(crate) fn stale(git_dir: &Path) -> Vec<PathBuf> {
    let mut folders = vec![git_dir.join("refs")];
    let mut found = vec![git_dir.join("packed-refs.lock"), git_dir.join("HEAD.lock")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    let is_stale = |path: &PathBuf| {
        let written = fs::metadata(path).and_then(|about| about.modified());
        path.extension().is_some_and(|ending| ending == "lock")
            && written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE))
    };
    found.into_iter().filter(is_stale).collect()
}

/// Links, waiting for a moment while git holds the lock.
fn link_patiently(from: &Path, lock: &Path) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        match files::link(from, lock) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && start.elapsed() < WAIT_MAX =>
            {
                std::thread::sleep(LOOK);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::write(lock)(io::Error::other(IN_THE_WAY)));
            }
            linked => return linked.map_err(Error::write(lock)),
        }
    }
}

/// Removes a folder in which git has left nothing but empty folders, where a reference is to be.
fn remove_empty(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        if path.is_dir() {
            remove_empty(&path)?;
        }
    }
    files::remove_folder(folder)
}

/// What a killed process of ours has left: temporary files, and locks.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    files: Vec<PathBuf>,
    locks: Vec<PathBuf>,
}

impl Litter {
    /// A lock is ours if it is the same file as one of our temporary files; locks of git's own are not.
    pub(crate) fn find(git_dir: &Path) -> Result<Self, Error> {
        let folder = files::temporary(git_dir);
        let mut litter = Self::default();
        let mut ours = BTreeSet::new();
        for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
            let entry = entry.map_err(Error::read(&folder))?;
            ours.insert(entry.metadata().map_err(Error::read(&folder))?.ino());
            litter.files.push(entry.path());
        }
        if !ours.is_empty() {
            find_locks(&git_dir.join("refs"), &ours, &mut litter.locks)?;
            let lock = lock_of(&git_dir.join(PACKED));
            if fs::metadata(&lock).is_ok_and(|found| ours.contains(&found.ino())) {
                litter.locks.push(lock);
            }
        }
        Ok(litter)
    }

    /// Takes the locks in that a step the journal tells has left: they name what it moves the reference to.
    pub(crate) fn claim<'a>(
        &mut self,
        git_dir: &Path,
        steps: impl Iterator<Item = &'a Move>,
    ) -> Result<(), Error> {
        for step in steps {
            let lock = lock_of(&git_dir.join(&step.name));
            let is_ours = match fs::read(&lock) {
                Ok(text) => text == content(step.to).as_bytes(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(Error::read(&lock)(error)),
            };
            if is_ours && !self.locks.contains(&lock) {
                self.locks.push(lock);
            }
        }
        Ok(())
    }

    pub(crate) fn sweep(self) -> Result<(), Error> {
        for path in self.locks.iter().chain(&self.files) {
            files::remove(path).map_err(Error::write(path))?;
        }
        Ok(())
    }
}

fn find_locks(folder: &Path, ours: &BTreeSet<u64>, out: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        let path = entry.path();
        let found = entry.metadata().map_err(Error::read(&path))?;
        if found.is_dir() {
            find_locks(&path, ours, out)?;
        } else if path.extension().is_some_and(|end| end == "lock") && ours.contains(&found.ino()) {
            out.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
