//! The changes of tables and of JSON as lines for people, and in one sentence.

use std::collections::BTreeMap;

use anstyle::Style;
use serde_json::Value;

use super::{CYAN, GREEN, RED, YELLOW};

/// How much of one cell or value is shown, in characters.
const SHOWN_MAX: usize = 60;

/// The lines so far, and what was counted.
#[derive(Debug, Default)]
pub(in crate::commands) struct Page {
    lines: Vec<(Style, String)>,
    counts: BTreeMap<&'static str, usize>,
    /// The row whose cells are told last: they share a line.
    row: Option<String>,
    /// The columns of the table that is told just now.
    columns: Vec<String>,
    cut: bool,
}

/// What is counted, in the order of the sentence: the word for one, for several, what happened.
const COUNTED: [(&str, &str, &str, &str); 13] = [
    ("row-add", "row", "rows", " added"),
    ("row-remove", "row", "rows", " removed"),
    ("row-move", "row", "rows", " moved"),
    ("column-add", "column", "columns", " added"),
    ("column-remove", "column", "columns", " removed"),
    ("column-move", "column", "columns", " moved"),
    ("stream-add", "stream", "streams", " added"),
    ("stream-remove", "stream", "streams", " removed"),
    ("stream-move", "stream", "streams", " moved"),
    ("replace", "value", "values", " replaced"),
    ("add", "value", "values", " added"),
    ("remove", "value", "values", " removed"),
    ("move", "element", "elements", " moved"),
];

impl Page {
    /// Adds one line of the answer.
    pub(in crate::commands) fn add(&mut self, change: &Value) {
        let text = |name: &str| change[name].as_str().unwrap_or_default();
        let op = text("op");
        if let Some((counted, ..)) = COUNTED.iter().find(|(counted, ..)| *counted == op) {
            *self.counts.entry(counted).or_default() += 1;
        }
        if op == "cell" {
            return self.cell(change);
        }
        self.row = None;
        match op {
            "table" => self.table(change),
            "cut" => self.cut = true,
            "line-add" => self.push(GREEN, format!("+ {}", text("text"))),
            "line-remove" => self.push(RED, format!("- {}", text("text"))),
            "stream-add" => self.push(GREEN, format!("+ stream {}", text("stream"))),
            "stream-remove" => {
                let rows = count(change["rows"].as_u64(), "row", "rows");
                self.push(RED, format!("- stream {}  ({rows})", text("stream")));
            }
            "stream-move" => {
                self.push(YELLOW, format!("> stream {}{}", text("stream"), way(change)))
            }
            "column-add" => self.push(GREEN, format!("+ column {}", text("column"))),
            "column-remove" => self.push(RED, format!("- column {}", text("column"))),
            "column-move" => {
                self.push(YELLOW, format!("> column {}{}", text("column"), way(change)))
            }
            "row-add" => self.push(GREEN, format!("+ {}{}", row(change), self.cells(change))),
            "row-remove" => self.push(RED, format!("- {}{}", row(change), self.cells(change))),
            "row-move" => self.push(YELLOW, format!("> {}{}", row(change), way(change))),
            _ => self.value(op, change),
        }
    }

    fn value(&mut self, op: &str, change: &Value) {
        let path = match change["path"].as_str() {
            None | Some("") => "the whole",
            Some(path) => path,
        };
        let (old, new) = (value(&change["old"]), value(&change["new"]));
        match op {
            "add" => self.push(GREEN, format!("+ {path}: {new}")),
            "remove" => self.push(RED, format!("- {path}: {old}")),
            "replace" => self.push(YELLOW, format!("~ {path}: {old} → {new}")),
            "move" => self.push(YELLOW, format!("> {path}{}", way(change))),
            // A later hub may tell what this program does not know.
            _ => self.push(Style::new(), format!("  {change}")),
        }
    }

