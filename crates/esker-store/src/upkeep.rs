//! Upkeep: many small packs, and loose objects, become few packs, so that a store does not age.
//!
//! Packs are merged as `git repack --geometric=2` does: the smallest ones, until each of the others is at least twice
//! as large as all smaller ones together. So each byte is copied about as often as the store has doubled. Entries are
//! copied as they are; a first version in one pack becomes a delta of the last in another. The thread works a quarter
//! of the time and rests the others.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use esker_wire::revision::Revision;

use crate::commit::Commit;
use crate::error::Error;
use crate::files;
use crate::loose;
use crate::objects::{Kind, Object, Objects};
use crate::pack::PackWriter;
use crate::source::{Entry, Form, Source};
use crate::tree;

/// How many packs of about one size there may be before they are merged.
const PACKS_MAX: usize = 20;
/// How many packs are merged at once: each is an open file.
const AT_ONCE_MAX: usize = 200;
/// How many packs there may be before a `git gc` is no longer waited for: it fails then, and harms nothing.
const PATIENCE: usize = 4_000;
/// How many packs there may be before no more are written: more than 10,000 cannot be read at once.
const FULL: usize = 9_000;
/// How old a `git gc` may be, as git itself believes.
const GC_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// How many loose objects there may be before they are packed.
const LOOSE_MAX: usize = 1_000;
/// A pack of this many bytes is large enough.
const LARGE: u64 = 4 * 1024 * 1024 * 1024;
/// How many bytes of indices are merged at once, 28 for an object: to merge takes some 200 bytes of memory for each.
const INDEX_MAX: u64 = 8 * 1024 * 1024;
/// How long the thread works before it rests three times as long.
const WORK: Duration = Duration::from_millis(20);
/// The temporary name of the pack.
const SCRATCH: &str = "upkeep.pack";

/// What to do together.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    packs: Vec<PathBuf>,
    loose: Vec<Revision>,
}

/// What cannot be read whole, and so stays where it is: `esker doctor --deep` names what is lost in it.
#[derive(Debug, Default)]
struct Spoiled {
    packs: HashSet<PathBuf>,
    loose: HashSet<Revision>,
}

/// What is to be done, if anything is; nothing while there are fewer packs than some.
fn plan(git_dir: &Path, packs_max: usize, spoiled: &Spoiled) -> Result<Option<Plan>, Error> {
    let mut loose = loose::list(git_dir, LOOSE_MAX + spoiled.loose.len())?;
    loose.retain(|id| !spoiled.loose.contains(id));
    let loose = if loose.len() < LOOSE_MAX { Vec::new() } else { loose };
    let mut packs = packs(git_dir)?;
    packs.retain(|pack| !spoiled.packs.contains(&pack.path));
    packs.sort_by_key(|pack| pack.size);
    let mut count = merged(&packs.iter().map(|pack| pack.size).collect::<Vec<_>>());
    if packs.len() < packs_max {
        count = 0;
    }
    packs.truncate(count.min(AT_ONCE_MAX));
    let mut indices = 0;
    packs.retain(|pack| {
        indices += pack.index;
        indices <= INDEX_MAX
    });
    // The oldest first, so that what was made from what comes after it.
    packs.sort_by_key(|pack| pack.written);
    let packs: Vec<PathBuf> = packs.into_iter().map(|pack| pack.path).collect();
    let plan = Plan { packs, loose };
    Ok((plan.packs.len() > 1 || !plan.loose.is_empty()).then_some(plan))
}

/// How many of the packs are merged, of which these are the sizes, the smallest first.
fn merged(sizes: &[u64]) -> usize {
    let mut sum = 0_u64;
    let mut count = 0;
    for (index, size) in sizes.iter().enumerate() {
        if *size < 2 * sum {
            count = index + 1;
        }
        sum += size;
    }
    count
}

struct Found {
    path: PathBuf,
    size: u64,
    /// The size of its index.
    index: u64,
    written: std::time::SystemTime,
}

