//! From one change of a resource back to what brought it about: the changes of its inputs between the two runs, and
//! theirs, down to whoever put them. Bounded in every direction; what is left out is said.

use std::collections::HashSet;

use anyhow::Result;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Diff, Difference, Entry, Filter, Form, Log, Stat};
use serde_json::{Value, json};

use super::cell::Wanted;
use crate::commands::diff::changes;
use crate::reach::{Hub, found};

/// How far back is gone.
const DEPTH_MAX: usize = 64;
/// How many changes are explained at most.
const NODES_MAX: usize = 200;
/// How many versions of one input between two runs are looked at.
const VERSIONS_MAX: u32 = 50;
/// How many versions of an input are told where none says anything of the key.
const OTHERS_MAX: usize = 3;
/// How many changes of one version are told.
const CHANGES_MAX: usize = 20;

/// One change of one resource, and what brought it about.
pub(super) struct Step {
    pub(super) entry: Entry,
    /// What changed that has to do with the key, as DIFF tells it; else what did change.
    pub(super) changes: Vec<Value>,
    /// Whether these have to do with the key.
    pub(super) is_of_key: bool,
    /// How many more changes there are.
    pub(super) others: usize,
    /// Why the changes cannot be told.
    pub(super) untold: Option<String>,
    pub(super) cause: Cause,
}

/// What brought a change about.
#[derive(Default)]
pub(super) struct Cause {
    /// The program or its files, before and after, if they changed.
    pub(super) program: Option<(String, String)>,
    /// The inputs that changed between the runs.
    pub(super) steps: Vec<Step>,
    /// Inputs that are no longer read.
    pub(super) gone: Vec<Resource>,
    /// Whether it is explained elsewhere, or no further.
    pub(super) cut: Option<&'static str>,
}

/// Goes back.
pub(super) struct Trace<'a> {
    hub: &'a Hub,
    wanted: &'a Wanted,
    /// The columns that name the row.
    columns: Vec<String>,
    seen: HashSet<(Resource, Revision)>,
    nodes: usize,
}

impl<'a> Trace<'a> {
    pub(super) fn new(hub: &'a Hub, wanted: &'a Wanted, columns: Vec<String>) -> Self {
        Self { hub, wanted, columns, seen: HashSet::new(), nodes: 0 }
    }

    /// What brought a revision about.
    pub(super) fn cause(&mut self, entry: &Entry, depth: usize) -> Result<Cause> {
        let Some(made) = &entry.provenance else {
            return Ok(Cause::default());
        };
        if !self.seen.insert((entry.resource.clone(), entry.revision)) {
            return Ok(Cause { cut: Some("explained above"), ..Cause::default() });
        }
        if depth == DEPTH_MAX || self.nodes >= NODES_MAX {
            return Ok(Cause { cut: Some("explained no further"), ..Cause::default() });
        }
        let before = match entry.previous {
            Some(previous) => self.before(&entry.resource, previous)?,
            None => None,
        };
        let old = before.as_ref().and_then(|before| before.provenance.as_ref());
        let mut cause = Cause { program: program(old, made), ..Cause::default() };
        for input in &made.inputs {
            let was = old.and_then(|old| of(old, &input.resource));
            if was != Some(input.revision) {
                cause.steps.extend(self.input(input, was, depth + 1)?);
            }
        }
        let gone = old.into_iter().flat_map(|old| &old.inputs);
        let gone = gone.filter(|input| of(made, &input.resource).is_none());
        cause.gone = gone.map(|input| input.resource.clone()).collect();
        Ok(cause)
    }

    fn before(&self, resource: &Resource, at: Revision) -> Result<Option<Entry>> {
        let stat = Stat { resource: resource.clone(), at: at.into(), branch: Branch::main() };
        found(self.hub.call(&stat))
    }

    /// What changed in an input since a revision of it, newest first: what has to do with the key, else the newest.
    fn input(&mut self, input: &Input, since: Option<Revision>, depth: usize) -> Result<Vec<Step>> {
        let filter = Filter { since: since.map(Into::into), ..Filter::default() };
        let limit = if since.is_some() { VERSIONS_MAX } else { 1 };
        let (resource, at) = (Some(input.resource.clone()), input.revision.into());
        let log = Log { resource, at, filter, ..Log::newest(limit) };
        let Some(page) = found(self.hub.call(&log))? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in page.entries {
            found.push(self.step(entry)?);
        }
        if found.iter().any(|step| step.is_of_key) {
            found.retain(|step| step.is_of_key);
        } else {
            found.truncate(OTHERS_MAX);
        }
        for step in &mut found {
            self.nodes += 1;
            step.cause = self.cause(&step.entry, depth)?;
        }
        Ok(found)
    }

