//! Showing what-ifs: which there are, and all of one.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use esker_web::whatif::json;
use esker_wire::edit::{Before, Deed, Noted};
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
        return Ok(say::json(&cases.iter().map(|case| json::brief(case)).collect())?);
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
            case.changes().to_string(),
            format!("{}{age}", about.base.short()),
            about.expires.map_or_else(|| "never".to_owned(), say::time),
            about.owner.as_deref().map(name_of).unwrap_or_default().to_owned(),
            shortened(&about.title),
        ]);
    }
    let headings = ["what-if", "state", "changes", "base", "expires", "owner", "title"];
    Ok(say::table(&headings, rows)?)
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
    for (number, noted) in (1..).zip(case.noted()) {
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

/// All of a what-if.
pub(super) fn as_json(hub: &Hub, case: &Case) -> Result<Value> {
    let mut value = json::whole(case);
    let base = resolved(hub, case.about.base)?;
    value["base_time"] = base.map(|base| base.time.to_string()).into();
    let (behind, more) = behind(hub, case.about.base)?;
    value["behind"] = behind.into();
    value["behind_more"] = more.into();
    let touched = touched::all(hub, case)?;
    let touched =
        touched.iter().map(|(name, how)| json!({ "resource": name.as_str(), "how": how.word() }));
    value["resources"] = touched.collect();
    Ok(value)
}
