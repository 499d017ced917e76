//! A store, its records and its clock in memory, with programs that are functions of their inputs.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use esker_wire::name::Resource;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::revision::Revision;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::definition::{Definition, Stage};
use crate::key::Print;
use crate::plan::each::{Queue, Version};
use crate::plan::{Head, Made, Plan, Run, State, Task, World, each, plan};

pub(super) fn resource(name: &str) -> Resource {
    name.parse().unwrap()
}

fn hash(text: &str) -> Revision {
    let digest = Sha256::digest(text.as_bytes());
    Revision::from_bytes(digest[..20].try_into().unwrap())
}

/// Every version of every resource, and all else the planner looks at.
pub(super) struct Sim {
    pub(super) definition: Definition,
    pub(super) heads: BTreeMap<Resource, Head>,
    pub(super) records: BTreeMap<String, RunRecord>,
    pub(super) prints: BTreeMap<String, Print>,
    pub(super) busy: BTreeMap<String, String>,
    pub(super) held: BTreeSet<String>,
    pub(super) now: Timestamp,
    /// What a source finds outside; the time if nothing is said.
    pub(super) outside: Option<String>,
    /// Every effect: the stage, what it read, and whether that changed anything.
    pub(super) effects: Vec<(String, Vec<Input>, bool)>,
    /// Joins of two versions of one thing.
    pub(super) mixed: Vec<String>,
    /// All versions of each resource, oldest first.
    pub(super) logs: BTreeMap<Resource, Vec<Version>>,
    /// What passed-over versions are to be tried again, by stage.
    pub(super) again: BTreeMap<String, (Version, RunRecord)>,
    contents: BTreeMap<(Resource, Revision), String>,
    commits: u64,
}

impl Sim {
    pub(super) fn new(text: &str) -> Self {
        Self {
            definition: define(text),
            heads: BTreeMap::new(),
            records: BTreeMap::new(),
            prints: BTreeMap::new(),
            busy: BTreeMap::new(),
            held: BTreeSet::new(),
            now: "2027-01-04T00:00:00Z".parse().unwrap(),
            outside: None,
            effects: Vec::new(),
            mixed: Vec::new(),
            logs: BTreeMap::new(),
            again: BTreeMap::new(),
            contents: BTreeMap::new(),
            commits: 0,
        }
    }

    pub(super) fn redefine(&mut self, text: &str) {
        self.definition = define(text);
    }

    pub(super) fn plan(&self) -> Plan {
        let queues = self.definition.stages.iter().filter_map(|stage| self.queue(stage)).collect();
        let world = World {
            definition: &self.definition,
            at: Some(hash("commit")),
            heads: &self.heads,
            records: &self.records,
            prints: &self.prints,
            queues: &queues,
            busy: &self.busy,
            held: &self.held,
            now: self.now,
        };
        let whole = plan(&world, &HashSet::new());
        // Who knows what is fresh comes to the same.
        let settles = |name: &String| whole.settle.iter().any(|record| record.stage == *name);
        let fresh = whole.states.iter().filter(|(_, state)| **state == State::Fresh);
        let fresh = fresh.map(|(name, _)| name.clone()).filter(|name| !settles(name)).collect();
        assert_eq!(plan(&world, &fresh), whole);
        whole
    }

    /// What the ledger finds in the log for a stage that sees every version.
    fn queue(&self, stage: &Stage) -> Option<(String, Queue)> {
        let log = self.logs.get(each::input(stage)?).cloned().unwrap_or_default();
        let anchor = each::anchor(stage, &self.records, &self.heads);
        let from = log.iter().position(|version| Some(version.revision) == anchor).unwrap_or(0);
        let again = self.again.get(&stage.name).cloned();
        Some((stage.name.clone(), Queue { versions: log[from..].to_vec(), again }))
    }

    pub(super) fn put(&mut self, name: &str, content: &str) {
        self.commits += 1;
        self.set(&resource(name), content, None);
    }

    fn set(&mut self, name: &Resource, content: &str, made: Option<Made>) {
        let blob = hash(content);
        if self.heads.get(name).is_some_and(|head| head.blob == blob) {
            return;
        }
        let revision = hash(&self.commits.to_string());
        self.contents.insert((name.clone(), revision), content.to_owned());
        self.logs.entry(name.clone()).or_default().push(Version { revision, blob });
        let head = Head { revision, blob, made, now: None };
        self.heads.insert(name.clone(), head);
    }

    pub(super) fn content(&self, name: &str) -> String {
        let name = resource(name);
        let revision = self.heads[&name].revision;
        self.contents[&(name, revision)].clone()
    }

    pub(super) fn content_at(&self, name: &Resource, revision: Revision) -> &str {
        &self.contents[&(name.clone(), revision)]
    }

    pub(super) fn version(&self, input: &Input) -> &str {
        self.content_at(&input.resource, input.revision)
    }

