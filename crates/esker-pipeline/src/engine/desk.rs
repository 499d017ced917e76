//! The engine's thread: its mail, its state, and the one loop that holds them together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use esker_wire::fault::Fault;
use esker_wire::record::{DEFINITION, Ended, RunRecord};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::child::said::Said;
use crate::child::{self, DRAIN, Mailbox};
use crate::definition::Definition;
use crate::deliver::couriers::Couriers;
use crate::plan::{self, Plan, Run, State, Task, World};
use crate::run::line::{Line, Tale};
use crate::run::{self, Bench, Outcome};

use super::Mail;
use super::agenda::Agenda;
use super::bursts::Bursts;
use super::fresh::Fresh;
use super::keeper::Keeper;
use super::laps::Laps;
use super::ledger::Ledger;
use super::library::{Library, Turn};
use super::listen::{Eye, Hints};
use super::lull::Lulls;
use super::status::{Seen, Status};
use super::told;

/// How much longer than its grace a run may take to end when the engine does.
const MARGIN: Duration = Duration::from_secs(5);

/// How often in a row a run is stopped for what is newer: then one may come to its end, however fast its inputs
/// change.
const PREEMPTED_MAX: u32 = 10;

/// How soon it is looked again for a place that runs for parts of inputs have taken.
const SLOT_WAIT: Duration = Duration::from_millis(50);

/// A run under way.
struct Busy {
    key: String,
    post: Sender<child::Mail>,
    /// Whether it was stopped because what it runs for is no longer the newest.
    preempted: bool,
}

/// The engine's state, owned by its thread.
pub(super) struct Desk {
    bench: Arc<Bench>,
    library: Library,
    eye: Eye,
    hints: Arc<Hints>,
    post: Sender<Mail>,
    ledger: Ledger,
    fresh: Fresh,
    bursts: Bursts,
    /// Whether files may have changed since they were looked at, as far as is seen.
    stirred: bool,
    agenda: Agenda,
    /// What runs, and how to stop it.
    busy: BTreeMap<String, Busy>,
    /// What is left alone for a moment.
    lulls: Lulls,
    /// How often in a row runs were stopped for newer inputs, by name.
    preempted: BTreeMap<String, u32>,
    /// Runs whose outputs the store does not take yet, and why.
    waits: BTreeMap<String, String>,
    /// How far the programs say they are.
    progress: BTreeMap<String, String>,
    /// The project in the store.
    keeper: Keeper,
    /// The record of a definition that cannot be used.
    bad_definition: Option<RunRecord>,
    /// Those who tell others of what happens.
    couriers: Couriers,
    /// What may be started, if not everything may.
    only: Option<BTreeSet<String>>,
}

impl Desk {
    pub(super) fn new(
        bench: Bench,
        (library, keeper): (Library, Keeper),
        eye: Eye,
        (hints, post): (Arc<Hints>, Sender<Mail>),
    ) -> Self {
        let couriers = Couriers::new(&bench.dir, &bench.caller, hints.bell());
        Self {
            couriers,
            bench: Arc::new(bench),
            library,
            eye,
            hints,
            post,
            ledger: Ledger::default(),
            fresh: Fresh::default(),
            bursts: Bursts::default(),
            stirred: true,
            agenda: Agenda::new(Instant::now()),
            busy: BTreeMap::new(),
            lulls: Lulls::default(),
            preempted: BTreeMap::new(),
            waits: BTreeMap::new(),
            progress: BTreeMap::new(),
            keeper,
            bad_definition: None,
            only: None,
        }
    }

    /// Starts nothing but these, and none of their sources twice.
    pub(super) fn confined(self, only: Option<BTreeSet<String>>) -> Self {
        Self { only, ..self }
    }

    /// What must not be started now.
    fn held(&self, now: Instant) -> BTreeSet<String> {
        let mut held = self.lulls.held(now);
        held.extend(self.bursts.held(now).cloned());
        if let Some(only) = &self.only {
            let names = self.library.definition().names();
            held.extend(names.filter(|name| !only.contains(*name)).map(str::to_owned));
        }
        held
    }

    pub(super) fn dir(&self) -> &Path {
        &self.bench.dir
    }

