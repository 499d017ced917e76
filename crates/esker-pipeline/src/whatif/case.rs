//! One what-if: its contents as changed, what its stages make of them, and what is said of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Request;
use esker_wire::name::{Branch, Resource};
use esker_wire::record::RunRecord;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Content, Expect, Get, Item, Put, Resolve, Stored};
use esker_wire::whatif::state::{Outcome, State};
use esker_wire::whatif::{self, ABOUT, About, STATE};
use jiff::Timestamp;

use crate::commits::newest;
use crate::definition::Definition;
use crate::definition::ways::Mode;
use crate::engine::heads::Cut;
use crate::engine::keeper;
use crate::past::order::Hands;
use crate::plan::{self, World};
use crate::run::line::Line;
use crate::run::{self, Bench, Halt, may_pass};

use super::Project;
use super::change::{self, Changed};
use super::office::{Office, Turn};
use super::wish;

/// How soon a store that moves under a what-if is looked at again.
const SOON: Duration = Duration::from_millis(20);

/// How many stages of one run beside each other at most.
const BESIDE_MAX: usize = 7;

/// The most resources that one may change: as many as a PUT takes, with what is said of them.
const CHANGED_MAX: usize = 990;

/// What came of working on a what-if.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The version of what it says of itself that is settled; none if it says nothing.
    pub(super) about: Option<Revision>,
    pub(super) expires: Option<Timestamp>,
    /// After how long to work on it again.
    pub(super) again: Option<Duration>,
}

/// A what-if that is worked on.
pub(super) struct Case<'a> {
    pub(super) office: &'a Office,
    pub(super) id: &'a str,
    /// Where it runs: on the branch of the what-if, in the folder of its project.
    pub(super) bench: Bench,
    pub(super) line: &'a Line,
    hands: &'a Hands,
    pub(super) about: About,
    /// The version of what it says of itself.
    revision: Revision,
}

/// Works on a what-if until everything is as it should be, or something has to be waited for.
pub(super) fn settle(
    office: &Office,
    in_force: &Project,
    id: &str,
    hands: &Hands,
) -> Result<Verdict, Halt> {
    let nothing = Verdict { about: None, expires: None, again: None };
    let Some(branch) = whatif::branch(id) else {
        return Ok(nothing);
    };
    let hand = hands.reach();
    let bench = Bench { branch, ..office.bench.clone() };
    let at = (&bench, &hand.line);
    let Some(content) = get(at, ABOUT, At::head())? else {
        return Ok(nothing);
    };
    let (bytes, revision) = (content.bytes.unwrap_or_default(), content.entry.revision);
    let known = state(at)?;
    let is_known = |state: &State| state.about == revision;
    let about = match About::from_bytes(&bytes) {
        Ok(about) => about,
        Err(fault) => {
            let verdict = Verdict { about: Some(revision), ..nothing };
            if known.as_ref().is_some_and(is_known) {
                return Ok(verdict);
            }
            let state = invalid(revision, &fault.message, &fault.hint);
            put(at, vec![guard(&bytes, revision), item(STATE, state.to_bytes())], "unreadable")?;
            return Ok(verdict);
        }
    };
    let bench = Bench { guard: Some(guard(&bytes, revision)), ..bench };
    let mut case = Case { office, id, bench, line: &hand.line, hands, about, revision };
    case.work(in_force, known)
}

