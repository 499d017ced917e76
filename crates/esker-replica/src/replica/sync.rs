//! What a replica does when frames alone do not keep it in step: copies, replays, differences and repairs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use super::repair::{Repair, Wants};
use super::{MEND_APART, PAUSE_MAX, PAUSE_MIN, PULL_LITTLE, PULL_MIN, Replica, Wish};
use crate::ask::{self, Answer, Ask, Cutting, Diff, Page, Replay};
use crate::digest::{Digest, of_dict};
use crate::frame::{Frame, Type};
use crate::model::Model;
use crate::op::{Op, Ops};
use crate::path::Path;
use crate::section::Junctions;

/// How many chunks are asked for at once.
const WINDOW: u32 = 8;

/// Changes of more operations than this are told as a new model.
const CHANGED_MAX: usize = 100_000;

/// What a cut is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To copy all of it.
    Copy,
    /// To find what differs.
    Repair,
}

/// What is under way beside frames.
#[derive(Debug)]
pub(super) enum Job {
    Idle,
    /// Asking where the publisher is.
    Hello,
    /// Asking for a cut.
    Cut(Purpose),
    /// Fetching a cut.
    Copy(Box<Copy>),
    /// Fetching transactions of these sections.
    Replay(Vec<Path>),
    /// Fetching what has changed.
    Diff(Box<Differing>),
    /// Fetching what differs.
    Repair(Box<Repair>),
}

/// A copy under way.
#[derive(Debug)]
pub(super) struct Copy {
    cut: Cutting,
    model: Model,
    /// The next chunk to be asked for, and to be taken.
    ask: u32,
    take: u32,
    came: BTreeMap<u32, Frame>,
    /// How many chunks there are, once that is known.
    count: Option<u32>,
}

/// Pages of what has changed, under way.
#[derive(Debug)]
pub(super) struct Differing {
    sections: Vec<Path>,
    model: Model,
    done: Vec<Op>,
    begun: Duration,
}

