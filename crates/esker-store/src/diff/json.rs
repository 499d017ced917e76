//! The difference of two JSON documents: what was added, removed and replaced at which path.
//!
//! Paths are JSON pointers (RFC 6901). Elements of an array are known by their place; if all of them are objects
//! that have a field `id`, `key` or `name` of their own each, by it, and the path says so: `/items/id=7/end`.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::diff::lines::{Lines, Stop, in_time};
use crate::diff::order::{Was, order};

/// What an array's elements are known by, the first that does.
const NAMES: [&str; 3] = ["id", "key", "name"];
/// How much memory one document may take once it is read, in bytes.
const MEMORY_MAX: usize = 256 * 1024 * 1024;
/// What an object takes, and what any other value.
const OBJECT_SIZE: usize = 700;
const VALUE_SIZE: usize = 40;

/// One line of the answer; a promise of docs/protocol.md.
#[derive(Debug, serde::Serialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
enum Change<'a> {
    Add {
        path: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<usize>,
        new: &'a Value,
    },
    Remove {
        path: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<usize>,
        old: &'a Value,
    },
    Replace {
        path: &'a str,
        old: &'a Value,
        new: &'a Value,
    },
    Move {
        path: &'a str,
        from: usize,
        to: usize,
    },
}

/// Compares two contents; an empty one is `null`.
///
/// # Errors
/// [`Stop`] says why they cannot be compared.
pub fn compare(old: &[u8], new: &[u8], until: Instant) -> Result<Bytes, Stop> {
    let old = read(old, "older")?;
    in_time(until)?;
    let new = read(new, "newer")?;
    in_time(until)?;
    Lines::collect(until, |lines| Comparing { lines, path: String::new() }.values(&old, &new))
}

fn read(content: &[u8], which: &str) -> Result<Value, Stop> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if content.is_empty() {
        return Ok(Value::Null);
    }
    if memory(content) > MEMORY_MAX {
        return Err(Stop::TooLarge(format!("it would take over {MEMORY_MAX} bytes of memory")));
    }
    serde_json::from_slice(content).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let what = if error.is_eof() { "ends too early" } else { "is none" };
        Stop::Unreadable(format!("the {which} version {what} ({place})"))
    })
}

/// What a document takes once it is read; brackets within texts are counted too.
fn memory(content: &[u8]) -> usize {
    let sizes = content.iter().map(|byte| match byte {
        b'{' => OBJECT_SIZE,
        b'[' | b',' => VALUE_SIZE,
        _ => 1,
    });
    sizes.sum()
}

/// Whether a text is JSON although nobody said so.
pub(super) fn looks_like(content: &[u8]) -> bool {
    let begins = content.trim_ascii_start().first();
    begins.is_some_and(|byte| [b'{', b'['].contains(byte))
        && serde_json::from_slice::<serde::de::IgnoredAny>(content).is_ok()
}

struct Comparing<'a> {
    lines: &'a mut Lines,
    path: String,
}

impl Comparing<'_> {
    fn values(&mut self, old: &Value, new: &Value) -> Result<(), Stop> {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => self.objects(old, new),
            (Value::Array(old), Value::Array(new)) => self.arrays(old, new),
            (old, new) if old == new => Ok(()),
            (old, new) => self.lines.change(&Change::Replace { path: &self.path, old, new }),
        }
    }

    /// Does something at the path one step down.
    fn below(
        &mut self,
        step: &str,
        compare: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let compared = compare(self);
        self.path.truncate(length);
        compared
    }

    fn objects(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) -> Result<(), Stop> {
        self.lines.in_time()?;
        for (name, old) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
            self.below(name, |this| this.remove(None, old))?;
        }
        for (name, new) in new {
            self.below(name, |this| match old.get(name) {
                Some(old) => this.values(old, new),
                None => this.add(None, new),
            })?;
        }
        Ok(())
    }

    fn arrays(&mut self, old: &[Value], new: &[Value]) -> Result<(), Stop> {
        self.lines.in_time()?;
        let by = NAMES.into_iter().find_map(|name| {
            let (old, new) = (names(old, name)?, names(new, name)?);
            Some((name, old, new))
        });
        if let Some((name, old_names, new_names)) = by {
            return self.named((old, new), name, (&old_names, &new_names));
        }
        for (place, old) in old.iter().enumerate().skip(new.len()) {
            self.below(&place.to_string(), |this| this.remove(Some(place), old))?;
        }
        for (place, new) in new.iter().enumerate() {
            self.below(&place.to_string(), |this| match old.get(place) {
                Some(old) => this.values(old, new),
                None => this.add(Some(place), new),
            })?;
        }
        Ok(())
    }

    fn named(
        &mut self,
        (old, new): (&[Value], &[Value]),
        name: &str,
        (old_names, new_names): (&[String], &[String]),
    ) -> Result<(), Stop> {
        let places: HashMap<&str, usize> =
            old_names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let was: Was = new_names.iter().map(|name| places.get(name.as_str()).copied()).collect();
        let order = order(old.len(), &was);
        let step = |value: &String| format!("{name}={value}");
        for at in order.removed {
            self.below(&step(&old_names[at]), |this| this.remove(Some(at), &old[at]))?;
        }
        for at in order.added {
            self.below(&step(&new_names[at]), |this| this.add(Some(at), &new[at]))?;
        }
        for (from, to) in order.moved {
            self.below(&step(&new_names[to]), |this| {
                this.lines.change(&Change::Move { path: &this.path, from, to })
            })?;
        }
        for (from, to) in order.both {
            self.below(&step(&new_names[to]), |this| this.values(&old[from], &new[to]))?;
        }
        Ok(())
    }

    fn add(&mut self, at: Option<usize>, new: &Value) -> Result<(), Stop> {
        self.lines.change(&Change::Add { path: &self.path, at, new })
    }

    fn remove(&mut self, at: Option<usize>, old: &Value) -> Result<(), Stop> {
        self.lines.change(&Change::Remove { path: &self.path, at, old })
    }
}

/// The elements' names, if all are objects that have one and no two are alike. An empty array has any.
fn names(array: &[Value], field: &str) -> Option<Vec<String>> {
    let name = |element: &Value| match element.as_object()?.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let names: Vec<String> = array.iter().map(name).collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    names.iter().all(|name| seen.insert(name.as_str())).then_some(names)
}

#[cfg(test)]
mod tests;
