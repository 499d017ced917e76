//! What a replica fetches: chunks of a copy, transactions, differences, digests and nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::chunk::Chunk;
use super::repair::{Repair, Wants};
use super::sync::{Job, Purpose};
use super::{PULL_LITTLE, PULL_MIN, Replica, Wish};
use crate::ask::{self, Ask, Cutting, Page};
use crate::digest::{Digest, of_dict};
use crate::frame::{Frame, Header, Type};
use crate::model::Model;
use crate::op::{Op, Ops};
use crate::path::Path;

/// How many chunks are asked for at once, at first and at most.
pub(super) const WINDOW: (u32, u32) = (2, 8);

/// Where chunks come later than this, half as many are asked for at once, so that each comes before it is given up.
const SLOW: Duration = Duration::from_secs(2);

/// Who is so far away that a chunk takes longer than this is not on this machine, whatever its address says: it may be behind a tunnel.
const NEAR: Duration = Duration::from_millis(250);

/// A difference of so many operations is believed, however few nodes there are.
const DIFF_OPS_MIN: u64 = 100_000;

/// The pages of a difference.
const DIFF_PAGES_MAX: u32 = 10_000;

/// Changes of more operations than this are told as a new model.
const CHANGED_MAX: usize = 100_000;

/// A copy under way.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) cut: Cutting,
    pub(super) model: Model,
    /// The next chunk to be asked for, and to be taken.
    pub(super) ask: u32,
    pub(super) take: u32,
    pub(super) came: BTreeMap<u32, Chunk>,
    /// When those were asked for that are under way.
    pub(super) asked: BTreeMap<u32, Duration>,
    /// Chunks before this one were asked for when more were under way than now.
    pub(super) slower: u32,
    /// How many chunks there are, once that is known.
    pub(super) count: Option<u32>,
}

/// Pages of what has changed, under way.
#[derive(Debug)]
pub(super) struct Differing {
    pub(super) sections: Vec<Path>,
    pub(super) model: Model,
    pub(super) done: Vec<Op>,
    pub(super) pages: u32,
    pub(super) begun: Duration,
}

/// Why an answer is of no use.
pub(super) enum Useless {
    /// It cannot be read, or is not what was asked for.
    Malformed,
    /// The digests do not agree in the end.
    Differs,
    /// A copy is not what it says it is: another one would not be either.
    Untrue,
}

impl From<crate::bytes::Malformed> for Useless {
    fn from(_: crate::bytes::Malformed) -> Self {
        Self::Malformed
    }
}

impl Copy {
    pub(super) fn new(cut: Cutting) -> Self {
        Self {
            cut,
            model: Model::default(),
            ask: 0,
            take: 0,
            came: BTreeMap::new(),
            asked: BTreeMap::new(),
            slower: 0,
            count: None,
        }
    }

    /// Adds the next chunk, if it is what it says it is.
    fn add(&mut self, chunk: Chunk) -> Result<(), Useless> {
        let before = self.model.digest();
        if let Some(piece) = chunk.piece {
            self.model.join(piece)?;
        } else {
            // Junctions come before what is in sections, wherever their paths belong.
            let mut ops = Ops::new(&chunk.frame.body);
            while let Some((path, act)) = ops.next()? {
                self.model.apply(path, &act, self.cut.seq);
            }
        }
        // The root is there from the beginning.
        let root = if self.take == 0 { of_dict(&[]) } else { Digest::ZERO };
        let is_true = self.model.digest() - before + root == chunk.frame.header.after;
        if !is_true || self.model.nodes() > self.cut.nodes {
            return Err(Useless::Untrue);
        }
        self.take += 1;
        Ok(())
    }
}

impl Replica {
    /// A chunk is there: how long it took tells how many may be under way from now on.
    fn chunk_came(&mut self, copy: &mut Copy, index: u32, now: Duration) {
        let Some(asked) = copy.asked.remove(&index) else { return };
        self.is_near &= now < asked + NEAR;
        if now <= asked + SLOW {
            self.window = (self.window + 1).min(WINDOW.1);
        } else if index >= copy.slower {
            copy.slower = copy.ask;
            self.window = (self.window / 2).max(1);
        }
    }

