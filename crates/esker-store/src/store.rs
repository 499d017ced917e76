//! A store: its folder, its branches in memory, and what waits to become durable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use esker_wire::blobs::Blobs;
use esker_wire::message::CONTENT_MAX;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::branches::Line;
use crate::cache::Cache;
use crate::commit::{Commit, IDENTITY, When};
use crate::durable::Durable;
use crate::error::Error;
use crate::excavate;
use crate::files;
use crate::index;
use crate::journal::Batch;
use crate::large::Large;
use crate::layout::{self, Hold};
use crate::locks::Move;
use crate::objects::{Kind, Objects};
use crate::prune::Pruning;
use crate::prune::graves::Graves;
use crate::refs;
use crate::settle::Stray;
use crate::trailers::{self, Trailers};
use crate::tree;

/// The format written into every new store, and the only one read.
const FORMAT: &str =
    "format = 1\n# A store of esker: every version of every resource; see docs/store.md.\n";
/// The first line of it, by which a store is known.
const FORMAT_LINE: &str = "format = 1";
/// Where in the first commit it is.
const FORMAT_FILE: &str = ".esker/format";
/// How far ahead of this machine's clock a commit of plain git may be dated to be believed, in seconds.
const AHEAD_MAX_S: i64 = 24 * 60 * 60;
/// How many commits that are not believed are gone through for one that is.
const AHEAD_COUNT_MAX: usize = 10_000;
/// How much of what commits say is kept in memory, in bytes.
const TOLD_MAX: usize = 8 * 1024 * 1024;

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store behaves.
#[derive(Clone)]
pub struct Options {
    /// The project's name, as HEALTH tells it.
    pub project: String,
    /// What tells the time.
    pub clock: Clock,
    /// The time zone that dates without one are meant in, and that commits note.
    pub zone: TimeZone,
    /// The largest content of one resource, in bytes.
    pub content_max: u64,
    /// A content with more bytes is a large one: kept in a file of its own, with a pointer in git.
    pub large_min: u64,
    /// The largest large content, in bytes.
    pub large_max: u64,
    /// The bucket that large contents are copied to.
    pub blobs: Option<Blobs>,
    /// The store ends there: `main` is as it was at this revision, and only what-ifs are written.
    pub until: Option<Revision>,
}

/// The default of [`Options::large_min`].
pub const LARGE_MIN: u64 = 8_000_000;

/// The default of [`Options::large_max`].
pub const LARGE_MAX: u64 = 1_000_000_000_000;

