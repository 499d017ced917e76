//! Where a PUT becomes durable: [`Durable::flush`]. What it has returned from survives a loss of power.
//!
//! 1. Every reference is locked as git does (`<ref>.lock`) and compared with what was believed.
//! 2. The batch is appended to the journal and synced: from here on it is durable.
//! 3. Every object goes to its loose file, unsynced; then the references are moved, so that plain git never
//!    sees what is not durable.
//!
//! The loose files reach the disk in their own time. When the journal has grown, a new one is begun, and a thread
//! waits until all that the old one tells is on disk, then removes it. After a crash [`Durable::open`] does again
//! what the journal tells. After a loss of power plain git may see broken files until then.
//!
//! Temporary files live in `esker/tmp`; what a killed process left there is swept at the start.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::Error;
use crate::journal::{self, Journal, Record};
use crate::locks::{Litter, Locks, Move, Stuck};
use crate::loose;
use crate::objects::Object;
use crate::replay::{self, Crash};

/// How long the journal may grow before a batch waits until an earlier one is removed, in bytes.
const JOURNAL_MAX: u64 = 64 * 1024 * 1024;
/// How long it is when a new one is begun while there is little to do.
const JOURNAL_GROWN: u64 = 4 * 1024 * 1024;
/// What tells one start of the system from another.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The writing side of a store.
pub(crate) struct Durable {
    git_dir: PathBuf,
    /// Opened before anything was written: a failure of the disk is told once to each open file, of what came
    /// after it was opened.
    disk: Arc<File>,
    boot: Option<String>,
    journal: Journal,
    /// Waits for what the old journal tells.
    settling: Option<JoinHandle<Result<(), Error>>>,
    /// Why nothing is written any more, and the journal is kept until the next start: the disk has once failed
    /// to take what it was given, and may not say so a second time; or a batch is only half in its place.
    failed: Option<&'static str>,
}

impl Durable {
    /// Does again what the journal tells, and sweeps.
    pub(crate) fn open(git_dir: &Path) -> Result<Self, Error> {
        let boot = fs::read_to_string(BOOT).ok().map(|text| text.trim().to_owned());
        Self::open_on(git_dir, boot.filter(|boot| !boot.is_empty() && !boot.contains([' ', '\n'])))
    }

    fn open_on(git_dir: &Path, boot: Option<String>) -> Result<Self, Error> {
        let disk = Arc::new(File::open(git_dir).map_err(Error::read(git_dir))?);
        let litter = Litter::find(git_dir)?;
        let (journal, records) = Journal::open(git_dir)?;
        let crash = Crash { boot: boot.as_deref(), litter: &litter };
        replay::replay(git_dir, &records, &crash)?;
        litter.sweep()?;
        let git_dir = git_dir.to_owned();
        let mut durable = Self { git_dir, disk, boot, journal, settling: None, failed: None };
        // Also if the journal tells nothing: what plain git did meanwhile is built upon.
        durable.sync()?;
        durable.journal.clear()?;
        Ok(durable)
    }

    /// Makes the objects durable and moves the references, all of them or (but for a failing disk) none.
    pub(crate) fn flush(&mut self, objects: &[Object], moves: &[Move]) -> Result<(), Error> {
        self.reap()?;
        if self.journal.length() > JOURNAL_MAX {
            self.wait()?;
            self.turn()?;
        }
        let deflated = objects.iter().map(|object| (object.id, loose::deflated(object)));
        let objects = deflated.collect();
        let record = Record { boot: self.boot.clone(), moves: moves.to_vec(), objects };
        let locks = Locks::take(&self.git_dir, moves)?;
        self.perform(&record, locks)
    }

    fn perform(&mut self, record: &Record, locks: Locks) -> Result<(), Error> {
        let before = self.journal.length();
        self.journal.append(record)?;
        let mut objects = record.objects.iter();
        let written = objects.try_for_each(|(id, bytes)| loose::write(&self.git_dir, *id, bytes));
        match written.map_err(Stuck::Whole).and_then(|()| locks.commit()) {
            Ok(()) => Ok(()),
            Err(Stuck::Whole(error)) => {
                // If it cannot be cut off, the journal takes nothing until it can.
                drop(self.journal.cut(before));
                Err(error)
            }
            Err(Stuck::Half(error)) => {
                self.failed = Some("a batch is only half in its place; restart esker");
                Err(error)
            }
        }
    }

    /// Begins a new journal if this one has grown, while there is little to do. Does not wait.
    pub(crate) fn settle_if_grown(&mut self) -> Result<(), Error> {
        self.reap()?;
        if self.settling.is_none() && self.journal.length() > JOURNAL_GROWN {
            self.turn()?;
        }
        Ok(())
    }

    /// Waits until all that was written so far, by anyone, is on disk.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        let synced = sync(&self.disk, &self.git_dir);
        self.note(synced)
    }

    /// Begins a new journal, and a thread that removes the old one when it is not needed any more.
    fn turn(&mut self) -> Result<(), Error> {
        let old = self.journal.turn()?;
        let (disk, git_dir) = (Arc::clone(&self.disk), self.git_dir.clone());
        let finish = move || {
            sync(&disk, &git_dir)?;
            journal::remove(&old)
        };
        let thread = thread::Builder::new().name("store-settle".to_owned()).spawn(finish.clone());
        match thread {
            Ok(thread) => self.settling = Some(thread),
            Err(_) => return self.note(finish()),
        }
        Ok(())
    }

    /// Takes note of a thread that has ended; the reason if nothing can be written.
    fn reap(&mut self) -> Result<(), Error> {
        if self.settling.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait()?;
        }
        match self.failed {
            None => Ok(()),
            Some(reason) => Err(Error::write(&self.git_dir)(io::Error::other(reason))),
        }
    }

    fn wait(&mut self) -> Result<(), Error> {
        let settled = self.settling.take().map_or(Ok(()), |thread| {
            let panicked = |_| Err(Error::write(&self.git_dir)(io::Error::other("a panic")));
            thread.join().unwrap_or_else(panicked)
        });
        self.note(settled)
    }

    fn note(&mut self, synced: Result<(), Error>) -> Result<(), Error> {
        if synced.is_err() {
            self.failed = Some("the disk failed; check it, then restart esker");
        }
        synced
    }

    /// Waits until everything is in its place, then empties the journal.
    fn settle(&mut self) -> Result<(), Error> {
        self.wait()?;
        self.reap()?;
        if self.journal.length() > 0 {
            self.sync()?;
            self.journal.clear()?;
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

fn sync(disk: &File, git_dir: &Path) -> Result<(), Error> {
    rustix::fs::syncfs(disk).map_err(|error| Error::write(git_dir)(io::Error::from(error)))
}

#[cfg(test)]
pub(crate) mod tests;
