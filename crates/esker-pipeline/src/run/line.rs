//! What connects a run with the engine while it is under way, and how it asks the store without being deaf.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use esker_wire::fault::Fault;
use esker_wire::message::Request;

use crate::child::said::Said;
use crate::child::{Mail, Mailbox};

use super::{Bench, DEADLINE, Halt};

/// How soon a run that waits for the store heeds that it is to end.
const HEED: Duration = Duration::from_millis(200);

/// How many warnings of programs are kept with the record of a run.
const WARNED_MAX: usize = 20;

/// The engine's line to a run, and the run's to the engine.
pub(crate) struct Line {
    /// Where the run is told to end, and what happens to its program.
    pub(crate) mailbox: Mailbox,
    /// Where the run tells how it goes on.
    tells: Box<dyn Fn(Tale) + Send>,
    /// The part of the input that is run for, if it is known by a name.
    pub(crate) part: Option<String>,
    /// What programs of the run warn of.
    warned: RefCell<Vec<String>>,
}

/// What a run tells while it is under way.
#[derive(Debug)]
pub(crate) enum Tale {
    /// The store does not take what it has made; it waits for that.
    Waits(Fault),
    /// What its program says of itself.
    Said(Said),
}

impl Line {
    pub(crate) fn new(mailbox: Mailbox, tells: Box<dyn Fn(Tale) + Send>) -> Self {
        Self { mailbox, tells, part: None, warned: RefCell::default() }
    }

    /// Tells the engine; what programs warn of is also kept for the record.
    pub(super) fn tell(&self, tale: Tale) {
        if let Tale::Said(Said::Warning(text)) = &tale {
            let mut warned = self.warned.borrow_mut();
            if warned.len() < WARNED_MAX {
                warned.push(text.clone());
            }
        }
        (self.tells)(tale);
    }

    /// What programs have warned of, a line each.
    pub(super) fn warned(&self) -> Vec<String> {
        self.warned.take()
    }

    /// Ends the run if the engine wants it to.
    pub(crate) fn heed(&self) -> Result<(), Halt> {
        self.pause(Duration::ZERO)
    }

    /// Waits, unless the engine wants the run to end.
    pub(crate) fn pause(&self, wait: Duration) -> Result<(), Halt> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.mailbox.mail.recv_timeout(left) {
                Ok(Mail::Stop) => return Err(Halt::Again("the engine ends".to_owned())),
                // What a program that is over still has to say.
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
    }

    /// Asks the store, and gives its answer. If the run is to end, the answer is not waited for.
    pub(crate) fn ask<R>(&self, bench: &Bench, request: &R) -> Result<Answer<R>, Halt>
    where
        R: Request + Clone + Send + Sync + 'static,
        R::Reply: Send,
    {
        let (post, done) = channel();
        bench.caller.call_then(request.clone(), DEADLINE, move |answer| {
            // A run that has ended does not take it.
            drop(post.send(answer));
        });
        let answer = self.wait_for(&done, None)?;
        answer.ok_or_else(|| Halt::Again("the store was not asked".to_owned()))
    }

    /// Has something done that waits for others: until the patience is over, which gives nothing, or the run is to
    /// end. Then it goes on alone; without a patience it must end by itself.
    pub(crate) fn aside<T: Send + 'static>(
        &self,
        name: &str,
        patience: Option<Duration>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Halt> {
        let (post, done) = channel();
        let working = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // A run that has ended does not take it.
            drop(post.send(work()));
        })?;
        // Nobody joins it.
        drop(working);
        self.wait_for(&done, patience)
    }

    /// Waits for what is being done, until the patience is over or the run is to end.
    fn wait_for<T>(
        &self,
        done: &Receiver<T>,
        patience: Option<Duration>,
    ) -> Result<Option<T>, Halt> {
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            if until.is_some_and(|until| Instant::now() > until) {
                return Ok(None);
            }
            match done.recv_timeout(HEED) {
                Ok(result) => return Ok(Some(result)),
                Err(RecvTimeoutError::Timeout) => self.heed()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Halt::Again("what was to be done has ended".to_owned()));
                }
            }
        }
    }
}

/// What the store answers to a request.
type Answer<R> = Result<<R as Request>::Reply, Fault>;
