//! What a tap says, as Singer 0.3 has it: lines of JSON that are a SCHEMA, a RECORD, a STATE or an ACTIVATE_VERSION.
//!
//! A stream becomes lines of JSON, one a record, in the order of its keys; a record replaces the one of the same
//! keys. Without keys a record is its own key, so that one that comes again is there once.

mod row;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::row::canonical;
pub(super) use self::row::{Key, Row};

/// How much of a line is shown that cannot be understood.
const SHOWN_MAX: usize = 120;
/// The field that says that a record is one of something that is gone.
const DELETED: &str = "_sdc_deleted_at";

/// What is wrong with what a tap says: where, what, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) what: String,
    pub(super) hint: &'static str,
}

/// All that a tap has said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) streams: BTreeMap<String, Stream>,
    /// Where it wants to go on from.
    pub(super) bookmark: Option<String>,
}

/// What was said of one stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The properties that tell its records apart.
    pub(super) keys: Vec<String>,
    pub(super) deeds: Vec<Deed>,
}

/// What is to be done to a stream.
#[derive(Debug)]
pub(super) enum Deed {
    /// Keep this record, in place of one with the same keys.
    Keep { row: Row, version: Option<i64> },
    /// Remove the record with these keys.
    Remove(Key),
    /// Remove what is of another version.
    Activate(i64),
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    key_properties: Option<Vec<String>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    version: Option<i64>,
}

/// Reads what a tap has printed.
pub(super) fn read(printed: &[u8]) -> Result<Said, Wrong> {
    let mut said = Said::default();
    for (index, line) in printed.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        said.take(line).map_err(|(what, hint)| Wrong { line: index + 1, what, hint })?;
    }
    Ok(said)
}

type Fault = (String, &'static str);

impl Said {
    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        let message: Message<'_> =
            serde_json::from_slice(line).map_err(|error| not_said(line, &error))?;
        match message.kind.as_ref() {
            "SCHEMA" => self.schema(message),
            "RECORD" => self.record(&message),
            "STATE" => {
                let value = message.value.ok_or_else(|| lacks("STATE", "value"))?;
                self.bookmark = Some(canonical(value.get()).map_err(|why| (why, MEND))?);
                Ok(())
            }
            "ACTIVATE_VERSION" => {
                let version =
                    message.version.ok_or_else(|| lacks("ACTIVATE_VERSION", "version"))?;
                self.stream(&message)?.deeds.push(Deed::Activate(version));
                Ok(())
            }
            "BATCH" => {
                let hint = "set it up without `batch_config`, so that it prints RECORDs";
                Err(("a BATCH, which names files elsewhere".to_owned(), hint))
            }
            other => Err((format!("a message of the type {other:?}, which is not known"), MEND)),
        }
    }

    fn schema(&mut self, message: Message<'_>) -> Result<(), Fault> {
        let name = message.stream.ok_or_else(|| lacks("SCHEMA", "stream"))?;
        let keys = message.key_properties.unwrap_or_default();
        let stream = self.streams.entry(name.clone().into_owned()).or_default();
        if !stream.deeds.is_empty() && stream.keys != keys {
            let what = format!("the key of {name} changes from {:?} to {keys:?}", stream.keys);
            return Err((what, MEND));
        }
        stream.keys = keys;
        Ok(())
    }

    fn record(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        let record = message.record.ok_or_else(|| lacks("RECORD", "record"))?;
        let version = message.version;
        let stream = self.stream(message)?;
        let row = Row::read(record.get(), &stream.keys).map_err(|why| (why, MEND))?;
        if let Some(key) = row.lacks(&stream.keys) {
            let name = message.stream.as_deref().unwrap_or_default();
            return Err((format!("a record of {name} lacks its key `{key}`"), MEND));
        }
        stream.deeds.push(match row.has(DELETED) {
            true => Deed::Remove(row.key),
            false => Deed::Keep { row, version },
        });
        Ok(())
    }

    /// The stream that a message speaks of, which must have been announced.
    fn stream(&mut self, message: &Message<'_>) -> Result<&mut Stream, Fault> {
        let kind = &message.kind;
        let name = message.stream.as_ref().ok_or_else(|| lacks(kind, "stream"))?;
        let hint = "the tap must print a SCHEMA for each stream first: it is the tap's fault";
        let stream = self.streams.get_mut(name.as_ref());
        stream.ok_or_else(|| (format!("a {kind} of {name} before its SCHEMA"), hint))
    }
}

const MEND: &str = "it is the tap's fault: mend it, or use another version of it";

fn lacks(kind: &str, field: &str) -> Fault {
    (format!("a {kind} without `{field}`"), MEND)
}

fn not_said(line: &[u8], error: &serde_json::Error) -> Fault {
    let text = String::from_utf8_lossy(line);
    let shown = match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    };
    let what = if error.is_data() { "no message" } else { "no JSON" };
    let hint = "a tap may print nothing but messages; have it log to standard error";
    (format!("{what}: {shown}"), hint)
}

#[cfg(test)]
mod tests;
