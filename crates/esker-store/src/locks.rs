//! References under way: locked as git does, compared with what is believed, then moved by one rename each.
//!
//! A lock is a second name of a temporary file of ours: by that the next start tells our locks from git's.

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

/// How long a lock of git's on a reference is waited for.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How long between two looks at it.
const LOOK: Duration = Duration::from_millis(5);

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

/// References locked, not yet moved.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: Vec<Lock>,
}

#[derive(Debug)]
struct Lock {
    scratch: PathBuf,
    lock: PathBuf,
    path: PathBuf,
}

/// Why not every reference was moved.
#[derive(Debug)]
pub(crate) enum Stuck {
    /// None was: all is as before.
    Whole(Error),
    /// Some were. The others stay locked: that tells the next start to move them.
    Half(Error),
}

impl Locks {
    /// Locks every reference that is to be moved, or none.
    pub(crate) fn take(git_dir: &Path, moves: &[Move]) -> Result<Self, Error> {
        let mut locks = Self::default();
        for step in moves {
            locks.take_one(git_dir, step)?;
        }
        Ok(locks)
    }

    fn take_one(&mut self, git_dir: &Path, step: &Move) -> Result<(), Error> {
        let path = git_dir.join(&step.name);
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        if path.is_dir() {
            remove_empty(&path)?;
        }
        let scratch = files::temporary(git_dir).join(format!("ref-{}", self.held.len()));
        let lock = PathBuf::from(format!("{}.lock", path.display()));
        files::write_new(&scratch, format!("{}\n", step.to).as_bytes(), false)?;
        link_patiently(&scratch, &lock).inspect_err(|_| drop(fs::remove_file(&scratch)))?;
        self.held.push(Lock { scratch, lock, path });
        if refs::read(git_dir, &step.name)? == step.from {
            Ok(())
        } else {
            let reference = step.name.clone();
            Err(Error::Moved { reference })
        }
    }

    /// Moves the references.
    pub(crate) fn commit(mut self) -> Result<(), Stuck> {
        let total = self.held.len();
        let mut stuck = Vec::new();
        let mut first = None;
        for held in self.held.drain(..) {
            match fs::rename(&held.lock, &held.path) {
                // A second name that stays is removed when its turn comes again, or by the next start.
                Ok(()) => drop(fs::remove_file(&held.scratch)),
                Err(error) => {
                    first.get_or_insert((held.path.clone(), error));
                    stuck.push(held);
                }
            }
        }
        let Some((path, source)) = first else {
            return Ok(());
        };
        if stuck.len() < total {
            return Err(Stuck::Half(Error::Half { path, source }));
        }
        self.held = stuck;
        Err(Stuck::Whole(Error::Write { path, source }))
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
                if error.kind() == io::ErrorKind::AlreadyExists && start.elapsed() < WAIT_MAX =>
            {
                std::thread::sleep(LOOK);
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
    fs::remove_dir(folder).map_err(Error::write(folder))
}

/// What a killed process of ours has left: temporary files, and locks.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    files: Vec<PathBuf>,
    locks: Vec<PathBuf>,
    /// The full names of the references it was moving.
    pub(crate) references: BTreeSet<String>,
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
        }
        let names = litter.locks.iter().filter_map(|lock| {
            let name = lock.strip_prefix(git_dir).ok()?.to_str()?;
            name.strip_suffix(".lock").map(str::to_owned)
        });
        litter.references = names.collect();
        Ok(litter)
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
