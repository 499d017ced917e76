//! A courier: tells one of those who are to be told, in order, on a thread of its own.
//!
//! What is to be told is read from the history of the store, so nothing waits in memory, a run never waits for whoever
//! is told of it, and whoever was away hears of everything afterwards. How far it has come is kept in the store: after a
//! crash it goes on from there, and tells the last of it twice at most.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::revision::At;
use jiff::Timestamp;
use serde_json::Value;

use crate::definition::Definition;
use crate::key::sha256;
use crate::run::failure::Broken;
use crate::{record, retry};

use super::bell::Bell;
use super::facts::Facts;
use super::history::{Both, Commit, Position};
use super::out::{Destination, Outcome};
use super::sent::Sent;
use super::tale;
use crate::commits::DEADLINE;

/// How often it is looked for news although nothing was heard.
const RESYNC: Duration = Duration::from_secs(60);
/// How long a store that cannot be used is left alone.
const STORE_WAIT: Duration = Duration::from_secs(5);
/// How long news are gathered: the record of a run follows what it stored.
const GATHER: Duration = Duration::from_millis(100);
/// How many events are told before it is kept how far that is.
const KEEP_EVENTS: u64 = 100;
/// The same in time.
const KEEP_TIME: Duration = Duration::from_secs(2);
/// How many commits with nothing to tell are passed before that is kept.
const KEEP_COMMITS: u32 = 1_000;
/// How long is left to tell the last events when the engine ends.
const LAST: Duration = Duration::from_secs(2);
/// How often what is refused for good is sent again: it may have been somebody between who refused it.
const REFUSED_MAX: u32 = 2;
/// The most that a wait is doubled.
const DOUBLED_MAX: u32 = 20;

/// Everything a courier is started with.
pub(super) struct Order {
    pub(super) dir: PathBuf,
    pub(super) caller: Caller,
    pub(super) definition: Arc<Definition>,
    pub(super) destination: Destination,
    pub(super) bell: Arc<Bell>,
    pub(super) end: Arc<AtomicBool>,
    /// When it was first to be told.
    pub(super) since: Timestamp,
}

