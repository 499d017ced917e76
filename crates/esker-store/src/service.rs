//! The snapshot service: requests as frames in, replies and events as frames out.
//!
//! All PUTs of one batch share one flush. If it fails, the batch is taken back and answered again with every
//! PUT refused, so that no reply speaks of what is not durable.

mod answers;
mod seeds;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::chain::Link;
use esker_wire::event::Event;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Request};
use esker_wire::name::Branch;
use esker_wire::seed;
use esker_wire::snapshot::{
    Branches, Diff, DropBranch, Gc, Get, Health, HealthReport, List, Log, Move, Prune, Put,
    Resolve, Stat, Stored, Tag, Tags, Upload, Why,
};

use crate::error::Error;
use crate::mirror::replica::Following;
use crate::mirror::shared::Mirrors;
use crate::names::{Names, NamesHandle};
use crate::outside::Foreign;
use crate::rejected;
use crate::service::answers::Answers;
use crate::store::Store;

/// How many commits are new before the index is written while the store is open.
const INDEX_NEW: u32 = 256;

/// No further request of a batch is answered at once with answers of this many bytes.
const ANSWERED_MAX: usize = 64 * 1024 * 1024;

/// No further request of a batch that only reads is answered at once after this long: others have their turn.
const TURN_MAX: Duration = Duration::from_millis(20);

/// The snapshot service over one store.
pub struct Snapshots {
    pub(crate) store: Store,
    names: NamesHandle,
    link: Link,
    /// Why nothing could be written the last time.
    trouble: Option<String>,
    /// What others have put, not yet published.
    early: Vec<Frames>,
    answers: Answers,
    mirrors: Mirrors,
    following: Option<Following>,
}

/// One batch under way.
struct Batch<'a> {
    names: &'a Names,
    /// Why every request that writes is refused, if so.
    refuse: Option<Fault>,
}

impl Snapshots {
    /// The service of an open store.
    pub fn new(store: Store, names: NamesHandle) -> Self {
        let epoch = store.epoch();
        let link = Link { epoch, seq: 0 };
        let (mirrors, following) = (Mirrors::default(), None);
        Self {
            store,
            names,
            link,
            trouble: None,
            early: Vec::new(),
            answers: Answers::default(),
            mirrors,
            following,
        }
    }

    /// The same, telling these mirrors of what is stored.
    #[must_use]
    pub fn mirrored(self, mirrors: Mirrors) -> Self {
        let bell = mirrors.clone();
        self.store.on_settled(Box::new(move || bell.ring()));
        Self { mirrors, ..self }
    }

    /// The same, of a replica if there is something that it follows.
    #[must_use]
    pub fn following(self, following: Option<Following>) -> Self {
        Self { following, ..self }
    }

    /// Waits until git sees all that was acknowledged.
    ///
    /// # Errors
    /// `not-writable` if it cannot be put where git looks for it.
    pub fn settle(&mut self) -> Result<(), Fault> {
        Ok(self.store.settle()?)
    }

    /// The one place that knows every verb.
    fn answer(&mut self, batch: &Batch<'_>, frames: &Frames) -> Outcome {
        let head = frames.first().cloned().unwrap_or_default();
        if !Message::is_ours(&head) {
            return self.answer_seed(batch, frames);
        }
        let message = match Message::from_frames(frames) {
            Ok(message) => message,
            Err(fault) => return Outcome::error(&fault),
        };
        match message.verb() {
            Put::VERB => self.put(batch, &message),
            Move::VERB => self.rename(batch, &message),
            Tag::VERB => self.tag(batch, &message),
            Get::VERB => self.read(&message, Store::get),
            Stat::VERB => self.read(&message, Store::stat),
            List::VERB => self.read(&message, Store::list),
            Log::VERB => self.read(&message, Store::log),
            Diff::VERB => self.diff(&message),
            Why::VERB => self.read(&message, Store::why),
            Resolve::VERB => self.read(&message, Store::resolve),
            Tags::VERB => self.read(&message, |store, _: &Tags| store.tags()),
            Branches::VERB => self.read(&message, Store::branches_like),
            DropBranch::VERB => self.drop_branch(batch, &message),
            Upload::VERB => self.read(&message, Store::upload),
            Gc::VERB => self.collect(batch, &message),
            Prune::VERB => self.prune(batch, &message),
            Health::VERB => reply::<Health>(Ok(self.health())),
            other => Outcome::error(
                &Fault::bad_request(format!("{other:?} is no request of the snapshot service")).hint(
                    "requests are PUT, MOVE, GET, STAT, LIST, LOG, DIFF, WHY, RESOLVE, TAG, TAGS, BRANCHES, DROP, UPLOAD, GC, PRUNE and HEALTH",
                ),
            ),
        }
    }

