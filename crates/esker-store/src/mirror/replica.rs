//! A read replica: a store that follows a mirror and takes nothing from anyone else.
//!
//! What it follows is written in the store itself, in `esker/follows`, so that nobody puts into it by mistake.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use esker_wire::remote::Remote;
use esker_wire::snapshot::MirrorReport;

use super::fetch;
use super::git::Git;
use super::restore;
use super::shared::{Mirror, Wakes};
use super::{Halt, Tempo};
use crate::error::Error;
use crate::files;

/// What a store follows, for those who ask and those who want to put.
#[derive(Debug, Clone)]
pub struct Following(Arc<Mirror>);

impl Following {
    /// What the store in a folder follows, if it is a replica.
    pub fn of(dir: &Path) -> Option<Self> {
        let url = fs::read_to_string(marker(dir)).ok()?;
        Some(Self(Arc::new(Mirror::new(url.trim().to_owned()))))
    }

    /// What is followed, without what is secret in it.
    pub fn url(&self) -> String {
        self.report().url
    }

    /// How it stands to what it follows.
    pub fn report(&self) -> MirrorReport {
        self.0.report()
    }

    /// Why nothing can be put.
    pub(crate) fn refusal(&self) -> Fault {
        let message = format!("this is a read replica: it follows {}", self.url());
        Fault::new(Code::NotWritable, message).hint("put where that mirror is pushed from")
    }
}

/// The thread that keeps a replica up to date. Dropped, it ends at once.
#[derive(Debug)]
pub struct Replica {
    following: Following,
    thread: Option<JoinHandle<()>>,
}

impl Replica {
    /// Brings the replica in `dir` up to date, makes it if there is none, and goes on looking for news this often.
    /// A replica that is there already is served as it is while the mirror cannot be reached.
    ///
    /// # Errors
    /// If the folder holds a store of its own, or a new replica cannot be made.
    pub fn start(dir: &Path, remote: Remote, every: Duration, halt: Halt) -> Result<Self, Error> {
        let mirror = Arc::new(Mirror::new(remote.to_string()));
        let note = |store: &Path| {
            files::make_folder(&files::temporary(store))?;
            files::write_file(store, &marker(store), format!("{remote}\n").as_bytes())
        };
        if !dir.exists() {
            restore::make(dir, &remote, Arc::clone(&halt), &mut |_| {}, &note)?;
        } else if Following::of(dir).is_none() {
            let reason = "it is a store of its own; a replica of it would mix both".to_owned();
            return Err(Error::NotAStore { dir: dir.to_owned(), reason });
        } else {
            note(dir)?;
            let git = git(dir, halt);
            mirror.tell(fetch::fetch(&git, &remote, &mut |_| {}).err(), NAME);
        }
        let following = Following(Arc::clone(&mirror));
        let ending = Arc::clone(&mirror);
        let git = git(dir, Arc::new(move || ending.is_over()));
        let follow = move || {
            while !mirror.wait(every, Wakes::End) {
                let fetched = fetch::fetch(&git, &remote, &mut |_| {});
                if !mirror.is_over() {
                    mirror.tell(fetched.err(), NAME);
                }
            }
        };
        let thread = thread::Builder::new().name("replica".to_owned()).spawn(follow);
        let thread = thread.map_err(Error::write(dir))?;
        Ok(Self { following, thread: Some(thread) })
    }

    /// What it follows, and how it stands.
    pub fn following(&self) -> Following {
        self.following.clone()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.following.0.end_by(Instant::now());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }
}

/// What it is called in the log.
const NAME: &str = "the replica";

fn git(dir: &Path, halt: Halt) -> Git {
    Git { dir: dir.to_owned(), silence_max: Tempo::default().silence_max, halt }
}

/// The file that says what a store follows.
fn marker(dir: &Path) -> PathBuf {
    dir.join("esker/follows")
}
