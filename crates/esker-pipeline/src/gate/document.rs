//! Documents: JSON and TOML as values, with the place of everything that is wrong with their text.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::finding::{Finding, plain};
use super::locate::{self, Form};
use super::{BOM, place};

/// The most values one document may hold.
const VALUES_MAX: usize = 4_000_000;

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) value: Value,
    text: &'a str,
    form: Form,
}

impl<'a> Document<'a> {
    /// Reads JSON, or else TOML.
    pub(crate) fn read(content: &'a [u8]) -> Result<Self, Finding> {
        let text = text(content)?;
        if text.trim().is_empty() {
            return Err(Finding::new("it is empty").on_line(1));
        }
        let broken = match json(text) {
            Ok(value) => return Ok(Self { value, text, form: Form::Json }),
            Err(broken) => broken,
        };
        match text.parse::<toml::Table>() {
            Ok(table) => {
                let value = from_toml(toml::Value::Table(table))?;
                Ok(Self { value, text, form: Form::Toml })
            }
            Err(error) if is_tomlish(text) => {
                let finding = Finding::new(one_line(error.message()));
                Err(match error.span() {
                    Some(span) => on(finding, text, span.start),
                    None => finding,
                })
            }
            Err(_) => Err(broken),
        }
    }

    /// The lines of the values at these pointers (RFC 6901), in their order; none for what is not found.
    pub(crate) fn lines(&self, pointers: &[String]) -> Vec<Option<usize>> {
        let offsets = locate::offsets(self.text, self.form, pointers);
        let lines = locate::lines(self.text, &offsets);
        lines.into_iter().collect()
    }
}

/// Reads a JSON text; an object that names a key twice is refused.
pub(crate) fn json(text: &str) -> Result<Value, Finding> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut left = VALUES_MAX;
    let value = Once(&mut left).deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let all = error.to_string();
        let end = format!(" at line {line} column {column}");
        let what = all.strip_suffix(&end).unwrap_or(&all);
        let what = no_number(text, line, column).unwrap_or_else(|| what.to_owned());
        Finding::new(what).on_line(line.max(1)).at(format!("column {column}"))
    })
}

/// The text of a content; a byte order mark and bytes that are not UTF-8 are refused.
fn text(content: &[u8]) -> Result<&str, Finding> {
    if content.starts_with(BOM) {
        let what = "it begins with a byte order mark; save it as UTF-8 without one";
        return Err(Finding::new(what).on_line(1).at("column 1"));
    }
    std::str::from_utf8(content).map_err(|error| {
        let offset = error.valid_up_to();
        let (line, column) = place(content, offset);
        let what = format!("the byte 0x{:02X} is not UTF-8; save it as UTF-8", content[offset]);
        Finding::new(what).on_line(line).at(format!("column {column}"))
    })
}

fn on(finding: Finding, text: &str, offset: usize) -> Finding {
    let (line, column) = place(text.as_bytes(), offset);
    finding.on_line(line).at(format!("column {column}"))
}

/// NaN and infinity are what programs write most often that JSON has no word for.
fn no_number(text: &str, line: usize, column: usize) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let starts = column.saturating_sub(3)..=column;
    let is_near = |word: &&str| {
        starts.clone().any(|at| line.get(at..).is_some_and(|rest| rest.starts_with(*word)))
    };
    let word = ["-Infinity", "Infinity", "NaN"].into_iter().find(is_near)?;
    Some(format!("{word} is no JSON value"))
}

/// Whether a text that is no JSON was more likely meant as TOML.
fn is_tomlish(text: &str) -> bool {
    let begins = |line: &str| {
        let is_key = |c: char| c.is_alphanumeric() || "-_.\"' ".contains(c);
        let title = line.trim_start_matches('[').trim_end().trim_end_matches(']');
        let is_title = line.starts_with('[') && !title.is_empty() && title.chars().all(is_key);
        let key = line.split_once('=').map(|(key, _)| key.trim());
        is_title || key.is_some_and(|key| !key.is_empty() && key.chars().all(is_key))
    };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(begins)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn from_toml(value: toml::Value) -> Result<Value, Finding> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => return Err(Finding::new(format!("{number} is no number that can be checked"))),
        },
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => {
            Value::Array(items.into_iter().map(from_toml).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, from_toml(value)?)));
            Value::Object(entries.collect::<Result<_, _>>()?)
        }
    })
}

/// How many elements a JSON array has; none if the content is not one.
pub(crate) fn elements(content: &[u8]) -> Option<u64> {
    /// Reads an array element by element and keeps none.
    struct Counted(u64);

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Count;

            impl<'de> Visitor<'de> for Count {
                type Value = Counted;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an array")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
                    let mut count = 0;
                    while seq.next_element::<de::IgnoredAny>()?.is_some() {
                        count += 1;
                    }
                    Ok(Counted(count))
                }
            }
            deserializer.deserialize_seq(Count)
        }
    }
    let first = content.iter().find(|byte| !byte.is_ascii_whitespace());
    first.filter(|byte| **byte == b'[')?;
    serde_json::from_slice::<Counted>(content).ok().map(|counted| counted.0)
}

/// Reads a value whose objects name every key once; the number is how many values may still come.
struct Once<'n>(&'n mut usize);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.0 = self.0.checked_sub(1).ok_or_else(|| {
            de::Error::custom(format!("more than {VALUES_MAX} values; check it with a program"))
        })?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Once(&mut *self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.contains_key(&key) {
                return Err(de::Error::custom(format!("the key {:?} comes twice", plain(&key))));
            }
            let value = map.next_value_seed(Once(&mut *self.0))?;
            entries.insert(key, value);
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests;