    fn read<R: Request>(
        &mut self,
        message: &Message,
        read: impl FnOnce(&mut Store, &R) -> Result<R::Reply, Fault>,
    ) -> Outcome {
        reply::<R>(R::from_message(message).and_then(|ask| read(&mut self.store, &ask)))
    }

    /// Reads both versions; others compare them.
    fn diff(&mut self, message: &Message) -> Outcome {
        match Diff::from_message(message).and_then(|ask| self.store.sides(&ask)) {
            Ok(sides) => {
                let work = move || reply::<Diff>(sides.compare()).reply;
                Outcome { later: Some(Box::new(work)), ..Outcome::default() }
            }
            Err(fault) => Outcome::error(&fault),
        }
    }

    fn put(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let stored = Put::from_message(message).and_then(|put| {
            batch.check()?;
            if rejected::is_rejected(&put.branch) {
                self.store.expire_rejected(1);
            }
            Ok((self.store.put(&put)?, put.branch))
        });
        match stored {
            Ok((stored, branch)) => Outcome {
                events: self.events(batch.names, &stored, &branch),
                ..reply::<Put>(Ok(stored))
            },
            Err(fault) => Outcome::error(&fault),
        }
    }

    fn rename(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let moved = Move::from_message(message).and_then(|ask| {
            batch.check()?;
            self.store.check_overrides(&ask)?;
            Ok((self.store.rename(&ask)?, ask))
        });
        let (moved, ask) = match moved {
            Ok(moved) => moved,
            Err(fault) => return Outcome::error(&fault),
        };
        let mut events = Vec::new();
        if moved.is_changed() {
            let along = self.store.rename_beside(&ask);
            for (to, moved) in along.into_iter().chain([(ask.to, moved.clone())]) {
                let news = Foreign {
                    branch: ask.branch.clone(),
                    resource: to,
                    revision: Some(moved.revision),
                    previous: Some(moved.previous),
                };
                self.publish(&mut events, batch.names, news);
            }
        }
        Outcome { events, ..reply::<Move>(Ok(moved)) }
    }

    fn prune(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let pruned = Prune::from_message(message).and_then(|ask| {
            if ask.remove {
                batch.check()?;
            }
            self.store.prune(&ask)
        });
        reply::<Prune>(pruned)
    }

    fn tag(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let tagged = Tag::from_message(message).and_then(|ask| {
            batch.check()?;
            self.store.tag(&ask)
        });
        reply::<Tag>(tagged)
    }

    fn drop_branch(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let dropped = DropBranch::from_message(message).and_then(|ask| {
            batch.check()?;
            let about = self.store.about(&ask.branch)?;
            Ok((self.store.drop_branch(&ask)?, about, ask.branch))
        });
        let (dropped, about, branch) = match dropped {
            Ok(dropped) => dropped,
            Err(fault) => return Outcome::error(&fault),
        };
        let mut events = Vec::new();
        if let Some((resource, previous)) = about.filter(|_| dropped) {
            // Whoever works on a what-if ends that.
            let news = Foreign { branch, resource, revision: None, previous: Some(previous) };
            self.publish(&mut events, batch.names, news);
        }
        Outcome { events, ..reply::<DropBranch>(Ok(dropped)) }
    }

