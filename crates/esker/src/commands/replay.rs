//! `esker replay`: a stage's program of now, or another, on the inputs of its last runs; nothing is stored.

mod runs;

use std::ops::ControlFlow;
use std::process::ExitCode;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_pipeline::definition::FILE;
use esker_pipeline::past::order::{Hand, in_order};
use esker_pipeline::past::{Broken, Contents, Past, Then};
use esker_store::diff::Sides;
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Difference;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::cli::Replay;
use crate::commands::past::{self, Wanted, definition, open};
use crate::commands::{diff, input_json};
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, DIM, hinted};
use crate::stop::Stop;
pub(super) use runs::Old;

/// What came of one run.
pub(super) enum Verdict {
    /// It gives what it gave.
    Identical,
    /// Something else comes out.
    Differs(Vec<Change>),
    /// It fails, and did not.
    Fails(Broken),
    /// It was not run to its end.
    Stopped,
}

/// What has become of one output.
pub(super) struct Change {
    resource: Resource,
    /// In a sentence.
    summary: String,
    difference: Option<Difference>,
}

/// Where the runs are made and compared.
struct Bench<'a> {
    hub: &'a Hub,
    past: &'a Past,
    stop: &'a Stop,
}

/// How many runs ended how.
#[derive(Default)]
struct Counts {
    identical: usize,
    differs: usize,
    failed: usize,
}

/// Runs the last runs again and tells what comes out differently.
pub(crate) fn replay(place: &Place, asked: &Replay) -> Result<ExitCode> {
    let project = place.project()?;
    let dir = match &asked.code {
        Some(code) => Place::here()?.join(code).canonicalize().context("cannot use --code")?,
        None => project.dir.clone(),
    };
    let defined = if dir.join(FILE).is_file() { &dir } else { &project.dir };
    let definition = definition(defined)?;
    let jobs = asked.jobs.map_or(definition.jobs, |jobs| jobs as usize);
    let hub = Hub::find(place)?;
    let wanted = Wanted { dir, stage: asked.stage.clone(), with: with(asked)?, recall: false };
    let past = open(&hub, definition, wanted)?;
    let runs = runs::last(&hub, past.stage(), asked.last as usize)?;
    if runs.is_empty() {
        say::note(format!("{} has not run yet: there is nothing to compare with", asked.stage));
    }
    let stop = Stop::on_signals()?;
    let bench = Bench { hub: &hub, past: &past, stop: &stop };
    let bar = past::bar(runs.len());
    let (mut counts, mut told) = (Counts::default(), Vec::new());
    let mut trouble = Ok(());
    in_order(
        (jobs, &|| stop.is_pulled()),
        &runs,
        |run, hand| bench.verdict(run, hand),
        |run, verdict, _| {
            let shown = verdict.and_then(|verdict| {
                let flow = counts.add(&verdict);
                bar.inc(1);
                match asked.json {
                    true => told.push(verdict_json(run, &verdict)?),
                    false => show((&bar, asked.diff), run, &verdict)?,
                }
                Ok(flow)
            });
            shown.unwrap_or_else(|error| {
                trouble = Err(error);
                ControlFlow::Break(())
            })
        },
    )?;
    bar.finish_and_clear();
    trouble?;
    let program = past.stage().program.argv.join(" ");
    sum((asked, &program), &counts, (runs.len(), told))
}

/// Runs the last run of a stage again, if it has run; what that was and what comes of it.
pub(super) fn again(hub: &Hub, past: &Past, stop: &Stop) -> Result<Option<(Old, Verdict)>> {
    let runs = runs::last(hub, past.stage(), 1)?;
    let bench = Bench { hub, past, stop };
    let mut verdict = None;
    in_order(
        (1, &|| stop.is_pulled()),
        &runs,
        |run, hand| bench.verdict(run, hand),
        |_, one, _| {
            verdict = Some(one);
            ControlFlow::Break(())
        },
    )?;
    let verdict = verdict.transpose()?;
    Ok(runs.into_iter().next().zip(verdict))
}

