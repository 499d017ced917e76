//! Computing what is not there yet: many versions at once, kept in their order, none held up by one that fails.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use esker_pipeline::past::order::{Hand, in_order};
use esker_pipeline::past::{Broken, Contents, Ended, Past, Then};
use esker_wire::name::Resource;
use esker_wire::provenance::Provenance;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Health;
use indicatif::ProgressBar;

use super::book::{Book, Page};
use super::versions::Version;
use crate::commands::past as shared;
use crate::reach::Hub;
use crate::say::{self, hinted};
use crate::stop::Stop;

/// What computes, from what, and where to.
pub(super) struct Work<'a> {
    pub(super) hub: &'a Hub,
    pub(super) past: &'a Past,
    pub(super) book: &'a mut Book,
    pub(super) versions: &'a [Version],
    /// Tells when to stop.
    pub(super) stop: &'a Stop,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// How many versions have got a result now.
    pub(super) made: usize,
    /// How many failed now.
    pub(super) failed: usize,
    /// How many were not reached.
    pub(super) left: usize,
}

/// One version to compute.
struct Task {
    /// Which of all.
    place: usize,
    then: Then,
    key: String,
    /// Whether one before it, or one kept already, is for the same key.
    is_same: bool,
}

/// Computes what is missing, and what failed before.
pub(super) fn work(mut work: Work<'_>, jobs: usize) -> Result<Tally> {
    let tasks = tasks(&work);
    let bar = shared::bar(tasks.len());
    let (past, stop) = (work.past, work.stop);
    let mut tally = Tally { left: tasks.len(), ..Tally::default() };
    let (mut broken, mut trouble) = (HashMap::new(), Ok(()));
    in_order(
        (jobs, &|| stop.is_pulled()),
        &tasks,
        |task, hand| (!task.is_same).then(|| past.make(&task.then, hand)),
        |task, ended, hand| match work.take(task, ended, (&mut broken, hand)) {
            Ok(Some(kept)) => tally.count(task, kept, &bar),
            Ok(None) => ControlFlow::Break(()),
            Err(error) => {
                trouble = Err(error);
                ControlFlow::Break(())
            }
        },
    )
    .context("cannot start a thread")?;
    bar.finish_and_clear();
    trouble.map(|()| tally)
}

/// What is to do, each key once.
fn tasks(work: &Work<'_>) -> Vec<Task> {
    let outputs = work.past.stage().outputs.iter();
    let before: Vec<(Resource, Option<Revision>)> =
        outputs.map(|name| (name.clone(), None)).collect();
    let mut keys: HashSet<String> = work.book.keys.keys().cloned().collect();
    let mut tasks = Vec::new();
    for (place, version) in work.versions.iter().enumerate() {
        let (at, inputs) = (version.commit, version.inputs.clone());
        let then = Then { at, inputs, before: before.clone(), overrides: Vec::new() };
        if work.book.good(&then.inputs()).is_none() {
            let key = work.past.run_key(&then);
            let is_same = !keys.insert(key.clone()) && work.past.stage().ways.pure;
            tasks.push(Task { place, then, key, is_same });
        }
    }
    tasks
}

impl Tally {
    fn count(
        &mut self,
        task: &Task,
        kept: Result<(), String>,
        bar: &ProgressBar,
    ) -> ControlFlow<()> {
        bar.inc(1);
        self.left -= 1;
        match kept {
            Ok(()) => self.made += 1,
            Err(why) => {
                self.failed += 1;
                let inputs = shared::named(&task.then.inputs());
                bar.suspend(|| say::note(format!("failed: {inputs}: {why}")));
            }
        }
        ControlFlow::Continue(())
    }
}

impl Work<'_> {
    /// Keeps what has come of a version, and tells why it failed, if it did; nothing if it was told to stop.
    fn take(
        &mut self,
        task: &Task,
        ended: Option<Ended>,
        (broken, hand): (&mut HashMap<String, Broken>, &Hand),
    ) -> Result<Option<Result<(), String>>> {
        if self.past.has_changed() {
            let what = format!("the program of {} has changed meanwhile", self.book.about.stage);
            let hint = "run the same again: what the new one makes is a backfill of its own";
            return Err(hinted(what, hint));
        }
        let (made, provenance) = match ended {
            Some(ended) => (ended.made, ended.provenance),
            None => (self.same(task, broken)?, self.past.spared(&task.then)),
        };
        let (contents, warnings) = match made {
            Ok(made) => self.judged(task, made, hand)?,
            Err(why) => (Err(why), Vec::new()),
        };
        let failed = contents.as_ref().err().cloned();
        if failed.as_ref().is_some_and(|why| why.is_passing) {
            if self.stop.is_pulled() {
                return Ok(None);
            }
            // If the store is well, it is this version that cannot be read.
            self.hub.call(&Health).context("the hub does not answer; run the same again")?;
        }
        let exit = i32::from(failed.is_some());
        let provenance = Provenance { exit, ..provenance };
        self.book.keep(self.hub, Page { contents, warnings, provenance })?;
        let Some(why) = failed else {
            return Ok(Some(Ok(())));
        };
        let summary = why.summary.clone();
        broken.insert(task.key.clone(), why);
        Ok(Some(Err(summary)))
    }

    /// What came of another version with the same key.
    fn same(
        &self,
        task: &Task,
        broken: &HashMap<String, Broken>,
    ) -> Result<Result<Option<Contents>, Broken>> {
        if let Some(broken) = broken.get(&task.key) {
            return Ok(Err(broken.clone()));
        }
        let revision = self.book.keys.get(&task.key).context("the version before was not kept")?;
        Ok(Ok(Some(self.contents(*revision)?)))
    }

    /// What passes the checks, held against the version before; that itself if the program says that nothing has
    /// changed.
    fn judged(
        &self,
        task: &Task,
        made: Option<Contents>,
        hand: &Hand,
    ) -> Result<(Result<Contents, Broken>, Vec<String>)> {
        let earlier = self.versions[..task.place].iter().rev();
        let before = earlier.map(Version::inputs).find_map(|inputs| self.book.good(&inputs));
        let contents = match (made, before) {
            (Some(made), _) => made,
            (None, Some(before)) => return Ok((Ok(self.contents(before)?), Vec::new())),
            (None, None) => {
                let summary = "the program says that nothing has changed, but there is nothing yet";
                let (hint, detail) = (String::new(), String::new());
                let broken =
                    Broken { summary: summary.to_owned(), hint, detail, is_passing: false };
                return Ok((Err(broken), Vec::new()));
            }
        };
        let stage = self.past.stage();
        let outputs: Vec<(Resource, Option<Revision>)> =
            stage.outputs.iter().map(|name| (name.clone(), before)).collect();
        let before = shared::before(self.hub, stage, (&self.book.branch, &outputs))?;
        Ok(match self.past.judge(&task.then, &contents, before, hand) {
            Ok(warnings) => (Ok(contents), warnings),
            Err(broken) => (Err(broken), Vec::new()),
        })
    }

    /// What the outputs were at a commit of the branch.
    fn contents(&self, at: Revision) -> Result<Contents> {
        let mut contents = Vec::new();
        for name in &self.past.stage().outputs {
            let bytes = shared::content(self.hub, name, (&self.book.branch, at))?;
            contents.extend(bytes.map(|bytes| (name.clone(), bytes)));
        }
        Ok(contents)
    }
}
