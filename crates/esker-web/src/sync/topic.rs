//! Topics: which events a browser wants that says `FOLLOW`.

use std::collections::HashSet;
use std::sync::LazyLock;

use esker_bus::service::Frames;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;

/// What every topic begins with.
pub(super) const ALL: &[u8] = b"esker-sync/1 ";

/// The most sections one browser may name.
const SECTIONS_MAX: usize = 10_000;

/// A key of more bytes than this is told in a topic by its hash.
const KEY_MAX: usize = 200;

/// The key of every hash of a model.
static HASH_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| *blake3::hash(b"esker model v1").as_bytes());

/// What a dict's own hash begins with.
const DICT: u8 = 2;

/// The events a browser wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// What all topics of its model begin with.
    model: Vec<u8>,
    /// What follows that in those it wants; all if it named no sections.
    sections: HashSet<Vec<u8>>,
}

/// Whether a request is for the relay itself.
pub(super) fn is_follow(request: &Frames) -> bool {
    request.first().is_some_and(|head| head.starts_with(b"=====esker/1 FOLLOW"))
}

impl Filter {
    /// Reads a `FOLLOW`.
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read; `too-large` if it names too many sections.
    pub(super) fn read(request: &Frames) -> Result<Self, Fault> {
        let message = Message::from_frames(request)?;
        let model = message.subject();
        if message.verb() != "FOLLOW" || model.is_empty() {
            let text = format!("cannot read {:?}: it names no model", message.head().name);
            return Err(Fault::bad_request(text).hint("`=====esker/1 FOLLOW project`"));
        }
        let mut sections = HashSet::new();
        for text in message.head().all("section") {
            let path: Vec<String> = serde_json::from_str(text).map_err(|error| {
                let text = format!("cannot read the field `section`: {error}");
                Fault::bad_request(text).hint("a path is a JSON array of texts")
            })?;
            if sections.len() == SECTIONS_MAX {
                let text = format!("more than {SECTIONS_MAX} fields `section`");
                return Err(Fault::new(Code::TooLarge, text));
            }
            sections.insert(of_section(&path));
        }
        if !sections.is_empty() {
            // The heartbeats of the whole model are for everybody.
            sections.insert(of_section(&[]));
        }
        Ok(Self { model: [ALL, model.as_bytes(), &[0]].concat(), sections })
    }

    /// Whether an event of this topic is wanted.
    pub(super) fn passes(&self, topic: &[u8]) -> bool {
        topic
            .strip_prefix(self.model.as_slice())
            .is_some_and(|section| self.sections.is_empty() || self.sections.contains(section))
    }
}

/// What the topic of a section has behind the model's name; of the empty path, that of heartbeats of the whole model.
fn of_section(path: &[String]) -> Vec<u8> {
    let mut topic = Vec::new();
    if path.is_empty() {
        topic.push(0);
    }
    for key in path {
        push_key(&mut topic, key.as_bytes());
        topic.push(0);
    }
    topic
}

fn push_key(topic: &mut Vec<u8>, key: &[u8]) {
    if key.is_empty() {
        topic.extend([1, 3]);
    } else if key.len() > KEY_MAX {
        topic.extend([1, 4]);
        topic.extend(hash(key).as_bytes());
    } else {
        for &byte in key {
            match byte {
                0 => topic.extend([1, 1]),
                1 => topic.extend([1, 2]),
                byte => topic.push(byte),
            }
        }
    }
}

/// The digest of a dict whose path is one long key, as text.
fn hash(key: &[u8]) -> String {
    let mut length = Vec::new();
    let mut left = key.len();
    while left >= 0x80 {
        length.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    length.push((left & 0x7f) as u8);
    let told = [&[DICT, 1], length.as_slice(), key].concat();
    let hash = blake3::keyed_hash(&HASH_KEY, &told);
    // A digest is a little-endian integer, and a text of it has the highest digits first.
    hash.as_bytes()[..16].iter().rev().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
