//! Replies that take a while to make and need nothing of the service: made by threads beside its own.

use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// How many threads there are at most.
const THREADS_MAX: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// The threads; started when there is the first to do.
pub(crate) struct Workers {
    jobs: Option<Sender<Job>>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn new() -> Self {
        let (jobs, waiting) = mpsc::channel();
        Self { jobs: Some(jobs), waiting: Arc::new(Mutex::new(waiting)), threads: Vec::new() }
    }

    /// Has something done, in the order of coming. How much may wait is for whoever brings it to bound.
    pub(crate) fn work(&mut self, job: Job) {
        if self.threads.len() < THREADS_MAX {
            let waiting = Arc::clone(&self.waiting);
            let builder = thread::Builder::new().name("work".to_owned());
            self.threads.extend(builder.spawn(move || run(&waiting)).ok());
        }
        let refused = match &self.jobs {
            Some(jobs) if !self.threads.is_empty() => jobs.send(job),
            _ => Err(SendError(job)),
        };
        // Where the system gives no thread, this one has to do.
        if let Err(SendError(job)) = refused {
            job();
        }
    }
}

fn run(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

impl Drop for Workers {
    /// What was begun is finished.
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
