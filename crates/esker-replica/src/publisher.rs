//! The publisher of a model: what it sends when the model changes, and what it answers.
//!
//! Pure: it is told what happens and when, and says what is to be published. It keeps nothing of any replica.

mod chains;
mod cuts;
mod deleted;
mod drafts;
mod ids;
pub mod limits;
mod mirror;
pub(crate) mod pages;
mod put;
mod refuse;
mod ring;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use crate::ask::{self, Answer, Ask, Hello};
use crate::digest::{Digest, section_id};
use crate::frame::{Header, Type};
use crate::model::{Known, Model, NODES_MAX, TOGETHER, audit};
use crate::op::{Act, Op};
use crate::path::{self, Path};
use crate::section::Junctions;
use chains::{Chain, Chains};
use cuts::Cuts;
use deleted::Deleted;
use drafts::{Draft, Drafts};
use ids::Ids;
use limits::check;
use ring::Ring;

/// A frame's body is closed before it has more than this, unless a leaf is larger.
const BODY_FULL: usize = 1024 * 1024;

/// What a publisher is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The model's name.
    pub name: String,
    /// This start; larger than that of any before.
    pub epoch: u64,
    /// The dicts whose children are sections.
    pub junctions: Junctions,
    /// Whether it takes PUTs.
    pub writable: bool,
    /// The most leaves and dicts.
    pub nodes_max: u64,
    /// The bytes of transactions that are kept to be replayed.
    pub ring_bytes_max: usize,
    /// How long they are kept.
    pub ring_age_max: Duration,
}

impl Options {
    /// What suits most.
    pub fn new(name: impl Into<String>, epoch: u64) -> Self {
        Self {
            name: name.into(),
            epoch,
            junctions: Junctions::default(),
            writable: false,
            nodes_max: NODES_MAX,
            ring_bytes_max: 64 * 1024 * 1024,
            ring_age_max: Duration::from_secs(600),
        }
    }
}

/// When something happens: since any moment, and since 1970 for people.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Since some moment; never goes back.
    pub since: Duration,
    /// Microseconds since 1970; may do anything.
    pub wall: u64,
}

impl Now {
    /// This moment, of those since another.
    pub fn at(begun: Instant) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { since: begun.elapsed(), wall }
    }
}

/// A frame to be published: topic, header and body.
pub type Publication = [Bytes; 3];

/// What answers a question: at once, or on another thread.
pub enum Reply {
    /// Here it is.
    Now(Result<Answer, Fault>),
    /// It needs nothing of the publisher any more.
    Later(Box<dyn FnOnce() -> Result<Answer, Fault> + Send>),
}

impl Reply {
    /// The answer, worked out here and now.
    ///
    /// # Errors
    /// As the answer says.
    pub fn now(self) -> Result<Answer, Fault> {
        match self {
            Self::Now(answer) => answer,
            Self::Later(work) => work(),
        }
    }
}

/// Publishes a model.
#[derive(Debug)]
pub struct Publisher {
    options: Options,
    model: Model,
    seq: u64,
    events: String,
    chains: Chains,
    ring: Ring,
    cuts: Cuts,
    deleted: Deleted,
    ids: Ids,
    /// When the model was last audited.
    audited: Duration,
}

impl Publisher {
    /// Publishes a model with nothing in it.
    pub fn new(options: Options) -> Self {
        let mut model = Model::default();
        for junction in options.junctions.paths() {
            model.apply(junction, &Act::Dict, 0);
        }
        Self::with(options, model)
    }

    /// Publishes a model as it is; it has to have the junctions.
    pub fn with(options: Options, mut model: Model) -> Self {
        // What DIFF tells is by transactions of this epoch.
        model.begin_anew();
        let mut publisher = Self {
            ring: Ring::new(options.ring_bytes_max, options.ring_age_max),
            cuts: Cuts::new(options.epoch),
            options,
            model,
            seq: 0,
            events: String::new(),
            chains: Chains::default(),
            deleted: Deleted::default(),
            ids: Ids::default(),
            audited: Duration::ZERO,
        };
        for section in publisher.sections_of(&publisher.model) {
            publisher.section(&section, Duration::ZERO);
        }
        publisher
    }