    pub(super) fn contents(&self) -> BTreeMap<String, String> {
        let names = self.heads.keys().map(Resource::to_string);
        names.map(|name| (name.clone(), self.content(&name))).collect()
    }

    /// What a run prints: its output's name around its inputs.
    fn compute(&self, run: &Run, output: &Resource) -> String {
        if let Task::Stage(stage) = &run.task
            && stage.program.argv[1] == "same"
        {
            return "same".to_owned();
        }
        let content = |input: &Input| {
            let key = (input.resource.clone(), input.revision);
            self.contents[&key].clone()
        };
        let inputs: Vec<String> = run.inputs.iter().map(content).collect();
        if inputs.is_empty() {
            let outside = self.outside.as_ref();
            return outside.map_or_else(|| format!("{output} at {}", self.now), String::clone);
        }
        format!("{output}({})", inputs.join(","))
    }

    /// The PUT of a run: all outputs if no head has moved, or none. True if it was done.
    pub(super) fn store(&mut self, run: &Run) -> bool {
        let head = |name| self.heads.get(name).map(|head: &Head| head.revision);
        if run.outputs.iter().any(|(name, planned)| head(name) != *planned) {
            return false;
        }
        self.commits += 1;
        let before = self.commits_of(run);
        for (name, _) in &run.outputs {
            let content = self.compute(run, name);
            self.judge(&content);
            let made = Made {
                run_key: run.run_key.clone(),
                started: self.now,
                inputs: run.inputs.clone(),
            };
            self.set(name, &content, Some(made));
        }
        let changed = self.commits_of(run) != before;
        self.effects.push((run.name().to_owned(), run.inputs.clone(), changed));
        true
    }

    fn commits_of(&self, run: &Run) -> Vec<Option<Revision>> {
        run.outputs.iter().map(|(name, _)| Some(self.heads.get(name)?.revision)).collect()
    }

    /// Notes if a content was made of different versions of one thing: of `x=1` and of `x=2`.
    fn judge(&mut self, content: &str) {
        let words = content.split(['(', ')', ',']).filter_map(|word| word.split_once('='));
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, version) in words {
            versions.entry(name).or_default().insert(version);
        }
        if versions.values().any(|versions| versions.len() > 1) {
            self.mixed.push(content.to_owned());
        }
    }

    /// A run ends well: its PUT, then its record.
    pub(super) fn finish(&mut self, run: &Run) {
        let before: Vec<_> = run.outputs.iter().map(|(_, head)| *head).collect();
        if !self.store(run) {
            return;
        }
        let now_there = |(name, _): &(Resource, Option<Revision>)| Input {
            resource: name.clone(),
            revision: self.heads[name].revision,
        };
        let outputs: Vec<Input> = run.outputs.iter().map(now_there).collect();
        let after: Vec<_> = outputs.iter().map(|output| Some(output.revision)).collect();
        let ended = if before == after { Ended::Unchanged } else { Ended::Stored };
        self.record(run, ended, outputs, None);
    }

    /// A run fails: for good, or to be tried again after a while.
    pub(super) fn fail(&mut self, run: &Run, retry: Option<Duration>) {
        let later = retry.map(|wait| self.now + SignedDuration::try_from(wait).unwrap());
        let failure = Failure {
            summary: "failed".to_owned(),
            hint: String::new(),
            detail: String::new(),
            count: run.failed.map_or(0, |(count, _)| count) + 1,
            since: self.now,
            not_before: later,
        };
        let ended = match retry {
            Some(_) => Ended::Retry,
            None => Ended::Problem,
        };
        self.record(run, ended, Vec::new(), Some(failure));
    }

    fn record(&mut self, run: &Run, ended: Ended, outputs: Vec<Input>, failure: Option<Failure>) {
        let record = RunRecord {
            stage: run.name().to_owned(),
            run_key: run.run_key.clone(),
            ended,
            inputs: run.inputs.clone(),
            outputs,
            started: self.now,
            duration_ms: 1,
            failure,
            warnings: Vec::new(),
        };
        self.records.insert(run.name().to_owned(), record);
    }

    /// What the engine does with a plan besides running.
    pub(super) fn obey(&mut self, plan: &Plan) {
        for record in &plan.settle {
            self.records.insert(record.stage.clone(), record.clone());
        }
        for name in &plan.forget {
            self.records.remove(name);
        }
    }

    /// Runs everything until nothing is left to run.
    pub(super) fn settle(&mut self) {
        const ROUNDS_MAX: usize = 100;
        for _ in 0..ROUNDS_MAX {
            let plan = self.plan();
            self.obey(&plan);
            if plan.runs.is_empty() {
                return;
            }
            plan.runs.iter().for_each(|run| self.finish(run));
        }
        panic!("the plan never comes to rest: {:?}", self.plan().states);
    }
}

fn define(text: &str) -> Definition {
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    let (definition, defects) = Definition::parse(text, now);
    definition.unwrap_or_else(|| panic!("{defects:?}"))
}
