//! Several what-ifs side by side: which cell or value is what in each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bytes::Bytes;
use esker_store::diff::Sides;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::At;
use esker_wire::snapshot::{Difference, Form};
use serde_json::{Value, json};

use crate::commands::diff as shared;
use crate::reach::Hub;
use crate::say;

use super::changes::shortened;
use super::{Case, touched};

/// What is told of a row that is only in some.
const ROW: &str = "(row)";

/// The sets of columns by which the rows of each stream are known.
type Keys = BTreeMap<String, BTreeSet<Vec<String>>>;

/// What one is otherwise.
struct Compared {
    difference: Difference,
    /// Its changes, if they can be told one by one.
    changes: Vec<Value>,
}

impl Compared {
    /// The changes of one stream.
    fn of(&self, stream: &str) -> impl Iterator<Item = &Value> {
        self.changes.iter().filter(move |change| stream_of(change) == stream)
    }
}

/// One cell or value that differs somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// The row, or the path.
    row: String,
    /// The column; empty of a path.
    column: String,
    base: Option<String>,
    /// What it is in each; none where it is as at the base.
    each: Vec<Option<String>>,
}

/// The lines of a resource.
#[derive(Debug, Default)]
struct Page {
    lines: Vec<Line>,
    /// How many are compared.
    count: usize,
    /// Whether there is more than was told.
    cut: bool,
}

/// Prints these resources as they are in each what-if.
pub(super) fn beside(hub: &Hub, cases: &[Case], all: &[Resource], json: bool) -> Result<()> {
    let Some((first, others)) = cases.split_first() else {
        return Ok(());
    };
    let base = first.about.base;
    if others.iter().any(|case| case.about.base != base) {
        say::note(format!(
            "their bases are others: all are compared with {}, that of {}",
            base.short(),
            first.id
        ));
    }
    let mut told = Vec::new();
    for (index, name) in all.iter().enumerate() {
        let old = touched::content(hub, name, (&Branch::main(), At::from(base)))?;
        let mut news = Vec::new();
        for case in cases {
            news.push(touched::content(hub, name, (&case.branch, At::head()))?);
        }
        let differences = compared(name.as_str(), &old, &news)?;
        if json {
            told.push(as_json(name, cases, &differences)?);
            continue;
        }
        say::line(format!("{}{name}", if index > 0 { "\n" } else { "" }))?;
        print(cases, &differences)?;
    }
    if json {
        return Ok(say::json(&told.into())?);
    }
    if all.is_empty() {
        say::note("nothing is otherwise in any of them");
    }
    Ok(())
}

/// What each of several contents is otherwise; rows that can be known by several columns are by the same in all.
fn compared(name: &str, old: &Bytes, news: &[Bytes]) -> Result<Vec<Compared>> {
    let by = |key: &[String]| -> Result<Vec<Compared>> {
        let all = news.iter().map(|new| {
            let sides = Sides::of(name, (old.clone(), new.clone())).by(key.to_vec());
            let difference = sides.compare()?;
            let is_told = difference.form != Form::Text;
            let changes = if is_told { shared::changes(&difference)? } else { Vec::new() };
            Ok(Compared { difference, changes })
        });
        all.collect()
    };
    let mut all = by(&[])?;
    let keys = keys(&all);
    let doubtful = keys.iter().filter(|(_, keys)| keys.len() > 1);
    let mut tried: BTreeMap<&Vec<String>, Option<(Vec<Compared>, Keys)>> = BTreeMap::new();
    for (stream, keys) in doubtful {
        let mut best: Option<(usize, &Vec<String>)> = None;
        for key in keys.iter().filter(|key| !key.is_empty()) {
            // Where one of them has no such columns, or two rows that are the same by them, they name nothing.
            let those = tried.entry(key).or_insert_with(|| {
                let those = by(key).ok()?;
                let used = self::keys(&those);
                Some((those, used))
            });
            let is_by = |used: &Keys| used.get(stream).is_some_and(|used| used.iter().eq([key]));
            let Some((those, _)) = those.as_ref().filter(|(_, used)| is_by(used)) else {
                continue;
            };
            let count = those.iter().flat_map(|one| one.of(stream)).count();
            best = best.filter(|(least, _)| *least <= count).or(Some((count, key)));
        }
        let Some((those, _)) = best.and_then(|(_, key)| tried[key].as_ref()) else {
            continue;
        };
        for (mine, other) in all.iter_mut().zip(those) {
            mine.changes.retain(|change| stream_of(change) != stream);
            mine.changes.extend(other.of(stream).cloned());
        }
    }
    Ok(all)
}

/// By which columns the rows of each stream are known where it is told of.
fn keys(all: &[Compared]) -> Keys {
    let mut keys = Keys::new();
    let changes = all.iter().flat_map(|one| &one.changes);
    for table in changes.filter(|change| change["op"] == "table") {
        let columns = table["key"].as_array().into_iter().flatten();
        let columns = columns.filter_map(Value::as_str).map(str::to_owned).collect();
        keys.entry(stream_of(table).to_owned()).or_default().insert(columns);
    }
    keys
}

fn stream_of(change: &Value) -> &str {
    change["stream"].as_str().unwrap_or_default()
}

/// The lines of what can be told by cells or values; none of what is text.
fn page(all: &[Compared]) -> Option<Page> {
    let is_text =
        |one: &Compared| one.difference.form == Form::Text && !one.difference.body.is_empty();
    if all.iter().any(is_text) {
        return None;
    }
    let mut page = Page { count: all.len(), ..Page::default() };
    for (at, one) in all.iter().enumerate() {
        for change in &one.changes {
            page.add(at, change);
        }
    }
    Some(page)
}

