//! What is asked of a runner: to make the changes on main, to take that back, to make them on a newer commit.

use std::process::ExitCode;

use anyhow::{Context, Result};
use esker_wire::name::Branch;
use esker_wire::revision::At;
use esker_wire::snapshot::Item;
use esker_wire::whatif::state::{Answer, Conflict, Outcome};
use esker_wire::whatif::{self, About, Ask, Side, Wish};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::{Settles, WhatIfApply, WhatIfRebase, WhatIfUndo};
use crate::commands::drop_branch;
use crate::commands::put::author;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};

use super::changes::shortened;
use super::wait::{Waiting, answer, is_idle};
use super::{Case, begin, diff, own, show};

/// How long a preview is kept whose maker was killed.
const PREVIEW: SignedDuration = SignedDuration::from_hours(1);

/// Makes the changes on another commit.
pub(super) fn rebase(place: &Place, asked: &WhatIfRebase) -> Result<ExitCode> {
    let hub = Hub::find(place)?;
    let case = Case::find(&hub, &asked.id)?;
    let onto = begin::base(&hub, &asked.onto)?;
    if onto == case.about.base {
        say::note(format!("its base is {} already", onto.short()));
        if asked.json {
            say::json(&show::as_json(&hub, &case)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let ask = Ask {
        number: 0,
        what: Wish::Rebase(onto),
        by: author(),
        why: None,
        settle: settled(case.about.edits.len(), &asked.settles),
    };
    wish(place, &hub, case, ask, asked.json)
}

/// Makes the changes on main, or shows what they would be there.
pub(super) fn apply(place: &Place, asked: &WhatIfApply) -> Result<ExitCode> {
    let hub = Hub::find(place)?;
    let case = Case::find(&hub, &asked.id)?;
    let settle = settled(case.about.edits.len(), &asked.settles);
    if asked.preview {
        return preview(place, &hub, (&case, settle), asked.json);
    }
    if let Some(state) = case.settled().filter(|state| state.outcome == Outcome::Problem)
        && !asked.force
    {
        let hint = format!(
            "amend it; or apply it all the same, and the stage stops on main: esker whatif apply {} --force",
            case.id
        );
        return Err(hinted(format!("{} has a problem: {}", case.id, state.summary), hint));
    }
    let ask = Ask { number: 0, what: Wish::Apply, by: author(), why: asked.why.clone(), settle };
    wish(place, &hub, case, ask, asked.json)
}

/// Takes back what was applied.
pub(super) fn undo(place: &Place, asked: &WhatIfUndo) -> Result<ExitCode> {
    let hub = Hub::find(place)?;
    let case = Case::find(&hub, &asked.id)?;
    if case.has_done(Wish::Undo) {
        let hint = format!("apply it again: esker whatif apply {}", case.id);
        return Err(hinted(format!("{} was taken back already", case.id), hint));
    }
    let settle = settled(case.about.edits.len(), &asked.settles);
    let ask = Ask { number: 0, what: Wish::Undo, by: author(), why: asked.why.clone(), settle };
    wish(place, &hub, case, ask, asked.json)
}

/// How conflicts of so many edits are settled, each by its number.
fn settled(edits: usize, settles: &Settles) -> Vec<(usize, Side)> {
    let mut all: Vec<(usize, Side)> = Vec::new();
    for settle in &settles.settle {
        let numbers = match settle.edit {
            Some(number) => number..=number,
            None => 0..=edits,
        };
        for number in numbers {
            all.retain(|(known, _)| *known != number);
            all.push((number, settle.side));
        }
    }
    all
}

/// Asks, waits for the answer, and tells it.
fn wish(place: &Place, hub: &Hub, case: Case, ask: Ask, json: bool) -> Result<ExitCode> {
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    let last = case.about.ask.as_ref().map_or(0, |ask| ask.number);
    let last = last.max(answer(&case).map_or(0, |answer| answer.number));
    let ask = Ask { number: now.max(last + 1), ..ask };
    let waiting = Waiting::of(place, hub, json)?;
    let asked = case.change(hub, &[], |about| {
        about.ask = Some(ask.clone());
        Ok(())
    })?;
    let Some(now) = waiting.answer(&asked, ask.number)? else {
        return Ok(ExitCode::FAILURE);
    };
    if now.about.base != asked.about.base {
        say::note(format!("{} is based on {} now", now.id, now.about.base.short()));
        return waiting.tell(&now, false);
    }
    let answer = answer(&now).filter(|answer| answer.number == ask.number).ok_or_else(|| {
        let hint = format!("see what it is now, and ask again: esker whatif show {}", now.id);
        hinted(format!("{} was changed by somebody else meanwhile", now.id), hint)
    })?;
    if json {
        say::json(&show::as_json(hub, &now)?)?;
    } else {
        tell_answer(&now, answer)?;
        if answer.revision.is_some() && is_idle(place) {
            say::note("no runner works here: what depends on it is made when one does");
        }
    }
    let is_done = answer.revision.is_some();
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of the last wish: `applied as REV`, or what stands against it and what to type.
pub(super) fn tell_answer(case: &Case, answer: &Answer) -> Result<()> {
    let ask = case.about.ask.as_ref().filter(|ask| ask.number == answer.number);
    if let Some(revision) = answer.revision {
        if !answer.summary.is_empty() {
            say::note(format!("{}, as of {}", answer.summary, revision.short()));
            return Ok(());
        }
        let undone = ask.is_some_and(|ask| ask.what == Wish::Undo);
        say::line(format!("{} as {revision}", if undone { "taken back" } else { "applied" }))?;
        if !undone {
            say::note(format!("take it back: esker whatif undo {}", case.id));
        }
        return Ok(());
    }
    let deed = ask.map_or("answer", |ask| ask.what.word());
    say::note(format!("cannot {deed} {}: {}", case.id, answer.summary));
    if answer.conflicts.is_empty() {
        return Ok(());
    }
    say::table(
        &["change", "at", "base", "main", "what-if", "why"],
        answer.conflicts.iter().map(row).collect(),
    )?;
    if let Some(ask) = ask {
        say::note(format!("settle it, mine or theirs: {}", line(&case.id, ask, &answer.conflicts)));
    }
    Ok(())
}

fn row(conflict: &Conflict) -> Vec<String> {
    let texts = [&conflict.base, &conflict.theirs, &conflict.mine].map(|text| shortened(text));
    let [base, theirs, mine] = texts;
    vec![conflict.edit.to_string(), conflict.at.clone(), base, theirs, mine, conflict.kind.clone()]
}

/// The command that settles conflicts, with what was settled before.
fn line(id: &str, ask: &Ask, conflicts: &[Conflict]) -> String {
    let mut words = vec![format!("esker whatif {} {id}", ask.what.word())];
    if let Wish::Rebase(onto) = ask.what {
        words.push(format!("--onto {}", onto.short()));
    }
    let mut numbers: Vec<usize> = conflicts.iter().map(|conflict| conflict.edit).collect();
    numbers.dedup();
    let before = ask.settle.iter().filter(|(number, _)| !numbers.contains(number));
    words.extend(before.map(|(number, by)| format!("--settle {number}={by}")));
    words.extend(numbers.iter().map(|number| format!("--settle {number}=mine")));
    words.join(" ")
}

/// Shows what main would be with the changes: a what-if like it, moved to what main is now, and discarded.
fn preview(
    place: &Place,
    hub: &Hub,
    (case, settle): (&Case, Vec<(usize, Side)>),
    json: bool,
) -> Result<ExitCode> {
    let onto = begin::base(hub, At::head().as_str())?;
    let what = Wish::Rebase(onto);
    let ask = Ask { number: 1, what, by: author(), why: None, settle };
    let about = About {
        title: format!("preview of {}", case.id),
        created: Timestamp::now(),
        expires: Timestamp::now().checked_add(PREVIEW).ok(),
        ask: Some(ask).filter(|_| onto != case.about.base),
        ..case.about.clone()
    };
    let mut items = Vec::new();
    let inputs = about.inputs.iter().map(whatif::input);
    for resource in inputs.chain(about.files.iter().map(|path| whatif::file(path))) {
        let resource = resource?;
        if let Some(content) = own(hub, &case.branch, resource.as_str())? {
            let (content, content_type) = (content.bytes, content.entry.content_type);
            items.push(Item { resource, content, if_head: None, content_type });
        }
    }
    let made = begin::make(hub, None, &about, items)?;
    let branch: Branch = made.branch.clone();
    let shown = previewed(place, hub, (case, &made), json);
    drop_branch(hub, &branch)?;
    shown
}

fn previewed(
    place: &Place,
    hub: &Hub,
    (case, made): (&Case, &Case),
    json: bool,
) -> Result<ExitCode> {
    let waiting = Waiting::of(place, hub, json)?;
    let now = match &made.about.ask {
        Some(ask) => waiting.answer(made, ask.number)?,
        None => waiting.settle(made)?,
    };
    let Some(now) = now else {
        return Ok(ExitCode::FAILURE);
    };
    if let Some(stands) = answer(&now).filter(|answer| answer.revision.is_none()) {
        // What stands against it would stand against applying it.
        let number = stands.number;
        let ask = now.about.ask.clone().map(|ask| Ask { number, what: Wish::Apply, ..ask });
        let about = About { ask, ..case.about.clone() };
        let told = esker_wire::whatif::case::Case { about, ..(**case).clone() };
        match json {
            true => say::json(
                &json!({ "conflicts": show::as_json(hub, &now)?["answer"]["conflicts"] }),
            )?,
            false => tell_answer(&Case(told), stands)?,
        }
        return Ok(ExitCode::FAILURE);
    }
    let state = now.settled().context("it is settled")?;
    if !matches!(now.word(), "done") {
        let what = format!("the changes come to nothing on main: {}", super::wait::summary(state));
        return Err(hinted(what, state.hint.clone()));
    }
    if json {
        let difference = diff::as_json(hub, &now, &[])?;
        say::json(&json!({ "base": now.about.base.to_string(), "differences": difference }))?;
    } else {
        diff::print(hub, &now, &[])?;
        say::note("nothing is applied");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