/// The words of the program to run in place of the stage's.
fn with(asked: &Replay) -> Result<Option<Vec<String>>> {
    match asked.with.as_slice() {
        [] => Ok(None),
        [text] => {
            let words = shlex::split(text).filter(|words| !words.is_empty());
            let hint = "write the program and its arguments: --with 'python3 new.py'";
            let what = format!("cannot read --with {text:?}: nothing in it, or an open quote");
            words.map(Some).ok_or_else(|| hinted(what, hint))
        }
        words => Ok(Some(words.to_vec())),
    }
}

impl Bench<'_> {
    fn verdict(&self, run: &Old, hand: &Hand) -> Result<Verdict> {
        let stage = self.past.stage();
        let Some(commit) = runs::cut(self.hub, run)? else {
            return Ok(unknown("its inputs are not there any more as it read them"));
        };
        let then = match past::then(self.hub, stage, commit)? {
            Ok(then) => then,
            Err(missing) => return Ok(unknown(format!("there was no {missing} then"))),
        };
        let judged = match self.past.make(&then, hand).made {
            Ok(made) => self.judged(&then, made, hand)?,
            Err(broken) => Err(broken),
        };
        match (judged, &run.left) {
            (Err(broken), _) if self.is_stopped(&broken) => Ok(Verdict::Stopped),
            (Err(_), Err(_)) => Ok(Verdict::Identical),
            (Err(broken), Ok(_)) => Ok(Verdict::Fails(broken)),
            (Ok(_), Err(why)) => Ok(Verdict::Differs(
                stage
                    .outputs
                    .iter()
                    .map(|resource| Change {
                        resource: resource.clone(),
                        summary: format!("there is one now; then it failed: {why}"),
                        difference: None,
                    })
                    .collect(),
            )),
            (Ok(made), Ok(left)) => self.compare((&then, hand), &made, left),
        }
    }

    fn is_stopped(&self, broken: &Broken) -> bool {
        broken.is_passing && self.stop.is_pulled()
    }

    /// What passes the checks; what was there before if the program says that nothing has changed.
    fn judged(
        &self,
        then: &Then,
        made: Option<Contents>,
        hand: &Hand,
    ) -> Result<Result<Contents, Broken>> {
        let before = past::before(self.hub, self.past.stage(), (&Branch::main(), &then.before))?;
        let Some(made) = made else {
            return Ok(Ok(self.held(&then.before)?));
        };
        let judged = self.past.judge(then, &made, before, hand);
        Ok(judged.map(|_| made))
    }

    fn held(&self, outputs: &[(Resource, Option<Revision>)]) -> Result<Contents> {
        let mut held = Vec::new();
        for (resource, revision) in outputs {
            if let Some(revision) = revision {
                let at = (&Branch::main(), *revision);
                held.extend(past::content(self.hub, resource, at)?.map(|b| (resource.clone(), b)));
            }
        }
        Ok(held)
    }

    fn compare(
        &self,
        (then, hand): (&Then, &Hand),
        made: &Contents,
        left: &[Input],
    ) -> Result<Verdict> {
        let mut changes = Vec::new();
        for input in left {
            let old = past::content(self.hub, &input.resource, (&Branch::main(), input.revision))?;
            let new = made.iter().find(|(name, _)| *name == input.resource);
            changes.extend(change(&input.resource, old, new.map(|(_, bytes)| bytes.clone()))?);
        }
        let is_new = |name: &Resource| !left.iter().any(|input| input.resource == *name);
        for (name, bytes) in made.iter().filter(|(name, _)| is_new(name)) {
            changes.extend(change(name, None, Some(bytes.clone()))?);
        }
        if changes.is_empty() {
            return Ok(Verdict::Identical);
        }
        match self.past.is_same(then, made, left, hand) {
            Ok(true) => Ok(Verdict::Identical),
            Ok(false) => Ok(Verdict::Differs(changes)),
            Err(broken) if self.is_stopped(&broken) => Ok(Verdict::Stopped),
            Err(broken) => Ok(Verdict::Fails(broken)),
        }
    }
}

