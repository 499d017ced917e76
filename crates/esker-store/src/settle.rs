//! Settling: what the journal holds is put where git looks for it, by a thread that nobody waits for.
//!
//! Many batches become one pack; when that is on disk, the references are moved. So git never sees a reference to
//! what is not durable, and a store is not littered with files. Until then plain git sees the state before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use esker_wire::revision::Revision;

use crate::error::Error;
use crate::files;
use crate::journal::Batch;
use crate::locks::{self, Move, Moved};
use crate::objects::Object;
use crate::pack::{Pack, PackWriter};
use crate::upkeep;

/// How long a pause ends the gathering of batches.
const QUIET: Duration = Duration::from_millis(2);
/// How long batches are gathered at most.
const GATHER_MAX: Duration = Duration::from_millis(100);
/// How many bytes are gathered at most.
const GATHERED_MAX: usize = 16 * 1024 * 1024;
/// How long until what could not be put in its place is tried again.
const RETRY: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 500 });
/// The temporary name of the pack.
const SCRATCH: &str = "settle.pack";

/// What the thread tells.
#[derive(Debug)]
pub(crate) enum Report {
    /// All batches so far, by number, are in their place.
    Settled {
        /// The last of them.
        number: u64,
        /// The references that someone else has moved: they stay where they are.
        strays: Vec<Stray>,
    },
    /// It cannot be done just now, for this reason, and is tried again.
    Stuck(String),
}

/// A reference that someone else has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    /// What was to be done with it.
    pub(crate) step: Move,
    /// What it names.
    pub(crate) found: Option<Revision>,
}

/// What is to be put in its place together.
#[derive(Debug, Default)]
pub(crate) struct Load {
    number: u64,
    bytes: usize,
    objects: Vec<Object>,
    moves: BTreeMap<String, Move>,
}

impl Load {
    /// Takes a batch in, after those before it.
    pub(crate) fn take(&mut self, number: u64, batch: Batch) {
        self.number = number;
        self.bytes += batch.objects.iter().map(|object| object.bytes.len()).sum::<usize>();
        self.objects.extend(batch.objects);
        for step in batch.moves {
            let from = self.moves.get(&step.name).map_or(step.from, |earlier| earlier.from);
            self.moves.insert(step.name.clone(), Move { from, ..step });
        }
    }

    /// Gathers batches until there is a pause; whether nobody sends any more.
    fn gather(&mut self, batches: &Receiver<(u64, Batch)>, quiet: Duration, max: Duration) -> bool {
        let end = Instant::now() + max;
        while self.bytes < GATHERED_MAX {
            let left = end.saturating_duration_since(Instant::now());
            match batches.recv_timeout(quiet.min(left)) {
                Ok((number, batch)) => self.take(number, batch),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
        false
    }

    /// Waits before the next attempt, and gathers meanwhile; whether nobody sends any more. Nobody sends more than
    /// fits into memory.
    fn pause(&mut self, batches: &Receiver<(u64, Batch)>) -> bool {
        let end = Instant::now() + RETRY;
        loop {
            match batches.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((number, batch)) => self.take(number, batch),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Writes the pack, then moves the references.
    pub(crate) fn place(&self, git_dir: &Path) -> Result<Vec<Stray>, Error> {
        let pack = self.pack(git_dir)?;
        let mut strays = Vec::new();
        let mut folders = BTreeSet::new();
        for step in self.moves.values() {
            match locks::place(git_dir, step)? {
                Moved::There => {
                    folders.extend(git_dir.join(&step.name).parent().map(Path::to_owned))
                }
                Moved::Elsewhere(found) => strays.push(Stray { step: step.clone(), found }),
            }
        }
        folders.iter().try_for_each(|folder| files::sync_folder(folder))?;
        if let Some(pack) = pack.filter(|_| strays.is_empty()) {
            pack.release()?;
        }
        Ok(strays)
    }

    fn pack(&self, git_dir: &Path) -> Result<Option<Pack>, Error> {
        let objects: HashMap<Revision, &Object> =
            self.objects.iter().map(|object| (object.id, object)).collect();
        if objects.is_empty() {
            return Ok(None);
        }
        if upkeep::is_full(git_dir)? {
            let reason = "there are too many packs in it, which cannot be merged; run `git gc`";
            return Err(Error::write(&git_dir.join("objects/pack"))(io::Error::other(reason)));
        }
        let mut pack = PackWriter::create(git_dir, SCRATCH, objects.len())?;
        for object in &self.objects {
            if !pack.holds(object.id) {
                let base = object.base.and_then(|base| objects.get(&base).copied());
                pack.add(object, base)?;
            }
        }
        pack.finish().map(Some)
    }
}

/// What is called whenever something has come to its place.
pub(crate) type Bell = Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>;

/// Where the thread tells what it has done.
pub(crate) struct Outlet {
    pub(crate) reports: Sender<Report>,
    pub(crate) bell: Bell,
}

/// Puts batches in their place until nobody sends any more and all are.
pub(crate) fn run(git_dir: &Path, batches: &Receiver<(u64, Batch)>, outlet: &Outlet) {
    while let Ok((number, batch)) = batches.recv() {
        let mut load = Load::default();
        load.take(number, batch);
        let mut is_last = load.gather(batches, QUIET, GATHER_MAX);
        let mut has_failed = false;
        loop {
            let mut placed = load.place(git_dir);
            if has_failed && placed.is_ok() {
                // What an earlier attempt has done is seen and yet may not be on disk.
                placed = files::sync_all(git_dir).and(placed);
            }
            let is_placed = placed.is_ok();
            has_failed |= !is_placed;
            let report = match placed {
                Ok(strays) => Report::Settled { number: load.number, strays },
                Err(error) => Report::Stuck(error.to_string()),
            };
            drop(outlet.reports.send(report));
            if is_placed {
                outlet.bell.get().inspect(|ring| ring());
                break;
            }
            if is_last {
                // It is in the journal: the next start does it.
                return;
            }
            is_last = load.pause(batches);
        }
    }
}

#[cfg(test)]
mod tests;
