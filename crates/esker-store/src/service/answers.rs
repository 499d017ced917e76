//! Answers to what is asked again and again while nothing changes: GETs of the newest versions.

use std::collections::HashMap;

use bytes::Bytes;
use esker_bus::service::Frames;

/// How much is remembered, in bytes; then all is forgotten.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// The largest answer that is remembered.
const ANSWER_MAX: usize = 256 * 1024;
/// The longest question whose answer is remembered.
const QUESTION_MAX: usize = 1024;

/// Answers that are good until something is stored.
#[derive(Default)]
pub(super) struct Answers {
    known: HashMap<Vec<u8>, Frames>,
    bytes: usize,
}

impl Answers {
    pub(super) fn get(&self, question: &[u8]) -> Option<Frames> {
        self.known.get(question).cloned()
    }

    pub(super) fn insert(&mut self, question: Vec<u8>, answer: &Frames) {
        let bytes = question.len() + answer.iter().map(Bytes::len).sum::<usize>();
        let is_good = answer.first().is_some_and(|head| head.starts_with(b"=====esker/1 OK"));
        if bytes > ANSWER_MAX || !is_good {
            return;
        }
        if self.bytes + bytes > BYTES_MAX {
            self.forget();
        }
        self.bytes += bytes;
        self.known.insert(question, answer.clone());
    }

    /// Something is stored.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.bytes = 0;
    }
}

/// What is asked without the number the asker gave it, if the answer may be remembered: one that names a version
/// may mean a time, and another one the next moment.
pub(super) fn question(frames: &Frames) -> Option<Vec<u8>> {
    let [head] = frames.as_slice() else {
        return None;
    };
    if head.len() > QUESTION_MAX || !head.starts_with(b"=====esker/1 GET ") {
        return None;
    }
    let mut question = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"\tat:") {
            return None;
        }
        if !line.starts_with(b"\tid:") {
            question.extend_from_slice(line);
        }
    }
    Some(question)
}
