//! PRUNE: large contents that their rules keep no longer are removed; their pointers stay in git, so that no commit
//! changes, and a record says when each went, and by which rule.
//!
//! A thread looks at all there is and decides. What has changed meanwhile is looked at by the owner of the store, which
//! first makes the record durable, then looks again and removes, without letting anyone between.

pub(crate) mod graves;
mod plan;

use std::collections::HashSet;
use std::thread::JoinHandle;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::pruned::PruneRecord;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Item, PRUNED_MAX, Prune, Pruned, Put};

use crate::durable::Durable;
use crate::objects::Kind;
use crate::prune::plan::Plan;
use crate::store::Store;

/// A PRUNE under way.
pub(crate) struct Pruning {
    ask: Prune,
    stage: Stage,
}

enum Stage {
    /// What was durable when it was asked comes to where git, and the thread that decides, look for it: up to the
    /// batch of this number.
    Settling(u64),
    /// A thread decides.
    Deciding(JoinHandle<Result<Plan, Fault>>),
    /// What is decided is recorded, durably when the revision is.
    Recorded { plan: Box<Plan>, record: Resource, revision: Revision },
}

impl Store {
    /// Looks for large contents that the rules keep no longer; removes them if asked to.
    ///
    /// # Errors
    /// `bad-request` if there is no rule, or one for a resource that never was; `busy` if someone else does the same
    /// in another way, or tags came meanwhile; `internal` if history cannot be read whole.
    pub fn prune(&mut self, ask: &Prune) -> Result<Pruned, Fault> {
        self.check_excavation(&Branch::main())?;
        let pruning = match self.pruning.take() {
            Some(pruning) => pruning,
            None => self.begin_pruning(ask)?,
        };
        let is_deciding =
            matches!(&pruning.stage, Stage::Deciding(thread) if !thread.is_finished());
        if pruning.ask != *ask && (is_deciding || matches!(pruning.stage, Stage::Recorded { .. })) {
            self.pruning = Some(pruning);
            let text = "another look for what rules keep no longer is under way";
            return Err(Fault::new(Code::Busy, text).hint("try again in a moment"));
        }
        match pruning.stage {
            Stage::Deciding(_) if is_deciding => {
                self.pruning = Some(pruning);
                Ok(Pruned::Working)
            }
            // What was begun for someone who went away is begun anew.
            Stage::Settling(_) | Stage::Deciding(_) if pruning.ask != *ask => self.prune(ask),
            Stage::Settling(number) => {
                self.note_settled()?;
                let is_settled = self.durable.as_mut().is_none_or(|it| it.settled() >= number);
                let stage = match is_settled {
                    true => Stage::Deciding(self.decide(ask)?),
                    false => Stage::Settling(number),
                };
                self.pruning = Some(Pruning { stage, ..pruning });
                Ok(Pruned::Working)
            }
            Stage::Deciding(thread) => {
                let failed = |_| Fault::new(Code::Internal, "the look through history failed");
                let mut plan = thread.join().map_err(failed)??;
                self.bring_up_to_date(&mut plan)?;
                self.record(ask, plan)
            }
            Stage::Recorded { plan, record, revision } => match self.is_recorded(revision)? {
                true => self.remove(*plan, record),
                false => {
                    let stage = Stage::Recorded { plan, record, revision };
                    self.pruning = Some(Pruning { ask: pruning.ask, stage });
                    Ok(Pruned::Working)
                }
            },
        }
    }

    fn begin_pruning(&mut self, ask: &Prune) -> Result<Pruning, Fault> {
        self.check_rules(ask)?;
        let number = self.durable.as_ref().map_or(0, Durable::flushed);
        Ok(Pruning { ask: ask.clone(), stage: Stage::Settling(number) })
    }

    fn check_rules(&mut self, ask: &Prune) -> Result<(), Fault> {
        if ask.rules.is_empty() {
            let text = "no rule says what to keep";
            return Err(Fault::bad_request(text).hint("write some under [keep] in esker.toml"));
        }
        let main = Branch::main();
        let (history, lineage) = self.lineage(&main)?;
        let Some(last) = history.last() else {
            return Ok(());
        };
        let is_unknown = |name: &Resource| lineage.locate(history, name, last).is_none();
        let unknown = ask.rules.iter().map(|(name, _)| name).find(|name| is_unknown(name));
        match unknown.cloned() {
            Some(name) => Err(self.absent(&main, &name, last)?),
            None => Ok(()),
        }
    }

