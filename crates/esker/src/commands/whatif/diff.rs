//! What is otherwise in a what-if than at its base; of several side by side.

use std::io::{self, IsTerminal};

use anyhow::Result;
use esker_wire::name::Resource;
use esker_wire::revision::At;
use esker_wire::snapshot::{Form, Stat};
use serde_json::{Value, json};

use crate::cli::WhatIfDiff;
use crate::commands::diff as shared;
use crate::reach::{Hub, resource};
use crate::say;

use super::Case;
use super::side;
use super::touched::{self, How};

/// Prints what is otherwise.
pub(super) fn diff(hub: &Hub, asked: &WhatIfDiff) -> Result<()> {
    let mut cases = vec![Case::find(hub, &asked.id)?];
    let mut only = Vec::new();
    for name in &asked.others {
        // The id of a what-if has no slash, and few resources have none.
        match name.contains('/') {
            false => match Case::try_find(hub, name)? {
                Some(case) => cases.push(case),
                None => only.push(resource(name)?),
            },
            true => only.push(resource(name)?),
        }
    }
    cases.iter().for_each(Case::warn);
    if let [case] = cases.as_slice() {
        return match (asked.names, asked.json) {
            (true, json) => names(&resources(hub, case, &only)?, json),
            (false, true) => Ok(say::json(&as_json(hub, case, &only)?)?),
            (false, false) => print(hub, case, &only),
        };
    }
    let mut all = Vec::new();
    for case in &cases {
        all.extend(resources(hub, case, &only)?);
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all.dedup_by(|(one, _), (other, _)| one == other);
    if asked.names {
        return names(&all, asked.json);
    }
    let all: Vec<Resource> = all.into_iter().map(|(name, _)| name).collect();
    side::beside(hub, &cases, &all, asked.json)
}

/// What is otherwise, of these; of all if none are named.
fn resources(hub: &Hub, case: &Case, only: &[Resource]) -> Result<Vec<(Resource, How)>> {
    let mut all = touched::all(hub, case)?;
    all.retain(|(name, _)| only.is_empty() || only.contains(name));
    for name in only.iter().filter(|name| !all.iter().any(|(known, _)| known == *name)) {
        // What is as at the base is there; what is not there at all was misspelt.
        hub.call(&Stat { resource: name.clone(), at: At::head(), branch: case.branch.clone() })?;
    }
    Ok(all)
}

fn names(all: &[(Resource, How)], json: bool) -> Result<()> {
    if json {
        let names = all.iter().map(|(name, _)| Value::from(name.as_str()));
        return Ok(say::json(&names.collect())?);
    }
    for (name, _) in all {
        say::line(name.as_str())?;
    }
    Ok(())
}

/// Prints each resource that is otherwise, and how.
pub(super) fn print(hub: &Hub, case: &Case, only: &[Resource]) -> Result<()> {
    let all = resources(hub, case, only)?;
    if all.is_empty() {
        say::note("nothing is otherwise");
    }
    for (index, (name, how)) in all.iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        match how {
            How::Gone => say::line(format!("{gap}{name} is gone"))?,
            how => {
                let difference = touched::difference(hub, case, name, form(false))?;
                // A diff of lines names it in its own first lines.
                match difference.form {
                    Form::Text => say::bytes(gap.as_bytes())?,
                    _ if *how == How::New => say::line(format!("{gap}{name} is new"))?,
                    _ => say::line(format!("{gap}{name}"))?,
                }
                shared::print(&difference, None)?;
            }
        }
    }
    Ok(())
}

/// The same as `--json` prints it.
pub(super) fn as_json(hub: &Hub, case: &Case, only: &[Resource]) -> Result<Value> {
    let mut told = Vec::new();
    for (name, how) in resources(hub, case, only)? {
        let mut value = match how {
            How::Gone => json!({ "resource": name.as_str() }),
            _ => {
                shared::as_json(name.as_str(), &touched::difference(hub, case, &name, form(true))?)?
            }
        };
        value["how"] = how.word().into();
        told.push(value);
    }
    Ok(told.into())
}

/// As `esker diff` has it for people; programs are told of cells, too.
fn form(json: bool) -> Form {
    if json || io::stdout().is_terminal() { Form::Auto } else { Form::Text }
}
