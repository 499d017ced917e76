//! Copies of the store elsewhere, kept by the user's own git: mirrors it is pushed to, replicas that follow one,
//! and the way back.
//!
//! Everything here reads the store's repository as it is on disk, as anyone with git might: nothing of it takes
//! part in a PUT. Nothing is ever forced, here or there, but what-ifs, which are begun anew.

pub mod replica;
pub mod restore;
pub mod shared;

mod fetch;
mod git;
mod large;
mod push;
mod worker;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use esker_wire::remote::Remote;
use esker_wire::snapshot::MirrorReport;

use self::git::Git;
use self::shared::{Mirror, Mirrors};
use self::worker::Worker;

/// Tells whether git is to be broken off.
pub type Halt = Arc<dyn Fn() -> bool + Send + Sync>;

/// How the mirrors' threads keep time.
#[derive(Debug, Clone, Copy)]
pub struct Tempo {
    /// How long further news is waited for before it is pushed.
    pub gather: Duration,
    /// How often to look although there was no news.
    pub look_every: Duration,
    /// The first pause after a failure; each further one is twice as long, and a part more by chance.
    pub retry_min: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
    /// How long git may say nothing before it is stopped.
    pub silence_max: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(200),
            look_every: Duration::from_secs(5),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
            silence_max: Duration::from_secs(120),
        }
    }
}

/// The threads that push to the mirrors, one each. Dropped, they end at once.
#[derive(Debug)]
pub struct Pushing {
    mirrors: Mirrors,
    threads: Vec<JoinHandle<()>>,
}

impl Pushing {
    /// Starts to push the store in `dir` to each remote. A mirror that is a relative path is meant from
    /// `project`.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(dir: &Path, project: &Path, remotes: &[Remote], tempo: Tempo) -> io::Result<Self> {
        let mut pushing = Self { mirrors: Mirrors::default(), threads: Vec::new() };
        for remote in remotes {
            let mirror = Arc::new(Mirror::new(remote.to_string()));
            pushing.mirrors.0.push(Arc::clone(&mirror));
            let ending = Arc::clone(&mirror);
            let git = Git {
                dir: dir.to_owned(),
                silence_max: tempo.silence_max,
                halt: Arc::new(move || ending.is_over()),
            };
            let worker = Worker::new(git, remote.under(project), mirror, tempo);
            let name = "mirror".to_owned();
            pushing.threads.push(thread::Builder::new().name(name).spawn(move || worker.run())?);
        }
        Ok(pushing)
    }

    /// How the mirrors stand.
    pub fn mirrors(&self) -> Mirrors {
        self.mirrors.clone()
    }

    /// Pushes what is left, for at most so long; the mirrors that still lack something.
    pub fn shutdown(mut self, at_most: Duration) -> Vec<MirrorReport> {
        self.end_by(Instant::now() + at_most);
        let reports = self.mirrors.reports().into_iter();
        reports.filter(|report| report.since.is_some()).collect()
    }

    fn end_by(&mut self, at: Instant) {
        for mirror in &self.mirrors.0 {
            mirror.end_by(at);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }
}

impl Drop for Pushing {
    fn drop(&mut self) {
        self.end_by(Instant::now());
    }
}