    fn table(&mut self, change: &Value) {
        let names = |name: &str| -> Vec<String> {
            let list = change[name].as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        self.columns = names("columns");
        let key = names("key");
        let by = if key.is_empty() { "the order of rows".to_owned() } else { key.join(", ") };
        let stream =
            change["stream"].as_str().map(|stream| format!("{stream}  ")).unwrap_or_default();
        let note = change["note"].as_str().map(|note| format!("  ({note})")).unwrap_or_default();
        self.push(CYAN, format!("{stream}by {by}{note}"));
    }

    /// The cells of one row stand on one line.
    fn cell(&mut self, change: &Value) {
        *self.counts.entry("cell").or_default() += 1;
        let old = change["old"].as_str().map(shown);
        let old = old.map(|old| format!("{old} → ")).unwrap_or_default();
        let column = change["column"].as_str().unwrap_or_default();
        let text = format!("{column}: {old}{}", shown(change["new"].as_str().unwrap_or_default()));
        let row = row(change);
        match self.lines.last_mut() {
            Some((_, line)) if self.row.as_ref() == Some(&row) => {
                line.push_str(&format!("  {text}"))
            }
            _ => {
                *self.counts.entry("changed").or_default() += 1;
                self.push(YELLOW, format!("~ {row}  {text}"));
            }
        }
        self.row = Some(row);
    }

    fn push(&mut self, style: Style, line: String) {
        self.lines.push((style, line));
    }

    /// The filled cells of a row, in the columns' order, without those that its key tells already.
    fn cells(&self, change: &Value) -> String {
        let Some(cells) = change["cells"].as_object() else {
            return String::new();
        };
        let place = |name: &str| self.columns.iter().position(|column| column == name);
        let mut cells: Vec<(&String, &str)> =
            cells.iter().filter_map(|(name, cell)| Some((name, cell.as_str()?))).collect();
        cells.retain(|(name, cell)| !cell.is_empty() && change["key"].get(*name).is_none());
        cells.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        cells.iter().map(|(name, cell)| format!("  {name}: {}", shown(cell))).collect()
    }

    /// The lines, and all in one sentence.
    pub(in crate::commands) fn finish(self) -> (Vec<(Style, String)>, String) {
        let mut parts = Vec::new();
        if let Some(cells) = self.counts.get("cell") {
            let rows = self.counts.get("changed").copied().unwrap_or_default();
            parts.push(format!(
                "{} in {}",
                many(*cells, "cell", "cells"),
                many(rows, "row", "rows")
            ));
        }
        for (op, one, several, what) in COUNTED {
            if let Some(times) = self.counts.get(op) {
                parts.push(format!("{}{what}", many(*times, one, several)));
            }
        }
        let mut summary = parts.join(", ");
        if self.cut {
            summary.push_str("; there is more than is shown");
        }
        (self.lines, summary)
    }
}

/// Which row: by its key, else by its place.
fn row(change: &Value) -> String {
    match change["key"].as_object() {
        Some(key) => {
            let parts = key
                .iter()
                .map(|(name, cell)| format!("{name}={}", shown(cell.as_str().unwrap_or_default())));
            parts.collect::<Vec<_>>().join(" ")
        }
        None => format!("row {}", change["row"].as_u64().or(change["to"].as_u64()).unwrap_or(0)),
    }
}

fn way(change: &Value) -> String {
    let place = |name: &str| change[name].as_u64().unwrap_or_default();
    format!("  moved {} → {}", place("from"), place("to"))
}

fn count(number: Option<u64>, one: &str, several: &str) -> String {
    many(usize::try_from(number.unwrap_or_default()).unwrap_or(usize::MAX), one, several)
}

fn many(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// A value of JSON on one line.
fn value(value: &Value) -> String {
    shortened(value.to_string())
}

/// A cell on one line; one that is empty, or begins or ends with a blank, is quoted.
fn shown(cell: &str) -> String {
    let plain = !cell.is_empty() && cell.trim() == cell && !cell.chars().any(char::is_control);
    shortened(if plain { cell.to_owned() } else { format!("{cell:?}") })
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
