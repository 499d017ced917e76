//! The thread of the what-ifs: which there are, which are to be worked on, and when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Branches, DropBranch, Stat};
use esker_wire::whatif::{self, ABOUT};
use jiff::Timestamp;

use crate::child::DRAIN;
use crate::commits::DEADLINE;
use crate::past::order::Hands;
use crate::run::{Bench, Halt};

use super::case::{self, Verdict};
use super::office::{Office, Slot};
use super::{Door, Project};

/// How often everything is looked at, whatever was heard.
const RESYNC: Duration = Duration::from_secs(60);
/// The first wait after something went wrong, and the longest.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// How much longer than programs have to end a what-if may take when the engine does.
const MARGIN: Duration = Duration::from_secs(10);
/// By how much the programs of what-ifs give way to those of `main`.
const NICE: i32 = 10;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Mail {
    /// Any of them may be another.
    Look,
    /// This one is another, or if so, it is gone.
    Said(String, bool),
    /// Another project is in force.
    Project(Box<Project>),
    /// A what-if was worked on.
    Ended(String, Box<Result<Verdict, Halt>>),
    /// End.
    Stop,
}

/// One what-if.
#[derive(Default)]
struct Case {
    /// The branch's newest commit, as it was seen last.
    head: Option<Revision>,
    /// The version of what it says of itself there.
    about: Option<Revision>,
    /// When it said so.
    said: Option<Timestamp>,
    /// The version it was worked on for last, to the end.
    settled: Option<Revision>,
    /// What is being worked on, and how to stop it.
    busy: Option<(Option<Revision>, Arc<Hands>)>,
    /// When to work on it again.
    again: Option<Instant>,
    /// How often in a row nothing came of it.
    failed: u32,
    expires: Option<Timestamp>,
}

impl Case {
    /// Takes in what it says of itself, and since when; what is computed of something else ends.
    fn says(&mut self, (about, said): (Revision, Timestamp)) {
        if self.about != Some(about) {
            self.again = None;
            self.failed = 0;
        }
        (self.about, self.said) = (Some(about), Some(said));
        if let Some((for_about, hands)) = &self.busy
            && *for_about != Some(about)
        {
            hands.stop();
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let is_new = self.settled != self.about || self.about.is_none();
        let waits = self.again.is_some_and(|again| again > now);
        self.busy.is_none() && !waits && (is_new || self.again.is_some())
    }
}

pub(super) struct Desk {
    office: Arc<Office>,
    project: Option<Arc<Project>>,
    door: Door,
    cases: BTreeMap<String, Case>,
    looked: Option<Instant>,
}

impl Desk {
    pub(super) fn new(bench: &Bench, door: Door) -> Self {
        let office = Arc::new(Office::new(bench));
        Self { office, project: None, door, cases: BTreeMap::new(), looked: None }
    }

    /// Works until it is told to stop.
    pub(super) fn work(mut self, mail: &Receiver<Mail>) {
        loop {
            let (mut look, mut said) = (false, BTreeSet::new());
            let first = match mail.recv_timeout(self.wait()) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // One look is as good as many.
            for mail in first.into_iter().chain(mail.try_iter()) {
                match mail {
                    Mail::Look => {
                        self.door.answered();
                        look = true;
                    }
                    Mail::Project(project) => {
                        self.office.load_set(project.definition.jobs);
                        look |= self.project.is_none();
                        self.project = Some(Arc::new(*project));
                    }
                    Mail::Said(id, is_gone) => {
                        // Whoever begins the same anew says the same of it, and has nothing of what came of it.
                        if let Some(case) = self.cases.get_mut(&id).filter(|_| is_gone) {
                            (case.settled, case.head) = (None, None);
                        }
                        said.insert(id);
                    }
                    Mail::Ended(id, ended) => {
                        self.ended(&id, *ended);
                        // It may have been amended while its end was on its way.
                        said.insert(id);
                    }
                    Mail::Stop => return self.close(),
                }
            }
            if self.project.is_none() {
                continue;
            }
            let is_old = self.looked.is_none_or(|looked| looked.elapsed() >= RESYNC);
            let looked = match look || is_old {
                true => self.look(),
                false => said.iter().try_for_each(|id| self.look_at(id)),
            };
            if let Err(fault) = looked {
                tracing::debug!(%fault, "cannot look at the what-ifs; trying again");
                self.looked = Instant::now().checked_sub(RESYNC.saturating_sub(AGAIN_MAX));
            }
            self.expire();
            self.start();
        }
        self.close();
    }

    fn wait(&self) -> Duration {
        let now = Instant::now();
        let until = |at: Instant| at.saturating_duration_since(now);
        let idle = self.cases.values().filter(|case| case.busy.is_none());
        let again = idle.filter_map(|case| case.again).map(until).min();
        let expires = self.cases.values().filter_map(|case| case.expires).min();
        let expires = expires.map(|at| {
            let left = at.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or_default()
        });
        let looked = self.looked.map_or(Duration::ZERO, |looked| until(looked + RESYNC));
        [again, expires].into_iter().flatten().fold(looked, Duration::min).max(AGAIN / 100)
    }