/// Why an answer is of no use.
enum Useless {
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

impl Replica {
    /// Begins something else; what was under way is of no interest any more.
    pub(super) fn begin(&mut self, job: Job, now: Duration) {
        self.flight.clear();
        self.missing = None;
        self.retry_at = None;
        match &job {
            Job::Hello => self.ask(Ask::Hello),
            Job::Cut(_) => {
                // A cut from before what is here would go back in time.
                let from = if self.newer.is_some() { 0 } else { self.chain.newest() };
                self.ask(Ask::Cut(ask::Cut { sections: self.options.sections.clone(), from }));
            }
            Job::Replay(sections) => {
                self.counts.replays += 1;
                self.ask_replay(sections.clone());
            }
            Job::Idle | Job::Copy(_) | Job::Diff(_) | Job::Repair(_) => {}
        }
        self.job = job;
        if matches!(self.job, Job::Idle) {
            self.drain(now);
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.asked += 1;
        self.flight.insert(self.asked, ask.clone());
        self.wishes.push_back(Wish::Ask(self.asked, ask));
    }

    fn ask_replay(&mut self, lacking: Vec<Path>) {
        let after = self.chain.oldest(&lacking);
        let sections = if self.chain.is_whole() { Vec::new() } else { lacking };
        let epoch = self.epoch.unwrap_or_default();
        self.ask(Ask::Replay(Replay { epoch, after, sections, bytes_max: usize::MAX }));
    }

    /// Asks for what has changed in these sections, or in all it follows.
    pub(super) fn begin_diff(&mut self, sections: Vec<Path>, now: Duration) {
        self.flight.clear();
        self.missing = None;
        self.counts.diffs += 1;
        let sections = match self.chain.is_whole() || !sections.is_empty() {
            true => sections,
            false => self.options.sections.clone(),
        };
        let sections = if self.chain.is_whole() { Vec::new() } else { sections };
        self.ask_diff(sections.clone(), None);
        let model = self.model.clone();
        self.job = Job::Diff(Box::new(Differing { sections, model, done: Vec::new(), begun: now }));
    }

    fn ask_diff(&mut self, sections: Vec<Path>, after: Option<(u64, Path)>) {
        let from = self.chain.oldest(&sections);
        let epoch = self.epoch.unwrap_or_default();
        self.ask(Ask::Diff(Diff { epoch, from, sections, after, zstd: true }));
    }

    /// Takes the answer to a question, or why there is none.
    pub fn answer(&mut self, asked: u64, answer: Result<(u64, Answer), Fault>, now: Duration) {
        // What was given up meanwhile is of no interest.
        if let Some(ask) = self.flight.remove(&asked) {
            match answer {
                Ok((epoch, answer)) => self.answered(&ask, epoch, answer, now),
                Err(fault) => self.refused(&ask, &fault, now),
            }
        }
        self.settle();
    }

    fn refused(&mut self, ask: &Ask, fault: &Fault, now: Duration) {
        if let (Ask::Chunk { index, .. }, Job::Copy(copy)) = (ask, &self.job)
            && (fault.code, *index > copy.take) == (Code::BadRequest, true)
        {
            // More were asked for than there may be; the last one says how many, and may come later than this.
            return;
        }
        if fault.code != Code::Gone {
            return self.fail(now);
        }
        match (ask, std::mem::replace(&mut self.job, Job::Idle)) {
            (Ask::Replay(_), Job::Replay(sections)) => self.begin_diff(sections, now),
            (Ask::Diff(_), _) => self.begin(Job::Cut(Purpose::Repair), now),
            _ => self.fail(now),
        }
    }

    /// Gives up what is under way, and begins anew after a pause.
    fn fail(&mut self, now: Duration) {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        self.rest(pause, now);
    }

    /// Does nothing for a while, and then asks where the publisher is.
    fn rest(&mut self, pause: Duration, now: Duration) {
        self.flight.clear();
        self.missing = None;
        self.job = Job::Hello;
        // xorshift64; between half of the pause and all of it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = u32::try_from(self.random % 512).unwrap_or_default() + 512;
        self.retry_at = Some(now + pause * share / 1024);
    }

    /// Puts right what differs; whoever says again and again that something does is not believed more often than now and then.
    pub(super) fn mend(&mut self, now: Duration) {
        self.is_wrong = true;
        let before = self.mended.filter(|(at, pause)| now < *at + *pause + MEND_APART);
        let Some((_, pause)) = before else {
            self.mended = Some((now, Duration::ZERO));
            return self.begin(Job::Cut(Purpose::Repair), now);
        };
        let pause = (pause * 2).clamp(PAUSE_MIN, PAUSE_MAX);
        self.mended = Some((now, pause));
        self.rest(pause, now);
    }

    /// Goes on after a pause.
    pub(super) fn retry(&mut self, now: Duration) {
        self.begin(Job::Hello, now);
    }

    /// What was under way came to a good end.
    fn finish(&mut self, now: Duration) {
        self.pause = PAUSE_MIN;
        self.begin(Job::Idle, now);
    }

    fn answered(&mut self, ask: &Ask, epoch: u64, answer: Answer, now: Duration) {
        let known = self.newer.or(self.epoch);
        if known.is_some_and(|known| epoch < known) {
            if !self.is_ghost(epoch) {
                self.counts.zombies += 1;
                return self.fail(now);
            }
            self.newer = None;
            self.kept.clear();
        }
        let known = self.newer.or(self.epoch);
        if known.is_some_and(|known| epoch > known) || known.is_none() {
            self.newer = Some(epoch);
            // It is to be heard from now on, or was none.
            self.heard.get_or_insert(now);
            self.kept.forget(|frame| frame.header.epoch < epoch);
            if !matches!(ask, Ask::Hello) {
                return self.begin(Job::Hello, now);
            }
        }
        let done = match (answer, std::mem::replace(&mut self.job, Job::Idle)) {
            (Answer::Hello(hello), Job::Hello) => {
                self.greeted(hello, now);
                Ok(())
            }
            (Answer::Cut(cut), Job::Cut(purpose)) => {
                self.cut(cut, purpose, now);
                Ok(())
            }
            (Answer::Frame(frame), Job::Copy(copy)) => self.copy(copy, ask, &frame, now),
            (Answer::Replayed(replayed), Job::Replay(sections)) => {
                self.replayed(&replayed, sections, now)
            }
            (Answer::Page(page), Job::Diff(differing)) => self.differ(differing, &page, now),
            (Answer::Frame(frame), Job::Repair(repair)) => self.compare(repair, &frame, now),
            (Answer::Page(page), Job::Repair(repair)) => self.fetch(repair, page, now),
            _ => Err(Useless::Malformed),
        };
        match done {
            Ok(()) => {}
            Err(Useless::Malformed) => {
                self.counts.malformed += 1;
                self.fail(now);
            }
            Err(Useless::Differs) => {
                self.counts.mismatches += 1;
                self.begin(Job::Cut(Purpose::Copy), now);
            }
            Err(Useless::Untrue) => {
                self.counts.mismatches += 1;
                self.fail(now);
            }
        }
    }

    /// Whether the newer start that was heard of is none: it is silent, and the publisher knows nothing of it.
    fn is_ghost(&self, epoch: u64) -> bool {
        self.is_silent && self.newer.is_some() && self.epoch.is_none_or(|own| epoch >= own)
    }

    fn greeted(&mut self, hello: ask::Hello, now: Duration) {
        self.junctions = Junctions::new(hello.junctions);
        let is_new = self.newer == Some(hello.epoch);
        if self.epoch.is_none() {
            return self.begin(Job::Cut(Purpose::Copy), now);
        }
        if self.is_silent {
            self.wishes.push_back(Wish::Resubscribe);
            self.heard = Some(now);
        }
        if is_new || self.is_wrong {
            if self.chain.is_whole() && hello.digest == self.model.digest() {
                return self.adopt(hello.epoch, hello.seq, now);
            }
            return self.begin(Job::Cut(Purpose::Repair), now);
        }
        if !self.chain.is_whole() {
            return self.begin_diff(Vec::new(), now);
        }
        match hello.seq.cmp(&self.chain.newest()) {
            Ordering::Greater => self.begin(Job::Replay(vec![Path::new()]), now),
            Ordering::Equal if hello.digest != self.model.digest() => {
                self.begin(Job::Cut(Purpose::Repair), now);
            }
            _ => self.finish(now),
        }
    }

    /// The model is the publisher's already.
    fn adopt(&mut self, epoch: u64, seq: u64, now: Duration) {
        self.epoch = Some(epoch);
        self.newer = None;
        self.is_wrong = false;
        // Silence counts from the beginning.
        self.heard.get_or_insert(now);
        self.chain.restart(seq);
        self.finish(now);
    }

    /// The digest of what is followed, as a cut tells it.
    fn digest(&self, model: &mut Model) -> Digest {
        if self.chain.is_whole() {
            return model.digest();
        }
        let sections = &self.options.sections;
        let above: Digest = self.junctions.above(sections).iter().map(|path| of_dict(path)).sum();
        above + sections.iter().map(|path| model.digest_at(path)).sum()
    }

    fn cut(&mut self, cut: Cutting, purpose: Purpose, now: Duration) {
        let mut model = self.model.clone();
        if self.digest(&mut model) == cut.digest && self.epoch.is_some() {
            return self.adopt(self.publishing(), cut.seq, now);
        }
        if purpose == Purpose::Copy {
            self.counts.copies += 1;
            let copy = Copy {
                cut,
                model: Model::default(),
                ask: 0,
                take: 0,
                came: BTreeMap::new(),
                count: None,
            };
            return self.ask_chunks(Box::new(copy));
        }
        self.counts.repairs += 1;
        let whole = [Path::new()];
        let sections = &self.options.sections;
        let bases = if sections.is_empty() { &whole } else { sections.as_slice() };
        let repair = Repair::new(model, cut, bases);
        // A repair just begun wants digests.
        drop(self.go_on(Box::new(repair), now));
    }

    fn ask_chunks(&mut self, mut copy: Box<Copy>) {
        let end = copy.count.unwrap_or(u32::MAX);
        while copy.ask < end && copy.ask < copy.take + WINDOW {
            self.ask(Ask::Chunk { cut: copy.cut.cut, index: copy.ask, zstd: true });
            copy.ask += 1;
        }
        self.job = Job::Copy(copy);
    }

    fn copy(
        &mut self,
        mut copy: Box<Copy>,
        ask: &Ask,
        bytes: &Bytes,
        now: Duration,
    ) -> Result<(), Useless> {
        let Ask::Chunk { index, .. } = ask else { return Err(Useless::Malformed) };
        self.counts.fetched_bytes += bytes.len() as u64;
        let frame = self.page(bytes, Type::Chunk, copy.cut.seq)?;
        if frame.header.last {
            copy.count = Some(index + 1);
        }
        copy.came.insert(*index, frame);
        while let Some(frame) = copy.came.remove(&copy.take) {
            let before = copy.model.digest();
            let mut ops = Ops::new(&frame.body);
            while let Some((path, act)) = ops.next()? {
                copy.model.apply(path, &act, copy.cut.seq);
            }
            // The root is there from the beginning.
            let root = if copy.take == 0 { of_dict(&[]) } else { Digest::ZERO };
            let is_true = copy.model.digest() - before + root == frame.header.after;
            if !is_true || copy.model.nodes() > copy.cut.nodes {
                return Err(Useless::Untrue);
            }
            copy.take += 1;
        }
        if copy.count != Some(copy.take) {
            self.ask_chunks(copy);
            return Ok(());
        }
        let Copy { cut, mut model, .. } = *copy;
        if self.digest(&mut model) != cut.digest {
            return Err(Useless::Untrue);
        }
        self.model = model;
        self.wishes.push_back(Wish::Renewed);
        self.adopt(self.publishing(), cut.seq, now);
        Ok(())
    }

    /// The start of the publisher that is asked.
    fn publishing(&self) -> u64 {
        self.newer.or(self.epoch).unwrap_or_default()
    }

    /// Reads a frame that answers, of this type and of this cut.
    fn page(&self, bytes: &Bytes, kind: Type, seq: u64) -> Result<Frame, Useless> {
        let frame = Frame::from_one(bytes)?;
        let header = &frame.header;
        let fits = header.kind == kind && header.seq == seq && header.epoch == self.publishing();
        if fits { Ok(frame) } else { Err(Useless::Malformed) }
    }

    fn replayed(
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

    fn differ(
        &mut self,
        mut differing: Box<Differing>,
        page: &Page,
        now: Duration,
    ) -> Result<(), Useless> {
        self.counts.fetched_bytes += page.frame.len() as u64;
        let frame = self.page(&page.frame, Type::Diff, page.of.seq)?;
        let mut ops = Ops::new(&frame.body);
        while let Some((path, act)) = ops.next()? {
            if differing.model.apply(path, &act, page.of.seq) {
                differing.done.push(Op { path: path.to_vec(), act });
            }
        }
        let sections = differing.sections.clone();
        if let Some(next) = &page.next {
            self.ask_diff(sections, Some((page.of.cut, next.clone())));
            self.job = Job::Diff(differing);
            return Ok(());
        }
        let Differing { mut model, done, begun, .. } = *differing;
        if self.digest_of(&mut model, &sections) != page.of.digest {
            self.counts.mismatches += 1;
            self.mend(now);
            return Ok(());
        }
        self.paced(done.len(), now.saturating_sub(begun), now);
        self.model = model;
        self.tell(done);
        self.chain.reach(page.of.seq, &sections);
        self.finish(now);
        Ok(())
    }

    /// The digest of some of the sections with the junctions above them; of the whole model if none is named.
    fn digest_of(&self, model: &mut Model, sections: &[Path]) -> Digest {
        if sections.is_empty() {
            return model.digest();
        }
        let above: Digest = self.junctions.above(sections).iter().map(|path| of_dict(path)).sum();
        above + sections.iter().map(|path| model.digest_at(path)).sum()
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

    fn compare(
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

    fn fetch(&mut self, mut repair: Box<Repair>, page: Page, now: Duration) -> Result<(), Useless> {
        self.counts.fetched_bytes += page.frame.len() as u64;
        let frame = self.page(&page.frame, Type::Chunk, repair.cut.seq)?;
        repair.fetch(&frame, page.next)?;
        self.go_on(repair, now)
    }

    fn go_on(&mut self, mut repair: Box<Repair>, now: Duration) -> Result<(), Useless> {
        let cut = repair.cut.cut;
        match repair.next() {
            Wants::Nodes(queries) => self.ask(Ask::Nodes { cut, queries: queries.into() }),
            Wants::Get(paths, after) => self.ask(Ask::Get { cut, paths, after, zstd: true }),
            Wants::GiveUp => {
                self.begin(Job::Cut(Purpose::Copy), now);
                return Ok(());
            }
            Wants::Done => {
                let Repair { cut, mut model, done, .. } = *repair;
                if self.digest(&mut model) != cut.digest {
                    return Err(Useless::Differs);
                }
                self.model = model;
                self.tell(done);
                self.adopt(self.publishing(), cut.seq, now);
                return Ok(());
            }
        }
        self.job = Job::Repair(repair);
        Ok(())
    }
}