    /// Says where events are published, which is known only when they are.
    pub fn at(&mut self, events: impl Into<String>) {
        self.events = events.into();
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The model as it is.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The last transaction.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// This start.
    pub fn epoch(&self) -> u64 {
        self.options.epoch
    }

    /// Changes the model by a transaction: all of it or nothing. What is to be published; nothing if nothing is different.
    ///
    /// # Errors
    /// `bad-request` or `too-large`, naming the path and the limit.
    pub fn change(&mut self, ops: &[Op], now: Now) -> Result<Vec<Publication>, Fault> {
        self.check(ops)?;
        let seq = self.seq + 1;
        let mut drafts = Drafts::default();
        for ops in ops.chunks(TOGETHER) {
            let prepared = self.model.prepare(ops);
            for (op, known) in ops.iter().zip(prepared) {
                self.draft((op, known), seq, &mut drafts, now);
            }
        }
        let drafts = self.close(drafts);
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        self.seq = seq;
        Ok(self.publish(drafts, now))
    }

    /// Does an operation that was made ready, and drafts what is to be told of it.
    fn draft(&mut self, (op, known): (&Op, Known), seq: u64, drafts: &mut Drafts, now: Now) {
        let begun = self.options.junctions.section(&op.path);
        let begun = begun.and_then(|section| self.chains.find(section));
        if let Some(section) = begun
            && drafts.of(section).is_full(op)
        {
            drafts.of(section).after = self.model.digest_at(&self.chains.get(section).path);
            drafts.next(section);
        }
        if !self.model.apply_prepared(op, known, seq) {
            // Nothing has changed, and no chain begins with it.
            return;
        }
        let section = begun.unwrap_or_else(|| self.section(&op.path, now.since));
        if matches!(op.act, Act::Delete) {
            self.deleted.push(seq, op.path.clone());
        }
        drafts.of(section).ops.push(&op.path, &op.act);
    }

    /// Leaves out frames that have nothing, and gives each section's last one its digest.
    fn close(&mut self, drafts: Drafts) -> Vec<(usize, Draft)> {
        let mut closed = Vec::new();
        for (section, mut frames) in drafts.by_section {
            frames.retain(|draft| !draft.ops.is_empty());
            if let Some(last) = frames.last_mut() {
                last.after = self.model.digest_at(&self.chains.get(section).path);
            }
            closed.extend(frames.into_iter().map(|draft| (section, draft)));
        }
        closed
    }

    fn publish(&mut self, drafts: Vec<(usize, Draft)>, now: Now) -> Vec<Publication> {
        let parts = u16::try_from(drafts.len()).expect("a transaction was held against its limits");
        let mut published = Vec::with_capacity(drafts.len());
        let mut drafts = drafts.into_iter().peekable();
        for part in 0..parts {
            let Some((section, draft)) = drafts.next() else { break };
            let prev = self.chains.touch(section, self.seq, now.since);
            let chain = self.chains.get(section);
            let header = Header {
                prev,
                last: drafts.peek().is_none_or(|(next, _)| *next != section),
                after: draft.after,
                ops: u32::try_from(draft.ops.count()).expect("frames are closed before"),
                part,
                parts,
                ..header(Type::Delta, &self.options, chain, (self.seq, now))
            };
            published.push(self.send(section, &header, draft.ops.finish().into(), now));
        }
        published
    }

    /// Has a frame of the last transaction published, and keeps it to be replayed.
    fn send(&mut self, section: usize, header: &Header, body: Bytes, now: Now) -> Publication {
        let header = Bytes::copy_from_slice(&header.to_bytes());
        self.ring.push((self.seq, section), [&header, &body], now.since);
        [self.chains.get(section).topic.clone(), header, body]
    }

    /// Holds a transaction against the limits; nothing that passes can fail later.
    fn check(&self, ops: &[Op]) -> Result<(), Fault> {
        check(ops, &self.options.junctions)?;
        let nodes = |op: &Op| if matches!(op.act, Act::Delete) { 0 } else { op.path.len() as u64 };
        if self.model.nodes() + ops.iter().map(nodes).sum::<u64>() <= self.options.nodes_max {
            return Ok(());
        }
        // It may be too much; whether it is, is tried: a full model can still be changed.
        let mut tried = self.model.clone();
        for op in ops {
            tried.apply(&op.path, &op.act, self.seq);
        }
        if tried.nodes() <= self.options.nodes_max {
            return Ok(());
        }
        let most = self.options.nodes_max;
        let text = format!("the model may have no more than {most} leaves and dicts");
        Err(Fault::new(Code::TooLarge, text))
    }

    /// Which chain a path belongs to, which begins if it is the first of its section.
    fn section(&mut self, path: &[path::Key], now: Duration) -> usize {
        let section = self.options.junctions.section(path).expect("paths were checked");
        self.chains.of(&self.options.name, section, now)
    }

    /// The model, if it is time for an audit of it.
    pub(crate) fn audit(&mut self, now: Duration) -> Option<Model> {
        let is_due = self.audited + audit::EVERY <= now;
        is_due.then(|| {
            self.audited = now;
            self.model.clone()
        })
    }

    /// Takes what an audit found: the dicts that are not what their digests say. Nobody knows any more what was there; the digests
    /// are made to be those of what is, so that replicas agree with it.
    pub(crate) fn audited(&mut self, wrong: &[Path]) {
        if !wrong.is_empty() {
            self.model.rebuild();
        }
    }

    /// Called about once a second: what is to be published although nothing changed.
    pub fn tick(&mut self, now: Now) -> Vec<Publication> {
        self.ring.forget(now.since);
        self.cuts.forget(now.since);
        self.ids.forget(now.since);
        let (due, idle) = self.chains.due();
        let mut beats = vec![self.whole(Type::Heartbeat, now)];
        for section in due {
            let chain = self.chains.get(section);
            let (after, seq) = (self.model.digest_at(&chain.path), chain.last);
            let header =
                Header { after, ..header(Type::Heartbeat, &self.options, chain, (seq, now)) };
            beats.push(beat(chain.topic.clone(), &header, &chain.path));
        }
        for section in idle {
            if self.is_past(self.chains.get(section), now.since) {
                self.chains.forget(section);
            }
        }
        beats
    }

    /// Whether a section is gone, for so long that nothing of it can be replayed, and whoever was to hear of that has.
    fn is_past(&self, chain: &Chain, now: Duration) -> bool {
        chain.touched + self.options.ring_age_max < now
            && chain.last < self.ring.first(self.seq)
            && self.model.digest_at(&chain.path) == Digest::ZERO
    }

    /// What is published at the end.
    pub fn bye(&self, now: Now) -> Publication {
        self.whole(Type::Bye, now)
    }

    fn whole(&self, kind: Type, now: Now) -> Publication {
        let header = Header {
            epoch: self.options.epoch,
            seq: self.seq,
            prev: self.ring.first(self.seq),
            after: self.model.digest(),
            section: section_id(&[]),
            time: now.wall,
            ..Header::new(kind)
        };
        beat(path::topic(&self.options.name, &[]).into(), &header, &[])
    }

    /// Answers; a PUT may have something published, before its reply is sent.
    pub fn answer(&mut self, ask: &Ask, now: Now) -> (Reply, Vec<Publication>) {
        if let Ask::Put(put) = ask {
            return match self.put(put, now) {
                Ok((changed, published)) => (Reply::Now(Ok(Answer::Changed(changed))), published),
                Err(fault) => (Reply::Now(Err(fault)), Vec::new()),
            };
        }
        (self.told(ask, now).unwrap_or_else(|fault| Reply::Now(Err(fault))), Vec::new())
    }

    fn told(&mut self, ask: &Ask, now: Now) -> Result<Reply, Fault> {
        Ok(match ask {
            Ask::Hello => Reply::Now(Ok(Answer::Hello(self.hello()))),
            Ask::Replay(replay) => {
                self.is_epoch(replay.epoch)?;
                self.has_come(replay.after)?;
                let sections = self.known(&replay.sections)?;
                let replayed = self.ring.replay(replay, sections.as_ref(), self.seq)?;
                Reply::Now(Ok(Answer::Replayed(replayed)))
            }
            Ask::Cut(wish) => {
                self.has_come(wish.from)?;
                self.are_sections(&wish.sections)?;
                Reply::Now(Ok(Answer::Cut(self.cut(wish, now).cutting())))
            }
            Ask::Chunk { cut, index, zstd } => {
                let (cut, index, zstd) = (self.cuts.get(*cut, now.since)?, *index, *zstd);
                Reply::Later(Box::new(move || cut.chunk(index, zstd).map(Answer::Frame)))
            }
            Ask::Nodes { cut, queries } => {
                let (cut, queries) = (self.cuts.get(*cut, now.since)?, queries.clone());
                Reply::Later(Box::new(move || cut.compare(&queries).map(Answer::Frame)))
            }
            Ask::Get { cut, paths, after, zstd } => {
                let cut = self.cuts.get(*cut, now.since)?;
                let (paths, after, zstd) = (paths.clone(), after.clone(), *zstd);
                Reply::Later(Box::new(move || {
                    Ok(Answer::Page(cut.page(&paths, after.as_deref(), zstd)))
                }))
            }
            Ask::Diff(diff) => {
                self.is_epoch(diff.epoch)?;
                self.has_come(diff.from)?;
                self.are_sections(&diff.sections)?;
                let cut = match &diff.after {
                    Some((cut, _)) => self.cuts.get(*cut, now.since)?,
                    None => {
                        // A cut that has nothing new would be asked for again at once.
                        let from = diff.from.saturating_add(1);
                        let wish = ask::Cut { sections: diff.sections.clone(), from };
                        self.cut(&wish, now)
                    }
                };
                let deleted = self.deleted.since(diff.from, cut.seq())?;
                let diff = diff.clone();
                Reply::Later(Box::new(move || Ok(Answer::Page(cut.diff(&diff, &deleted)))))
            }
            Ask::Audit => {
                let (model, seq) = (self.model.clone(), self.seq);
                Reply::Later(Box::new(move || {
                    Ok(Answer::Audit(seq, model.digest(), Some(model.recompute())))
                }))
            }
            Ask::Put(_) => unreachable!("a PUT is answered elsewhere"),
        })
    }

    fn cut(&mut self, wish: &ask::Cut, now: Now) -> Arc<cuts::Cut> {
        self.cuts.make(&mut self.model, &self.options.junctions, (self.seq, wish), now.since)
    }

    fn hello(&self) -> Hello {
        Hello {
            epoch: self.options.epoch,
            seq: self.seq,
            digest: self.model.digest(),
            first: self.ring.first(self.seq),
            events: self.events.clone(),
            nodes: self.model.nodes(),
            writable: self.options.writable,
            junctions: self.options.junctions.paths().cloned().collect(),
        }
    }
}

fn header(kind: Type, options: &Options, chain: &Chain, (seq, now): (u64, Now)) -> Header {
    Header { epoch: options.epoch, seq, section: chain.id, time: now.wall, ..Header::new(kind) }
}

fn beat(topic: Bytes, header: &Header, section: &[path::Key]) -> Publication {
    let mut body = Vec::new();
    path::encode(section, &mut body);
    [topic, Bytes::copy_from_slice(&header.to_bytes()), body.into()]
}

#[cfg(test)]
mod tests;
