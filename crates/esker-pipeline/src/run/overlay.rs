//! Overrides of what a run makes: edits that people have made of its outputs, applied again.
//!
//! One whose change the output has by itself is over, and goes with the same PUT. One that finds something else than
//! when it was made is not applied in silence, and neither is it left out: nothing is published until somebody settles it.
//! What was made is kept beside what became of it, for when its maker has nothing new to say, or starts from it.

use bytes::Bytes;
use esker_wire::edit::Noted;
use esker_wire::name::Resource;
use esker_wire::overrides::{self, Override};
use esker_wire::provenance::Input;
use esker_wire::snapshot::{Expect, Item};
use esker_wire::whatif;

use crate::edit::{Conflict, Content, Outcome, weigh};
use crate::plan::{Run, Task};
use crate::pull;

use super::failure::Broken;
use super::line::Line;
use super::{Bench, Halt, Made, gather};

/// The most that is kept beneath overrides, in bytes: it goes with what is made of it in one PUT.
const KEPT_MAX: usize = 36 * 1024 * 1024;
/// How many contradictions are told one by one.
const TOLD_MAX: usize = 20;

/// What was made, with the overrides applied.
pub(super) fn apply(at: (&Bench, &Line), run: &Run, mut made: Made) -> Result<Made, Halt> {
    for held in &run.overrides {
        let Some(output) = run.overridden_by(held) else {
            continue;
        };
        let content_type = made.content_type;
        let Some((_, content)) = made.contents.iter_mut().find(|(name, _)| *name == output) else {
            continue;
        };
        let all = read(at, run, held)?;
        if all.is_empty() {
            continue;
        }
        let noted: Vec<Noted> =
            all.iter().map(|one| (one.edit.clone(), one.before.clone())).collect();
        let before = Content { content_type, ..Content::new(content) };
        let weighed = weigh(before, &noted).map_err(|refused| {
            let summary = format!("cannot apply the overrides of {output}: {refused}");
            Broken::new(summary, hint(at.0, &output))
        })?;
        check(at.0, (&output, &all), &weighed.outcomes)?;
        let over = |(one, outcome): &(Override, &Outcome)| {
            one.before.is_some() && matches!(outcome, Outcome::Already)
        };
        let outcomes = weighed.outcomes.iter();
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().zip(outcomes).partition(over);
        let plain = std::mem::replace(content, weighed.content.into());
        if !kept.is_empty() {
            made.beside.extend(kept_beneath(run, (&output, plain), content_type));
        }
        for (one, _) in &gone {
            made.warnings.push(format!(
                "{}: the override is over: what is made says the same by itself",
                one.edit.at
            ));
        }
        if !gone.is_empty() {
            let kept: Vec<Override> = kept.into_iter().map(|(one, _)| one).collect();
            made.beside.push(retired(held, &kept)?);
        }
    }
    let is_kept = |name: &Resource| made.beside.iter().any(|item| item.resource == *name);
    let gone = run.beneath.iter().filter(|kept| !is_kept(&kept.resource)).map(|kept| Item {
        resource: kept.resource.clone(),
        content: None,
        if_head: Some(Expect::Revision(kept.revision)),
        content_type: None,
    });
    let gone: Vec<Item> = gone.collect();
    made.beside.extend(gone);
    Ok(made)
}

