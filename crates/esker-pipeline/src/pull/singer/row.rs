//! A record as a line: its fields by name, numbers as they were written, and what tells it from others.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// How deep a record may be.
const DEPTH_MAX: usize = 100;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: Key,
    /// The whole record as one line of JSON, fields by name.
    pub(crate) line: String,
}

/// What tells a record from others of its stream: the values of its key properties, or the whole of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Vec<Part>);

/// A value of a key, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part(String);

impl Part {
    fn number(&self) -> Option<f64> {
        self.0.parse().ok()
    }
}

impl Ord for Part {
    /// Numbers by their size, before all else; everything else as text.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_size = match (self.number(), other.number()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_size.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Row {
    /// Reads a record.
    ///
    /// # Errors
    /// If it is no object, or too deep.
    pub(crate) fn read(json: &str, keys: &[String]) -> Result<Self, String> {
        let line = canonical(json)?;
        let Some(fields) = fields(&line) else {
            return Err("a record that is no object".to_owned());
        };
        let part = |key: &String| {
            Part(fields.get(key).map_or_else(|| "null".to_owned(), |value| value.get().to_owned()))
        };
        let key = match keys {
            [] => Key(vec![Part(line.clone())]),
            keys => Key(keys.iter().map(part).collect()),
        };
        Ok(Self { key, line })
    }

    /// The first of its keys that has no value.
    pub(crate) fn lacks<'k>(&self, keys: &'k [String]) -> Option<&'k String> {
        let pairs = keys.iter().zip(&self.key.0);
        pairs.into_iter().find(|(_, part)| part.0 == "null").map(|(key, _)| key)
    }

    /// Whether a field has a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        // Most records do not even mention it.
        self.line.contains(name)
            && fields(&self.line)
                .is_some_and(|fields| fields.get(name).is_some_and(|value| value.get() != "null"))
    }
}

fn fields(line: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(line).ok()
}

/// JSON without blanks, fields by name, numbers as they were written: no digit is lost.
pub(crate) fn canonical(json: &str) -> Result<String, String> {
    let mut out = String::with_capacity(json.len());
    write(json.trim(), &mut out, DEPTH_MAX)?;
    Ok(out)
}

fn write(json: &str, out: &mut String, depth: usize) -> Result<(), String> {
    let bad = |error: serde_json::Error| format!("JSON that cannot be read: {error}");
    if depth == 0 {
        return Err(format!("JSON that is more than {DEPTH_MAX} deep"));
    }
    match json.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).map_err(bad)?;
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                out.push(':');
                write(value.get(), out, depth - 1)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(bad)?;
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item.get(), out, depth - 1)?;
            }
            out.push(']');
        }
        Some(b'"') => {
            let text: String = serde_json::from_str(json).map_err(bad)?;
            out.push_str(&serde_json::Value::from(text).to_string());
        }
        _ => out.push_str(json),
    }
    Ok(())
}