impl Case<'_> {
    fn work(&mut self, in_force: &Project, known: Option<State>) -> Result<Verdict, Halt> {
        let revision = self.revision;
        let (about, expires) = (Some(revision), self.about.expires);
        let edited = known.as_ref().map_or(Vec::new(), |state| state.edited.clone());
        // Whatever is computed anew, what was granted is not granted again, and can be taken back.
        let answer = known.as_ref().and_then(|state| state.answer.clone());
        let applied = known.as_ref().and_then(|state| state.applied);
        let before = known.clone();
        let still = match known {
            Some(state) if state.about == revision => Some(state),
            // Another title or another wish changes nothing of what was computed.
            Some(state) if state.outcome == Outcome::Done && self.says_the_same(state.about)? => {
                Some(State { about: revision, ..state })
            }
            _ => None,
        };
        let (mut state, wait) = match still {
            Some(state) if state.outcome != Outcome::Problem || !waits(&state) => (state, None),
            Some(state) => self.compute(in_force, (state.runs, &edited))?,
            None => self.compute(in_force, (Vec::new(), &edited))?,
        };
        (state.answer, state.applied) = (answer, applied);
        let asked = self.about.ask.as_ref().map(|ask| ask.number);
        let answered = state.answer.as_ref().map(|answer| answer.number);
        if asked.is_some() && asked != answered && !wish::grant(self, in_force, &mut state)? {
            // It is another what-if now.
            return Ok(Verdict { about: None, expires, again: Some(SOON) });
        }
        if before.as_ref() != Some(&state) {
            self.put(vec![item(STATE, state.to_bytes())], "what came of it")?;
        }
        Ok(Verdict { about, expires, again: wait })
    }

    /// Whether an earlier version of what it says of itself changes the same.
    fn says_the_same(&self, then: Revision) -> Result<bool, Halt> {
        let earlier = get((&self.bench, self.line), ABOUT, At::from(then))?;
        let earlier = earlier.and_then(|content| About::from_bytes(&content.bytes?).ok());
        Ok(earlier.is_some_and(|earlier| earlier.is_same_change(&self.about)))
    }

    /// Makes the changes and runs what depends on them; how long to wait if something is to be tried again.
    fn compute(
        &mut self,
        in_force: &Project,
        (runs, before): (Vec<RunRecord>, &[Resource]),
    ) -> Result<(State, Option<Duration>), Halt> {
        let revision = self.revision;
        let project = match self.project(in_force)? {
            Ok(project) => project,
            Err((why, hint)) => return Ok((invalid(revision, &why, &hint), None)),
        };
        self.bench.dir.clone_from(&project.dir);
        let (definition, skipped) = self.definition(&project);
        let changed = match change::make(self, &definition, before)? {
            Ok(changed) => changed,
            Err((why, hint)) => return Ok((invalid(revision, &why, &hint), None)),
        };
        let Changed { items, edited, found } = changed;
        if items.len() > CHANGED_MAX {
            let why = format!("it changes {} resources, {CHANGED_MAX} are allowed", items.len());
            return Ok((invalid(revision, &why, "make several what-ifs of it"), None));
        }
        if !items.is_empty()
            && let Err(fault) = self.try_put(items, "changed")?
        {
            return Ok((invalid(revision, &fault.message, &fault.hint), None));
        }
        let mut records: BTreeMap<String, RunRecord> =
            runs.into_iter().map(|run| (run.stage.clone(), run)).collect();
        let wake = self.run_all(&project, &definition, &mut records)?;
        let names: BTreeSet<&str> = definition.names().collect();
        records.retain(|name, _| names.contains(name.as_str()));
        let runs: Vec<RunRecord> = records.into_values().collect();
        let failed = runs.iter().find_map(|run| Some((&run.stage, run.failure.as_ref()?)));
        let (outcome, summary, hint) = match failed {
            None => (Outcome::Done, String::new(), String::new()),
            Some((stage, failure)) => {
                let summary = format!("{stage}: {}", failure.summary);
                (Outcome::Problem, summary, failure.hint.clone())
            }
        };
        let wait = wake.map(|at| {
            let left = at.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or_default()
        });
        let project = project.revision;
        let done = invalid(revision, &summary, &hint);
        let state = State { outcome, project, skipped, edited, found, runs, ..done };
        Ok((state, wait))
    }

    /// The project that was in force at the base, with the files that are replaced.
    fn project(&self, in_force: &Project) -> Result<Result<Project, (String, String)>, Halt> {
        let resolve = Resolve { at: At::from(self.about.base), branch: Branch::main(), zone: None };
        let then = match self.ask(&resolve)? {
            Ok(resolved) => resolved.project,
            Err(fault) => return Ok(Err((fault.message, fault.hint))),
        };
        let mut files = Vec::new();
        for path in &self.about.files {
            let at = whatif::file(path).map_err(|error| Halt::Again(error.to_string()))?;
            match get((&self.bench, self.line), at.as_str(), At::head())? {
                Some(content) => files.push((path.clone(), content.bytes.unwrap_or_default())),
                None => {
                    let why = format!("the file {path} is to be replaced, but by nothing");
                    return Ok(Err((why, format!("put its content as {at} on the branch"))));
                }
            }
        }
        if files.is_empty() && (then.is_none() || then == in_force.revision) {
            return Ok(Ok(Project { revision: then, ..in_force.clone() }));
        }
        let Some(revision) = then.or(in_force.revision) else {
            let why = "the store does not know the project that the files belong to";
            return Ok(Err((why.to_owned(), "start `esker up` once".to_owned())));
        };
        let opened = self.office.shelf.open(self.office.caller(), revision, &files);
        if let Ok(project) = &opened {
            let known = keeper::files(&project.dir, &project.definition);
            let is_known = |path: &&String| known.contains(Path::new(path.as_str()));
            if let Some(path) = self.about.files.iter().find(|path| !is_known(path)) {
                let why = format!("no program of the project says that it reads {path}");
                return Ok(Err((why, "name it in the `code` of the stage that does".to_owned())));
            }
        }
        if opened.as_ref().is_ok_and(|then| in_force.runs_the_same(then)) {
            // Programs may read more in their own folder than they say.
            return Ok(Ok(Project { revision: then, ..in_force.clone() }));
        }
        Ok(opened.map_err(|why| (why, "mend the file, or take another base".to_owned())))
    }

    /// The stages that are run, and the names of those that are left out for their effects.
    fn definition(&self, project: &Project) -> (Definition, Vec<String>) {
        let mut definition = (*project.definition).clone();
        definition.sources.clear();
        definition.jobs = usize::MAX;
        let has_effects = definition.stages.iter().filter(|stage| stage.ways.effects);
        let skipped = has_effects.map(|stage| stage.name.clone()).collect();
        // Who makes what is replaced as a whole has nothing to do.
        let is_replaced = |output: &Resource| self.about.inputs.contains(output);
        definition
            .stages
            .retain(|stage| !stage.ways.effects && !stage.outputs.iter().any(is_replaced));
        for stage in &mut definition.stages {
            stage.ways.mode = Mode::Latest;
        }
        (definition, skipped)
    }

    /// Runs stages until nothing is left to run; when to try again what failed for now.
    fn run_all(
        &self,
        project: &Project,
        definition: &Definition,
        records: &mut BTreeMap<String, RunRecord>,
    ) -> Result<Option<Timestamp>, Halt> {
        let (caller, branch) = (&self.bench.caller, &self.bench.branch);
        let mut cut = Cut::read(caller, branch.clone()).map_err(passing)?;
        let (queues, busy) = (BTreeMap::new(), BTreeMap::new());
        loop {
            self.line.heed()?;
            let world = World {
                definition,
                at: cut.at,
                heads: &cut.heads,
                records,
                prints: &project.prints,
                queues: &queues,
                busy: &busy,
                held: &BTreeSet::new(),
                now: Timestamp::now(),
            };
            let plan = plan::plan(&world, &HashSet::new());
            if plan.runs.is_empty() {
                return Ok(plan.wake);
            }
            for outcome in self.run_together(&plan.runs) {
                match outcome? {
                    run::Outcome::Done(record) => {
                        records.insert(record.stage.clone(), *record);
                    }
                    run::Outcome::Again(why) => return Err(Halt::Again(why)),
                }
            }
            let at = newest(caller, branch.clone()).map_err(passing)?;
            let is_told = match at {
                Some(at) if cut.at != Some(at) => {
                    cut.catch_up(caller, branch.clone(), at).map_err(passing)?.is_some()
                }
                at => at.is_some(),
            };
            if !is_told {
                cut = Cut::read(caller, branch.clone()).map_err(passing)?;
            }
        }
    }

    /// Runs the first, and beside it some others, each as soon as there is room for its program.
    fn run_together(&self, runs: &[plan::Run]) -> Vec<Result<run::Outcome, Halt>> {
        let Some((first, others)) = runs.split_first() else {
            return Vec::new();
        };
        let (hands, flights, bench) = (self.hands, &self.office.flights, &self.bench);
        let (is_at_home, load) = (bench.dir == self.office.bench.dir, &bench.load);
        let run = &|run: &plan::Run| -> Result<run::Outcome, Halt> {
            let hand = hands.reach();
            let _flight = flights.begin(&run.run_key, &hand.line)?;
            let _turn = Turn::wait(load, &hand.line)?;
            let outcome = run::run(bench, run, &hand.line);
            // Whoever waits for the flight finds what was made. In a folder of its own a program may have read other
            // files than it says, or missed some.
            if let run::Outcome::Done(record) = &outcome
                && record.failure.is_none()
                && is_at_home
            {
                bench.memo.learn(&bench.branch, record);
            }
            Ok(outcome)
        };
        thread::scope(|scope| {
            let beside = others.iter().take(BESIDE_MAX);
            let beside: Vec<_> = beside.map(|other| scope.spawn(move || run(other))).collect();
            let mut outcomes = vec![run(first)];
            for other in beside {
                let fault = || Err(Halt::Again("a run has panicked".to_owned()));
                outcomes.push(other.join().unwrap_or_else(|_| fault()));
            }
            outcomes
        })
    }

    pub(super) fn caller(&self) -> &Caller {
        self.office.caller()
    }

    /// The version of what it says of itself.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Asks the store.
    pub(super) fn ask<R>(&self, request: &R) -> Result<Result<R::Reply, Fault>, Halt>
    where
        R: Request + Clone + Send + Sync + 'static,
        R::Reply: Send,
    {
        self.line.ask(&self.bench, request)
    }

    /// Puts on the branch, as long as it says of itself what it did when this began; the fault if the store will never
    /// take it.
    fn try_put(&self, mut items: Vec<Item>, what: &str) -> Result<Result<Stored, Fault>, Halt> {
        items.extend(self.bench.guard.clone());
        let what = format!("{}: {what}", self.id);
        match self.ask(&own_put(&self.bench, items, &what))? {
            Err(fault) if !matches!(fault.code, Code::TooLarge | Code::BadRequest) => {
                Err(passing(fault))
            }
            answer => Ok(answer),
        }
    }

    /// The same; whatever the store says against it may be otherwise the next time.
    pub(super) fn put(&self, items: Vec<Item>, what: &str) -> Result<Stored, Halt> {
        self.try_put(items, what)?.map_err(passing)
    }
}

