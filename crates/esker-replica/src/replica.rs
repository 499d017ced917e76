//! A replica: what it makes of frames and answers, what it asks, and when it says that it is in step.
//!
//! Pure: it is told what came and what time it is, and says what to do. `last` advances only when a transaction was applied
//! whole and its digest agreed; where one does not, the replica is no longer live until that is put right.

mod chain;
mod chunk;
mod fetch;
mod kept;
mod repair;
pub(crate) mod steps;
mod sync;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use crate::ask::Ask;
use crate::digest::section_id;
use crate::frame::{Frame, Header, Type};
use crate::model::{Model, audit};
use crate::op::{self, Op};
use crate::path::Path;
use crate::section::Junctions;
use chain::{Chain, Place};
pub use chunk::Ready;
use kept::Kept;
use steps::Steps;
use sync::Job;

/// Who finds that something differs this soon after the last time waits before it asks again.
const MEND_APART: Duration = Duration::from_secs(10);

/// How long what is missing may take to come in another order.
const REORDER: Duration = Duration::from_millis(20);

/// A replica that has heard nothing for this long is stale.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// The first pause before something that failed is tried again; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// So many losses within [`LOSSES_WITHIN`] mean that it is too slow for every frame.
const LOSSES_MAX: usize = 3;

/// See [`LOSSES_MAX`].
const LOSSES_WITHIN: Duration = Duration::from_secs(60);

/// A replica that asks at its own pace asks no more often than this.
const PULL_MIN: Duration = Duration::from_millis(100);

/// One that asks at its own pace subscribes again when an answer told it no more operations than this.
const PULL_LITTLE: usize = 1000;

/// What a replica is to follow.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only these sections; all if there are none.
    pub sections: Vec<Path>,
    /// Makes pauses differ between replicas.
    pub seed: u64,
}

/// What a replica wants of whoever runs it.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Ask this; the answer is told with the number.
    Ask(u64, Ask),
    /// Its model changed so.
    Changed(Vec<Op>),
    /// Its model is another one, or has changed too much to be told.
    Renewed,
    /// It is in another state.
    State(State),
    /// Connect anew to the events: they are silent although the publisher answers. They are there, if they are elsewhere now.
    Resubscribe(Option<String>),
    /// No more events for now, or events again.
    Subscribe(bool),
    /// Have its model audited, best on another thread, and tell it what was found.
    Audit,
}

/// How much what a replica shows is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It has no model yet.
    #[default]
    Syncing,
    /// It is in step.
    Live,
    /// It has missed something and is fetching it.
    CatchingUp,
    /// Its publisher has not been heard for three seconds.
    Stale,
}

/// What happened to a replica, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Transactions applied.
    pub applied: u64,
    /// Frames that had come before.
    pub duplicates: u64,
    /// Frames of an older epoch.
    pub zombies: u64,
    /// Frames and answers that could not be read.
    pub malformed: u64,
    /// Times something was missing.
    pub losses: u64,
    /// Times a digest differed.
    pub mismatches: u64,
    /// REPLAYs of what was lost, DIFFs, repairs and full copies begun.
    pub replays: u64,
    /// See `replays`.
    pub diffs: u64,
    /// See `replays`.
    pub repairs: u64,
    /// See `replays`.
    pub copies: u64,
    /// Bytes of bodies received in answers.
    pub fetched_bytes: u64,
}

/// A replica of a model.
#[derive(Debug)]
pub struct Replica {
    options: Options,
    /// The publisher is on the same machine, as far as is known.
    is_near: bool,
    /// How many chunks of a copy may be under way.
    window: u32,
    model: Model,
    junctions: Junctions,
    /// Where the publisher said that its events are.
    events: Option<String>,
    /// The publisher's start; none before the first copy.
    epoch: Option<u64>,
    chain: Chain,
    kept: Kept,
    /// A newer start was heard of.
    newer: Option<u64>,
    job: Job,
    /// The questions under way.
    flight: BTreeMap<u64, Ask>,
    asked: u64,
    /// Since when something is missing, and nothing went on.
    missing: Option<Duration>,
    /// The transaction that comes next, and how many of its frames are there, one behind the other.
    begun: (u64, u16),
    heard: Option<Duration>,
    /// Nothing was heard for too long.
    is_silent: bool,
    retry_at: Option<Duration>,
    pause: Duration,
    losses: VecDeque<Duration>,
    /// Something differs and is not put right yet.
    is_wrong: bool,
    /// When something last differed, and how long it waited then.
    mended: Option<(Duration, Duration)>,
    /// When to ask next, if it asks at its own pace.
    pull: Option<Duration>,
    /// When its model is audited next.
    audit: Duration,
    state: State,
    wishes: VecDeque<Wish>,
    counts: Counts,
    random: u64,
    /// What it did to its model, for who publishes that again.
    steps: Steps,
    /// When the last heartbeat was sent, by the publisher's clock; only whether it is another one means anything.
    beat: u64,
}

