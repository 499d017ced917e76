//! What a replica does when frames alone do not keep it in step: copies, replays, differences and repairs.

use std::cmp::Ordering;
use std::time::Duration;

use esker_wire::fault::{Code, Fault};

use super::chunk::{Chunk, Ready, Work};
use super::fetch::{Copy, Differing, Useless};
use super::repair::Repair;
use super::{MEND_APART, PAUSE_MAX, PAUSE_MIN, Replica, Wish};
use crate::ask::{self, Answer, Ask, Cutting, Diff, Replay};
use crate::path::Path;
use crate::section::Junctions;

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
            Job::Replay(sections) => self.ask_replay(sections.clone()),
            Job::Idle | Job::Copy(_) | Job::Diff(_) | Job::Repair(_) => {}
        }
        self.job = job;
        if matches!(self.job, Job::Idle) {
            self.drain(now);
        }
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        self.asked += 1;
        self.flight.insert(self.asked, ask.clone());
        self.wishes.push_back(Wish::Ask(self.asked, ask));
    }

    pub(super) fn ask_replay(&mut self, lacking: Vec<Path>) {
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
        self.job = Job::Diff(Box::new(Differing {
            sections,
            model,
            done: Vec::new(),
            pages: 0,
            begun: now,
        }));
    }

    pub(super) fn ask_diff(&mut self, sections: Vec<Path>, after: Option<(u64, Path)>) {
        let from = self.chain.oldest(&sections);
        let epoch = self.epoch.unwrap_or_default();
        let zstd = !self.is_near;
        self.ask(Ask::Diff(Diff { epoch, from, sections, after, zstd }));
    }

    /// Takes the answer to a question, or why there is none.
    pub fn answer(
        &mut self,
        asked: u64,
        answer: Result<(u64, impl Into<Ready>), Fault>,
        now: Duration,
    ) {
        // What was given up meanwhile is of no interest.
        if let Some(ask) = self.flight.remove(&asked) {
            match answer {
                Ok((epoch, answer)) => self.answered(&ask, epoch, answer.into(), now),
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
        if fault.code == Code::Timeout && matches!(self.job, Job::Copy(_)) {
            self.chunk_is_missing();
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
    pub(super) fn fail(&mut self, now: Duration) {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        self.rest(pause, now);
    }

    /// Does nothing for a while, and then asks where the publisher is.
    pub(super) fn rest(&mut self, pause: Duration, now: Duration) {
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

    /// Takes what an audit found: the dicts that are not what their digests say. Those are made to be of what is there, which
    /// tells where that differs from the publisher's.
    pub fn audited(&mut self, wrong: &[Path], now: Duration) {
        if wrong.is_empty() {
            return;
        }
        self.counts.mismatches += 1;
        self.model.rebuild();
        self.mend(now);
        self.settle();
    }

    /// Goes on after a pause.
    pub(super) fn retry(&mut self, now: Duration) {
        self.begin(Job::Hello, now);
    }

    /// What was under way came to a good end.
    pub(super) fn finish(&mut self, now: Duration) {
        self.pause = PAUSE_MIN;
        self.begin(Job::Idle, now);
    }

    fn answered(&mut self, ask: &Ask, epoch: u64, answer: Ready, now: Duration) {
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
        match self.go_on_with(ask, answer, now) {
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

    /// What is under way goes on with an answer.
    fn go_on_with(&mut self, ask: &Ask, answer: Ready, now: Duration) -> Result<(), Useless> {
        let answer = match (answer.0, std::mem::replace(&mut self.job, Job::Idle)) {
            (Work::Chunk(chunk), Job::Copy(copy)) => return self.copy(copy, ask, *chunk, now),
            (Work::Chunk(_), _) => return Err(Useless::Malformed),
            (Work::Answer(answer), job) => (answer, job),
        };
        match answer {
            (Answer::Hello(hello), Job::Hello) => self.greeted(hello, now),
            (Answer::Cut(cut), Job::Cut(purpose)) => self.cut(cut, purpose, now),
            (Answer::Frame(frame), Job::Copy(copy)) => {
                let chunk = Chunk::read(&frame, self.chain.is_whole())?;
                return self.copy(copy, ask, chunk, now);
            }
            (Answer::Replayed(replayed), Job::Replay(sections)) => {
                return self.replayed(&replayed, sections, now);
            }
            (Answer::Page(page), Job::Diff(differing)) => {
                return self.differ(differing, &page, now);
            }
            (Answer::Frame(frame), Job::Repair(repair)) => {
                return self.compare(repair, &frame, now);
            }
            (Answer::Page(page), Job::Repair(repair)) => return self.fetch(repair, page, now),
            _ => return Err(Useless::Malformed),
        }
        Ok(())
    }

    /// Whether the newer start that was heard of is none: it is silent, and the publisher knows nothing of it.
    fn is_ghost(&self, epoch: u64) -> bool {
        self.is_silent && self.newer.is_some() && self.epoch.is_none_or(|own| epoch >= own)
    }

    fn greeted(&mut self, hello: ask::Hello, now: Duration) {
        self.junctions = Junctions::new(hello.junctions);
        self.steps.is_writable = hello.writable;
        let before = self.events.replace(hello.events.clone());
        let moved = before.filter(|before| *before != hello.events).map(|_| hello.events);
        let is_new = self.newer == Some(hello.epoch);
        if self.epoch.is_none() {
            return self.begin(Job::Cut(Purpose::Copy), now);
        }
        if self.is_silent {
            self.wishes.push_back(Wish::Resubscribe(moved));
            self.heard = Some(now);
        }
        if is_new || self.is_wrong {
            if self.chain.is_whole() && hello.digest == self.model.digest() {
                self.steps.jumped((hello.epoch, hello.seq), Some(&[]));
                self.adopt(hello.epoch, hello.seq, now);
                return self.finish(now);
            }
            return self.begin(Job::Cut(Purpose::Repair), now);
        }
        if !self.chain.is_whole() {
            return self.begin_diff(Vec::new(), now);
        }
        match hello.seq.cmp(&self.chain.newest()) {
            Ordering::Greater => {
                self.counts.replays += 1;
                self.begin(Job::Replay(vec![Path::new()]), now);
            }
            Ordering::Equal if hello.digest != self.model.digest() => {
                self.begin(Job::Cut(Purpose::Repair), now);
            }
            _ => self.finish(now),
        }
    }

    /// The model is the publisher's as of this transaction.
    fn adopt(&mut self, epoch: u64, seq: u64, now: Duration) {
        if self.epoch != Some(epoch) && self.steps.are_wanted() {
            // What is told of a change since is by transactions of this epoch.
            self.model.begin_anew();
        }
        self.epoch = Some(epoch);
        self.newer = None;
        self.is_wrong = false;
        // Silence counts from the beginning.
        self.heard.get_or_insert(now);
        self.chain.restart(seq);
    }

    /// The model is that of a cut, which others may have asked for before: what came since is asked for too.
    pub(super) fn adopt_cut(&mut self, seq: u64, now: Duration) {
        self.adopt(self.publishing(), seq, now);
        let all = self.chain.places().map(|(_, place)| place.path.clone()).collect();
        self.begin(Job::Replay(all), now);
    }

    pub(super) fn cut(&mut self, cut: Cutting, purpose: Purpose, now: Duration) {
        let model = self.model.clone();
        let digest = self.junctions.digest(&model, &self.options.sections);
        if digest == cut.digest && self.epoch.is_some() {
            self.steps.jumped((self.publishing(), cut.seq), Some(&[]));
            return self.adopt_cut(cut.seq, now);
        }
        if purpose == Purpose::Copy {
            self.counts.copies += 1;
            return self.ask_chunks(Box::new(Copy::new(cut)), now);
        }
        self.counts.repairs += 1;
        let whole = [Path::new()];
        let sections = &self.options.sections;
        let bases = if sections.is_empty() { &whole } else { sections.as_slice() };
        let repair = Repair::new(model, cut, bases);
        // A repair just begun wants digests.
        drop(self.go_on(Box::new(repair), now));
    }
}
