//! Many runs at once, in bounded number, whose results are taken in order; all of them end when they are told to.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::child::{Mail, Mailbox};
use crate::run::line::Line;

/// How soon it is noticed that all is to end.
const HEED: Duration = Duration::from_millis(100);
/// How many results may wait for one before them, for each that runs at once.
const AHEAD: usize = 4;

/// What a run is held by, to end it.
pub struct Hand {
    pub(crate) line: Line,
}

/// The hands there are; none once all was told to end.
#[derive(Debug)]
pub(crate) struct Hands(Mutex<Option<Vec<Sender<Mail>>>>);

impl Hands {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// A new hand; one that has been told to end already, if all have.
    pub(crate) fn reach(&self) -> Hand {
        let (post, mail) = channel();
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match hands.as_mut() {
            Some(hands) => hands.push(post.clone()),
            None => drop(post.send(Mail::Stop)),
        }
        Hand { line: Line::new(Mailbox { post, mail }, Box::new(|_| {})) }
    }

    pub(crate) fn stop(&self) {
        let hands = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        for post in hands.into_iter().flatten() {
            // One that has ended does not hear it.
            drop(post.send(Mail::Stop));
        }
    }

    fn is_stopped(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// Works on all items, so many at once, and takes what comes of them in their order, until it is told to break or to
/// stop; what has not been taken by then is lost.
///
/// # Errors
/// If no thread can be started.
pub fn in_order<T: Sync, R: Send>(
    (jobs, stop): (usize, &(dyn Fn() -> bool + Sync)),
    items: &[T],
    work: impl Fn(&T, &Hand) -> R + Sync,
    take: impl FnMut(&T, R, &Hand) -> ControlFlow<()>,
) -> io::Result<()> {
    let hands = &Hands::new();
    let (alive, ended) = channel::<()>();
    thread::scope(|scope| {
        thread::Builder::new().name("stop".to_owned()).spawn_scoped(scope, move || {
            watch(&ended, hands, stop);
        })?;
        let begin = |at: usize, post: Sender<(usize, R)>| {
            let (item, hand, work) = (&items[at], hands.reach(), &work);
            let name = "past run".to_owned();
            let begun = thread::Builder::new().name(name).spawn_scoped(scope, move || {
                // Nobody takes what comes too late.
                drop(post.send((at, work(item, &hand))));
            });
            begun.map(drop)
        };
        let done = turn((jobs, hands), items, begin, take);
        // Whatever still runs is of no use any more.
        hands.stop();
        drop(alive);
        done
    })
}

/// Begins one after the other and takes what they give.
fn turn<T, R>(
    (jobs, hands): (usize, &Hands),
    items: &[T],
    begin: impl Fn(usize, Sender<(usize, R)>) -> io::Result<()>,
    mut take: impl FnMut(&T, R, &Hand) -> ControlFlow<()>,
) -> io::Result<()> {
    let jobs = jobs.max(1);
    let hand = hands.reach();
    let (post, results) = channel();
    let mut waiting = BTreeMap::new();
    let (mut begun, mut ended, mut taken) = (0, 0, 0);
    loop {
        let room = items.len().min(taken + AHEAD * jobs);
        while begun < room && begun - ended < jobs && !hands.is_stopped() {
            begin(begun, post.clone())?;
            begun += 1;
        }
        if begun == ended {
            return Ok(());
        }
        if let Ok((at, result)) = results.recv() {
            ended += 1;
            waiting.insert(at, result);
        }
        while let Some(result) = waiting.remove(&taken) {
            if take(&items[taken], result, &hand).is_break() {
                return Ok(());
            }
            taken += 1;
        }
    }
}

/// Tells all to end when it is time, until there is nobody to tell.
fn watch(ended: &Receiver<()>, hands: &Hands, stop: &dyn Fn() -> bool) {
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(HEED) {
        if stop() {
            hands.stop();
            return;
        }
    }
}

#[cfg(test)]
mod tests;