/// What was made last, where its maker says that it would make the same: overrides may have changed since.
pub(super) fn as_it_was(at: (&Bench, &Line), run: &Run) -> Result<Made, Halt> {
    if run.overrides.is_empty() && run.beneath.is_empty() {
        return Err(Halt::Unchanged);
    }
    let (mut contents, mut content_type) = (Vec::new(), None);
    for (output, head) in run.outputs.iter().filter(|(output, _)| !is_state(run, output)) {
        let kept = run.kept_beneath(output);
        let itself = head.map(|revision| Input { resource: output.clone(), revision });
        let Some(last) = kept.or(itself.as_ref()) else {
            return Err(Halt::Unchanged);
        };
        let content = gather::whole(at, run, last)?;
        let read = content.entry.provenance.iter().flat_map(|made| &made.inputs);
        let mut read = read.filter(|input| overrides::whose(&input.resource).is_some()).peekable();
        if kept.is_none() && read.peek().is_some() {
            if read.all(|input| run.overrides.contains(input)) {
                return Err(Halt::Unchanged);
            }
            let summary = format!("{output} was overridden, and what it was before is not kept");
            let hint =
                format!("have {} say all of it once more, not that it is the same", run.name());
            return Err(Broken::new(summary, hint).into());
        }
        content_type = content.entry.content_type.as_deref().and_then(pull::known_type);
        contents.push((output.clone(), content.bytes.unwrap_or_default()));
    }
    Ok(Made::new(contents, content_type))
}

/// Whether an output is what is remembered of a source.
fn is_state(run: &Run, output: &Resource) -> bool {
    matches!(&run.task, Task::Source(source) if source.output != *output)
}

/// What was made as an output, to be put with what overrides have made of it.
fn kept_beneath(
    run: &Run,
    (output, plain): (&Resource, Bytes),
    content_type: Option<&str>,
) -> Option<Item> {
    if plain.len() > KEPT_MAX {
        return None;
    }
    let resource = overrides::beneath(run.called(output))?;
    let known = run.kept_beneath(output);
    let if_head = known.map_or(Expect::Absent, |known| Expect::Revision(known.revision));
    let content_type = content_type.map(str::to_owned);
    Some(Item { resource, content: Some(plain), if_head: Some(if_head), content_type })
}

/// The overrides that the run was planned with, whatever commit it reads its inputs at.
fn read(at: (&Bench, &Line), run: &Run, held: &Input) -> Result<Vec<Override>, Halt> {
    let resource = &held.resource;
    let content = gather::whole(at, run, held)?;
    let bytes = content.bytes.unwrap_or_default();
    overrides::read(&bytes).map_err(|fault| {
        let summary = format!("cannot read {resource}: {}", fault.message);
        let hint = format!("put none instead: esker put {resource} /dev/null");
        Broken::new(summary, hint).into()
    })
}

/// Refuses what says something else than overrides have found.
fn check(
    bench: &Bench,
    (output, all): (&Resource, &[Override]),
    outcomes: &[Outcome],
) -> Result<(), Broken> {
    let mut told = Vec::new();
    for (number, (one, outcome)) in (1..).zip(all.iter().zip(outcomes)) {
        if let Outcome::Conflict(Conflict { clash, base, theirs, mine, .. }) = outcome {
            let at = &one.edit.at;
            told.push(format!(
                "override {number}, {at}: {clash}: it was {base:?}, is {theirs:?} now, and is to be {mine:?}"
            ));
        }
    }
    let Some(first) = told.first() else {
        return Ok(());
    };
    let more = match told.len() {
        1 => String::new(),
        count => format!("; and {} more", count - 1),
    };
    let summary = format!("{output} contradicts {first}{more}");
    told.truncate(TOLD_MAX);
    let detail = told.join("\n");
    Err(Broken { detail, ..Broken::new(summary, hint(bench, output)) })
}

fn hint(bench: &Bench, output: &Resource) -> String {
    if let Some(id) = whatif::id(&bench.branch) {
        return format!("see what there is: esker get {output}; then: esker whatif amend {id}");
    }
    format!(
        "the last good version stays; settle it: esker override keep {output} N, or esker override drop {output} N"
    )
}

/// What is left of overrides, to be put with what was made.
fn retired(held: &Input, kept: &[Override]) -> Result<Item, Halt> {
    let content = match kept {
        [] => None,
        kept => {
            let bytes = overrides::write(kept);
            Some(Bytes::from(bytes.map_err(|fault| Broken::new(fault.message, fault.hint))?))
        }
    };
    Ok(Item {
        resource: held.resource.clone(),
        content,
        if_head: Some(Expect::Revision(held.revision)),
        content_type: None,
    })
}