    fn decide(&self, ask: &Prune) -> Result<JoinHandle<Result<Plan, Fault>>, Fault> {
        let (dir, options, rules) = (self.dir.clone(), self.options.clone(), ask.rules.clone());
        let lister = self.large.lister();
        let work = move || {
            let there = lister.map_or(Ok(HashSet::new()), |list| list())?;
            let mut store = Store::open_read_only(&dir, options)?;
            Plan::make(&mut store, &rules, &there)
        };
        let thread = std::thread::Builder::new().name("store-prune".to_owned()).spawn(work);
        thread.map_err(|error| {
            Fault::new(Code::Busy, format!("cannot start a thread to look for them: {error}"))
        })
    }

    /// Keeps what is named by anything that came since the plan was made.
    fn bring_up_to_date(&mut self, plan: &mut Plan) -> Result<(), Fault> {
        if self.tags()? != plan.tags {
            let text = "a tag came while it was looked at what to keep";
            return Err(Fault::new(Code::Busy, text).hint("prune again"));
        }
        let mut tips = crate::large::tips(&self.dir)?;
        tips.extend(self.lines.values().filter_map(|line| line.history.head()).map(|s| s.revision));
        tips.extend(self.tags_waiting.values());
        tips.extend(self.moving.values().map(|(_, to)| *to));
        let waiting = self.objects.waiting().iter();
        let waiting = waiting.filter(|object| object.kind != Kind::Blob).map(|object| object.id);
        tips.extend(waiting.collect::<Vec<_>>());
        plan.keep_from(self, tips)
    }

    fn record(&mut self, ask: &Prune, mut plan: Plan) -> Result<Pruned, Fault> {
        plan.drop_kept();
        if !ask.remove || plan.going.is_empty() {
            return Ok(Pruned::Done(plan.report));
        }
        let time = (self.options.clock)();
        let records = Branch::records();
        let history = self.history(&records)?;
        let names = (0..).map(|count| PruneRecord::resource(time, count));
        let free = |name: &Resource| history.latest(name).is_none();
        let name = names.into_iter().find(free).expect("numbers do not end");
        let content = PruneRecord { time, contents: plan.going.clone() }.to_bytes();
        let item = Item {
            resource: name.clone(),
            content: Some(Bytes::from(content)),
            if_head: Some(Expect::Absent),
            content_type: None,
        };
        let goes = plan.report.goes;
        let stored = self.put(&Put {
            items: vec![item],
            branch: records,
            message: Some(format!("prune: {} contents of {} bytes", goes.count, goes.bytes)),
            author: ask.author.clone(),
            provenance: None,
            base: None,
        })?;
        let stage =
            Stage::Recorded { plan: Box::new(plan), record: name, revision: stored.revision };
        self.pruning = Some(Pruning { ask: ask.clone(), stage });
        Ok(Pruned::Working)
    }

    /// Whether the record is durable; it is lost if its batch could not be written.
    fn is_recorded(&mut self, revision: Revision) -> Result<bool, Fault> {
        let line = self.line_mut(&Branch::records())?;
        let durable = line.durable.and_then(|durable| line.history.position(durable));
        let recorded = line.history.position(revision).ok_or_else(|| {
            let text = "what was to be removed could not be recorded: nothing was removed";
            Fault::new(Code::NotWritable, text).hint("prune again")
        })?;
        Ok(Some(recorded) <= durable)
    }

    fn remove(&mut self, mut plan: Plan, record: Resource) -> Result<Pruned, Fault> {
        self.bring_up_to_date(&mut plan)?;
        plan.drop_kept();
        for id in plan.ids() {
            self.large.remove(id)?;
        }
        let goes = plan.report.goes;
        tracing::info!(count = goes.count, bytes = goes.bytes, %record, "contents were pruned");
        plan.report.record = Some(record);
        Ok(Pruned::Done(plan.report))
    }
}

impl Plan {
    /// Takes out of what goes whatever turned out to be named, and counts the rest.
    fn drop_kept(&mut self) {
        let walk = &self.walk;
        self.going.retain(|content| !walk.is_named(content.id));
        self.count();
        self.report.contents = self.going.iter().take(PRUNED_MAX).cloned().collect();
    }
}
