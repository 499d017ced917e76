//! Showing what-ifs: which there are, and all of one.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use esker_web::whatif::json;
use esker_wire::edit::{Before, Deed, Edit, Noted};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Filter, LOG_MAX, Log, Resolve, Resolved};
use esker_wire::whatif::state::{Outcome, State};
use serde_json::{Value, json};

use crate::reach::{Hub, found};
use crate::say::{self, DIM};

use super::changes::{shortened, words};
use super::wait::{answer, duration, summary};
use super::{Case, touched, wish};

/// Prints every what-if.
pub(super) fn list(hub: &Hub, json: bool) -> Result<()> {
    let cases = Case::all(hub)?;
    if json {
        return Ok(say::json(&cases.iter().map(about_json).collect())?);
    }
    if cases.is_empty() {
        say::note("no what-ifs: `esker whatif new` makes one");
        return Ok(());
    }
    let mut rows = Vec::new();
    for case in &cases {
        let about = &case.about;
        let base = resolved(hub, about.base)?;
        let age = base.map(|base| format!(", {}", say::age(base.time))).unwrap_or_default();
        rows.push(vec![
            case.id.clone(),
            case.word().to_owned(),
            changes(case).to_string(),
            format!("{}{age}", about.base.short()),
            about.expires.map_or_else(|| "never".to_owned(), say::time),
            about.owner.as_deref().map(name_of).unwrap_or_default().to_owned(),
            shortened(&about.title),
        ]);
    }
    let headings = ["what-if", "state", "changes", "base", "expires", "owner", "title"];
    Ok(say::table(&headings, rows)?)
}

/// How many changes it makes.
fn changes(case: &Case) -> usize {
    let about = &case.about;
    about.edits.len() + about.inputs.len() + about.files.len()
}

/// `Ann` of `Ann <ann@example.org>`.
fn name_of(owner: &str) -> &str {
    owner.split('<').next().unwrap_or_default().trim()
}

/// A commit; none if it is not there any more.
fn resolved(hub: &Hub, revision: Revision) -> Result<Option<Resolved>> {
    let resolve = Resolve { at: At::from(revision), branch: Branch::main(), zone: None };
    found(hub.call(&resolve))
}

/// How many commits came on main since, and whether there may be more.
fn behind(hub: &Hub, base: Revision) -> Result<(usize, bool)> {
    let filter = Filter { since: Some(At::from(base)), ..Filter::default() };
    let page = found(hub.call(&Log { filter, ..Log::newest(LOG_MAX) }))?;
    let (entries, next) = page.map_or_else(Default::default, |page| (page.entries, page.next));
    let commits: BTreeSet<Revision> = entries.iter().map(|entry| entry.revision).collect();
    Ok((commits.len(), next.is_some()))
}

/// Prints all of a what-if.
pub(super) fn show(hub: &Hub, case: &Case, json: bool) -> Result<()> {
    if json {
        return Ok(say::json(&as_json(hub, case)?)?);
    }
    head(hub, case)?;
    for (number, noted) in (1..).zip(noted(case)) {
        say::line(format!("{number:>3}  {}", told(&noted)))?;
    }
    for input in &case.about.inputs {
        say::line(format!("     {input}: another content"))?;
    }
    for file in &case.about.files {
        say::line(format!("     {file}: another file"))?;
    }
    if let Some(state) = &case.state {
        came_of_it(hub, case, state)?;
    }
    if let Some(answer) = answer(case) {
        wish::tell_answer(case, answer)?;
    }
    Ok(())
}

fn head(hub: &Hub, case: &Case) -> Result<()> {
    let about = &case.about;
    let line = |name: &str, text: String| say::line(format!("{DIM}{name:<9}{DIM:#}{text}"));
    line("what-if", format!("{}: {}", case.id, about.title))?;
    let outcome =
        case.settled().map(summary).filter(|_| matches!(case.word(), "problem" | "invalid"));
    line(
        "state",
        outcome.map_or_else(|| case.word().to_owned(), |why| format!("{}: {why}", case.word())),
    )?;
    if let Some(owner) = &about.owner {
        line("owner", owner.clone())?;
    }
    line("made", say::time(about.created))?;
    line("expires", about.expires.map_or_else(|| "never".to_owned(), say::time))?;
    let base = match resolved(hub, about.base)? {
        None => "not on main any more".to_owned(),
        Some(base) => {
            let (count, more) = behind(hub, about.base)?;
            let since = match (count, more) {
                (0, _) => "main has not moved since".to_owned(),
                (count, false) => {
                    format!("main has moved by {} since", say::count(count, "commit"))
                }
                (count, true) => format!("main has moved by {count} commits or more since"),
            };
            format!("{}, {} ago; {since}", say::time(base.time), say::age(base.time))
        }
    };
    Ok(line("base", format!("{}  {base}", about.base.short()))?)
}

/// The edits, each with what it found as far as that is known.
fn noted(case: &Case) -> Vec<Noted> {
    let found = case.settled().map(|state| state.found.as_slice()).unwrap_or_default();
    let before = |at: usize, edit: &Edit| {
        let noted = found.get(at).filter(|(known, _)| known == edit);
        noted.and_then(|(_, before)| before.clone())
    };
    let edits = case.about.edits.iter().enumerate();
    edits.map(|(at, edit)| (edit.clone(), before(at, edit))).collect()
}