/// Whether something failed that is tried again by itself.
fn waits(state: &State) -> bool {
    let failures = state.runs.iter().filter_map(|run| run.failure.as_ref());
    failures.into_iter().any(|failure| failure.not_before.is_some())
}

pub(super) fn invalid(about: Revision, summary: &str, hint: &str) -> State {
    State {
        about,
        outcome: Outcome::Invalid,
        summary: summary.to_owned(),
        hint: hint.to_owned(),
        project: None,
        skipped: Vec::new(),
        edited: Vec::new(),
        found: Vec::new(),
        runs: Vec::new(),
        answer: None,
        applied: None,
    }
}

/// What came of it before, if that can be read.
fn state(at: (&Bench, &Line)) -> Result<Option<State>, Halt> {
    let content = get(at, STATE, At::head())?;
    Ok(content.and_then(|content| State::from_bytes(&content.bytes?).ok()))
}

/// An item that changes nothing, and has the PUT refused when somebody else has changed it.
fn guard(about: &Bytes, revision: Revision) -> Item {
    Item { if_head: Some(Expect::Revision(revision)), ..item(ABOUT, about.clone()) }
}

pub(super) fn item(resource: &str, content: impl Into<Bytes>) -> Item {
    let resource = resource.parse().expect("it is a resource");
    Item { resource, content: Some(content.into()), if_head: None, content_type: None }
}

