//! A publisher at work: behind sockets, fed by a [`Source`] in this process.

mod room;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use esker_bus::bus::{Binds, Bus};
use esker_bus::server::{Server, Waker};
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;

use crate::ask::{Answer, Ask};
use crate::model::{Model, audit};
use crate::op::{OPS_MAX, Op};
use crate::path::Path;
use crate::publisher::{Now, Options, Publication, Publisher, Reply, limits};
use room::{Room, Taken};

/// The transactions that may wait for the publisher; sources wait beyond.
const WAITING_MAX: usize = 1024;

/// What takes so long that it is answered on another thread.
pub(crate) const DEAR: [&[u8]; 5] = [b"CHUNK", b"NODES", b"GET", b"DIFF", b"AUDIT"];

/// What a source says to the publisher.
#[derive(Debug)]
enum Said {
    Change(Transaction),
    /// It wants to see the model.
    Show(SyncSender<Model>),
}

/// What a source has for the publisher.
struct Transaction {
    ops: Vec<Op>,
    /// Who waits for its end.
    done: Option<SyncSender<Result<u64, Fault>>>,
    /// Until it is published or refused.
    room: Taken,
}

/// What is known once the sockets are.
#[derive(Debug, Default)]
struct Found {
    waker: OnceLock<Waker>,
    events: OnceLock<String>,
}

/// Changes a model that is published. Clones change the same one.
#[derive(Debug, Clone)]
pub struct Source {
    feed: SyncSender<Said>,
    found: Arc<Found>,
    options: Arc<Options>,
    room: Arc<Room>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} operations", self.ops.len())
    }
}

/// Publishes a model.
///
/// # Errors
/// As [`Bus::serve`].
pub fn serve(
    bus: &Bus,
    options: &Options,
    model: Option<Model>,
    binds: &Binds,
) -> Result<(Server, Source), Fault> {
    let (feed, fed) = sync_channel(WAITING_MAX);
    let found = Arc::new(Found::default());
    let publisher = match model {
        Some(model) => Publisher::with(options.clone(), model),
        None => Publisher::new(options.clone()),
    };
    let live = Live {
        publisher,
        fed,
        found: Arc::clone(&found),
        begun: Instant::now(),
        audits: sync_channel(1),
    };
    let server = bus.serve("model", live, binds)?;
    // Both are set here alone.
    drop(found.events.set(server.events().first().cloned().unwrap_or_default()));
    drop(found.waker.set(server.waker()));
    let options = Arc::new(options.clone());
    let source = Source { feed, found, options, room: Arc::default() };
    source.wake();
    Ok((server, source))
}

impl Source {
    /// Changes the model: all of this or nothing. It may become one transaction with others that wait.
    ///
    /// # Errors
    /// `too-large` or `bad-request` naming the path and the limit; `unavailable` if the publisher has ended.
    pub fn push(&self, ops: Vec<Op>) -> Result<(), Fault> {
        limits::check(&ops, &self.options.junctions)?;
        let room = self.room.take(room::bytes(&ops));
        self.send(Said::Change(Transaction { ops, done: None, room }))
    }

    /// The model as it is now; it stays so, and changes cost more while it is held.
    ///
    /// # Errors
    /// `unavailable` if the publisher has ended.
    pub fn model(&self) -> Result<Model, Fault> {
        let (show, shown) = sync_channel(1);
        self.send(Said::Show(show))?;
        shown.recv().map_err(|_| ended())
    }

    /// Changes the model as [`Source::push`] does, and waits until that is published; which transaction it is part of.
    ///
    /// # Errors
    /// As [`Source::push`], and `too-large` if the model would be.
    pub fn change(&self, ops: Vec<Op>) -> Result<u64, Fault> {
        let (done, result) = sync_channel(1);
        let room = self.room.take(room::bytes(&ops));
        self.send(Said::Change(Transaction { ops, done: Some(done), room }))?;
        result.recv().map_err(|_| ended())?
    }

