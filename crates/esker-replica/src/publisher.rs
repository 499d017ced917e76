//! The publisher of a model: what it sends when the model changes, and what it answers.
//!
//! Pure: it is told what happens and when, and says what is to be published. It keeps nothing of any replica.

mod cuts;
mod deleted;
mod drafts;
mod ids;
pub mod limits;
mod mirror;
pub(crate) mod pages;
mod put;
mod ring;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use crate::ask::{self, Answer, Ask, Hello};
use crate::digest::section_id;
use crate::frame::{Header, Type};
use crate::model::{Model, NODES_MAX};
use crate::op::{Act, Op};
use crate::path::{self, Path};
use crate::section::Junctions;
use cuts::Cuts;
use deleted::Deleted;
use drafts::{Draft, Drafts};
use ids::Ids;
use limits::{check, clip};
use ring::Ring;

/// A frame's body is closed before it has more than this, unless a leaf is larger.
const BODY_FULL: usize = 1024 * 1024;

/// The sections that had no news and have a heartbeat nevertheless, each second, in turn.
const IDLE_HEARTBEATS: usize = 32;

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

/// One section's place in its chain.
#[derive(Debug)]
struct Chain {
    path: Path,
    topic: Bytes,
    id: u64,
    /// The last transaction that touched it.
    last: u64,
}

/// Publishes a model.
#[derive(Debug)]
pub struct Publisher {
    options: Options,
    model: Model,
    seq: u64,
    events: String,
    chains: Vec<Chain>,
    /// Where each section is among the chains.
    sections: HashMap<Path, usize>,
    /// The sections that changed since the last heartbeat.
    news: BTreeSet<usize>,
    /// The next one to have a heartbeat in turn.
    turn: usize,
    ring: Ring,
    cuts: Cuts,
    deleted: Deleted,
    ids: Ids,
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
        Self {
            ring: Ring::new(options.ring_bytes_max, options.ring_age_max),
            cuts: Cuts::new(options.epoch),
            options,
            model,
            seq: 0,
            events: String::new(),
            chains: Vec::new(),
            sections: HashMap::new(),
            news: BTreeSet::new(),
            turn: 0,
            deleted: Deleted::default(),
            ids: Ids::default(),
        }
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
        for op in ops {
            let section = self.section(&op.path);
            let draft = drafts.of(section);
            if draft.is_full(op) {
                draft.after = self.model.digest_at(&self.chains[section].path);
                drafts.next(section);
            }
            if !self.model.apply(&op.path, &op.act, seq) {
                continue;
            }
            if matches!(op.act, Act::Delete) {
                self.deleted.push(seq, op.path.clone());
            }
            drafts.of(section).ops.push(&op.path, &op.act);
        }
        let drafts = self.close(drafts);
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        self.seq = seq;
        Ok(self.publish(drafts, now))
    }

    /// Leaves out frames that have nothing, and gives each section's last one its digest.
    fn close(&mut self, drafts: Drafts) -> Vec<(usize, Draft)> {
        let mut closed = Vec::new();
        for (section, mut frames) in drafts.by_section {
            frames.retain(|draft| !draft.ops.is_empty());
            if let Some(last) = frames.last_mut() {
                last.after = self.model.digest_at(&self.chains[section].path);
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
            let chain = &mut self.chains[section];
            let header = Header {
                prev: chain.last,
                last: drafts.peek().is_none_or(|(next, _)| *next != section),
                after: draft.after,
                ops: u32::try_from(draft.ops.count()).expect("frames are closed before"),
                part,
                parts,
                ..header(Type::Delta, &self.options, chain, (self.seq, now))
            };
            chain.last = self.seq;
            self.news.insert(section);
            let header = Bytes::copy_from_slice(&header.to_bytes());
            let body = Bytes::from(draft.ops.finish());
            self.ring.push((self.seq, section), [&header, &body], now.since);
            published.push([chain.topic.clone(), header, body]);
        }
        published
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
    fn section(&mut self, path: &[path::Key]) -> usize {
        let section = self.options.junctions.section(path).expect("paths were checked");
        if let Some(&known) = self.sections.get(section) {
            return known;
        }
        let chain = Chain {
            path: section.to_vec(),
            topic: path::topic(&self.options.name, section).into(),
            id: section_id(section),
            last: 0,
        };
        self.chains.push(chain);
        self.sections.insert(section.to_vec(), self.chains.len() - 1);
        self.chains.len() - 1
    }

    /// Called about once a second: what is to be published although nothing changed.
    pub fn tick(&mut self, now: Now) -> Vec<Publication> {
        self.ring.forget(now.since);
        self.cuts.forget(now.since);
        self.ids.forget(now.since);
        let mut due = std::mem::take(&mut self.news);
        for _ in 0..IDLE_HEARTBEATS.min(self.chains.len()) {
            due.insert(self.turn % self.chains.len());
            self.turn = (self.turn + 1) % self.chains.len();
        }
        let mut beats = vec![self.whole(Type::Heartbeat, now)];
        for section in due {
            let after = self.model.digest_at(&self.chains[section].path);
            let chain = &self.chains[section];
            let seq = chain.last;
            let header =
                Header { after, ..header(Type::Heartbeat, &self.options, chain, (seq, now)) };
            beats.push(beat(chain.topic.clone(), &header, &chain.path));
        }
        beats
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

    /// Whether a request means this publisher, and none that was here before it.
    ///
    /// # Errors
    /// `gone` if not.
    pub(crate) fn is_epoch(&self, epoch: u64) -> Result<(), Fault> {
        if epoch == self.options.epoch {
            return Ok(());
        }
        let text = format!("epoch {epoch} is over, this is {}", self.options.epoch);
        Err(Fault::new(Code::Gone, text).hint("ask HELLO"))
    }

    /// Whether a transaction was here. Who follows a relay may be ahead of one that was just started.
    ///
    /// # Errors
    /// `bad-request` if not.
    fn has_come(&self, seq: u64) -> Result<(), Fault> {
        if seq <= self.seq {
            return Ok(());
        }
        let text = format!("transaction {seq} is yet to come, {} is the last", self.seq);
        Err(Fault::bad_request(text).hint("ask again soon"))
    }

    /// Whether these can be asked for as sections.
    fn are_sections(&self, sections: &[Path]) -> Result<(), Fault> {
        match sections.iter().find(|path| !self.options.junctions.is_section(path)) {
            None => Ok(()),
            Some(path) => {
                let text = format!("{} is no section", clip(&path::to_json(path)));
                Err(Fault::bad_request(text)
                    .hint("HELLO tells the junctions; their children are sections"))
            }
        }
    }

    /// The chains of sections; none for all.
    fn known(&self, sections: &[Path]) -> Result<Option<BTreeSet<usize>>, Fault> {
        self.are_sections(sections)?;
        let chains =
            || sections.iter().filter_map(|path| self.sections.get(path).copied()).collect();
        Ok((!sections.is_empty()).then(chains))
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
