//! JSON as Python writes and reads it by default: in its order, of ASCII, with numbers as Python shows them.

use std::fmt::Write;

use crate::path::Key;
use crate::value::{Record, Value};

/// How deep what is read may be: a model's dicts, and lists and records in its leaves.
const DEPTH_MAX: usize = crate::path::DEPTH_MAX + crate::value::LISTS_MAX;

/// JSON that keeps its order, and integers of any size.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// Its digits.
    Integer(String),
    Float(f64),
    Text(String),
    List(Vec<Plain>),
    Dict(Vec<(String, Plain)>),
}

/// A float as Python shows it: `1e+16`, `1e-05`, `100.0`.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // Both languages show the fewest digits that are this number and no other; they differ in where the exponent begins.
    let shown = format!("{number:e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

/// Appends a text in quotes, of ASCII alone.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// A leaf's text; none if there are bytes in it, which JSON has not.
pub(super) fn of_value(value: &Value) -> Option<String> {
    let mut out = String::new();
    append_value(value, &mut out)?;
    Some(out)
}

fn append_value(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Large(number) => out.push_str(&number.get().to_string()),
        Value::Float(number) => out.push_str(&float(number.get())),
        Value::Text(text) => quote(text, out),
        Value::Bytes(_) => return None,
        Value::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                append_value(value, out)?;
            }
            out.push(']');
        }
        Value::Record(record) => {
            out.push('{');
            for (index, (name, value)) in record.values().iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                quote(name, out);
                out.push_str(": ");
                append_value(value, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

impl Plain {
    /// Reads what Python reads: order is kept, of several values of a key the last is taken, in the place of the first.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let text =
            std::str::from_utf8(text).map_err(|error| format!("it is not UTF-8: {error}"))?;
        let mut reader = Reader { text, at: 0 };
        let plain = reader.value(0)?;
        reader.blanks();
        if reader.at < text.len() {
            return Err(reader.wrong("something after its end"));
        }
        Ok(plain)
    }

    /// Appends it as Python writes it.
    pub(super) fn append(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Integer(digits) => out.push_str(digits),
            Self::Float(number) => out.push_str(&float(*number)),
            Self::Text(text) => quote(text, out),
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    value.append(out);
                }
                out.push(']');
            }
            Self::Dict(values) => {
                out.push('{');
                for (index, (name, value)) in values.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    quote(name, out);
                    out.push_str(": ");
                    value.append(out);
                }
                out.push('}');
            }
        }
    }

    /// As a leaf of a model of ours; an integer of more than 64 bits is told as a text, so that no digit is lost.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Integer(digits) => match (digits.parse::<i64>(), digits.parse::<u64>()) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(number)) => Value::from(number),
                _ => Value::Text(digits.into()),
            },
            Self::Float(number) => Value::from(*number),
            Self::Text(text) => Value::Text(text.into()),
            Self::List(values) => Value::List(values.iter().map(Self::to_value).collect()),
            Self::Dict(values) => Value::Record(Record::new(
                values.iter().map(|(name, value)| (Key::new(name), value.to_value())),
            )),
        }
    }
}

/// Reads JSON from the front.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Whether this is next; then it is taken.
    fn takes(&mut self, what: &str) -> bool {
        let is_next = self.rest().starts_with(what);
        self.at += if is_next { what.len() } else { 0 };
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Plain, String> {
        const WORDS: [(&str, Plain); 6] = [
            ("null", Plain::Null),
            ("true", Plain::Bool(true)),
            ("false", Plain::Bool(false)),
            ("NaN", Plain::Float(f64::NAN)),
            ("Infinity", Plain::Float(f64::INFINITY)),
            ("-Infinity", Plain::Float(f64::NEG_INFINITY)),
        ];
        self.blanks();
        if depth > DEPTH_MAX {
            return Err(self.wrong("it is too deep"));
        }
        if let Some((_, plain)) = WORDS.into_iter().find(|(word, _)| self.takes(word)) {
            return Ok(plain);
        }
        match self.rest().as_bytes().first() {
            Some(b'"') => Ok(Plain::Text(self.quoted()?)),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.dict(depth),
            _ => self.number(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Plain, String> {
        self.takes("[");
        let mut values = Vec::new();
        self.blanks();
        while !self.takes("]") {
            if !values.is_empty() && !self.takes(",") {
                return Err(self.wrong("a comma is missing"));
            }
            values.push(self.value(depth + 1)?);
            self.blanks();
        }
        Ok(Plain::List(values))
    }

    fn dict(&mut self, depth: usize) -> Result<Plain, String> {
        self.takes("{");
        let mut values: Vec<(String, Plain)> = Vec::new();
        let mut places = rustc_hash::FxHashMap::default();
        self.blanks();
        while !self.takes("}") {
            if !values.is_empty() && !self.takes(",") {
                return Err(self.wrong("a comma is missing"));
            }
            self.blanks();
            let key = self.quoted()?;
            self.blanks();
            if !self.takes(":") {
                return Err(self.wrong("a colon is missing"));
            }
            let value = self.value(depth + 1)?;
            match places.get(&key) {
                Some(&place) => values[place] = (key, value),
                None => {
                    places.insert(key.clone(), values.len());
                    values.push((key, value));
                }
            }
            self.blanks();
        }
        Ok(Plain::Dict(values))
    }

    fn number(&mut self) -> Result<Plain, String> {
        let is_part =
            |character: char| matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let rest = self.rest();
        let text = &rest[..rest.find(|character| !is_part(character)).unwrap_or(rest.len())];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let begins = digits.starts_with(|character: char| character.is_ascii_digit());
        if !begins
            || digits.len() > 1
                && digits.starts_with('0')
                && !digits[1..].starts_with(['.', 'e', 'E'])
        {
            return Err(self.wrong("no value"));
        }
        let plain = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Plain::Integer(if digits == "0" { "0" } else { text }.to_owned())
        } else {
            Plain::Float(text.parse().map_err(|_| self.wrong("no number"))?)
        };
        self.at += text.len();
        Ok(plain)
    }

    fn quoted(&mut self) -> Result<String, String> {
        if !self.takes("\"") {
            return Err(self.wrong("a text is missing"));
        }
        // UTF-16, because escapes are: a pair of them is one character.
        let mut out = String::new();
        let mut units: Vec<u16> = Vec::new();
        loop {
            let rest = self.rest();
            let Some(character) = rest.chars().next() else {
                return Err(self.wrong("a text does not end"));
            };
            let escaped = if character == '\\' { self.escape()? } else { None };
            if let Some(unit) = escaped {
                units.push(unit);
                continue;
            }
            out.push_str(&String::from_utf16_lossy(&units));
            units.clear();
            self.at += character.len_utf8();
            match character {
                '"' => return Ok(out),
                '\0'..='\u{1f}' => return Err(self.wrong("a control character in a text")),
                _ => out.push(character),
            }
        }
    }

    /// What a backslash and what follows mean.
    fn escape(&mut self) -> Result<Option<u16>, String> {
        let rest = self.rest().as_bytes();
        let unit = match rest.get(1) {
            Some(b'u') => {
                let digits = rest.get(2..6).and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
                self.at += 4;
                unit.ok_or_else(|| self.wrong("an escape is cut short"))?
            }
            Some(byte @ (b'"' | b'\\' | b'/')) => u16::from(*byte),
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => 10,
            Some(b'r') => 13,
            Some(b't') => 9,
            _ => return Err(self.wrong("no escape")),
        };
        self.at += 2;
        Ok(Some(unit))
    }
}
