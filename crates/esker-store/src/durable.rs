//! Where a PUT becomes durable: [`Durable::flush`]. What it has returned from survives a loss of power.
//!
//! The batch is appended to the journal, with one wait for the disk; from then on it is durable. A thread of its own
//! puts it where git looks for it (see `settle`). After a crash [`Durable::open`] does again what the journal tells.
//!
//! Temporary files live in `esker/tmp`; what a killed process left there is swept at the start.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::files;
use crate::journal::{self, Batch, Journal};
use crate::locks::Litter;
use crate::pack::{KEEP, KEEP_TEXT};
use crate::replay;
use crate::settle::{self, Bell, Outlet, Report, Stray};
use crate::upkeep;

/// How long the journal is when the other file is taken, in bytes.
const JOURNAL_GROWN: u64 = 8 * 1024 * 1024;
/// How many bytes may wait to be put in their place before a batch waits.
const WAITING_MAX: usize = 96 * 1024 * 1024;
/// How many packs come before the next look whether upkeep is due.
const UPKEEP: usize = 8;
/// How long a batch waits for that.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The writing side of a store.
pub(crate) struct Durable {
    git_dir: PathBuf,
    journal: Journal,
    /// The number of the last batch, and of the last that is in its place.
    number: u64,
    settled: u64,
    /// The last batch of the generation before the one that is written.
    turned: u64,
    /// How long the journal is when the other file is taken, in bytes.
    pub(crate) grown: u64,
    /// The batches that are not in their place, with their sizes.
    waiting: VecDeque<(u64, usize)>,
    stuck: Option<String>,
    strays: Vec<Stray>,
    batches: Option<Sender<(u64, Batch)>>,
    reports: Receiver<Report>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
    /// How many packs may have come since the last upkeep.
    packs: usize,
    stop: Arc<AtomicBool>,
}

impl Durable {
    /// Does again what the journal tells, and sweeps.
    pub(crate) fn open(git_dir: &Path) -> Result<Self, Error> {
        let mut litter = Litter::find(git_dir)?;
        let (mut journal, batches) = Journal::open(git_dir)?;
        litter.claim(git_dir, batches.iter().flat_map(|batch| &batch.moves))?;
        litter.sweep()?;
        let is_told = !batches.is_empty();
        let strays = replay::replay(git_dir, batches)?;
        if is_told {
            // What a killed process has done may be seen and yet not be on disk.
            files::sync_all(git_dir)?;
            journal.finish()?;
        }
        journal::remove_old(git_dir)?;
        sweep_keeps(git_dir)?;
        let keep = git_dir.join(KEEP);
        if !keep.exists() {
            files::write_file(git_dir, &keep, KEEP_TEXT)?;
        }
        let (batches, taken) = mpsc::channel();
        let (told, reports) = mpsc::channel();
        let outlet = Outlet { reports: told, bell: Bell::default() };
        let bell = outlet.bell.clone();
        let folder = git_dir.to_owned();
        let thread = thread::Builder::new()
            .name("store-settle".to_owned())
            .spawn(move || settle::run(&folder, &taken, &outlet))
            .map_err(Error::write(git_dir))?;
        Ok(Self {
            git_dir: git_dir.to_owned(),
            journal,
            number: 0,
            settled: 0,
            turned: 0,
            grown: JOURNAL_GROWN,
            waiting: VecDeque::new(),
            stuck: None,
            strays,
            batches: Some(batches),
            reports,
            bell,
            thread: Some(thread),
            upkeep: None,
            packs: UPKEEP,
            stop: Arc::default(),
        })
    }

    /// Makes a batch durable; its number.
    pub(crate) fn flush(&mut self, batch: Batch) -> Result<u64, Error> {
        self.make_room()?;
        if self.journal.length() > self.grown && self.settled >= self.turned {
            self.journal.turn()?;
            self.turned = self.number;
        }
        self.journal.append(&batch)?;
        self.number += 1;
        let size = batch.objects.iter().map(|object| object.bytes.len()).sum();
        self.waiting.push_back((self.number, size));
        let sent = self.batches.as_ref().map(|batches| batches.send((self.number, batch)));
        if !matches!(sent, Some(Ok(()))) {
            self.stuck = Some("the thread that settles has ended; restart esker".to_owned());
        }
        Ok(self.number)
    }

    /// Has something called whenever something has come to its place.
    pub(crate) fn on_settled(&self, ring: Box<dyn Fn() + Send + Sync>) {
        drop(self.bell.set(ring));
    }