fn print(cases: &[Case], differences: &[Compared]) -> Result<()> {
    let Some(page) = page(differences) else {
        for (case, Compared { difference, .. }) in cases.iter().zip(differences) {
            match difference.body.is_empty() {
                true => say::line(format!("{}: as at the base", case.id))?,
                false => {
                    say::line(format!("{}:", case.id))?;
                    shared::print(difference, None)?;
                }
            }
        }
        return Ok(());
    };
    let mut headings = vec!["row", "column", "base"];
    headings.extend(cases.iter().map(|case| case.id.as_str()));
    let rows = page.lines.iter().map(|line| {
        let mut row = vec![line.row.clone(), line.column.clone()];
        row.push(line.base.as_deref().map_or_else(String::new, shown));
        row.extend(
            line.each.iter().map(|new| new.as_deref().map_or_else(|| "=".to_owned(), shown)),
        );
        row
    });
    say::table(&headings, rows.collect())?;
    if page.cut {
        say::note("there is more than is shown");
    }
    Ok(())
}

fn as_json(name: &Resource, cases: &[Case], differences: &[Compared]) -> Result<Value> {
    let Some(page) = page(differences) else {
        let mut value = json!({ "resource": name.as_str(), "as": "text" });
        for (case, Compared { difference, .. }) in cases.iter().zip(differences) {
            let told = shared::as_json(name.as_str(), difference)?;
            value["what_ifs"][&case.id] = told;
        }
        return Ok(value);
    };
    let lines = page.lines.iter().map(|line| {
        let each = cases.iter().zip(&line.each).map(|(case, new)| {
            let is = new.clone().or_else(|| line.base.clone());
            (case.id.clone(), Value::from(is))
        });
        json!({
            "row": line.row,
            "column": line.column,
            "base": line.base,
            "what_ifs": Value::Object(each.collect()),
        })
    });
    let lines: Vec<Value> = lines.collect();
    Ok(json!({ "resource": name.as_str(), "as": "cells", "cells": lines, "cut": page.cut }))
}

impl Page {
    /// Takes in one change of the what-if of this place.
    fn add(&mut self, at: usize, change: &Value) {
        let text = |name: &str| change[name].as_str().map(str::to_owned);
        let value = |name: &str| match change.get(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(value) => Some(value.to_string()),
        };
        match text("op").unwrap_or_default().as_str() {
            "cell" => {
                let column = text("column").unwrap_or_default();
                self.put(at, (row(change), column), (text("old"), text("new").unwrap_or_default()));
            }
            "row-add" => self.put(at, (row(change), ROW.to_owned()), (None, filled(change))),
            "row-remove" => {
                self.put(
                    at,
                    (row(change), ROW.to_owned()),
                    (Some(filled(change)), "gone".to_owned()),
                );
            }
            "row-move" => {
                let place = |name: &str| change[name].as_u64().map(|at| at.to_string());
                let new = place("to").unwrap_or_default();
                self.put(at, (row(change), "(place)".to_owned()), (place("from"), new));
            }
            "replace" | "add" | "remove" => {
                let path = text("path").filter(|path| !path.is_empty());
                let path = path.unwrap_or_else(|| "the whole".to_owned());
                let new = value("new").unwrap_or_else(|| "gone".to_owned());
                self.put(at, (path, String::new()), (value("old"), new));
            }
            "cut" => self.cut = true,
            "table" => {}
            // Columns and streams that come and go, and what a later store may tell.
            other => {
                let what = text("column").or_else(|| text("stream")).unwrap_or_default();
                self.put(at, (what, String::new()), (None, other.replace('-', " ")));
            }
        }
    }

    fn put(
        &mut self,
        at: usize,
        (row, column): (String, String),
        (old, new): (Option<String>, String),
    ) {
        let same =
            |line: &&mut Line| line.row == row && line.column == column && line.each[at].is_none();
        if let Some(line) = self.lines.iter_mut().find(same) {
            line.each[at] = Some(new);
            line.base = line.base.take().or(old);
            return;
        }
        let mut each = vec![None; self.count];
        each[at] = Some(new);
        self.lines.push(Line { row, column, base: old, each });
    }
}

/// Which row: its stream, and its key or its place.
fn row(change: &Value) -> String {
    let stream = change["stream"].as_str().map(|stream| format!("{stream} ")).unwrap_or_default();
    let key = change["key"].as_object().filter(|key| !key.is_empty());
    let row = match key {
        Some(key) => {
            let cells = key.values().map(|cell| cell.as_str().unwrap_or_default());
            cells.collect::<Vec<_>>().join(", ")
        }
        None => format!("row {}", change["row"].as_u64().or(change["to"].as_u64()).unwrap_or(0)),
    };
    format!("{stream}{row}")
}

/// The filled cells of a row.
fn filled(change: &Value) -> String {
    let cells = change["cells"].as_object();
    let cells = cells.into_iter().flatten().filter_map(|(name, cell)| {
        let cell = cell.as_str().filter(|cell| !cell.is_empty())?;
        Some(format!("{name}: {cell}"))
    });
    cells.collect::<Vec<_>>().join(", ")
}

fn shown(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { shortened(text) }
}

#[cfg(test)]
mod tests;