/// Why telling stops.
enum Stop {
    /// The store cannot be used.
    Store(Fault),
    /// It is to end.
    End,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

/// A courier's state.
pub(super) struct Courier {
    order: Order,
    /// How far it has come, and what of that is not kept yet.
    sent: Option<Sent>,
    unkept: u64,
    passed: u32,
    kept_at: Instant,
    heard: u64,
    /// Whether there is a record of a problem; not known at first.
    has_problem: Option<bool>,
    /// When it has to be done, once it is to end.
    deadline: Option<Instant>,
}

impl Courier {
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            sent: None,
            unkept: 0,
            passed: 0,
            kept_at: Instant::now(),
            heard: 0,
            has_problem: None,
            deadline: None,
        }
    }

    /// Tells until it is to end, and then what is left, if that takes no time.
    pub(super) fn work(mut self) {
        let mut is_told = false;
        loop {
            let ends = self.is_to_end();
            let wait = match self.pass() {
                Ok(()) => {
                    is_told = false;
                    RESYNC
                }
                Err(Stop::End) => break,
                Err(Stop::Store(fault)) => {
                    if !is_told && !ends {
                        let name = &self.order.destination.name;
                        tracing::warn!(name, %fault, "cannot tell what has happened; trying again");
                    }
                    is_told = true;
                    STORE_WAIT
                }
            };
            if ends {
                break;
            }
            self.heard = self.order.bell.wait(self.heard, wait);
            if !self.is_to_end() {
                std::thread::park_timeout(GATHER);
            }
        }
        if let Err(fault) = self.keep() {
            let name = &self.order.destination.name;
            tracing::warn!(name, %fault, "cannot keep how far it has come: some is told twice");
        }
    }

    /// Whether it is to end; from then on there is little time.
    fn is_to_end(&mut self) -> bool {
        let ends = self.order.end.load(Ordering::Acquire);
        if ends {
            self.deadline.get_or_insert_with(|| Instant::now() + LAST);
        }
        ends
    }

    /// Tells all that has happened since.
    fn pass(&mut self) -> Result<(), Stop> {
        let (definition, dir) = (Arc::clone(&self.order.definition), self.order.dir.clone());
        let facts = Facts::of(&dir, &definition);
        let position = self.position()?;
        let mut news = match Both::since(&self.order.caller, position, None) {
            Err(fault) if fault.code == Code::NotFound => {
                let name = &self.order.destination.name;
                tracing::warn!(name, %fault, "the history was rewritten: going on from its end");
                let now = Position::before(&self.order.caller, Timestamp::now())?;
                self.known().position = now;
                return Ok(self.keep()?);
            }
            news => news?,
        };
        while let Some(commit) = news.next()? {
            self.commit(&commit, &facts)?;
            let is_much = self.unkept >= KEEP_EVENTS || self.passed >= KEEP_COMMITS;
            if is_much || self.unkept > 0 && self.kept_at.elapsed() > KEEP_TIME {
                self.keep()?;
            }
        }
        if self.unkept > 0 {
            self.keep()?;
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit, facts: &Facts<'_>) -> Result<(), Stop> {
        for happening in tale::tell(&self.order.caller, commit)? {
            let next = self.known().sequence + 1;
            for event in self.order.destination.events(&happening, facts, next) {
                self.event(&event)?;
            }
        }
        let position = &mut self.known().position;
        match commit.is_record {
            true => position.records = Some(commit.revision),
            false => position.main = Some(commit.revision),
        }
        self.passed += 1;
        Ok(())
    }

    /// Tells one event, as often as it takes.
    fn event(&mut self, event: &Value) -> Result<(), Stop> {
        let (mut count, since) = (0, Timestamp::now());
        loop {
            if self.is_to_end() && (count > 0 || self.left().is_zero()) {
                return Err(Stop::End);
            }
            let broken = match self.order.destination.tell(&self.order.dir, event, self.left()) {
                Outcome::Taken => return self.taken(),
                Outcome::Refused(broken)
                    if count >= self.order.destination.retry().min(REFUSED_MAX) =>
                {
                    return self.refused(event, &broken);
                }
                Outcome::Refused(broken) | Outcome::Failed(broken) => broken,
            };
            count += 1;
            let now = Timestamp::now();
            let doubled = count.min(DOUBLED_MAX);
            let again = retry::not_before(doubled, u32::MAX, true, (now, fastrand::f64()));
            let again = retry::asked(again.unwrap_or(now), broken.after, now);
            self.failed(&broken, (count, since), again)?;
            self.rest(again)?;
        }
    }

    /// How long telling one event may take.
    fn left(&self) -> Duration {
        let left = self.deadline.map(|time| time.saturating_duration_since(Instant::now()));
        left.unwrap_or(Duration::MAX)
    }

    fn taken(&mut self) -> Result<(), Stop> {
        let sent = self.known();
        sent.sequence += 1;
        sent.last = Some(Timestamp::now());
        self.unkept += 1;
        if self.has_problem != Some(false) {
            self.well()?;
        }
        Ok(())
    }

    /// Goes on without an event that will never be taken.
    fn refused(&mut self, event: &Value, broken: &Broken) -> Result<(), Stop> {
        let name = &self.order.destination.name;
        let id = event.get("id").or_else(|| event.pointer("/run/runId")).and_then(Value::as_str);
        tracing::warn!(
            name,
            event = id,
            failure = broken.summary,
            answer = broken.detail,
            "an event is refused and left out"
        );
        let sent = self.known();
        sent.sequence += 1;
        sent.refused += 1;
        self.unkept += 1;
        Ok(())
    }

    /// Tells people once it has failed too often.
    fn failed(
        &mut self,
        broken: &Broken,
        (count, since): (u32, Timestamp),
        again: Timestamp,
    ) -> Result<(), Stop> {
        let destination = &self.order.destination;
        tracing::debug!(name = destination.name, failure = broken.summary, count, "not told yet");
        if count != destination.retry().saturating_add(1) {
            return Ok(());
        }
        // What was told is kept now, as it may take long until there is more.
        self.keep()?;
        let record = problem(&self.order.destination.name, broken, (count, since, again));
        tracing::warn!(
            name = record.stage,
            failure = broken.summary,
            count,
            "cannot be told of events; they wait"
        );
        let put = record::put(&record)?;
        self.order.caller.call_blocking(&put, DEADLINE)?;
        self.has_problem = Some(true);
        Ok(())
    }

    /// Removes the record of a problem that is over.
    fn well(&mut self) -> Result<(), Stop> {
        let resource = RunRecord::resource(&self.order.destination.name)?;
        if tale::read(&self.order.caller, &resource, At::head())?.is_some() {
            self.order.caller.call_blocking(&record::remove(resource), DEADLINE)?;
            tracing::info!(name = self.order.destination.name, "is told of events again");
        }
        self.has_problem = Some(false);
        Ok(())
    }

    /// Waits until it is time to try again, or somebody asks for that.
    fn rest(&mut self, again: Timestamp) -> Result<(), Stop> {
        loop {
            if self.is_to_end() {
                return Err(Stop::End);
            }
            let left = Duration::try_from(again.duration_since(Timestamp::now()));
            let Some(left) = left.ok().filter(|left| !left.is_zero()) else {
                return Ok(());
            };
            let heard = self.order.bell.wait(self.heard, left);
            let has_rung = heard != self.heard;
            self.heard = heard;
            if has_rung && self.has_problem == Some(true) {
                if self.is_asked() {
                    return Ok(());
                }
                std::thread::park_timeout(GATHER);
            }
        }
    }

    /// Whether somebody wants it to be tried again now; that is known from then on.
    fn is_asked(&mut self) -> bool {
        let name = &self.order.destination.name;
        let record = RunRecord::resource(name)
            .and_then(|resource| tale::read(&self.order.caller, &resource, At::head()));
        let Some(asked) = record.ok().flatten().filter(record::is_asked) else {
            return false;
        };
        let known = RunRecord { ended: Ended::Problem, ..asked };
        let put = record::put(&known);
        let kept = put.and_then(|put| self.order.caller.call_blocking(&put, DEADLINE).map(drop));
        if let Err(fault) = kept {
            tracing::warn!(name, %fault, "cannot keep a record yet");
        }
        true
    }

    /// How far it has come; it begins with what has happened since it was first to be told.
    fn position(&mut self) -> Result<Position, Fault> {
        if self.sent.is_none() {
            let (caller, name) = (&self.order.caller, &self.order.destination.name);
            let sent = match Sent::read(caller, name)? {
                Some(sent) => sent,
                None => {
                    let position = Position::before(caller, self.order.since)?;
                    let sent = Sent { position, ..Sent::default() };
                    sent.keep(caller, name)?;
                    sent
                }
            };
            self.sent = Some(sent);
        }
        Ok(self.known().position)
    }

    fn known(&mut self) -> &mut Sent {
        self.sent.get_or_insert_default()
    }

    fn keep(&mut self) -> Result<(), Fault> {
        if self.unkept == 0 && self.passed < KEEP_COMMITS {
            return Ok(());
        }
        if let Err(error) = self.order.destination.settle(&self.order.dir) {
            tracing::warn!(%error, "cannot write the file of lineage to disk");
        }
        let (caller, name) = (self.order.caller.clone(), self.order.destination.name.clone());
        self.known().keep(&caller, &name)?;
        (self.unkept, self.passed, self.kept_at) = (0, 0, Instant::now());
        Ok(())
    }
}

/// The record of a server that does not take events.
fn problem(
    name: &str,
    broken: &Broken,
    (count, since, again): (u32, Timestamp, Timestamp),
) -> RunRecord {
    let hint = format!(
        "{}; its events wait and are sent again by themselves, at once with: esker problems retry {name}",
        broken.hint
    );
    RunRecord {
        stage: name.to_owned(),
        run_key: sha256(name.as_bytes()),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: since,
        duration_ms: 0,
        failure: Some(Failure {
            summary: broken.summary.clone(),
            hint,
            detail: broken.detail.clone(),
            count,
            since,
            not_before: Some(again),
        }),
        warnings: Vec::new(),
    }
}
