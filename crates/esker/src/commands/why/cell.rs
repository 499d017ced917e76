//! Finding one cell of a table, or one value of JSON, in a content. Pure.

use std::time::{Duration, Instant};

use esker_store::diff::lines::Stop;
use esker_store::diff::table;
use serde_json::Value;

/// How long one content may take to be read.
const READ_MAX: Duration = Duration::from_secs(10);
/// What an object of JSON is known by, as `esker diff` knows it.
const NAMES: [&str; 3] = ["id", "key", "name"];
/// How deep values are looked for in values.
const DEPTH_MAX: usize = 64;

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What names the row: a cell of it, or `COLUMN=CELL`.
    pub(super) keys: Vec<String>,
    /// The column, or the field or path of JSON.
    pub(super) field: String,
    pub(super) stream: Option<String>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// Its row, for people: `id=TASK-17`.
    pub(super) label: String,
    /// The columns that name the row.
    pub(super) columns: Vec<String>,
    pub(super) value: String,
}

impl Wanted {
    /// What the keys say of cells, whichever column they are of.
    pub(super) fn values(&self) -> Vec<&str> {
        let parts = self.keys.iter().flat_map(|key| {
            let value = key.split_once('=').map(|(_, value)| value);
            [Some(key.as_str()), value]
        });
        parts.flatten().filter(|value| !value.is_empty()).collect()
    }

    /// Every place that is meant, in order.
    pub(super) fn find(&self, content: &[u8]) -> Result<Vec<Spot>, String> {
        let begins = content.trim_ascii_start().first();
        if matches!(begins, Some(b'{' | b'['))
            && let Ok(value) = serde_json::from_slice::<Value>(content)
        {
            return Ok(self.in_json(&value));
        }
        self.in_tables(content).map_err(|stop| stop.to_string())
    }

    fn in_tables(&self, content: &[u8]) -> Result<Vec<Spot>, Stop> {
        let tables = table::read(content, Instant::now() + READ_MAX)?;
        let mut spots = Vec::new();
        for table in &tables {
            if self.stream.as_ref().is_some_and(|stream| *stream != table.name) {
                continue;
            }
            let sheet = table.sheet();
            let Some(field) = sheet.columns.iter().position(|name| *name == self.field) else {
                continue;
            };
            let keys = self.keys.iter().map(|key| place(&sheet, key, field));
            let Some(keys) = keys.collect::<Option<Vec<_>>>() else {
                continue;
            };
            let names = |keys: &[(usize, &str)]| -> Vec<String> {
                keys.iter().map(|(column, _)| sheet.columns[*column].clone()).collect()
            };
            let is_meant = |row: &csv::StringRecord| {
                keys.iter().all(|(column, value)| row.get(*column) == Some(value))
            };
            for row in sheet.rows.iter().filter(|row| is_meant(row)) {
                let parts = names(&keys).into_iter().zip(&keys);
                let parts = parts.map(|(name, (_, value))| format!("{name}={value}"));
                let row_label = parts.collect::<Vec<_>>().join(" ");
                let within = if table.name.is_empty() { "" } else { " in " };
                spots.push(Spot {
                    label: format!("{row_label}{within}{}", table.name),
                    columns: names(&keys),
                    value: row.get(field).unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(spots)
    }

    fn in_json(&self, value: &Value) -> Vec<Spot> {
        let mut spots = Vec::new();
        if self.keys.is_empty() {
            spots.extend(self.field_of(value).map(|found| spot("", found)));
        } else {
            self.walk((value, ""), "", 0, &mut spots);
        }
        spots
    }

    /// Looks at a value, which has this name where it stands, and at all below it.
    fn walk(&self, (value, name): (&Value, &str), path: &str, depth: usize, spots: &mut Vec<Spot>) {
        if depth == DEPTH_MAX {
            return;
        }
        if self.keys.iter().all(|key| is_named(value, name, key))
            && let Some(found) = self.field_of(value)
        {
            spots.push(spot(path, found));
        }
        match value {
            Value::Object(fields) => {
                for (name, below) in fields {
                    self.walk((below, name), &format!("{path}/{name}"), depth + 1, spots);
                }
            }
            Value::Array(elements) => {
                for (at, below) in elements.iter().enumerate() {
                    let step = step(below).unwrap_or_else(|| at.to_string());
                    self.walk((below, ""), &format!("{path}/{step}"), depth + 1, spots);
                }
            }
            _ => {}
        }
    }

    /// The field, by its name or by its path, whose steps are as `esker diff` tells them.
    fn field_of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let Some(path) = self.field.strip_prefix('/') else {
            return value.as_object()?.get(&self.field);
        };
        path.split('/').try_fold(value, |value, part| {
            let part = part.replace("~1", "/").replace("~0", "~");
            match value {
                Value::Object(fields) => fields.get(&part),
                Value::Array(elements) => {
                    let named = elements.iter().find(|one| step(one).as_ref() == Some(&part));
                    named.or_else(|| elements.get(part.parse::<usize>().ok()?))
                }
                _ => None,
            }
        })
    }
}

/// The column of a key and the cell it must have there; a cell alone is looked for in the first column that has it.
fn place<'k>(sheet: &table::Sheet<'_>, key: &'k str, field: usize) -> Option<(usize, &'k str)> {
    if let Some((name, value)) = key.split_once('=')
        && let Some(column) = sheet.columns.iter().position(|column| column == name)
    {
        return Some((column, value));
    }
    let has = |column: &usize| sheet.rows.iter().any(|row| row.get(*column) == Some(key));
    let found = (0..sheet.columns.len()).filter(|column| *column != field).find(has)?;
    Some((found, key))
}

/// Whether a key means this object: by its name where it stands, by one of its names, or by a field of it.
fn is_named(value: &Value, name: &str, key: &str) -> bool {
    let is = |field: &str, text: &str| match value.get(field) {
        Some(Value::String(found)) => found == text,
        Some(Value::Number(found)) => found.to_string() == text,
        _ => false,
    };
    let by_field = key.split_once('=').is_some_and(|(field, text)| is(field, text));
    value.is_object() && (by_field || name == key || NAMES.iter().any(|field| is(field, key)))
}

/// How an element of an array is told: `id=7`.
fn step(value: &Value) -> Option<String> {
    NAMES.iter().find_map(|name| match value.get(*name)? {
        Value::String(text) => Some(format!("{name}={text}")),
        Value::Number(number) => Some(format!("{name}={number}")),
        _ => None,
    })
}

fn spot(path: &str, value: &Value) -> Spot {
    let value = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let label = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    Spot { label, columns: Vec::new(), value }
}

#[cfg(test)]
mod tests;