    /// Removes nothing in a bucket for a replica, which may not know yet what is named.
    fn collect(&mut self, batch: &Batch<'_>, message: &Message) -> Outcome {
        let collected = Gc::from_message(message).and_then(|ask| {
            if ask.remove && self.store.options.blobs.is_some() {
                batch.check()?;
            }
            self.store.collect(&ask)
        });
        reply::<Gc>(collected)
    }

    fn health(&self) -> HealthReport {
        let main = self.store.lines.get(&Branch::main());
        let moved = main.and_then(|line| line.moved.clone());
        let replica = self.following.as_ref().map(|following| following.refusal().message);
        HealthReport {
            project: self.store.options.project.clone(),
            engine: format!("esker {}", env!("CARGO_PKG_VERSION")),
            link: self.link,
            head: main.and_then(|line| Some(line.history.head()?.revision)),
            not_writable: self.trouble.clone().or(moved).or(replica),
            mirrors: self.mirrors.reports(),
            follows: self.following.as_ref().map(Following::report),
            blobs: self.store.large.report(),
        }
    }

    /// What to publish for a PUT: our event, then the seeds' for every name the resource has.
    fn events(&mut self, names: &Names, stored: &Stored, branch: &Branch) -> Vec<Frames> {
        let mut events = Vec::new();
        for item in &stored.items {
            self.publish(
                &mut events,
                names,
                Foreign {
                    branch: branch.clone(),
                    resource: item.now.as_ref().unwrap_or(&item.resource).clone(),
                    revision: item.revision,
                    previous: item.previous,
                },
            );
        }
        events
    }

    /// Publishes what has become of a resource, by its name and then by each older one: who follows that is told as
    /// before.
    fn publish(&mut self, events: &mut Vec<Frames>, names: &Names, news: Foreign) {
        let Foreign { branch, resource, revision, previous } = news;
        let mut told = self.store.older_names(&branch, &resource);
        told.insert(0, resource.clone());
        if branch.is_main() {
            let aliases: BTreeSet<&str> =
                told.iter().flat_map(|name| names.aliases_of(name)).collect();
            events.extend(aliases.into_iter().map(|alias| vec![seed::event(alias)]));
        }
        for name in told {
            self.link.seq += 1;
            let event = Event::Put {
                link: self.link,
                now: (name != resource).then(|| resource.clone()),
                resource: name,
                branch: branch.clone(),
                revision,
                previous,
            };
            events.push(event.to_frames());
        }
    }

    /// Takes in what others have put with plain git.
    fn look_outside(&mut self, names: &Names, what_ifs: Option<&BTreeSet<Branch>>) {
        for news in self.store.look_outside(what_ifs) {
            self.answers.forget();
            if news.revision.is_none() && self.store.now(&news.branch, &news.resource).is_some() {
                // It was given another name, by which it is told of too.
                continue;
            }
            let mut events = std::mem::take(&mut self.early);
            self.publish(&mut events, names, news);
            self.early = events;
        }
    }

    /// Answers a batch, or its beginning if the answers are large, and makes it durable; the reason if it could
    /// not be, with nothing kept of it.
    fn attempt(&mut self, batch: &Batch<'_>, requests: &[Frames]) -> Result<Vec<Outcome>, Error> {
        let link = self.link;
        let mut outcomes = Vec::with_capacity(requests.len());
        let (mut bytes, began) = (0, Instant::now());
        let is_read = requests.iter().all(reads);
        if !is_read {
            self.answers.forget();
        }
        for frames in requests {
            let outcome =
                if is_read { self.read_again(batch, frames) } else { self.answer(batch, frames) };
            bytes += outcome.reply.iter().map(Bytes::len).sum::<usize>();
            outcomes.push(outcome);
            // What is written together waits for the disk once: that is worth more than the others' turn.
            if bytes > ANSWERED_MAX || (is_read && began.elapsed() > TURN_MAX) {
                break;
            }
        }
        match self.store.flush() {
            Ok(written) => {
                if written {
                    self.answers.forget();
                    self.trouble = None;
                }
                Ok(outcomes)
            }
            Err(error) => {
                self.answers.forget();
                self.store.roll_back();
                self.link = link;
                Err(error)
            }
        }
    }

