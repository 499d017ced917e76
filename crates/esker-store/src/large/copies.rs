//! The copies of large contents in a bucket: which are there, which are still to be brought there, and which come back.
//!
//! What is acknowledged is on this disk; a thread (`copier.rs`) brings it to the bucket afterwards. The bucket itself
//! is asked at every start what it has, so nothing is written down here. The owner of the store only looks into
//! what is in memory, and never waits for the network.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use esker_wire::blobs::Blobs;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::revision::Revision;
use esker_wire::snapshot::MirrorReport;
use jiff::Timestamp;

use super::copier;
use super::fetch::{self, Fetch};
use super::s3::Bucket;
use super::tier::Held;
use crate::error::Error;

/// How many contents come back at once.
const FETCHES_MAX: usize = 4;

/// The copies of a store's large contents. Dropped, its threads end.
pub(crate) struct Copies {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the owner of the store and the threads share.
pub(super) struct Shared {
    pub(super) git_dir: PathBuf,
    pub(super) bucket: Bucket,
    pub(super) cache_max: Option<u64>,
    /// The store's first commit, by which the bucket knows it.
    pub(super) store: Revision,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

/// What is to be done with a content's copy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    Bring,
    Remove,
}

#[derive(Default)]
pub(super) struct State {
    /// The contents in the bucket, with their sizes; none until it has told.
    pub(super) there: Option<HashMap<ContentId, u64>>,
    pub(super) jobs: HashMap<ContentId, Job>,
    pub(super) order: VecDeque<ContentId>,
    /// What the thread is at.
    pub(super) current: Option<ContentId>,
    /// What cannot be brought, for something is wrong with it here.
    pub(super) left: HashSet<ContentId>,
    pub(super) fetches: HashMap<ContentId, Fetch>,
    /// Whether more may lie here than the cache is to hold.
    pub(super) is_grown: bool,
    pub(super) ends: bool,
    report: MirrorReport,
}

impl State {
    pub(super) fn add(&mut self, id: ContentId, job: Job) {
        if self.jobs.insert(id, job).is_none() {
            self.order.push_back(id);
        }
    }

    /// What is done next.
    pub(super) fn next(&mut self) -> Option<(ContentId, Job)> {
        while let Some(id) = self.order.pop_front() {
            if let Some(job) = self.jobs.remove(&id) {
                return Some((id, job));
            }
        }
        None
    }

    pub(super) fn has(&self, id: ContentId, size: u64) -> bool {
        self.there.as_ref().is_some_and(|there| there.get(&id) == Some(&size))
    }

    fn behind(&self) -> u64 {
        let waiting = self.jobs.values().filter(|job| **job == Job::Bring).count();
        (waiting + self.left.len() + usize::from(self.current.is_some())) as u64
    }