impl Default for Options {
    fn default() -> Self {
        Self {
            project: String::new(),
            clock: Arc::new(Timestamp::now),
            zone: TimeZone::system(),
            content_max: CONTENT_MAX as u64,
            large_min: LARGE_MIN,
            large_max: LARGE_MAX,
            blobs: None,
            until: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("project", &self.project)
            .field("zone", &self.zone)
            .field("content_max", &self.content_max)
            .field("large_min", &self.large_min)
            .field("large_max", &self.large_max)
            .field("blobs", &self.blobs)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// What a commit says of itself.
pub(crate) struct Told {
    pub(crate) commit: Commit,
    pub(crate) trailers: Trailers,
}

/// An open store.
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) objects: Objects,
    pub(crate) large: Large,
    /// What was pruned.
    pub(crate) graves: Graves,
    pub(crate) pruning: Option<Pruning>,
    pub(crate) lines: BTreeMap<Branch, Line>,
    /// What a branch that does not exist is like.
    pub(crate) nothing: Line,
    pub(crate) tags_waiting: BTreeMap<String, Revision>,
    /// What is moved with the next flush beside branches and tags.
    pub(crate) moves_waiting: Vec<Move>,
    /// The references that are durable but not yet where git looks for them, by name: with which batch they come
    /// there, and what they name.
    pub(crate) moving: BTreeMap<String, (u64, Revision)>,
    /// The references that others have moved while they were to be moved, by name.
    pub(crate) strays: BTreeMap<String, Stray>,
    /// How often a branch was used.
    pub(crate) uses: u64,
    /// Whether there was no branch `project` when it was looked for last.
    pub(crate) is_without_project: bool,
    told: Cache<Arc<Told>>,
    pub(crate) durable: Option<Durable>,
    /// Dropped last: the store is held until all is in its place.
    held: Option<Hold>,
    epoch: u64,
}

impl Store {
    /// Opens the store in a folder for reading and writing, and makes it if there is none.
    ///
    /// # Errors
    /// If the folder holds something else, another process holds the store, or it cannot be written.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        if !layout::make(dir)? {
            // A clone, or something else altogether: look before anything is written.
            Self::open_read_only(dir, options.clone())?;
        }
        layout::complete(dir)?;
        let held = layout::hold(dir)?;
        let durable = Durable::open(dir)?;
        let now_ns = (options.clock)().as_nanosecond();
        let epoch = layout::next_epoch(dir, u64::try_from(now_ns).unwrap_or(0))?;
        let mut store = Self::read(dir, options)?;
        store.held = Some(held);
        store.durable = Some(durable);
        store.epoch = epoch;
        store.large.sweep()?;
        if store.history(&Branch::main())?.last().is_none() {
            layout::check_new(dir)?;
            store.begin()?;
        }
        store.check_format()?;
        store.check_until()?;
        let strays = store.durable.as_mut().map(Durable::strays).unwrap_or_default();
        store.judge_strays(strays)?;
        if store.options.until.is_none() {
            store.expire_rejected(0);
            store.copy_large()?;
        }
        Ok(store)
    }

    /// Opens the store in a folder for reading, whether or not another process holds it. It stays as it was
    /// found.
    ///
    /// # Errors
    /// If there is no store in the folder, or it cannot be read.
    pub fn open_read_only(dir: &Path, options: Options) -> Result<Self, Error> {
        layout::recognise(dir)?;
        let mut store = Self::read(dir, options)?;
        store.check_format()?;
        store.check_until()?;
        Ok(store)
    }

    fn read(dir: &Path, mut options: Options) -> Result<Self, Error> {
        options.until = options.until.or(excavate::until(dir)?);
        Ok(Self {
            dir: dir.to_owned(),
            options,
            objects: Objects::open(dir)?,
            large: Large::open(dir),
            graves: Graves::default(),
            pruning: None,
            lines: BTreeMap::new(),
            nothing: Line::default(),
            tags_waiting: BTreeMap::new(),
            moves_waiting: Vec::new(),
            moving: BTreeMap::new(),
            strays: BTreeMap::new(),
            uses: 0,
            is_without_project: false,
            told: Cache::new(TOLD_MAX),
            durable: None,
            held: None,
            epoch: 0,
        })
    }

    /// The number of this start, larger than every earlier one; 0 if the store is open for reading only.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the first commit of `main`.
    fn begin(&mut self) -> Result<(), Error> {
        let when = self.present();
        let blob = self.objects.put(Kind::Blob, FORMAT, None)?;
        let tree = tree::edit(&mut self.objects, None, &[(FORMAT_FILE, Some(blob))]);
        let tree = tree.ok().flatten().ok_or_else(|| Error::NotAStore {
            dir: self.dir.clone(),
            reason: "its first commit cannot be made".to_owned(),
        })?;
        let commit = Commit {
            tree,
            parent: None,
            brings: None,
            author: IDENTITY.to_owned(),
            committer: IDENTITY.to_owned(),
            when,
            // No two stores have the same first commit: a bucket knows them by it.
            message: format!("begin the store\n\nEsker-Began: {:.9}\n", (self.options.clock)()),
        };
        let revision = self.objects.put(Kind::Commit, commit.to_bytes(), None)?;
        let line = self.line_mut(&Branch::main())?;
        line.history.push(revision, when.seconds, Vec::new());
        self.flush()?;
        // From here on git knows the store.
        self.settle()
    }

    /// Refuses a repository whose first commit is not that of a store, or of a later format.
    fn check_format(&mut self) -> Result<(), Error> {
        let not = |dir: &Path, reason: &str| Error::NotAStore {
            dir: dir.to_owned(),
            reason: reason.to_owned(),
        };
        let history = self.history(&Branch::main())?;
        let Some(first) = history.last().map(|_| history.step(0).revision) else {
            return Err(not(&self.dir, "its branch main has no commit"));
        };
        let tree = self.told(first)?.commit.tree;
        let blob = tree::lookup(&mut self.objects, tree, FORMAT_FILE)?;
        let text = match blob {
            Some(blob) => self.objects.get(blob, Kind::Blob)?,
            None => {
                return Err(not(&self.dir, "it is a git repository without .esker/format"));
            }
        };
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if first == FORMAT_LINE.as_bytes() {
            return Ok(());
        }
        let found = String::from_utf8_lossy(first);
        let reason = format!("its format is {found:?}, this esker reads {FORMAT_LINE:?}");
        Err(not(&self.dir, &reason))
    }

    /// Begins to copy large contents, if there is a bucket for them.
    fn copy_large(&mut self) -> Result<(), Error> {
        let Some(blobs) = self.options.blobs.clone() else {
            return Ok(());
        };
        let first = self.history(&Branch::main())?.step(0).revision;
        self.large.copy_to(&blobs, first)
    }

    /// What a commit says.
    pub(crate) fn told(&mut self, revision: Revision) -> Result<Arc<Told>, Error> {
        if let Some(told) = self.told.get(&revision) {
            return Ok(told);
        }
        let bytes = self.objects.get(revision, Kind::Commit)?;
        let commit =
            Commit::from_bytes(&bytes).map_err(|reason| Error::Damaged { id: revision, reason })?;
        let trailers = if commit.committer == IDENTITY {
            trailers::read(&commit.message)
        } else {
            Trailers::default()
        };
        let told = Arc::new(Told { commit, trailers });
        self.told.insert(revision, Arc::clone(&told), 2 * bytes.len() + 256);
        Ok(told)
    }

    /// This moment.
    pub(crate) fn present(&self) -> When {
        let now = (self.options.clock)();
        When { seconds: now.as_second(), offset: self.options.zone.to_offset(now).seconds() }
    }

    /// The moment of a branch's next commit: now, but never before the last one. One of plain git that is dated far
    /// in the future is a mistake of whoever made it, and is not handed on.
    pub(crate) fn when(&mut self, branch: &Branch) -> Result<When, Error> {
        let now = self.present();
        let end = self.history(branch)?.last().map_or(0, |last| last + 1);
        for position in (0..end).rev().take(AHEAD_COUNT_MAX) {
            let step = *self.history(branch)?.step(position);
            let is_near = step.seconds <= now.seconds.saturating_add(AHEAD_MAX_S);
            if is_near || self.told(step.revision)?.commit.committer == IDENTITY {
                // A time that is none, which plain git may write, is not handed on either.
                let is_time = Timestamp::from_second(step.seconds).is_ok();
                let seconds = if is_time { now.seconds.max(step.seconds) } else { now.seconds };
                return Ok(When { seconds, ..now });
            }
        }
        Ok(now)
    }

    /// Makes what waits durable: every commit since the last flush, on every branch, and every tag.
    /// Tells whether there was anything.
    pub(crate) fn flush(&mut self) -> Result<bool, Error> {
        let mut moves = self.moves_waiting.clone();
        for (branch, line) in &self.lines {
            let head = line.history.head().map(|step| step.revision);
            let name = refs::of_branch(branch);
            let is_told = self.moves_waiting.iter().any(|step| step.name == name);
            if let Some(to) = head.filter(|_| head != line.durable && !is_told) {
                let from = line.durable;
                moves.push(Move { name, from, to });
            }
        }
        for (name, to) in &self.tags_waiting {
            let name = format!("{}{name}", refs::TAGS);
            let (from, to) = (None, *to);
            moves.push(Move { name, from, to });
        }
        if moves.is_empty() {
            self.objects.forget();
            return Ok(false);
        }
        let Some(durable) = &mut self.durable else {
            let source = std::io::Error::other("the store is open for reading only");
            return Err(Error::write(&self.dir)(source));
        };
        let objects = self.objects.waiting().to_vec();
        let named: Vec<_> = moves.iter().map(|step| (step.name.clone(), step.to)).collect();
        let number = durable.flush(Batch { objects, moves })?;
        self.moving.extend(named.into_iter().map(|(name, to)| (name, (number, to))));
        self.objects.written(number);
        self.tags_waiting.clear();
        self.moves_waiting.clear();
        for (branch, line) in &mut self.lines {
            line.durable = line.history.head().map(|step| step.revision);
            let is_anew = line.former.take().is_some_and(|former| former.index.is_some());
            if is_anew && let Err(error) = index::remove(&self.dir, branch) {
                tracing::warn!(%branch, %error, "cannot remove the index of what a branch was");
            }
        }
        self.unload();
        // Whether something is stuck is told when the next batch comes.
        drop(self.note_settled());
        Ok(true)
    }

    /// Takes note of what has come to its place; why nothing does, if so.
    pub(crate) fn note_settled(&mut self) -> Result<(), Error> {
        let Some(durable) = &mut self.durable else {
            return Ok(());
        };
        let settled = durable.settled();
        self.objects.settled(settled);
        self.moving.retain(|_, (number, _)| *number > settled);
        durable.refuse_if_stuck()
    }

    /// Waits until all that is durable is where git looks for it, as far as a slow disk lets it.
    ///
    /// # Errors
    /// If it cannot be put there just now; it stays durable in the journal.
    pub fn settle(&mut self) -> Result<(), Error> {
        self.durable.as_mut().map_or(Ok(()), Durable::settle)
    }

    /// Has something called whenever something has come to where git looks for it.
    pub(crate) fn on_settled(&self, ring: Box<dyn Fn() + Send + Sync>) {
        if let Some(durable) = &self.durable {
            durable.on_settled(ring);
        }
    }

    /// What a reference names, or will when it has come to its place.
    pub(crate) fn reference(&self, name: &str) -> Result<Option<Revision>, Error> {
        match self.moving.get(name) {
            Some((_, to)) => Ok(Some(*to)),
            None => match (refs::read(&self.dir, name)?, excavate::tracked(name)) {
                // A plain clone that is only read may know it by another name.
                (None, Some(name)) if self.durable.is_none() => refs::read(&self.dir, &name),
                (found, _) => Ok(found),
            },
        }
    }

    /// The names of the references below `prefix` (a folder, with its slash), without it.
    pub(crate) fn references(&self, prefix: &str) -> Result<BTreeSet<String>, Error> {
        let moving = self.moving.keys().filter_map(|name| name.strip_prefix(prefix));
        let mut names: BTreeSet<String> = moving.map(str::to_owned).collect();
        names.append(&mut refs::names(&self.dir, prefix)?);
        Ok(names)
    }

    /// Whether a small file can be written just now.
    pub(crate) fn is_writable(&self) -> bool {
        let path = files::temporary(&self.dir).join("probe");
        files::write_file(&self.dir, &path, &[b'.'; 8192]).is_ok()
    }

    /// The names of the resources that ever were on `main`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let main = self.lines.get(&Branch::main()).into_iter();
        main.flat_map(|line| line.history.resources()).map(Resource::as_str)
    }

    /// Takes back what waits.
    pub(crate) fn roll_back(&mut self) {
        self.objects.forget();
        self.tags_waiting.clear();
        self.moves_waiting.clear();
        for line in self.lines.values_mut() {
            if let Some(former) = line.former.take() {
                *line = *former;
            }
            line.history.roll_back(line.durable);
        }
        self.lines.retain(|_, line| line.history.last().is_some());
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.durable.is_some() {
            self.save_indexes(1);
        }
    }
}
