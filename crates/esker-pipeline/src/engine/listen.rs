//! What the engine hears and sees: the store's events and the project's files, both as mere hints.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use esker_bus::follow::{Follow, Item};
use esker_wire::event::Event;
use esker_wire::name::Branch;
use esker_wire::whatif;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::deliver::bell::Bell;
use crate::whatif::Door;

use super::Mail;

/// How long listening goes on before it looks whether it should end.
const LISTEN: Duration = Duration::from_millis(200);

/// Hints on their way to the engine. Of each kind one waits at most: it is as good as many, and one of another
/// kind cannot keep it out.
#[derive(Debug)]
pub(super) struct Hints {
    post: Sender<Mail>,
    store: AtomicBool,
    files: AtomicBool,
    /// Wakes those who tell others of what the store has.
    bell: Arc<Bell>,
    /// Tells the what-ifs of what concerns them.
    what_ifs: Option<Door>,
}

impl Hints {
    pub(super) fn new(post: Sender<Mail>, what_ifs: Option<Door>) -> Arc<Self> {
        let (store, files) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { post, store, files, bell: Arc::default(), what_ifs })
    }

    pub(super) fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// The store may have changed.
    pub(super) fn store(&self) {
        self.bell.ring();
        self.hint(&self.store, Mail::Store);
    }

    /// A file of the project may have changed.
    pub(super) fn files(&self) {
        self.hint(&self.files, Mail::Files);
    }

    fn hint(&self, waits: &AtomicBool, mail: Mail) {
        if !waits.swap(true, Ordering::AcqRel) && self.post.send(mail).is_err() {
            tracing::debug!("a hint came after the engine's end");
        }
    }

    /// Whoever takes a hint says so before looking: what happens from then on is a new one.
    pub(super) fn taken(&self, mail: &Mail) {
        match mail {
            Mail::Store => self.store.store(false, Ordering::Release),
            Mail::Files => self.files.store(false, Ordering::Release),
            Mail::Waits(..) | Mail::Said(..) | Mail::Ended(..) | Mail::Stop => {}
        }
    }
}

/// Follows the store on a thread of its own until it is dropped.
#[derive(Debug)]
pub(super) struct Ear {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    pub(super) fn open(mut follow: Follow, hints: Arc<Hints>) -> io::Result<Self> {
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::Builder::new().name("follow".to_owned()).spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let Some(item) = follow.recv_timeout(LISTEN) else {
                    continue;
                };
                if matters(&item) {
                    hints.store();
                }
                if let Some(what_ifs) = &hints.what_ifs {
                    tell(what_ifs, &item);
                }
            }
        })?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that follows the store panicked");
        }
    }
}

/// Whether what was heard can change what is to be run: data, records, or a gap that may hide either.
fn matters(item: &Item) -> bool {
    match item {
        Item::Lost => true,
        Item::Event(event @ Event::Put { branch, .. }) => {
            !event.is_unchanged() && (branch.is_main() || *branch == Branch::records())
        }
        Item::Event(Event::Heartbeat { .. }) => false,
    }
}

/// Passes on what can change what a what-if is: what it says of itself, or a gap that may hide that.
fn tell(what_ifs: &Door, item: &Item) {
    match item {
        Item::Lost => what_ifs.ring(),
        Item::Event(Event::Put { branch, resource, revision, .. })
            if resource.as_str() == whatif::ABOUT =>
        {
            let is_gone = revision.is_none();
            whatif::id(branch).into_iter().for_each(|id| what_ifs.ring_for(id, is_gone));
        }
        Item::Event(Event::Put { .. } | Event::Heartbeat { .. }) => {}
    }
}

/// Watches folders. Without it everything works, only slower: files are also polled.
pub(super) struct Eye {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// Whether some folder cannot be watched.
    misses: bool,
}

impl Eye {
    pub(super) fn open(hints: Arc<Hints>) -> Self {
        let opened = notify::recommended_watcher(move |seen: notify::Result<notify::Event>| {
            if seen.is_ok_and(|event| !event.kind.is_access()) {
                hints.files();
            }
        });
        let watcher = opened
            .inspect_err(|error| tracing::warn!(%error, "cannot watch files; polling them instead"))
            .ok();
        Self { watcher, watched: BTreeSet::new(), misses: false }
    }

    /// Whether files may change without its seeing it.
    pub(super) fn is_blind(&self) -> bool {
        self.watcher.is_none() || self.misses
    }

    /// Watches exactly these folders, not what is below them.
    pub(super) fn watch(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.watched.difference(&folders) {
            // A folder that was removed is no longer watched anyway.
            drop(watcher.unwatch(gone));
        }
        for new in folders.difference(&self.watched) {
            // From then on, as one that failed is not tried again.
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %new.display(), %error, "cannot watch; polling instead");
                self.misses = true;
            }
        }
        self.watched = folders;
    }
}