/// An edit and what it found: `raw/plan:Work[CHK-1].Team: Red → Blue`.
pub(in crate::commands) fn told((edit, before): &Noted) -> String {
    let old = before.as_ref().and_then(old);
    let name = &edit.at.resource;
    let words = words(edit);
    match (&edit.deed, old) {
        (Deed::Set(text), Some(old)) => format!("{}: {old} → {}", edit.at, shortened(text)),
        (Deed::Set(text), None) => format!("{} = {}", edit.at, shortened(text)),
        (_, Some(old)) => format!("{name}: {words}  (was {old})"),
        (_, None) => format!("{name}: {words}"),
    }
}

/// What an edit found, in words.
fn old(before: &Before) -> Option<String> {
    Some(match before {
        Before::Absent => "nothing".to_owned(),
        Before::Text(text) if text.is_empty() => "empty".to_owned(),
        Before::Text(text) => shortened(text),
        Before::Row(cells) => {
            let cells: Vec<String> =
                cells.iter().map(|(column, text)| format!("{column}: {text}")).collect();
            shortened(&cells.join(", "))
        }
        Before::First => "the first".to_owned(),
        Before::Behind(row) => format!("after {row}"),
        Before::Rank(rank) => format!("ranked {}", (*rank)?),
    })
}

fn came_of_it(hub: &Hub, case: &Case, state: &State) -> Result<()> {
    if case.settled().is_none() {
        say::note("it is being computed; what follows is of before");
    } else if state.outcome != Outcome::Invalid {
        say::line(touched::told(hub, case, state)?)?;
    }
    for run in &state.runs {
        let how = run.failure.as_ref().map_or_else(
            || run.ended.to_string(),
            |failure| format!("{}: {}", run.ended, failure.summary),
        );
        let took = duration(Duration::from_millis(run.duration_ms));
        say::line(format!("     {}: {how}  {DIM}({took}){DIM:#}", run.stage))?;
    }
    if !state.skipped.is_empty() {
        say::line(format!("     left out for their effects: {}", state.skipped.join(", ")))?;
    }
    if !state.hint.is_empty() {
        say::note(format!("hint: {}", state.hint));
    }
    Ok(())
}

/// What every what-if is listed as.
fn about_json(case: &Case) -> Value {
    let about = &case.about;
    json!({
        "id": case.id,
        "branch": case.branch.as_str(),
        "title": about.title,
        "owner": about.owner,
        "created": about.created.to_string(),
        "expires": about.expires.map(|time| time.to_string()),
        "base": about.base.to_string(),
        "about": case.revision.to_string(),
        "changes": changes(case),
        "state": case.word(),
        "ask": about.ask.as_ref().map(json::asked),
    })
}

/// All of a what-if.
pub(super) fn as_json(hub: &Hub, case: &Case) -> Result<Value> {
    let mut value = about_json(case);
    let about = &case.about;
    let base = resolved(hub, about.base)?;
    value["base_time"] = base.map(|base| base.time.to_string()).into();
    let (behind, more) = behind(hub, about.base)?;
    value["behind"] = behind.into();
    value["behind_more"] = more.into();
    value["edits"] =
        (1..).zip(noted(case)).map(|(number, noted)| edit_json(number, &noted)).collect();
    value["inputs"] = about.inputs.iter().map(ToString::to_string).collect();
    value["files"] = about.files.clone().into();
    value["settled"] = case.settled().is_some().into();
    let touched = touched::all(hub, case)?;
    let touched =
        touched.iter().map(|(name, how)| json!({ "resource": name.as_str(), "how": how.word() }));
    value["resources"] = touched.collect();
    if let Some(state) = &case.state {
        state_json(&mut value, state);
    }
    Ok(value)
}

fn state_json(value: &mut Value, state: &State) {
    value["outcome"] = state.outcome.to_string().into();
    value["summary"] = state.summary.clone().into();
    value["hint"] = state.hint.clone().into();
    value["project"] = state.project.map(|revision| revision.to_string()).into();
    value["skipped"] = state.skipped.clone().into();
    value["edited"] = state.edited.iter().map(ToString::to_string).collect();
    let runs = state.runs.iter().map(|run| {
        let failure = run.failure.as_ref();
        json!({
            "stage": run.stage,
            "ended": run.ended.to_string(),
            "started": run.started.to_string(),
            "duration_ms": run.duration_ms,
            "summary": failure.map(|failure| &failure.summary),
            "hint": failure.map(|failure| &failure.hint),
            "detail": failure.map(|failure| &failure.detail),
            "warnings": run.warnings,
        })
    });
    value["runs"] = runs.collect();
    value["answer"] = state.answer.as_ref().map(json::answer).into();
    value["applied"] = state.applied.map(|revision| revision.to_string()).into();
}

fn edit_json(number: usize, (edit, before): &Noted) -> Value {
    let mut value = json!({
        "number": number,
        "deed": edit.deed.word(),
        "at": edit.at.to_string(),
        "found": before.as_ref().and_then(old),
    });
    match &edit.deed {
        Deed::Set(text) => value["text"] = text.clone().into(),
        Deed::Add { cells, to } => {
            let cells = cells.iter().map(|(name, text)| (name.clone(), Value::from(text.clone())));
            value["cells"] = Value::Object(cells.collect());
            value["to"] = to.to_string().into();
        }
        Deed::Remove => {}
        Deed::Move(to) => value["to"] = to.to_string().into(),
        Deed::Rank(rank) => value["rank"] = (*rank).into(),
    }
    value
}