/// The packs that may be merged: not those that someone keeps, or that are more than a pack.
fn packs(git_dir: &Path) -> Result<Vec<Found>, Error> {
    let folder = git_dir.join("objects/pack");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
        let path = entry.map_err(Error::read(&folder))?.path();
        let is_more = |ending| path.with_extension(ending).exists();
        if path.extension().is_none_or(|ending| ending != "idx")
            || ["keep", "mtimes", "promisor"].into_iter().any(is_more)
        {
            continue;
        }
        let index = fs::metadata(&path);
        let path = path.with_extension("pack");
        let (Ok(index), Ok(about)) = (index, fs::metadata(&path)) else {
            continue;
        };
        let written = about.modified().map_err(Error::read(&path))?;
        if about.len() < LARGE {
            found.push(Found { path, size: about.len(), index: index.len(), written });
        }
    }
    Ok(found)
}

/// Merges until nothing is to be done or `stop` is set. While a `git gc` is at it, that is enough.
pub(crate) fn run(git_dir: &Path, stop: &Arc<AtomicBool>) -> Result<(), Error> {
    run_from(git_dir, PACKS_MAX, stop)
}

/// The same, from so many packs on.
pub(crate) fn run_from(
    git_dir: &Path,
    packs_max: usize,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let mut spoiled = Spoiled::default();
    while let Some(plan) = plan(git_dir, packs_max, &spoiled)? {
        if is_gc_heeded(git_dir)? || !merge(git_dir, &plan, stop, &mut spoiled)? {
            break;
        }
    }
    Ok(())
}

/// Whether there are so many packs that no more may be written.
pub(crate) fn is_full(git_dir: &Path) -> Result<bool, Error> {
    Ok(packs(git_dir)?.len() >= FULL)
}

/// Does what was planned, or finds what is spoiled; whether it came to its end.
fn merge(
    git_dir: &Path,
    plan: &Plan,
    stop: &AtomicBool,
    spoiled: &mut Spoiled,
) -> Result<bool, Error> {
    let mut sources = Vec::new();
    for path in &plan.packs {
        match Source::open(path) {
            Ok(source) => sources.push(source),
            Err(error) => return spoiled.pack(path, error),
        }
    }
    let ids = sources.iter().flat_map(Source::ids).chain(plan.loose.iter().copied());
    let mut ids: Vec<Revision> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut merge = Merge {
        objects: Objects::open(git_dir)?.lean(),
        pack: PackWriter::create(git_dir, SCRATCH, ids.len())?,
        near: HashMap::new(),
        pace: Pace { since: Instant::now(), stop },
    };
    drop(ids);
    for (source, path) in sources.iter_mut().zip(&plan.packs) {
        match merge.source(source) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => return spoiled.pack(path, error),
        }
    }
    for id in &plan.loose {
        match merge.whole(*id) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => return spoiled.loose(*id, error),
        }
    }
    merge.pack.finish()?.release()?;
    for path in &plan.packs {
        // It has made a list of the packs and fails if one of them is gone; they are merged again later.
        if is_gc_heeded(git_dir)? {
            return Ok(false);
        }
        // Without its index git does not look for a pack.
        for ending in ["idx", "rev", "bitmap", "pack"] {
            let path = path.with_extension(ending);
            files::remove(&path).map_err(Error::write(&path))?;
        }
    }
    for id in &plan.loose {
        let path = loose::path_of(git_dir, *id);
        files::remove(&path).map_err(Error::write(&path))?;
    }
    Ok(true)
}

impl Spoiled {
    /// Leaves a pack out from now on, if the error is its own.
    fn pack(&mut self, path: &Path, error: Error) -> Result<bool, Error> {
        if !is_spoilt(&error) {
            return Err(error);
        }
        tracing::warn!(pack = %path.display(), %error, "a pack is not merged with others");
        self.packs.insert(path.to_owned());
        Ok(true)
    }

    /// Leaves a loose object out from now on, if the error is its own.
    fn loose(&mut self, id: Revision, error: Error) -> Result<bool, Error> {
        if !is_spoilt(&error) {
            return Err(error);
        }
        tracing::warn!(object = %id, %error, "a loose object is not packed");
        self.loose.insert(id);
        Ok(true)
    }
}

/// Whether something cannot be read, as against written.
fn is_spoilt(error: &Error) -> bool {
    matches!(error, Error::Damaged { .. } | Error::Read { .. })
}