    /// One version of an input, and what it changed.
    fn step(&self, entry: Entry) -> Result<Step> {
        let (all, untold) = match self.diff(&entry)? {
            Ok(difference) => (lines(&difference)?, None),
            Err(fault) => (Vec::new(), Some(fault.message)),
        };
        let values = self.wanted.values();
        let of_key: Vec<&Value> = all.iter().filter(|change| concerns(change, &values)).collect();
        let is_of_key = !of_key.is_empty();
        let told = if is_of_key { of_key } else { all.iter().collect() };
        let is_change = |change: &&Value| change["op"] != "table";
        let count = all.iter().filter(is_change).count();
        let mut changes = with_tables(&all, &told);
        let mut left = CHANGES_MAX;
        changes.retain(|change| {
            let kept = !is_change(&change) || left > 0;
            left -= usize::from(is_change(&change) && left > 0);
            kept
        });
        let shown = changes.iter().filter(is_change).count();
        let cause = Cause::default();
        Ok(Step { entry, changes, is_of_key, others: count - shown, untold, cause })
    }

    /// What a version changed: by the columns of the key where the table has them.
    fn diff(&self, entry: &Entry) -> Result<Result<Difference, Fault>> {
        let ask = |key: Vec<String>| Diff {
            resource: entry.resource.clone(),
            from: entry.previous.map(Into::into),
            to: entry.revision.into(),
            branch: Branch::main(),
            form: Form::Auto,
            key,
        };
        let mut answer = self.hub.call(&ask(self.columns.clone()));
        if !self.columns.is_empty()
            && answer.as_ref().is_err_and(|error| is(error, Code::BadRequest))
        {
            answer = self.hub.call(&ask(Vec::new()));
        }
        match answer {
            Ok(difference) => Ok(Ok(difference)),
            Err(error) => error.downcast::<Fault>().map(Err),
        }
    }
}

fn is(error: &anyhow::Error, code: Code) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.code == code)
}

fn of(made: &Provenance, resource: &Resource) -> Option<Revision> {
    let input = made.inputs.iter().find(|input| input.resource == *resource);
    input.map(|input| input.revision)
}

/// What ran before and what ran then, if it is not the same: its words, else its files.
fn program(old: Option<&Provenance>, new: &Provenance) -> Option<(String, String)> {
    let old = old?;
    if old.program != new.program {
        return Some((old.program.clone(), new.program.clone()));
    }
    let files = |made: &Provenance| match made.code.get(..7) {
        Some(short) => format!("files {short}"),
        None => "no files".to_owned(),
    };
    (old.code != new.code).then(|| (files(old), files(new)))
}

/// The changes of a difference: those of a text are its lines.
fn lines(difference: &Difference) -> Result<Vec<Value>> {
    if difference.form != Form::Text {
        return changes(difference);
    }
    let text = String::from_utf8_lossy(&difference.body);
    let lines = text.lines().filter(|line| !line.starts_with("+++") && !line.starts_with("---"));
    let changed = lines.filter_map(|line| match line.split_at_checked(1)? {
        ("+", text) => Some(json!({ "op": "line-add", "text": text })),
        ("-", text) => Some(json!({ "op": "line-remove", "text": text })),
        _ => None,
    });
    Ok(changed.collect())
}

/// Whether a change has to do with the key.
fn concerns(change: &Value, values: &[&str]) -> bool {
    let has = |cells: &Value| {
        let cells = cells.as_object().into_iter().flat_map(|cells| cells.values());
        cells.filter_map(Value::as_str).any(|cell| values.contains(&cell))
    };
    let path = change["path"].as_str().unwrap_or_default().split('/');
    let by_path = path.filter(|step| !step.is_empty()).any(|step| {
        let named = step.split_once('=').map(|(_, name)| name);
        values.contains(&step) || named.is_some_and(|name| values.contains(&name))
    });
    let text = change["text"].as_str().unwrap_or_default();
    let by_text = values.iter().any(|value| text.contains(value));
    by_path || by_text || has(&change["key"]) || has(&change["cells"])
}

/// The changes told, each below the line that says how it is meant.
fn with_tables(all: &[Value], told: &[&Value]) -> Vec<Value> {
    let mut with = Vec::new();
    let mut table = None;
    let mut told = told.iter().peekable();
    for change in all {
        if change["op"] == "table" {
            table = Some(change);
        }
        if told.peek().is_some_and(|next| std::ptr::eq(**next, change)) {
            told.next();
            if change["op"] != "table" {
                with.extend(table.take().cloned());
                with.push(change.clone());
            }
        }
    }
    with
}

#[cfg(test)]
mod tests;