fn sum(
    (asked, program): (&Replay, &str),
    counts: &Counts,
    (count, told): (usize, Vec<Value>),
) -> Result<ExitCode> {
    let Counts { identical, differs, failed } = counts;
    let done = identical + differs + failed;
    if asked.json {
        say::json(&json!({
            "stage": asked.stage,
            "program": program,
            "runs": told,
            "identical": identical,
            "differs": differs,
            "failed": failed,
            "stopped": done < count,
        }))?;
    }
    say::note(format!(
        "{program}: {identical} of {count} identical, {differs} different, {failed} failed"
    ));
    if done < count {
        say::note(format!("stopped: {} were not run", count - done));
    }
    let same = *identical == count;
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) -> ControlFlow<()> {
        match verdict {
            Verdict::Identical => self.identical += 1,
            Verdict::Differs(_) => self.differs += 1,
            Verdict::Fails(_) => self.failed += 1,
            Verdict::Stopped => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}

fn unknown(why: impl Into<String>) -> Verdict {
    let summary = format!("cannot run it again: {}", why.into());
    let (hint, detail) = (String::new(), String::new());
    Verdict::Fails(Broken { summary, hint, detail, is_passing: false })
}

/// The difference of one output; none if there is none.
fn change(name: &Resource, old: Option<Bytes>, new: Option<Bytes>) -> Result<Option<Change>> {
    let told = |summary: &str| {
        let summary = summary.to_owned();
        Ok(Some(Change { resource: name.clone(), summary, difference: None }))
    };
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if old == new => return Ok(None),
        (Some(old), Some(new)) => (old, new),
        (None, Some(_)) => return told("it was not made then"),
        (_, None) => return told("it is not made any more"),
    };
    let difference = Sides::of(name.as_str(), (old, new)).compare()?;
    let summary = diff::summary(&difference)?;
    Ok(Some(Change { resource: name.clone(), summary, difference: Some(difference) }))
}

pub(super) fn show((bar, whole): (&ProgressBar, bool), run: &Old, verdict: &Verdict) -> Result<()> {
    let word = match verdict {
        Verdict::Identical => "identical",
        Verdict::Differs(_) => "differs",
        Verdict::Fails(_) => "failed",
        Verdict::Stopped => return Ok(()),
    };
    bar.suspend(|| {
        let (time, inputs) = (say::time(run.started), past::named(&run.inputs));
        say::line(format!("{word:<9}  {time}  {inputs}"))?;
        match verdict {
            Verdict::Differs(changes) => changes.iter().try_for_each(|one| show_change(one, whole)),
            Verdict::Fails(broken) => {
                say::line(format!("  {}", broken.summary))?;
                let lines = broken.detail.lines().filter(|_| whole);
                let mut lines = lines.map(|line| say::line(format!("  {DIM}|{DIM:#} {line}")));
                Ok(lines.try_for_each(|said| said)?)
            }
            _ => Ok(()),
        }
    })
}

fn show_change(change: &Change, whole: bool) -> Result<()> {
    say::line(format!("  {}: {}", change.resource, change.summary))?;
    if let Some(difference) = change.difference.as_ref().filter(|_| whole) {
        for (style, line) in diff::told(difference)?.0 {
            say::line(format!("    {style}{line}{style:#}"))?;
        }
    }
    Ok(())
}

pub(super) fn verdict_json(run: &Old, verdict: &Verdict) -> Result<Value> {
    let (word, changes, broken) = match verdict {
        Verdict::Identical => ("identical", &[][..], None),
        Verdict::Differs(changes) => ("differs", changes.as_slice(), None),
        Verdict::Fails(broken) => ("failed", &[][..], Some(broken)),
        Verdict::Stopped => ("stopped", &[][..], None),
    };
    let outputs = changes.iter().map(|change| {
        let name = change.resource.as_str();
        let difference = change.difference.as_ref().map(|one| diff::as_json(name, one));
        let mut value = difference.unwrap_or_else(|| Ok(json!({ "resource": name })))?;
        value["summary"] = change.summary.as_str().into();
        Ok(value)
    });
    Ok(json!({
        "started": run.started.to_string(),
        "inputs": run.inputs.iter().map(input_json).collect::<Vec<_>>(),
        "failed_then": run.left.as_ref().err(),
        "result": word,
        "outputs": outputs.collect::<Result<Vec<_>>>()?,
        "summary": broken.map(|broken| &broken.summary),
        "detail": broken.map(|broken| &broken.detail),
    }))
}