    /// An answer that is remembered, or a new one.
    fn read_again(&mut self, batch: &Batch<'_>, frames: &Frames) -> Outcome {
        let Some(question) = answers::question(frames) else {
            return self.answer(batch, frames);
        };
        if let Some(reply) = self.answers.get(&question) {
            return Outcome::reply(reply);
        }
        let outcome = self.answer(batch, frames);
        self.answers.insert(question, &outcome.reply);
        outcome
    }

    fn handle_batch(&mut self, names: &Names, requests: &[Frames]) -> Vec<Outcome> {
        let refuse = self.following.as_ref().map(Following::refusal);
        let mut batch = Batch { names, refuse };
        loop {
            let mut written = requests.iter().filter(|frames| writes(frames)).peekable();
            if written.peek().is_some() {
                let branches = written.filter_map(branch).collect();
                self.look_outside(names, Some(&branches));
            }
            match self.attempt(&batch, requests) {
                Ok(outcomes) => return outcomes,
                Err(error) => {
                    let hint = match error {
                        Error::Unsure { .. } => "make room or put that right, then try again",
                        _ => {
                            "this request has stored nothing; make room or put that right, then try again"
                        }
                    };
                    let fault = error.into_fault();
                    self.trouble = Some(fault.message.clone());
                    batch.refuse = Some(fault.hint(hint));
                }
            }
        }
    }
}

impl Batch<'_> {
    fn check(&self) -> Result<(), Fault> {
        self.refuse.clone().map_or(Ok(()), Err)
    }
}

impl Service for Snapshots {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let names = self.names.get();
        let mut outcomes = self.handle_batch(&names, requests);
        if let Some(first) = outcomes.first_mut() {
            let mut events = std::mem::take(&mut self.early);
            events.append(&mut first.events);
            first.events = events;
        }
        outcomes
    }

    fn is_dear(&self, request: &Frames) -> bool {
        request.first().is_some_and(|head| head.starts_with(b"=====esker/1 DIFF"))
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.answers.forget();
        let names = self.names.get();
        self.look_outside(&names, None);
        self.store.save_indexes(INDEX_NEW);
        match self.store.note_settled() {
            Err(error) => self.trouble = Some(error.to_string()),
            Ok(()) if self.trouble.is_some() && self.store.is_writable() => self.trouble = None,
            Ok(()) => {}
        }
        let mut events = std::mem::take(&mut self.early);
        events.push(Event::Heartbeat { link: self.link }.to_frames());
        events
    }
}

/// Whether a request changes nothing that another may see.
fn reads(frames: &Frames) -> bool {
    let head = frames.first().map(Bytes::as_ref).unwrap_or_default();
    let changing: [&[u8]; 2] = [b"=====esker/1 GC", b"=====esker/1 PRUNE"];
    !writes(frames) && !changing.iter().any(|verb| head.starts_with(verb))
}

/// Whether a request may write.
fn writes(frames: &Frames) -> bool {
    let head = frames.first().map(Bytes::as_ref).unwrap_or_default();
    let verbs: [&[u8]; 6] = [
        b"=====esker/1 PUT",
        b"=====esker/1 TAG",
        b"=====esker/1 MOVE",
        b"=====esker/1 PRUNE",
        b"=====esker/1 DROP",
        b"=====PUT",
    ];
    verbs.iter().any(|verb| head.starts_with(verb))
}

/// The branch that a request names, in a field or as what it is about.
fn branch(frames: &Frames) -> Option<Branch> {
    let message = Message::from_frames(frames).ok()?;
    match message.verb() {
        DropBranch::VERB => message.subject().parse().ok(),
        _ => message.head().text("branch")?.parse().ok(),
    }
}

fn reply<R: Request>(answer: Result<R::Reply, Fault>) -> Outcome {
    answer.map(|answer| Outcome::reply(R::reply_to_message(&answer).to_frames())).into()
}