/// A content on the branch; none if there is none.
pub(super) fn get(
    (bench, line): (&Bench, &Line),
    resource: &str,
    at: At,
) -> Result<Option<Content>, Halt> {
    let Ok(resource) = resource.parse::<Resource>() else {
        return Ok(None);
    };
    let get = Get { at, branch: bench.branch.clone(), ..Get::head(resource) };
    match line.ask(bench, &get)? {
        Ok(content) => Ok(Some(content)),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(passing(fault)),
    }
}

fn put((bench, line): (&Bench, &Line), items: Vec<Item>, what: &str) -> Result<Stored, Halt> {
    match line.ask(bench, &own_put(bench, items, what))? {
        Ok(stored) => Ok(stored),
        Err(fault) => Err(passing(fault)),
    }
}

fn own_put(bench: &Bench, items: Vec<Item>, what: &str) -> Put {
    let message = Some(format!("what-if {what}"));
    let (author, provenance, base) = (None, None, None);
    Put { items, branch: bench.branch.clone(), message, author, provenance, base }
}

/// Everything that the store says against it may be otherwise the next time.
#[expect(clippy::needless_pass_by_value, reason = "faults are turned into it on their way")]
pub(super) fn passing(fault: Fault) -> Halt {
    if !may_pass(&fault) && fault.code != Code::Conflict {
        tracing::warn!(%fault, "a what-if cannot be worked on; trying again");
    }
    Halt::Again(fault.to_string())
}