    fn send(&self, said: Said) -> Result<(), Fault> {
        let full = match self.feed.try_send(said) {
            Ok(()) => None,
            Err(TrySendError::Full(said)) => Some(said),
            Err(TrySendError::Disconnected(_)) => return Err(ended()),
        };
        self.wake();
        match full {
            Some(said) => {
                self.feed.send(said).map_err(|_| ended())?;
                self.wake();
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.found.waker.get() {
            waker.wake();
        }
    }
}

fn ended() -> Fault {
    Fault::new(Code::Unavailable, "the model is published no more")
}

/// The service of a publisher.
struct Live {
    publisher: Publisher,
    fed: Receiver<Said>,
    found: Arc<Found>,
    begun: Instant,
    /// What audits found.
    audits: (SyncSender<Vec<Path>>, Receiver<Vec<Path>>),
}

impl Live {
    fn now(&self) -> Now {
        Now::at(self.begun)
    }

    fn answer(&mut self, request: &Frames) -> Result<Outcome, Fault> {
        let message = Message::from_frames(request)?;
        is_model(&message, self.publisher.name())?;
        if let Some(epoch) = message.head().parse("epoch")? {
            self.publisher.is_epoch(epoch)?;
        }
        let ask = Ask::from_message(&message)?;
        if ask == Ask::Hello && self.found.events.get().is_none() {
            return Err(Fault::new(Code::Unavailable, "the model is about to be published")
                .hint("ask again soon"));
        }
        let (reply, published) = self.publisher.answer(&ask, self.now());
        let events = published.into_iter().map(Publication::into).collect();
        Ok(Outcome { events, ..outcome(reply, self.publisher.epoch()) })
    }

    /// Has the model audited on another thread now and then.
    fn audit(&mut self, now: Now) {
        if let Some(model) = self.publisher.audit(now.since) {
            let told = self.audits.0.clone();
            let audit = move || drop(told.try_send(audit::told(&model)));
            // Without a thread it is audited another time.
            drop(std::thread::Builder::new().name("audit".to_owned()).spawn(audit));
        }
        if let Ok(wrong) = self.audits.1.try_recv() {
            self.publisher.audited(&wrong);
        }
    }

    /// Transactions that wait, as many as go into one; and who wants to see the model behind them.
    fn waiting(&self) -> (Vec<Transaction>, Option<SyncSender<Model>>) {
        let mut waiting = Vec::new();
        let mut ops = 0;
        while ops < OPS_MAX / 4 {
            match self.fed.try_recv() {
                Ok(Said::Change(transaction)) => {
                    ops += transaction.ops.len();
                    waiting.push(transaction);
                }
                Ok(Said::Show(show)) => return (waiting, Some(show)),
                Err(_) => break,
            }
        }
        (waiting, None)
    }

    /// Makes one transaction of all; or, if that cannot be, one of each, so that a bad one costs nobody else's.
    fn change(&mut self, waiting: Vec<Transaction>) -> Vec<Publication> {
        let now = self.now();
        let count: usize = waiting.iter().map(|one| one.ops.len()).sum();
        let (mut all, mut parts) = (Vec::new(), Vec::with_capacity(waiting.len()));
        for Transaction { mut ops, done, room } in waiting {
            parts.push((ops.len(), done, room));
            if ops.len() == count {
                all = ops;
            } else {
                all.reserve(count - all.len());
                all.append(&mut ops);
            }
        }
        match self.publisher.change(&all, now) {
            Ok(published) => {
                let seq = self.publisher.seq();
                parts.into_iter().for_each(|(_, done, _room)| tell(done, Ok(seq)));
                published
            }
            Err(_) => {
                let mut rest = &all[..];
                let mut published = Vec::new();
                for (count, done, _room) in parts {
                    let (ops, behind) = rest.split_at(count);
                    rest = behind;
                    let result = self.publisher.change(ops, now);
                    let seq = self.publisher.seq();
                    tell(done, result.map(|one| published.extend(one)).map(|()| seq));
                }
                published
            }
        }
    }
}

/// Whether a request is about the model that is here.
///
/// # Errors
/// `not-found` with its name if not.
pub(crate) fn is_model(message: &Message, name: &str) -> Result<(), Fault> {
    if message.subject() == name {
        return Ok(());
    }
    let text = format!("there is no model {:?} here", message.subject());
    Err(Fault::new(Code::NotFound, text).candidates(vec![name.to_owned()]))
}

/// Whether a request has one of these verbs.
pub(crate) fn asks_one_of(request: &Frames, verbs: &[&[u8]]) -> bool {
    let head = request.first().map(AsRef::as_ref).unwrap_or_default();
    let verb = head.strip_prefix(b"=====esker/1 ").unwrap_or_default();
    verbs.iter().any(|one| verb.starts_with(one))
}

/// A reply as it is sent.
pub fn outcome(reply: Reply, epoch: u64) -> Outcome {
    let told = move |answer: Result<Answer, Fault>| to_frames(answer.map(|answer| (epoch, answer)));
    match reply {
        Reply::Now(answer) => Outcome::reply(told(answer)),
        Reply::Later(work) => {
            Outcome { later: Some(Box::new(move || told(work()))), ..Outcome::default() }
        }
    }
}

/// A start's answer, or why there is none, as it is sent.
pub(crate) fn to_frames(answered: Result<(u64, Answer), Fault>) -> Frames {
    match answered {
        Ok((epoch, answer)) => answer.to_message(epoch).to_frames(),
        Err(fault) => Message::error(&fault).to_frames(),
    }
}

/// Tells who waits what became of a transaction.
fn tell(done: Option<SyncSender<Result<u64, Fault>>>, result: Result<u64, Fault>) {
    match (done, result) {
        // Who waits no longer need not know.
        (Some(done), result) => drop(done.try_send(result)),
        (None, Err(fault)) => tracing::error!(%fault, "a change of the model is left out"),
        (None, Ok(_)) => {}
    }
}

impl Service for Live {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        if let Some(events) = self.found.events.get() {
            self.publisher.at(events);
        }
        requests.iter().map(|request| self.answer(request).into()).collect()
    }

    fn is_dear(&self, request: &Frames) -> bool {
        asks_one_of(request, &DEAR)
    }

    fn wake(&mut self) -> Vec<Frames> {
        let (waiting, show) = self.waiting();
        if waiting.is_empty() && show.is_none() {
            return Vec::new();
        }
        // There may be more than goes into one transaction.
        if let Some(waker) = self.found.waker.get() {
            waker.wake();
        }
        let published = match waiting.is_empty() {
            true => Vec::new(),
            false => self.change(waiting),
        };
        if let Some(show) = show {
            // Who asked may have ended.
            drop(show.send(self.publisher.model().clone()));
        }
        published.into_iter().map(Publication::into).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        let now = self.now();
        self.audit(now);
        self.publisher.tick(now).into_iter().map(Publication::into).collect()
    }

    fn end(&mut self) -> Vec<Frames> {
        let mut published = Vec::new();
        loop {
            let (waiting, _) = self.waiting();
            if waiting.is_empty() {
                break;
            }
            published.extend(self.change(waiting));
        }
        published.push(self.publisher.bye(self.now()));
        published.into_iter().map(Publication::into).collect()
    }
}

#[cfg(test)]
mod tests;
