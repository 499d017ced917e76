//! Check files: which kind one is, and what it says.
//!
//! A JSON object with `fields` is a Frictionless Table Schema, one with `resources` a Data Package of several, and
//! anything else a JSON Schema.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use esker_wire::name::Resource;
use serde_json::Value;

use crate::open;

use super::document::{self, Document};
use super::finding::{Finding, Findings};
use super::locate::{self, Form};
use super::schema::{self, Schema, Tables, Target};
use super::table::{self, Part};

/// The largest check file, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// What a check file says.
#[derive(Debug)]
pub(crate) enum Rules {
    /// What a document must be like.
    Document(Box<jsonschema::Validator>),
    /// What tables must be like.
    Tables(Tables),
}

/// Why a check file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// What is wrong, with the file and the line.
    pub(crate) message: String,
    /// What to do; may be empty.
    pub(crate) hint: String,
}

impl Rules {
    /// Reads a check file of a project.
    pub(crate) fn load(dir: &Path, path: &str) -> Result<Self, Unusable> {
        let unusable = |why: String, hint: &str| Unusable {
            message: format!("cannot use the check file {path}: {why}"),
            hint: hint.to_owned(),
        };
        let mut text = String::new();
        let read = open::regular(&dir.join(path))
            .and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text));
        if let Err(error) = read {
            let hint = "write it, or correct the name; a program is a list of words in the list: \
                check = [[\"python3\", \"check.py\"]]";
            return Err(unusable(error.to_string(), hint));
        }
        if text.len() as u64 > FILE_MAX {
            return Err(unusable(format!("it is larger than {FILE_MAX} bytes"), ""));
        }
        Self::read(&text).map_err(|(why, hint)| unusable(why, &hint))
    }

    /// Reads the text of a check file; what is wrong with its line, and what to do, if something is.
    fn read(text: &str) -> Result<Self, (String, String)> {
        let value = document::json(text).map_err(|finding| {
            (format!("it is no JSON: {finding}"), "a schema is written in JSON".to_owned())
        })?;
        let on_line = |pointer: &str, message: String| {
            let pointers = [pointer.to_owned()];
            let offsets = locate::offsets(text, Form::Json, &pointers);
            match locate::lines(text, &offsets).first() {
                Some(Some(line)) => format!("line {line}: {message}"),
                _ => message,
            }
        };
        if schema::is_tables(&value) {
            return match schema::read(&value) {
                Ok(tables) => Ok(Self::Tables(tables)),
                Err(wrong) => {
                    Err((on_line(nearest(&value, &wrong.pointer), wrong.message), wrong.hint))
                }
            };
        }
        if !value.is_object() {
            let hint = "write a JSON Schema, or a Table Schema with `fields`";
            return Err(("it is no schema".to_owned(), hint.to_owned()));
        }
        let options = jsonschema::options().offline().should_validate_formats(true);
        match options.build(&value) {
            Ok(validator) => Ok(Self::Document(Box::new(validator))),
            Err(error) => {
                let pointer = error.instance_path().to_string();
                let message = cut(&error.to_string());
                let hint = "see json-schema.org; a table's schema has `fields`";
                Err((on_line(&pointer, message), hint.to_owned()))
            }
        }
    }

    /// The resources whose current versions it compares with.
    pub(crate) fn references(&self) -> BTreeSet<Resource> {
        let Self::Tables(tables) = self else {
            return BTreeSet::new();
        };
        let schemas: Vec<&Schema> = match tables {
            Tables::One(schema) => vec![schema],
            Tables::Streams(streams) => streams.iter().map(|(_, schema)| schema).collect(),
        };
        let keys = schemas.into_iter().flat_map(|schema| &schema.foreign_keys);
        keys.filter_map(|key| match &key.to {
            Target::Resource(resource, _) => Some(resource.clone()),
            _ => None,
        })
        .collect()
    }

    /// Everything that is wrong with a content, or with one stream of it.
    pub(crate) fn judge(
        &self,
        (content, stream): (&[u8], Option<&str>),
        resources: &BTreeMap<Resource, Bytes>,
    ) -> Findings {
        let part = match stream {
            None => Part::whole(content),
            Some(name) => match Part::stream(content, name) {
                Ok(part) => part,
                Err(finding) => return Findings::one(finding),
            },
        };
        match self {
            Self::Tables(tables) => table::judge(tables, &part, resources),
            Self::Document(validator) => of_document(validator, &part),
        }
    }
}

fn of_document(validator: &jsonschema::Validator, part: &Part<'_>) -> Findings {
    let mut findings = Findings::default();
    let placed = |finding: Finding, line: Option<usize>| Finding {
        stream: part.stream.clone(),
        line: line.map(|line| line + part.before),
        ..finding
    };
    let document = match Document::read(&part.bytes) {
        Ok(document) => document,
        Err(finding) => {
            let line = finding.line;
            return Findings::one(placed(finding, line));
        }
    };
    let mut pointers = Vec::new();
    for error in validator.iter_errors(&document.value) {
        findings.add(|| {
            let pointer = error.instance_path().to_string();
            let place = if pointer.is_empty() { "/" } else { pointer.as_str() };
            let finding = Finding::new(format!("{} ({})", said(&error), error.kind().keyword()));
            let finding = finding.at(place);
            pointers.push(pointer);
            finding
        });
    }
    let lines = document.lines(&pointers);
    let shown = std::mem::take(&mut findings.shown).into_iter().zip(lines);
    findings.shown = shown.map(|(finding, line)| placed(finding, line)).collect();
    findings
}

/// What an error says, with a value that is not longer than what is worth showing.
fn said(error: &jsonschema::ValidationError<'_>) -> String {
    const SHOWN_MAX: usize = 300;
    if is_short(error.instance(), SHOWN_MAX) {
        return cut(&error.to_string());
    }
    cut(&error.masked().to_string())
}

/// Whether a value is written in fewer bytes than this; found without writing it.
fn is_short(value: &Value, max: usize) -> bool {
    fn size(value: &Value, left: &mut usize) {
        let own = match value {
            Value::String(text) => text.len() + 2,
            Value::Array(items) => {
                items.iter().take_while(|_| true).try_for_each(|item| {
                    size(item, left);
                    (*left > 0).then_some(())
                });
                2
            }
            Value::Object(entries) => {
                entries.iter().try_for_each(|(key, value)| {
                    *left = left.saturating_sub(key.len());
                    size(value, left);
                    (*left > 0).then_some(())
                });
                2
            }
            _ => 8,
        };
        *left = left.saturating_sub(own);
    }
    let mut left = max;
    size(value, &mut left);
    left > 0
}

fn cut(message: &str) -> String {
    const SHOWN_MAX: usize = 500;
    let line = message.replace(['\n', '\r'], " ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The pointer, or the longest beginning of it that leads to something.
fn nearest<'p>(value: &Value, pointer: &'p str) -> &'p str {
    let mut pointer = pointer;
    while value.pointer(pointer).is_none() {
        pointer = pointer.rsplit_once('/').map_or("", |(before, _)| before);
    }
    pointer
}

#[cfg(test)]
mod tests;