    /// A chunk did not come: the next copy asks for fewer at once.
    pub(super) fn chunk_is_missing(&mut self) {
        self.is_near = false;
        self.window = (self.window / 2).max(1);
    }

    pub(super) fn ask_chunks(&mut self, mut copy: Box<Copy>, now: Duration) {
        let end = copy.count.unwrap_or(u32::MAX);
        while copy.ask < end && copy.ask < copy.take + self.window {
            copy.asked.insert(copy.ask, now);
            self.ask(Ask::Chunk { cut: copy.cut.cut, index: copy.ask, zstd: !self.is_near });
            copy.ask += 1;
        }
        self.job = Job::Copy(copy);
    }

    pub(super) fn copy(
        &mut self,
        mut copy: Box<Copy>,
        ask: &Ask,
        chunk: Chunk,
        now: Duration,
    ) -> Result<(), Useless> {
        let Ask::Chunk { index, .. } = ask else { return Err(Useless::Malformed) };
        self.counts.fetched_bytes += chunk.bytes as u64;
        self.is_page(&chunk.frame.header, Type::Chunk, copy.cut.seq)?;
        if chunk.frame.header.last {
            copy.count = Some(index + 1);
        }
        self.chunk_came(&mut copy, *index, now);
        copy.came.insert(*index, chunk);
        while let Some(chunk) = copy.came.remove(&copy.take) {
            copy.add(chunk)?;
        }
        if copy.count != Some(copy.take) {
            self.ask_chunks(copy, now);
            return Ok(());
        }
        let Copy { cut, model, .. } = *copy;
        if self.junctions.digest(&model, &self.options.sections) != cut.digest {
            return Err(Useless::Untrue);
        }
        self.model = model;
        self.steps.jumped((self.publishing(), cut.seq), None);
        self.wishes.push_back(Wish::Renewed);
        self.adopt_cut(cut.seq, now);
        Ok(())
    }

    /// The start of the publisher that is asked.
    pub(super) fn publishing(&self) -> u64 {
        self.newer.or(self.epoch).unwrap_or_default()
    }

    /// Reads a frame that answers, of this type and of this cut.
    fn page(&self, bytes: &Bytes, kind: Type, seq: u64) -> Result<Frame, Useless> {
        let frame = Frame::from_one(bytes)?;
        self.is_page(&frame.header, kind, seq)?;
        Ok(frame)
    }

    fn is_page(&self, header: &Header, kind: Type, seq: u64) -> Result<(), Useless> {
        let fits = header.kind == kind && header.seq == seq && header.epoch == self.publishing();
        if fits { Ok(()) } else { Err(Useless::Malformed) }
    }

    pub(super) fn replayed(
        &mut self,
        replayed: &ask::Replayed,
        sections: Vec<Path>,
        now: Duration,
    ) -> Result<(), Useless> {
        let before = self.chain.oldest(&sections);
        self.job = Job::Replay(sections.clone());
        for bytes in &replayed.frames {
            self.counts.fetched_bytes += bytes.len() as u64;
            let frame = Frame::from_one(bytes)?;
            if frame.header.kind != Type::Delta || Some(frame.header.epoch) != self.epoch {
                return Err(Useless::Malformed);
            }
            self.kept.push(frame);
            self.drain(now);
        }
        let Job::Replay(_) = self.job else { return Ok(()) };
        if !self.chain.is_whole() {
            // Nothing else touched these sections up to there.
            self.chain.advance(replayed.seq, &sections);
        }
        let after = self.chain.oldest(&sections);
        if replayed.more && after > before {
            self.ask_replay(sections);
        } else if after < replayed.seq {
            self.begin_diff(sections, now);
        } else {
            self.finish(now);
        }
        Ok(())
    }

