//! Where in the text of a document the values at some pointers stand.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Toml,
}

/// The offsets of the values at these pointers (RFC 6901) in a text that can be read.
pub(super) fn offsets(text: &str, form: Form, pointers: &[String]) -> Vec<Option<usize>> {
    match form {
        Form::Json => {
            let wanted: HashMap<&str, Option<usize>> =
                pointers.iter().map(|pointer| (pointer.as_str(), None)).collect();
            let mut walk = Walk { text: text.as_bytes(), at: 0, path: String::new(), wanted };
            walk.value();
            let found = |pointer: &String| walk.wanted.get(pointer.as_str()).copied().flatten();
            pointers.iter().map(found).collect()
        }
        Form::Toml => {
            let (document, _) = DeTable::parse_recoverable(text);
            let root = document.get_ref();
            pointers.iter().map(|pointer| in_toml(root, pointer)).collect()
        }
    }
}

/// The lines of these offsets, from 1, all found in one pass over the text.
pub(super) fn lines(text: &str, offsets: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..offsets.len()).filter(|at| offsets[*at].is_some()).collect();
    order.sort_by_key(|at| offsets[*at]);
    let mut lines = vec![None; offsets.len()];
    let (mut line, mut done) = (1, 0);
    for at in order {
        let offset = offsets[at].unwrap_or(0).min(text.len());
        line += text.as_bytes()[done..offset].iter().filter(|byte| **byte == b'\n').count();
        done = offset;
        lines[at] = Some(line);
    }
    lines
}

fn steps(pointer: &str) -> impl Iterator<Item = String> {
    let steps = pointer.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// Where a value stands, or the nearest around it that has a place of its own.
fn in_toml(root: &DeTable<'_>, pointer: &str) -> Option<usize> {
    let mut table = Some(root);
    let mut array: Option<&[Spanned<DeValue<'_>>]> = None;
    let mut found = Some(0);
    for step in steps(pointer) {
        let value = match (table, array) {
            (Some(table), _) => {
                let (key, value) = table.get_key_value(step.as_str())?;
                found = Some(key.span().start);
                value
            }
            (None, Some(items)) => {
                let value = items.get(step.parse::<usize>().ok()?)?;
                found = Some(value.span().start);
                value
            }
            (None, None) => return found,
        };
        table = value.get_ref().as_table();
        array = value.get_ref().as_array().map(|items| &items[..]);
    }
    found
}

/// A walk over a JSON text that is known to be one.
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    /// The pointer of the value that is looked at.
    path: String,
    wanted: HashMap<&'a str, Option<usize>>,
}

impl Walk<'_> {
    fn value(&mut self) {
        self.blank();
        if let Some(found) = self.wanted.get_mut(self.path.as_str()) {
            *found = Some(self.at);
        }
        match self.peek() {
            Some(b'{') => self.items(b'}', |walk, _| {
                let start = walk.at;
                walk.string();
                let key = serde_json::from_slice::<String>(&walk.text[start..walk.at]);
                walk.blank();
                walk.at += 1;
                key.unwrap_or_default().replace('~', "~0").replace('/', "~1")
            }),
            Some(b'[') => self.items(b']', |_, index| index.to_string()),
            Some(b'"') => self.string(),
            _ => {
                while self.peek().is_some_and(|byte| !b",]} \t\r\n".contains(&byte)) {
                    self.at += 1;
                }
            }
        }
    }

    /// Everything up to the closing bracket; `name` reads what comes before an item and gives its step.
    fn items(&mut self, close: u8, name: impl Fn(&mut Self, usize) -> String) {
        self.at += 1;
        let mut index = 0;
        loop {
            self.blank();
            match self.peek() {
                None => return,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return;
                }
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            let length = self.path.len();
            let step = name(self, index);
            self.path.push('/');
            self.path.push_str(&step);
            self.value();
            self.path.truncate(length);
            index += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests;