    /// Works until it is told to stop.
    pub(super) fn work(mut self, mail: &Receiver<Mail>, status: &watch::Sender<Arc<Status>>) {
        self.adopt();
        loop {
            let taken = mail.recv_timeout(self.agenda.wait(Instant::now()));
            taken.iter().for_each(|mail| self.hints.taken(mail));
            match taken {
                Ok(Mail::Store) => self.agenda.hinted(Instant::now()),
                Ok(Mail::Files) => {
                    self.stirred = true;
                    self.agenda.seen(Instant::now());
                }
                Ok(Mail::Waits(name, why)) => self.waits(name, why),
                Ok(Mail::Said(name, said)) => {
                    self.said(name, said);
                    self.show_progress(status);
                }
                Ok(Mail::Ended(run, outcome)) => self.ended(&run, outcome),
                Ok(Mail::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if self.agenda.is_poll_due(now) && self.poll() {
                self.agenda.within(now, Duration::ZERO);
            }
            if self.agenda.is_due(now) {
                self.look(status);
            }
        }
        self.close(mail);
    }

    /// A definition has come into force.
    fn adopt(&mut self) {
        self.eye.watch(self.library.folders());
        let definition = self.library.definition();
        self.fresh.adopt(definition);
        self.bursts.adopt(definition);
        self.bench.load.set(definition.jobs);
        self.couriers.adopt(definition);
        tracing::info!(
            project = definition.project,
            sources = definition.sources.len(),
            stages = definition.stages.len(),
            "definition in force"
        );
    }

    /// Looks at the project's files; true if one that matters has changed.
    fn poll(&mut self) -> bool {
        self.stirred = self.eye.is_blind();
        let turned = self.read_definition();
        let changed = self.library.look();
        if turned || changed {
            self.fresh.clear();
            self.keeper.touched();
        }
        if changed {
            self.eye.watch(self.library.folders());
        }
        turned || changed
    }

    /// Looks at everything, decides, and starts what is to run.
    fn look(&mut self, status: &watch::Sender<Arc<Status>>) {
        let mut laps = Laps::begin();
        let has_polled = self.stirred;
        if has_polled {
            self.poll();
        }
        laps.files = laps.lap();
        let caller = self.bench.caller.clone();
        let definition = Arc::clone(self.library.definition());
        let is_bad = self.bad_definition.is_some();
        let kept = self.keeper.keep(&caller, (&self.bench.dir, &self.library), is_bad);
        let cut = match kept.and_then(|()| self.ledger.read(&caller, &definition)) {
            Ok(cut) => cut,
            Err(fault) => return self.lost_store(status, &fault),
        };
        self.couriers.tidy();
        let (now, clock) = (Instant::now(), Timestamp::now());
        let news = self.ledger.news();
        self.fresh.touch(&news);
        self.bursts.touch(&news.resources, now, |name| self.busy.contains_key(name));
        laps.store = laps.lap();
        if let Some(rest) = self.fresh.rest(now, clock) {
            self.agenda.looked(now, rest.wake, clock);
            return laps.tell_rest(rest);
        }
        let busy = self.busy.iter().map(|(name, run)| (name.clone(), run.key.clone()));
        let world = World {
            definition: &definition,
            at: cut.at,
            heads: &cut.heads,
            records: self.ledger.records(),
            prints: self.library.prints(),
            queues: self.ledger.queues(),
            busy: &busy.collect(),
            held: &self.held(now),
            now: clock,
        };
        let mut plan = plan::plan(&world, self.fresh.names());
        // What is started must be what is there now, seen or not.
        if !plan.runs.is_empty() && !has_polled && self.poll() {
            return self.agenda.within(now, Duration::ZERO);
        }
        laps.plan = laps.lap();
        self.agenda.looked(now, plan.wake, clock);
        for wait in self.lulls.wait(now).into_iter().chain(self.bursts.wait(now)) {
            self.agenda.within(now, wait);
        }
        let started = self.carry_out(&mut plan, &definition);
        self.fresh.learn(&definition, &plan, now);
        let seen = Seen {
            definition: &definition,
            plan: &plan,
            records: self.ledger.records(),
            lulls: &self.lulls,
            progress: &self.progress,
            now: clock,
        };
        let mut after = Arc::clone(&status.borrow()).after(&seen);
        after.store = self.waits.values().next().cloned();
        after.definition = told::definition_fault(self.bad_definition.as_ref());
        publish(status, after);
        laps.tell(&plan, started);
    }

    /// Does what was decided; how many runs were started.
    fn carry_out(&mut self, plan: &mut Plan, definition: &Definition) -> usize {
        let caller = self.bench.caller.clone();
        for record in std::mem::take(&mut plan.settle) {
            self.ledger.keep(&caller, definition, record);
        }
        self.ledger.settle(&caller, definition);
        for name in &plan.forget {
            self.ledger.forget(&caller, name);
        }
        self.record_definition();
        plan.stop.iter().for_each(|name| self.preempt(name));
        let runs = std::mem::take(&mut plan.runs);
        let started = runs.len();
        if runs.is_empty() {
            self.bench.load.nobody_waits();
        }
        for run in runs {
            // What runs for parts of inputs may have taken what the planner took for free.
            if !self.bench.load.begin() {
                self.agenda.within(Instant::now(), SLOT_WAIT);
                break;
            }
            self.start(run, plan);
        }
        self.lulls.settle(plan);
        started
    }

    fn show_progress(&self, status: &watch::Sender<Arc<Status>>) {
        let mut after = (**status.borrow()).clone();
        for part in &mut after.parts {
            part.progress = self.progress.get(&part.name).cloned();
        }
        publish(status, after);
    }

    fn lost_store(&mut self, status: &watch::Sender<Arc<Status>>, fault: &Fault) {
        let before = Arc::clone(&status.borrow());
        if before.store.is_none() {
            tracing::warn!(%fault, "cannot use the store; trying again");
        }
        self.fresh.clear();
        self.agenda.failed(Instant::now());
        publish(
            status,
            Status {
                store: Some(fault.to_string()),
                definition: told::definition_fault(self.bad_definition.as_ref()),
                ..(*before).clone()
            },
        );
    }

    /// Reads `esker.toml` again if it has changed; true if it had.
    fn read_definition(&mut self) -> bool {
        match self.library.turn() {
            Turn::Same => return false,
            Turn::New => {
                self.bad_definition = None;
                self.adopt();
            }
            Turn::Bad(defects) => {
                let record = told::bad_definition(&defects, Timestamp::now());
                tracing::warn!(
                    defects = defects.len(),
                    "the definition is unusable; keeping the last good one"
                );
                self.bad_definition = Some(record);
            }
        }
        true
    }

    /// Brings the definition's own record in line.
    fn record_definition(&mut self) {
        let caller = self.bench.caller.clone();
        let kept = self.ledger.records().get(DEFINITION);
        let kept = kept.map(|record| record.run_key.as_str());
        match (&self.bad_definition, kept) {
            (Some(bad), kept) if kept != Some(&bad.run_key) => {
                self.ledger.keep(&caller, self.library.definition(), bad.clone());
            }
            (None, Some(_)) => self.ledger.forget(&caller, DEFINITION),
            _ => {}
        }
    }

    fn start(&mut self, run: Run, plan: &mut Plan) {
        let (child_post, child_mail) = channel();
        let (name, key) = (run.name().to_owned(), run.run_key.clone());
        let (bench, post) = (Arc::clone(&self.bench), self.post.clone());
        let mailbox = Mailbox { post: child_post.clone(), mail: child_mail };
        let line = Line::new(mailbox, self.teller(&name));
        let started = thread::Builder::new().name(format!("run {name}")).spawn(move || {
            let outcome = run::run(&bench, &run, &line);
            // An engine that has ended does not take it; the store knows what was done.
            drop(post.send(Mail::Ended(Box::new(run), outcome)));
        });
        match started {
            Ok(handle) => {
                // Its end is told by mail.
                drop(handle);
                tracing::debug!(stage = name, "run started");
                plan.states.insert(name.clone(), State::Running);
                self.bursts.started(&name);
                self.busy.insert(name, Busy { key, post: child_post, preempted: false });
            }
            Err(error) => {
                tracing::error!(%error, stage = name, "cannot start a thread for a run");
                self.bench.load.end();
                self.agenda.within(Instant::now(), MARGIN);
            }
        }
    }

    /// How a run tells how it goes on.
    fn teller(&self, name: &str) -> Box<dyn Fn(Tale) + Send> {
        let (name, post) = (name.to_owned(), self.post.clone());
        Box::new(move |tale| {
            let mail = match tale {
                Tale::Waits(fault) => Mail::Waits(name.clone(), fault.to_string()),
                Tale::Said(said) => Mail::Said(name.clone(), said),
            };
            // An engine that has ended shows nothing more.
            drop(post.send(mail));
        })
    }

    /// Takes note of what a program says of itself.
    fn said(&mut self, name: String, said: Said) {
        match said {
            Said::Progress(text) => drop(self.progress.insert(name, text)),
            Said::Warning(text) => tracing::warn!(stage = name, text, "the program warns"),
        }
    }

    fn waits(&mut self, name: String, why: String) {
        if !self.waits.contains_key(&name) {
            tracing::warn!(stage = name, why, "cannot store the outputs yet; trying again");
        }
        self.waits.insert(name, why);
        self.agenda.within(Instant::now(), Duration::ZERO);
    }

    /// Stops a run whose inputs are no longer the newest, unless that has happened too often in a row.
    fn preempt(&mut self, name: &str) {
        let count = self.preempted.entry(name.to_owned()).or_default();
        if let Some(run) = self.busy.get_mut(name).filter(|run| !run.preempted)
            && *count < PREEMPTED_MAX
        {
            *count += 1;
            run.preempted = true;
            tracing::debug!(stage = name, "stopped for newer inputs");
            // A run that has ended by itself does not hear it.
            drop(run.post.send(child::Mail::Stop));
        }
    }

    fn ended(&mut self, run: &Run, outcome: Outcome) {
        let was = self.busy.remove(run.name());
        self.bursts.ended(run.name(), Instant::now());
        self.bench.load.end();
        let preempted = was.is_some_and(|was| was.preempted);
        self.waits.remove(run.name());
        self.progress.remove(run.name());
        match outcome {
            Outcome::Done(record) => {
                told::log(&record);
                self.lulls.end(run.name());
                self.preempted.remove(run.name());
                if let (Some(only), Task::Source(_)) = (&mut self.only, &run.task)
                    && record.ended != Ended::Retry
                {
                    only.remove(run.name());
                }
                let (caller, definition) = (&self.bench.caller, self.library.definition());
                match (run.again, &record.failure) {
                    (false, _) => self.ledger.keep(caller, definition, *record),
                    (true, None) => self.ledger.forget_skipped(caller, definition, &record),
                    (true, Some(_)) => self.ledger.keep_skipped(caller, definition, *record),
                }
            }
            Outcome::Again(_) if preempted => {}
            Outcome::Again(why) => {
                self.lulls.add(run.name(), why, (Instant::now(), Timestamp::now()));
            }
        }
        // At once, to show it and to start what else may run.
        self.agenda.within(Instant::now(), Duration::ZERO);
    }

    /// Asks everything that runs to end and waits for it.
    fn close(mut self, mail: &Receiver<Mail>) {
        for run in self.busy.values() {
            // A run that has ended by itself does not hear it.
            drop(run.post.send(child::Mail::Stop));
        }
        let programs = self.library.definition().programs();
        let grace = programs.map(|(_, program)| program.grace).max();
        let deadline = Instant::now() + grace.unwrap_or_default() + DRAIN + MARGIN;
        while !self.busy.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match mail.recv_timeout(left) {
                Ok(Mail::Ended(run, outcome)) => self.ended(&run, outcome),
                Ok(_) => {}
                Err(_) => {
                    tracing::warn!(runs = ?self.busy.keys(), "runs did not end in time");
                    return;
                }
            }
        }
    }
}

fn publish(status: &watch::Sender<Arc<Status>>, after: Status) {
    status.send_if_modified(|current| {
        let changed = **current != after;
        if changed {
            *current = Arc::new(after);
        }
        changed
    });
}