impl Replica {
    /// A replica that has nothing yet.
    pub fn new(options: Options) -> Self {
        let chain = Chain::new(&options.sections);
        Self {
            random: options.seed | 1,
            options,
            is_near: false,
            window: fetch::WINDOW.0,
            model: Model::default(),
            junctions: Junctions::default(),
            events: None,
            epoch: None,
            chain,
            kept: Kept::default(),
            newer: None,
            job: Job::Idle,
            flight: BTreeMap::new(),
            asked: 0,
            missing: None,
            begun: (0, 0),
            heard: None,
            is_silent: false,
            retry_at: Some(Duration::ZERO),
            pause: PAUSE_MIN,
            losses: VecDeque::new(),
            is_wrong: false,
            mended: None,
            pull: None,
            audit: audit::EVERY,
            state: State::Syncing,
            wishes: VecDeque::new(),
            counts: Counts::default(),
            steps: Steps::default(),
            beat: 0,
        }
    }

    /// Tells whether the publisher is on the same machine: compressing what it answers would then take longer than sending it.
    pub fn near(&mut self, is_near: bool) {
        self.is_near = is_near;
    }

    /// The model as far as it is known: whole, as of [`Replica::last`].
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The publisher's start, and the last transaction; nothing before the first copy.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.epoch.map(|epoch| (epoch, self.chain.newest()))
    }

    /// How much it is worth.
    pub fn state(&self) -> State {
        self.state
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What it wants next; nothing until something happens.
    pub fn wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// When [`Replica::tick`] is to be called at the latest, if nothing comes before.
    pub fn due(&self, now: Duration) -> Duration {
        let missing = self.missing.map(|since| since + REORDER);
        let silence = self.heard.map(|heard| heard + SILENCE_MAX);
        let times = [missing, silence, self.retry_at, self.pull];
        times.into_iter().flatten().fold(self.audit, Duration::min).saturating_sub(now)
    }

    /// Takes what was published: a header and a body.
    pub fn frame(&mut self, header: &[u8], body: Bytes, now: Duration) {
        match Frame::read(header, body) {
            Ok(frame) => self.take(frame, now),
            Err(_) => self.counts.malformed += 1,
        }
        self.settle();
    }

    fn take(&mut self, frame: Frame, now: Duration) {
        let Header { epoch, kind, .. } = frame.header;
        let known = self.newer.or(self.epoch);
        if known.is_some_and(|known| epoch < known) {
            self.counts.zombies += 1;
            return;
        }
        if known.is_none() {
            self.newer = Some(epoch);
        }
        self.heard = Some(now);
        self.is_silent = false;
        if known.is_some_and(|known| epoch > known) {
            self.newer = Some(epoch);
            self.kept.clear();
            self.begin(Job::Hello, now);
        }
        match kind {
            Type::Delta if self.pull.is_some() => {}
            Type::Delta if self.chain.place(frame.header.section).is_none() => {}
            Type::Delta => self.kept.push(frame),
            Type::Heartbeat | Type::Bye => self.heartbeat(&frame, now),
            _ => {}
        }
        self.drain(now);
        if kind == Type::Bye && self.epoch == Some(epoch) {
            // Nothing more comes from there; somebody else may be there soon.
            self.is_silent = true;
            self.rest(PAUSE_MIN, now);
        }
    }

    /// Whether frames fit what the model is: while a copy or a page is under way they wait.
    fn can_apply(&self) -> bool {
        let fits = matches!(self.job, Job::Idle | Job::Replay(_));
        self.epoch.is_some() && self.newer.is_none() && fits
    }

    fn heartbeat(&mut self, frame: &Frame, now: Duration) {
        let header = &frame.header;
        if self.epoch != Some(header.epoch) {
            return;
        }
        self.beat = header.time;
        if self.pull.is_some() {
            return;
        }
        let is_idle = matches!(self.job, Job::Idle);
        let Some(place) = self.chain.named(header.section) else { return };
        place.told = place.told.max(header.seq);
        let is_level = (place.touched..=place.last).contains(&header.seq);
        let path = place.path.clone();
        if is_idle && is_level && self.model.digest_at(&path) != header.after {
            self.counts.mismatches += 1;
            self.mend(now);
        }
    }

    /// Applies what follows, one transaction after the other.
    fn drain(&mut self, now: Duration) {
        let mut changed = Vec::new();
        while self.can_apply() {
            let Some(frames) = self.next_whole() else { break };
            if !self.apply(&frames, &mut changed) {
                self.mend(now);
            }
        }
        if !changed.is_empty() {
            self.wishes.push_back(Wish::Changed(changed));
        }
        if self.chain.is_whole() {
            let begun = self.kept.begun(self.chain.newest().saturating_add(1), self.begun);
            if std::mem::replace(&mut self.begun, begun) != begun {
                // It is being published: large transactions have many frames.
                self.missing = None;
            }
        }
        if !self.can_apply() || self.lacking().is_empty() {
            self.missing = None;
        } else if matches!(self.job, Job::Idle) {
            // It may only be on its way.
            self.missing.get_or_insert(now);
        }
    }

    /// The sections of which something is known to be missing; for the whole model, its empty path.
    fn lacking(&self) -> Vec<Path> {
        let is_whole = self.chain.is_whole();
        let lacks = |id: u64, place: &Place| {
            place.last < place.told
                || if is_whole { !self.kept.is_empty() } else { self.kept.has(id) }
        };
        let places = self.chain.places().filter(|(id, place)| lacks(*id, place));
        places.map(|(_, place)| place.path.clone()).collect()
    }

    /// Takes the frames that come next, of a transaction or of what it has of a section, once all are there.
    fn next_whole(&mut self) -> Option<Vec<Frame>> {
        if self.chain.is_whole() {
            let last = self.chain.newest();
            self.counts.duplicates += self.kept.forget_until(last);
            return self.kept.take_whole(last.saturating_add(1));
        }
        let places: Vec<(u64, u64)> =
            self.chain.places().map(|(id, place)| (id, place.last)).collect();
        for (id, last) in places {
            let is_old = |frame: &Frame| frame.header.section == id && frame.header.seq <= last;
            self.counts.duplicates += self.kept.forget(is_old);
            let taken = self.kept.take_section(id, |first| first.header.prev <= last);
            if taken.is_some() {
                return taken;
            }
        }
        None
    }

    /// Applies frames that belong together; whether they could be read and their digests agree. What does not agree is put
    /// right by a repair, from what is there then.
    fn apply(&mut self, frames: &[Frame], changed: &mut Vec<Op>) -> bool {
        let Some(read) = frames.iter().map(|frame| self.read(frame)).collect::<Option<Vec<_>>>()
        else {
            self.counts.malformed += 1;
            return false;
        };
        let step = self.steps.applying(frames, &read);
        for (frame, (section, ops)) in frames.iter().zip(read) {
            let mut done = self.model.take_owned(ops, frame.header.seq);
            match changed.is_empty() {
                true => *changed = done,
                false => changed.append(&mut done),
            }
            if self.model.digest_at(&section) != frame.header.after {
                self.counts.mismatches += 1;
                self.steps.is_spoiled = true;
                return false;
            }
        }
        let header = &frames[0].header;
        if let Some(place) = self.chain.place(header.section) {
            place.last = header.seq;
            place.touched = header.seq;
        }
        self.counts.applied += 1;
        self.steps.push(step);
        true
    }

    /// The section and the operations of a frame, if all of them belong to the section it names.
    fn read(&self, frame: &Frame) -> Option<(Path, Vec<Op>)> {
        let ops = op::decode_told(&frame.body, frame.header.ops as usize).ok()?;
        let section = self.junctions.section(&ops.first()?.path)?.to_vec();
        let is_of_it = |op: &Op| op.path.starts_with(&section);
        let fits = ops.len() == frame.header.ops as usize
            && frame.header.section == section_id(&section)
            && ops.iter().all(is_of_it);
        fits.then_some((section, ops))
    }

    /// Fetches what is missing. Who loses too often is too slow for every frame, and asks at its own pace from then on.
    fn lost(&mut self, now: Duration) {
        self.counts.losses += 1;
        self.losses.push_back(now);
        while self.losses.front().is_some_and(|at| *at + LOSSES_WITHIN < now) {
            self.losses.pop_front();
        }
        if self.losses.len() >= LOSSES_MAX && self.pull.is_none() {
            self.losses.clear();
            self.kept.clear();
            self.chain.forget_told();
            self.missing = None;
            self.pull = Some(now);
            self.wishes.push_back(Wish::Subscribe(false));
            return;
        }
        self.counts.replays += 1;
        let lacking = self.lacking();
        self.begin(Job::Replay(lacking), now);
    }

    /// Called when [`Replica::due`] says so, or earlier.
    pub fn tick(&mut self, now: Duration) {
        if self.audit <= now {
            self.audit = now + audit::EVERY;
            self.wishes.push_back(Wish::Audit);
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.retry(now);
        }
        if matches!(self.job, Job::Idle) {
            if self.missing.is_some_and(|since| since + REORDER <= now) {
                self.lost(now);
            } else if self.pull.is_some_and(|at| at <= now) {
                self.begin_diff(Vec::new(), now);
            }
        }
        let hears = self.pull.is_none() || self.newer.is_some();
        if hears && self.heard.is_some_and(|heard| heard + SILENCE_MAX <= now) {
            self.is_silent = true;
            self.heard = Some(now);
            if matches!(self.job, Job::Idle) {
                // Somebody who answers and is not heard is connected to anew.
                self.begin(Job::Hello, now);
            }
        }
        self.settle();
    }

    /// Tells its state if it is another one.
    fn settle(&mut self) {
        let state = match () {
            () if self.epoch.is_none() => State::Syncing,
            () if self.is_silent => State::Stale,
            () if matches!(self.job, Job::Idle) => State::Live,
            () if self.pull.is_some() && matches!(self.job, Job::Diff(_)) => State::Live,
            () => State::CatchingUp,
        };
        if state != self.state {
            self.state = state;
            self.wishes.push_back(Wish::State(state));
        }
    }
}

#[cfg(test)]
mod tests;