    /// Notes how it goes; in the log once when it begins to go wrong, and once when it is well again.
    pub(super) fn tell(&mut self, trouble: Option<&str>) {
        let bucket = self.report.url.clone();
        let behind = self.behind();
        match (&self.report.trouble, trouble) {
            (None, Some(why)) => {
                tracing::warn!(bucket, behind, why, "large contents cannot be copied");
            }
            (Some(_), None) => tracing::info!(bucket, behind, "large contents are copied again"),
            _ => {}
        }
        self.report.trouble = trouble.map(str::to_owned);
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copies {
    pub(super) fn start(git_dir: &Path, blobs: &Blobs, store: Revision) -> Result<Self, Error> {
        let report = MirrorReport { url: blobs.to_string(), ..MirrorReport::default() };
        let shared = Arc::new(Shared {
            git_dir: git_dir.to_owned(),
            bucket: Bucket::open(blobs)?,
            cache_max: blobs.cache_max,
            store,
            state: Mutex::new(State { report, is_grown: true, ..State::default() }),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("store-blobs".to_owned());
        let thread = thread.spawn(move || copier::run(&theirs)).map_err(|error| {
            let reason = format!("no thread for it: {error}");
            Error::Blobs { place: blobs.to_string(), reason }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A content is on disk here: it is to be there too.
    pub(super) fn note(&self, id: ContentId) {
        let mut state = self.shared.lock();
        let is_there = state.there.as_ref().is_some_and(|there| there.contains_key(&id));
        let is_to_go = state.jobs.get(&id) == Some(&Job::Remove);
        if is_there && !is_to_go {
            return;
        }
        state.left.remove(&id);
        state.add(id, Job::Bring);
        self.shared.changed.notify_all();
    }

    /// A content was removed here, for nobody names it: its copy is removed too.
    pub(super) fn remove(&self, id: ContentId) {
        let mut state = self.shared.lock();
        if let Some(there) = &mut state.there {
            there.remove(&id);
        }
        state.left.remove(&id);
        state.add(id, Job::Remove);
        self.shared.changed.notify_all();
    }

    /// The size of a content's copy, if there is one.
    pub(super) fn size(&self, id: ContentId) -> Result<Option<u64>, Error> {
        let state = self.shared.lock();
        match &state.there {
            Some(there) => Ok(there.get(&id).copied()),
            None => Err(unknown(id, &state)),
        }
    }

    /// Why a content that is not here cannot be read just now; begins to fetch it, if that can be done.
    pub(super) fn fetch(&self, pointer: Pointer) -> Error {
        let Pointer { id, size } = pointer;
        let mut state = self.shared.lock();
        let url = state.report.url.clone();
        let content = |reason: String| Error::Content { id, reason };
        let away = |why: String| Error::Away { id, why };
        if let Some(Fetch::Failed { why, is_lost }) = state.fetches.get(&id) {
            let (why, is_lost) = (format!("cannot be brought from {url}: {why}"), *is_lost);
            state.fetches.remove(&id);
            return if is_lost { content(why) } else { away(why) };
        }
        match state.there.as_ref().map(|there| there.get(&id).copied()) {
            None => return unknown(id, &state),
            Some(None) => return content(format!("is missing: it is neither here nor in {url}")),
            Some(Some(found)) if found != size => {
                let reason = format!("is damaged: its copy in {url} has {found} bytes, not {size}");
                return content(reason);
            }
            Some(Some(_)) => {}
        }
        let underway = state.fetches.values().filter(|fetch| fetch.is_under_way()).count();
        match state.fetches.get(&id) {
            Some(Fetch::UnderWay(have)) => {
                let have = have.load(Ordering::Relaxed);
                away(format!("is being brought from {url}: {have} of {size} bytes are here"))
            }
            _ if underway >= FETCHES_MAX => {
                away(format!("waits to be brought from {url}: others are"))
            }
            _ => {
                let have = Arc::new(AtomicU64::new(0));
                state.fetches.insert(id, Fetch::UnderWay(Arc::clone(&have)));
                drop(state);
                fetch::start(Arc::clone(&self.shared), pointer, have);
                away(format!("is being brought from {url}"))
            }
        }
    }

    /// What a thread of its own asks the bucket for, and how the bucket is called.
    pub(super) fn lister(&self) -> impl FnOnce() -> Result<Vec<Held>, Error> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            let place = shared.lock().report.url.clone();
            if shared.lock().there.is_none() {
                let reason = "it was not looked through yet".to_owned();
                return Err(Error::Blobs { place, reason });
            }
            let listed = shared.bucket.list();
            listed.map_err(|why| Error::Blobs { place, reason: why.text() })
        }
    }

    /// How it stands, as the mirrors tell it.
    pub(crate) fn report(&self) -> MirrorReport {
        let mut state = self.shared.lock();
        let behind = state.behind();
        if behind == 0 {
            state.report.since = None;
        } else {
            state.report.since.get_or_insert_with(Timestamp::now);
        }
        let behind = state.there.is_some().then_some(behind);
        MirrorReport { behind, ..state.report.clone() }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.shared.lock().ends = true;
        self.shared.changed.notify_all();
        self.shared.bucket.end();
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            drop(thread.join());
        }
    }
}

fn unknown(id: ContentId, state: &State) -> Error {
    let trouble = state.report.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let why = format!("may be in {}, which was not looked through yet{trouble}", state.report.url);
    Error::Away { id, why }
}