/// Whether a `git gc` runs that may have its way.
fn is_gc_heeded(git_dir: &Path) -> Result<bool, Error> {
    Ok(is_gc_running(git_dir) && packs(git_dir)?.len() < PATIENCE)
}

/// Whether a `git gc` runs: its process is named in `gc.pid`.
fn is_gc_running(git_dir: &Path) -> bool {
    let named = fs::read_to_string(git_dir.join("gc.pid")).unwrap_or_default();
    let process = named.split(' ').next().unwrap_or_default();
    let about = fs::metadata(git_dir.join("gc.pid")).and_then(|about| about.modified());
    let is_old = about.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > GC_MAX));
    !process.is_empty() && !is_old && Path::new("/proc").join(process).exists()
}

struct Merge<'a> {
    objects: Objects,
    pack: PackWriter,
    /// What an object was made from.
    near: HashMap<Revision, Revision>,
    pace: Pace<'a>,
}

impl Merge<'_> {
    /// Copies a pack; whether it came to its end.
    fn source(&mut self, source: &mut Source) -> Result<bool, Error> {
        self.find_near(source)?;
        for index in 0..source.len() {
            if self.pace.rest() {
                return Ok(false);
            }
            let height = source.height(index);
            let entry = source.read(index)?;
            if self.pack.holds(entry.id) {
                continue;
            }
            match entry.form {
                Form::Delta { base } if self.pack.holds(base) => {
                    self.pack.add_delta(entry.id, base, (entry.size, entry.deflated()))?;
                }
                Form::Delta { .. } => drop(self.whole(entry.id)?),
                Form::Whole(kind) => self.first(&entry, kind, height)?,
            }
        }
        Ok(true)
    }

    /// Copies what is no delta, or makes it one of what it was made from.
    fn first(&mut self, entry: &Entry<'_>, kind: Kind, height: u32) -> Result<(), Error> {
        if let Some(base) = self.near.get(&entry.id).copied()
            && self.pack.is_base(kind, base, height)
            && let (Some(object), Some(base)) = (self.read(entry.id)?, self.read(base)?)
        {
            return self.pack.add(&object, Some(&base));
        }
        self.pack.add_whole(entry.id, kind, (entry.size, entry.deflated()))
    }

    /// Adds an object that is read from wherever it is; whether there is time for more.
    fn whole(&mut self, id: Revision) -> Result<bool, Error> {
        if !self.pack.holds(id) {
            let missing = || Error::Damaged { id, reason: "is missing".to_owned() };
            let object = self.read(id)?.ok_or_else(missing)?;
            self.pack.add(&object, None)?;
        }
        Ok(!self.pace.rest())
    }

    fn read(&mut self, id: Revision) -> Result<Option<Object>, Error> {
        self.objects.read(id)
    }

    /// Finds what the first versions in a pack were made from.
    fn find_near(&mut self, source: &mut Source) -> Result<(), Error> {
        let wholes: HashSet<Revision> = source.wholes().collect();
        for id in source.wholes().collect::<Vec<_>>() {
            let Ok(Some(object)) = self.read(id) else {
                continue;
            };
            if object.kind != Kind::Commit {
                continue;
            }
            let Ok(commit) = Commit::from_bytes(&object.bytes) else {
                continue;
            };
            let before = match commit.parent.map(|parent| self.read(parent)) {
                Some(Ok(Some(parent))) => Commit::from_bytes(&parent.bytes).ok(),
                _ => None,
            };
            if let Some(before) = before.filter(|_| wholes.contains(&commit.tree)) {
                tree::near(&mut self.objects, (before.tree, commit.tree), &mut self.near)?;
            }
            if self.pace.rest() {
                return Ok(());
            }
        }
        Ok(())
    }
}

struct Pace<'a> {
    since: Instant,
    stop: &'a AtomicBool,
}

impl Pace<'_> {
    /// Rests if it is time to; whether to stop.
    fn rest(&mut self) -> bool {
        let worked = self.since.elapsed();
        if worked > WORK {
            std::thread::sleep(worked * 3);
            self.since = Instant::now();
        }
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
