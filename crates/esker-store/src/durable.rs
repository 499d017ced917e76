//! Where a PUT becomes durable: [`Durable::flush`]. What it has returned from survives a loss of power.
//!
//! 1. Every object goes to its loose file, unsynced, and every reference is locked as git does (`<ref>.lock`)
//!    and compared with what was believed.
//! 2. The batch is appended to the journal and synced: from here on it is durable.
//! 3. The references are moved, so that plain git never sees what is not durable.
//!
//! The loose files reach the disk in their own time; when the journal has grown, [`Durable::settle`] waits for
//! all of them at once and empties it. After a crash [`Durable::open`] does again what the journal tells. After
//! a loss of power plain git may see broken files until then.
//!
//! Temporary files live in `esker/tmp`; what a killed process left there is swept at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use esker_wire::revision::Revision;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::error::Error;
use crate::journal::{Journal, Record};
use crate::objects::Object;
use crate::refs;

/// How long the journal may grow before a batch waits until it is emptied, in bytes.
const JOURNAL_MAX: u64 = 64 * 1024 * 1024;
/// How long it is when it is emptied while there is little to do.
const JOURNAL_GROWN: u64 = 4 * 1024 * 1024;
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

/// The writing side of a store.
pub(crate) struct Durable {
    git_dir: PathBuf,
    journal: Journal,
    /// Whether the disk has once failed to take what it was given. It may not say so a second time, so nothing
    /// is written and the journal is kept until the next start.
    failed: bool,
}

impl Durable {
    /// Sweeps, and does again what the journal tells.
    pub(crate) fn open(git_dir: &Path) -> Result<Self, Error> {
        sweep(git_dir)?;
        let (journal, records) = Journal::open(git_dir)?;
        let git_dir = git_dir.to_owned();
        let mut durable = Self { git_dir, journal, failed: false };
        for record in &records {
            durable.replay(record)?;
        }
        durable.replay_moves(&records)?;
        durable.settle()?;
        Ok(durable)
    }

    /// Makes the objects durable and moves the references, all of them or (but for a failing disk) none.
    pub(crate) fn flush(&mut self, objects: &[Object], moves: &[Move]) -> Result<(), Error> {
        if self.failed || self.journal.length() > JOURNAL_MAX {
            self.settle()?;
        }
        let mut record =
            Record { moves: moves.to_vec(), objects: Vec::with_capacity(objects.len()) };
        for object in objects {
            let bytes = deflated(object);
            write_loose(&self.git_dir, object.id, &bytes)?;
            record.objects.push((object.id, bytes));
        }
        let mut locks = Locks::default();
        for step in moves {
            locks.take(&self.git_dir, step)?;
        }
        let before = self.journal.length();
        self.journal.append(&record)?;
        if let Err(error) = locks.commit() {
            self.journal.cut(before)?;
            return Err(error);
        }
        Ok(())
    }

    /// Empties the journal if it has grown, while there is little to do.
    pub(crate) fn settle_if_grown(&mut self) -> Result<(), Error> {
        if self.journal.length() > JOURNAL_GROWN {
            self.settle()?;
        }
        Ok(())
    }

    /// Waits until everything is in its place, then empties the journal.
    fn settle(&mut self) -> Result<(), Error> {
        if self.failed {
            let source = io::Error::other("the disk failed; check it, then restart esker");
            return Err(Error::write(&self.git_dir)(source));
        }
        if self.journal.length() == 0 {
            return Ok(());
        }
        let folder = File::open(&self.git_dir).map_err(Error::read(&self.git_dir))?;
        let synced = rustix::fs::syncfs(&folder);
        self.failed = synced.is_err();
        synced.map_err(|error| Error::write(&self.git_dir)(io::Error::from(error)))?;
        self.journal.cut(0)
    }

    fn replay(&self, record: &Record) -> Result<(), Error> {
        for (id, bytes) in &record.objects {
            let path = loose_path(&self.git_dir, *id);
            if !fs::read(&path).is_ok_and(|found| found == *bytes) {
                replace_loose(&self.git_dir, &path, bytes)?;
            }
        }
        Ok(())
    }

    /// Moves each reference to where the journal leaves it, unless someone else has moved it since: it must be
    /// where one of the records found it, or broken by the crash.
    fn replay_moves(&self, records: &[Record]) -> Result<(), Error> {
        let moves: Vec<&Move> = records.iter().flat_map(|record| &record.moves).collect();
        let last: BTreeMap<&str, Revision> =
            moves.iter().map(|step| (step.name.as_str(), step.to)).collect();
        for (name, to) in last {
            let found = refs::read(&self.git_dir, name);
            let mut of_name = moves.iter().filter(|step| step.name == name);
            let is_ours = match &found {
                Ok(found) => of_name.any(|step| step.from == *found),
                Err(_) => true,
            };
            if is_ours {
                let path = self.git_dir.join(name);
                if let Some(folder) = path.parent() {
                    make_folder(folder)?;
                }
                write_file(&self.git_dir, &path, format!("{to}\n").as_bytes())?;
            }
        }
        Ok(())
    }
}

impl Drop for Durable {
    /// A store that is closed leaves an empty journal. If it cannot, the next start does what it tells.
    fn drop(&mut self) {
        drop(self.settle());
    }
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
fn sweep(git_dir: &Path) -> Result<(), Error> {
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

/// Writes a loose object, unsynced, unless it is there.
fn write_loose(git_dir: &Path, id: Revision, bytes: &[u8]) -> Result<(), Error> {
    let path = loose_path(git_dir, id);
    if is_fresh(&path) {
        return Ok(());
    }
    replace_loose(git_dir, &path, bytes)
}

fn replace_loose(git_dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let from = temporary(git_dir).join("object");
    fs::write(&from, bytes).map_err(Error::write(&from))?;
    let renamed = fs::rename(&from, path).or_else(|_| {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&from, path)
    });
    renamed.map_err(Error::write(path))
}

/// Whether the object is there; if so it is made young again, so that no `git gc` takes it for litter.
fn is_fresh(path: &Path) -> bool {
    File::open(path).and_then(|file| file.set_modified(SystemTime::now())).is_ok()
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
        let text = format!("{}\n", step.to);
        fs::write(&scratch, text).map_err(Error::write(&scratch))?;
        link_patiently(&scratch, &lock)?;
        self.held.push(Lock { scratch, lock, path });
        if refs::read(git_dir, &step.name)? == step.from {
            Ok(())
        } else {
            let reference = step.name.clone();
            Err(Error::Moved { reference })
        }
    }

    fn commit(mut self) -> Result<(), Error> {
        while let Some(held) = self.held.pop() {
            let moved = fs::rename(&held.lock, &held.path).map_err(Error::write(&held.path));
            if moved.is_err() {
                self.held.push(held);
                return moved;
            }
            fs::remove_file(&held.scratch).map_err(Error::write(&held.scratch))?;
        }
        Ok(())
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

pub(crate) fn sync_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(Error::write(folder))
}

#[cfg(test)]
mod tests;
