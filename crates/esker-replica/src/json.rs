//! JSON and models: objects are dicts; arrays are lists, and objects in them records.

use std::fmt;

use serde_json::{Map, Number};
use smol_str::SmolStr;

use crate::model::Found;
use crate::path::Key;
use crate::tree::Tree;
use crate::value::{Record, Value};

/// JSON's values.
pub type Json = serde_json::Value;

/// A leaf of this JSON.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => of_number(number),
        Json::String(text) => Value::Text(text.into()),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(values) => Value::Record(Record::new(
            values.iter().map(|(name, one)| (SmolStr::new(name), value(one))),
        )),
    }
}

fn of_number(number: &Number) -> Value {
    match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => Value::from(number),
        (None, Some(number)) => Value::from(number),
        (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// A tree of this JSON.
pub fn tree(json: &Json) -> Tree {
    match json {
        Json::Object(values) => {
            Tree::dict(values.iter().map(|(name, one)| (Key::new(name), tree(one))))
        }
        leaf => Tree::Leaf(value(leaf)),
    }
}

/// A leaf as JSON: bytes, and numbers that JSON has none for, as texts.
pub fn of_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Integer(number) => Json::from(*number),
        Value::Large(number) => Json::from(number.get()),
        Value::Float(number) => {
            let number = number.get();
            Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
        }
        Value::Text(text) => Json::String(text.to_string()),
        Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
        Value::List(values) => Json::Array(values.iter().map(of_value).collect()),
        Value::Record(record) => Json::Object(
            record
                .values()
                .iter()
                .map(|(name, value)| (name.to_string(), of_value(value)))
                .collect(),
        ),
    }
}

/// What is in a model as JSON.
pub fn of_node(found: Found<'_>) -> Json {
    match found {
        Found::Leaf(value) => of_value(value),
        Found::Dict(branch) => {
            let children = branch.children().map(|(key, found)| (key.to_string(), of_node(found)));
            Json::Object(children.collect::<Map<_, _>>())
        }
    }
}

/// As JSON, for people.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", of_value(self))
    }
}

#[cfg(test)]
mod tests;
