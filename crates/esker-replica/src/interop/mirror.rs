//! Follows a publisher of theirs: what it says becomes operations on a model of ours. Pure.

use super::ordered::{Dict, Node};
use super::text::Plain;
use super::{checksum, shown};
use crate::op::Op;
use crate::path::{self, Path};

/// A copy of a model of theirs.
#[derive(Debug, Default)]
pub struct Mirror {
    data: Dict,
    time: f64,
    /// The time that the publisher told and that was not reached here.
    awaited: Option<f64>,
}

/// What is to be done after a `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both are the same.
    Same,
    /// Changes are on their way: verify again later.
    Later,
    /// They differ: `update`.
    Update,
}

impl Mirror {
    /// Takes a change that was published. One that is not newer than what is here is part of it, or, if their clock went back, missing:
    /// then the next `verify` tells.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub fn delta(&mut self, message: &[u8]) -> Result<Vec<Op>, String> {
        let (time, said) = read(message)?;
        let Plain::Dict(delta) = said else {
            return Err("a change is not a dict".to_owned());
        };
        if time <= self.time {
            return Ok(Vec::new());
        }
        self.time = time;
        let mut ops = Vec::new();
        for (path, text) in dict(delta).breadth_first() {
            self.data.set(&path, Node::Leaf(text.into()));
            put(path, text, &mut ops);
        }
        Ok(ops)
    }

    /// Takes the answer to `update`: the operations that make what was here what is there.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub fn update(&mut self, message: &[u8]) -> Result<Vec<Op>, String> {
        let (time, said) = read(message)?;
        let Plain::Dict(whole) = said else {
            return Err("the whole is not a dict".to_owned());
        };
        let new = dict(whole);
        let mut ops = Vec::new();
        differences(&self.data, &new, &mut Path::new(), &mut ops);
        (self.data, self.time, self.awaited) = (new, time, None);
        Ok(ops)
    }

    /// Takes the answer to `verify`.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub fn verify(&mut self, message: &[u8]) -> Result<Verdict, String> {
        let (time, said) = read(message)?;
        let Plain::Text(theirs) = said else {
            return Err("the checksum is not a text".to_owned());
        };
        if theirs == checksum(&self.data) {
            (self.time, self.awaited) = (time, None);
            return Ok(Verdict::Same);
        }
        // Their checksum is of a moment that may not have come here yet; if it has not by the next time, it will not.
        let late = self.awaited.replace(time).is_some_and(|awaited| self.time < awaited);
        let verdict = if time > self.time && !late { Verdict::Later } else { Verdict::Update };
        Ok(verdict)
    }
}

/// A message: a time, and what it is about.
pub(super) fn read(message: &[u8]) -> Result<(f64, Plain), String> {
    let Plain::List(parts) = Plain::parse(message)? else {
        return Err("a message is not a list".to_owned());
    };
    let Ok([time, said]) = <[Plain; 2]>::try_from(parts) else {
        return Err("a message is not a time and something".to_owned());
    };
    match time {
        Plain::Float(time) if time.is_finite() => Ok((time, said)),
        Plain::Integer(digits) => Ok((digits.parse().map_err(|_| "no time".to_owned())?, said)),
        _ => Err("a message's time is no number".to_owned()),
    }
}

pub(super) fn dict(values: Vec<(String, Plain)>) -> Dict {
    let mut dict = Dict::default();
    for (key, value) in values {
        let node = match value {
            Plain::Dict(below) => Node::Dict(self::dict(below)),
            leaf => {
                let mut text = String::new();
                leaf.append(&mut text);
                Node::Leaf(text.into())
            }
        };
        dict.put(&key.into(), node);
    }
    dict
}

/// Appends the operation for a leaf; one whose path a model of ours cannot have is left out.
fn put(path: Path, text: &str, ops: &mut Vec<Op>) {
    match (path::check(&path), Plain::parse(text.as_bytes())) {
        (Ok(()), Ok(plain)) => ops.push(Op::set(path, plain.to_value())),
        (Err(error), _) => {
            tracing::warn!(path = shown(Some(&path)), %error, "a leaf of theirs is left out");
        }
        (_, Err(_)) => {}
    }
}

fn differences(old: &Dict, new: &Dict, path: &mut Path, ops: &mut Vec<Op>) {
    for (key, _) in old.children().filter(|(key, _)| new.get(key).is_none()) {
        ops.push(Op::delete(path.iter().chain([key]).cloned().collect()));
    }
    let nothing = Dict::default();
    for (key, node) in new.children() {
        path.push(key.clone());
        match (old.get(key), node) {
            (before, Node::Leaf(text)) if before != Some(node) => put(path.clone(), text, ops),
            (_, Node::Leaf(_)) => {}
            (before, Node::Dict(below)) => {
                let before = match before {
                    Some(Node::Dict(before)) => before,
                    _ => {
                        let act = crate::op::Act::Clear;
                        ops.push(Op { path: path.clone(), act });
                        &nothing
                    }
                };
                differences(before, below, path, ops);
            }
        }
        path.pop();
    }
}