    /// Finds out which what-ifs there are and what they say.
    fn look(&mut self) -> Result<(), Fault> {
        self.looked = Some(Instant::now());
        let caller = self.office.caller().clone();
        let branches = Branches { prefix: whatif::BRANCHES.to_owned() };
        let branches = caller.call_blocking(&branches, DEADLINE)?;
        // What cannot be read now leaves everything as it was.
        let mut seen = Vec::new();
        for (branch, head) in branches {
            let Some(id) = whatif::id(&branch) else { continue };
            let known = self.cases.get(id).filter(|case| case.head == Some(head));
            let about = match known {
                Some(case) => case.about.zip(case.said),
                None => about(&caller, &branch)?,
            };
            // A branch that says nothing of itself is none of ours.
            if let Some(about) = about {
                seen.push((id.to_owned(), head, about));
            }
        }
        let mut there = BTreeMap::new();
        for (id, head, about) in seen {
            let mut case = self.cases.remove(&id).unwrap_or_default();
            case.says(about);
            case.head = Some(head);
            there.insert(id, case);
        }
        // What is gone is not worked on any more; its end is still told.
        for (id, case) in std::mem::take(&mut self.cases) {
            if let Some((_, hands)) = &case.busy {
                hands.stop();
                there.insert(id, case);
            }
        }
        self.cases = there;
        Ok(())
    }

    /// Finds out what one says.
    fn look_at(&mut self, id: &str) -> Result<(), Fault> {
        let Some(branch) = whatif::branch(id) else {
            return Ok(());
        };
        match about(self.office.caller(), &branch)? {
            Some(about) => self.cases.entry(id.to_owned()).or_default().says(about),
            // What is gone is not worked on any more; its end is still told.
            None => match self.cases.get(id).map(|case| &case.busy) {
                Some(Some((_, hands))) => hands.stop(),
                _ => drop(self.cases.remove(id)),
            },
        }
        Ok(())
    }

    /// Removes those whose time is over.
    fn expire(&mut self) {
        let now = Timestamp::now();
        let over = |case: &Case| case.expires.is_some_and(|at| at <= now) && case.busy.is_none();
        let over: Vec<String> =
            self.cases.iter().filter(|(_, case)| over(case)).map(|(id, _)| id.clone()).collect();
        for id in over {
            let Some(branch) = whatif::branch(&id) else {
                continue;
            };
            match self.office.caller().call_blocking(&DropBranch { branch }, DEADLINE) {
                Err(fault) if fault.code != Code::NotFound => {
                    tracing::warn!(what_if = id, %fault, "cannot remove a what-if whose time is over");
                    if let Some(case) = self.cases.get_mut(&id) {
                        case.expires = now.checked_add(jiff::SignedDuration::from_mins(1)).ok();
                    }
                }
                _ => {
                    tracing::info!(what_if = id, "removed: its time is over");
                    self.cases.remove(&id);
                }
            }
        }
    }

    /// Begins what is due, as far as there is room. What was said last is what somebody waits for; after a start, most
    /// of what was said long ago turns out to be settled.
    fn start(&mut self) {
        let now = Instant::now();
        let due = self.cases.iter().filter(|(_, case)| case.is_due(now));
        let mut due: Vec<_> = due.map(|(id, case)| (Reverse(case.said), id.clone())).collect();
        due.sort_unstable();
        for (_, id) in due {
            let Some(slot) = Slot::take(&self.office) else {
                return;
            };
            let hands = Arc::new(Hands::new());
            let Some((case, project)) = self.cases.get_mut(&id).zip(self.project.clone()) else {
                continue;
            };
            case.again = None;
            case.busy = Some((case.about, Arc::clone(&hands)));
            let (office, door, name) = (Arc::clone(&self.office), self.door.clone(), id.clone());
            let begun = thread::Builder::new().name(format!("what-if {id}")).spawn(move || {
                if rustix::process::nice(NICE).is_err() {
                    tracing::debug!("a what-if's programs run like any other");
                }
                let ended = case::settle(&office, &project, &name, &hands);
                drop(slot);
                door.tell(Mail::Ended(name, Box::new(ended)));
            });
            if let Err(error) = begun {
                tracing::error!(%error, what_if = id, "cannot start a thread for a what-if");
                self.ended(&id, Err(Halt::Again(error.to_string())));
            }
        }
    }

    fn ended(&mut self, id: &str, ended: Result<Verdict, Halt>) {
        let Some(case) = self.cases.get_mut(id) else {
            return;
        };
        case.busy = None;
        match ended {
            Ok(verdict) => {
                case.failed = 0;
                case.settled = verdict.about;
                case.expires = verdict.expires;
                case.again = verdict.again.map(|wait| Instant::now() + wait);
                if verdict.about.is_none() {
                    self.cases.remove(id);
                }
            }
            Err(halt) => {
                let wait = AGAIN.saturating_mul(1 << case.failed.min(16)).min(AGAIN_MAX);
                case.failed += 1;
                case.again = Some(Instant::now() + wait);
                tracing::debug!(what_if = id, ?halt, "worked on again soon");
            }
        }
    }

    /// Asks everything to end, and waits for it.
    fn close(self) {
        for (_, hands) in self.cases.values().filter_map(|case| case.busy.as_ref()) {
            hands.stop();
        }
        let grace = self.project.iter().flat_map(|project| project.definition.programs());
        let grace = grace.map(|(_, program)| program.grace).max().unwrap_or_default();
        let deadline = Instant::now() + grace + DRAIN + MARGIN;
        while !self.office.is_idle() && Instant::now() < deadline {
            thread::park_timeout(AGAIN / 10);
        }
    }
}

/// The version of what a what-if says of itself, and when it did; none if it says nothing.
fn about(
    caller: &esker_bus::caller::Caller,
    branch: &Branch,
) -> Result<Option<(Revision, Timestamp)>, Fault> {
    let resource = ABOUT.parse().expect("it is a resource");
    let stat = Stat { resource, at: At::head(), branch: branch.clone() };
    match caller.call_blocking(&stat, DEADLINE) {
        Ok(entry) => Ok(Some((entry.revision, entry.time))),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
