//! The engine: one thread that looks at the world, asks the planner, and starts what it says.
//!
//! Everything that may matter (an event, a changed file, a run that ended, a time that came) only makes it look
//! again. What it remembers besides is how to find things faster; it may be killed at any moment.
//!
//! People know it as the runner: that is what the command line and the documentation call it.

mod agenda;
mod bursts;
mod desk;
mod fresh;
pub(crate) mod heads;
pub(crate) mod keeper;
mod laps;
mod ledger;
mod library;
mod listen;
mod lull;
pub mod outlook;
pub mod status;
mod told;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use esker_bus::caller::Caller;
use esker_bus::follow::Follow;
use esker_wire::name::Branch;
use tokio::sync::watch;

use crate::child::said::Said;
use crate::definition::defect::Defect;
use crate::plan::Run;
use crate::run::{Bench, Outcome, SCRATCH};
use crate::whatif::WhatIfs;

use self::desk::Desk;
use self::keeper::Keeper;
use self::library::Library;
use self::listen::{Ear, Eye, Hints};
use self::status::Status;

/// The file that keeps a second engine from the same project.
const LOCK: &str = ".esker/runner.lock";

/// What to run and what with.
pub struct Options {
    /// The project's folder.
    pub dir: PathBuf,
    /// This very program, whose hidden subcommand `supervise` calls [`crate::supervise::supervise`].
    pub esker: PathBuf,
    /// The snapshot service.
    pub caller: Caller,
    /// Its events.
    pub follow: Follow,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The definition is unusable.
    #[error("cannot use the definition: {}", first(.0))]
    Definition(Vec<Defect>),
    /// Another engine runs this project.
    #[error("cannot run {}: another esker runs this project", .0.display())]
    Locked(PathBuf),
    /// Something the engine needs of this machine failed.
    #[error("cannot {what} {}: {why}", .path.display())]
    Machine {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

fn first(defects: &[Defect]) -> String {
    let first = defects.iter().find(|defect| defect.is_error());
    first.map_or_else(String::new, Defect::to_string)
}

impl Error {
    /// What to do; may be empty.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Definition(_) => "run: esker check",
            Self::Locked(_) => "stop the other one first",
            Self::Machine { .. } => "",
        }
    }
}

/// What the engine's thread is told. Little of it can wait: of each hint one, of each run few.
#[derive(Debug)]
enum Mail {
    /// The store may have changed.
    Store,
    /// A file of the project may have changed.
    Files,
    /// The store does not take what a run has made, for this reason; the run waits.
    Waits(String, String),
    /// The program of a run says something of itself.
    Said(String, Said),
    /// A run has ended.
    Ended(Box<Run>, Outcome),
    /// End.
    Stop,
}

/// A running engine. Dropping it is like [`Engine::shutdown`].
#[derive(Debug)]
pub struct Engine {
    post: Sender<Mail>,
    status: watch::Receiver<Arc<Status>>,
    thread: Option<JoinHandle<()>>,
    ear: Option<Ear>,
    what_ifs: Option<WhatIfs>,
    lock: File,
}

impl Engine {
    /// Starts running a project.
    ///
    /// # Errors
    /// An unusable definition, another engine on the same project, a folder that cannot be used.
    pub fn start(options: Options) -> Result<Self, Error> {
        Self::begin(options, None)
    }

    /// Starts running only these sources and stages, and none of the sources twice.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_once(options: Options, only: BTreeSet<String>) -> Result<Self, Error> {
        Self::begin(options, Some(only))
    }

    fn begin(options: Options, only: Option<BTreeSet<String>>) -> Result<Self, Error> {
        let dir = options.dir;
        let dir = fs::canonicalize(&dir).map_err(machine("use the folder", dir))?;
        let library = Library::open(&dir).map_err(Error::Definition)?;
        let lock = lock(dir.join(LOCK))?;
        sweep(dir.join(SCRATCH))?;
        let (post, mail) = channel();
        let memo = Arc::default();
        let (esker, caller) = (options.esker, options.caller);
        let bench = Bench {
            branch: Branch::main(),
            guard: None,
            esker,
            caller,
            host: host(),
            scratch: dir.join(SCRATCH),
            memo,
            recall: Arc::default(),
            load: Arc::default(),
            dir,
        };
        // Who runs a few stages once leaves what-ifs to those who stay.
        let what_ifs = only.is_none().then(|| WhatIfs::open(&bench)).transpose();
        let what_ifs = what_ifs.map_err(machine("start a thread for", bench.dir.clone()))?;
        let door = what_ifs.as_ref().map(WhatIfs::door);
        let hints = Hints::new(post.clone(), door.clone());
        let eye = Eye::open(Arc::clone(&hints));
        let (status, statuses) = watch::channel(Arc::default());
        let keeper = Keeper::new(door);
        let desk = Desk::new(bench, (library, keeper), eye, (Arc::clone(&hints), post.clone()))
            .confined(only);
        let place = desk.dir().to_owned();
        let thread = thread::Builder::new()
            .name("pipeline".to_owned())
            .spawn(move || desk.work(&mail, &status))
            .map_err(machine("start a thread for", place.clone()))?;
        let ear = Ear::open(options.follow, hints);
        let ear = ear.map_err(machine("start a thread for", place))?;
        Ok(Self { post, status: statuses, thread: Some(thread), ear: Some(ear), what_ifs, lock })
    }

    /// How everything stands, now and whenever that changes.
    pub fn statuses(&self) -> watch::Receiver<Arc<Status>> {
        self.status.clone()
    }

    /// How everything stands.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status.borrow())
    }

    /// Starts nothing more, asks what runs to end, waits as long as its grace allows.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // First of all, as whoever ends this process may be ending the programs at the same time. If nobody
        // takes the mail, the thread has ended already.
        drop(self.post.send(Mail::Stop));
        self.ear.take();
        self.what_ifs.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the engine's thread panicked");
        }
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "cannot unlock the project");
        }
    }
}

pub(crate) fn machine(what: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Error {
    move |why| Error::Machine { what, path, why }
}

fn lock(path: PathBuf) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(machine("create", folder.to_owned()))?;
    }
    let mut options = File::options();
    let opened = options.create(true).append(true).open(&path);
    let file = opened.map_err(machine("open", path.clone()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
        Err(TryLockError::Error(error)) => Err(machine("lock", path)(error)),
    }
}

/// Removes the scratch folders of runs that an earlier engine did not live to remove.
fn sweep(path: PathBuf) -> Result<(), Error> {
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(machine("clear", path)(error)),
        _ => Ok(()),
    }
}

/// This machine.
pub(crate) fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