    pub(super) fn differ(
        &mut self,
        mut differing: Box<Differing>,
        page: &Page,
        now: Duration,
    ) -> Result<(), Useless> {
        self.counts.fetched_bytes += page.frame.len() as u64;
        let frame = self.page(&page.frame, Type::Diff, page.of.seq)?;
        if page.of.seq < self.chain.newest() {
            // A cut that others share may be older than what is here of some sections: soon there is another one.
            self.fail(now);
            return Ok(());
        }
        differing.model.take_body(&frame.body, page.of.seq, &mut differing.done)?;
        differing.pages += 1;
        let most = 2 * page.of.nodes + DIFF_OPS_MIN;
        if differing.pages > DIFF_PAGES_MAX || differing.done.len() as u64 > most {
            // No difference is as large; whoever tells one has said enough.
            self.counts.mismatches += 1;
            self.mend(now);
            return Ok(());
        }
        let sections = differing.sections.clone();
        if let Some(next) = &page.next {
            self.ask_diff(sections, Some((page.of.cut, next.clone())));
            self.job = Job::Diff(differing);
            return Ok(());
        }
        let Differing { model, done, begun, .. } = *differing;
        if self.junctions.digest(&model, &sections) != page.of.digest {
            self.counts.mismatches += 1;
            self.mend(now);
            return Ok(());
        }
        self.paced(done.len(), now.saturating_sub(begun), now);
        self.model = model;
        self.steps.jumped((self.publishing(), page.of.seq), Some(&done));
        self.tell(done);
        self.chain.reach(page.of.seq, &sections);
        self.finish(now);
        Ok(())
    }

    /// Who asks at its own pace asks again after a while, or hears every frame again if there was little to tell.
    fn paced(&mut self, ops: usize, took: Duration, now: Duration) {
        if self.pull.is_none() {
            return;
        }
        self.pull = Some(now + PULL_MIN.max(took * 2));
        if ops <= PULL_LITTLE {
            self.pull = None;
            self.heard = Some(now);
            self.wishes.push_back(Wish::Subscribe(true));
        }
    }

    fn tell(&mut self, done: Vec<Op>) {
        if done.len() > CHANGED_MAX {
            self.wishes.push_back(Wish::Renewed);
        } else if !done.is_empty() {
            self.wishes.push_back(Wish::Changed(done));
        }
    }

    pub(super) fn compare(
        &mut self,
        mut repair: Box<Repair>,
        bytes: &Bytes,
        now: Duration,
    ) -> Result<(), Useless> {
        self.counts.fetched_bytes += bytes.len() as u64;
        let frame = self.page(bytes, Type::Nodes, repair.cut.seq)?;
        repair.compare(&frame.body)?;
        self.go_on(repair, now)
    }

    pub(super) fn fetch(
        &mut self,
        mut repair: Box<Repair>,
        page: Page,
        now: Duration,
    ) -> Result<(), Useless> {
        self.counts.fetched_bytes += page.frame.len() as u64;
        let frame = self.page(&page.frame, Type::Chunk, repair.cut.seq)?;
        repair.fetch(&frame, page.next)?;
        self.go_on(repair, now)
    }

    pub(super) fn go_on(&mut self, mut repair: Box<Repair>, now: Duration) -> Result<(), Useless> {
        let cut = repair.cut.cut;
        match repair.next() {
            Wants::Nodes(queries) => self.ask(Ask::Nodes { cut, queries: queries.into() }),
            Wants::Get(paths, after) => {
                self.ask(Ask::Get { cut, paths, after, zstd: !self.is_near })
            }
            Wants::GiveUp => {
                self.begin(Job::Cut(Purpose::Copy), now);
                return Ok(());
            }
            Wants::Done => {
                let Repair { cut, model, done, .. } = *repair;
                if self.junctions.digest(&model, &self.options.sections) != cut.digest {
                    return Err(Useless::Differs);
                }
                self.model = model;
                self.steps.jumped((self.publishing(), cut.seq), Some(&done));
                self.tell(done);
                self.adopt_cut(cut.seq, now);
                return Ok(());
            }
        }
        self.job = Job::Repair(repair);
        Ok(())
    }
}