    /// The number of the last batch that is durable.
    pub(crate) fn flushed(&self) -> u64 {
        self.number
    }

    /// The number of the last batch that is where git looks for it.
    pub(crate) fn settled(&mut self) -> u64 {
        while let Ok(report) = self.reports.try_recv() {
            self.note(report);
        }
        self.settled
    }

    /// The references that others have moved, so that what is durable could not be put there.
    pub(crate) fn strays(&mut self) -> Vec<Stray> {
        std::mem::take(&mut self.strays)
    }

    /// Waits until every batch is where git looks for it.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let end = Instant::now() + WAIT_MAX;
        while self.settled() < self.number {
            self.refuse_if_stuck()?;
            self.wait(end)?;
        }
        Ok(())
    }

    /// Waits the same, and has no later start do again what the journal tells.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.settle()?;
        self.journal.finish()?;
        self.turned = self.number;
        Ok(())
    }

    /// Waits until all that was written so far, by anyone, is on disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        files::sync_all(&self.git_dir)
    }

    /// Whether something is durable, but not yet where git looks for it.
    pub(crate) fn is_waiting(&mut self) -> bool {
        self.settled() < self.number
    }

    /// Waits while too much is not in its place; the reason if nothing can be written.
    fn make_room(&mut self) -> Result<(), Error> {
        let end = Instant::now() + WAIT_MAX;
        loop {
            self.settled();
            self.refuse_if_stuck()?;
            if self.waiting.iter().map(|(_, size)| size).sum::<usize>() < WAITING_MAX {
                return Ok(());
            }
            self.wait(end)?;
        }
    }

    /// The reason if nothing can be written.
    pub(crate) fn refuse_if_stuck(&self) -> Result<(), Error> {
        let Some(reason) = &self.stuck else {
            return Ok(());
        };
        Err(Error::Stuck { dir: self.git_dir.clone(), reason: reason.clone() })
    }

    fn wait(&mut self, end: Instant) -> Result<(), Error> {
        let left = end.saturating_duration_since(Instant::now());
        match self.reports.recv_timeout(left) {
            Ok(report) => {
                self.note(report);
                Ok(())
            }
            Err(_) => {
                let late =
                    io::Error::other("what was stored is not yet in its place; the disk is slow");
                Err(Error::write(&self.git_dir)(late))
            }
        }
    }

    /// Begins upkeep, if it may be due and is not under way.
    fn keep_up(&mut self) {
        if self.packs < UPKEEP || self.upkeep.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        self.packs = 0;
        let (folder, stop) = (self.git_dir.clone(), Arc::clone(&self.stop));
        let run = move || {
            if let Err(error) = upkeep::run(&folder, &stop) {
                tracing::warn!(%error, "cannot merge packs: reads become slower");
            }
        };
        self.upkeep = thread::Builder::new().name("store-upkeep".to_owned()).spawn(run).ok();
    }

    fn note(&mut self, report: Report) {
        match report {
            Report::Settled { number, strays } => {
                self.packs += 1;
                self.keep_up();
                self.settled = number;
                self.strays.extend(strays);
                self.stuck = None;
                while self.waiting.front().is_some_and(|(waiting, _)| *waiting <= number) {
                    self.waiting.pop_front();
                }
            }
            Report::Stuck(reason) => {
                if self.stuck.as_ref() != Some(&reason) {
                    tracing::warn!(reason, "what was stored cannot be put where git looks for it");
                }
                self.stuck = Some(reason);
            }
        }
    }
}

impl Drop for Durable {
    /// A store that is closed is all in git's places. If it cannot be, the next start does what the journal tells.
    fn drop(&mut self) {
        self.batches = None;
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.upkeep.take() {
            drop(thread.join());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        if self.settled() == self.number {
            drop(self.journal.finish());
        }
    }
}

/// Removes what keeps packs from `git gc` and was left by a killed process: what they hold is named by now.
fn sweep_keeps(git_dir: &Path) -> Result<(), Error> {
    let folder = git_dir.join("objects/pack");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::read(&folder))?,
    };
    for entry in entries {
        let path = entry.map_err(Error::read(&folder))?.path();
        let is_ours = path.extension().is_some_and(|ending| ending == "keep")
            && fs::read(&path).is_ok_and(|bytes| bytes == KEEP_TEXT);
        if is_ours {
            files::remove(&path).map_err(Error::write(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
