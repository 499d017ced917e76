//! Chunks of a copy, read: work that needs nothing of the replica, and may be done on any thread.

use bytes::Bytes;

use crate::ask::{Answer, Ask};
use crate::bytes::Malformed;
use crate::frame::Frame;
use crate::model::append::Piece;

/// An answer, as far as it was worked out without the replica.
#[derive(Debug)]
pub struct Ready(pub(super) Work);

#[derive(Debug)]
pub(super) enum Work {
    /// Nothing was.
    Answer(Answer),
    Chunk(Box<Chunk>),
}

/// A chunk of a copy of the whole model.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) frame: Frame,
    /// What the body says; nothing if it is to be applied to a model, operation by operation.
    pub(super) piece: Option<Piece>,
    /// As it came.
    pub(super) bytes: usize,
}

impl From<Answer> for Ready {
    fn from(answer: Answer) -> Self {
        Self(Work::Answer(answer))
    }
}

impl Ready {
    /// Works out what can be of an answer to a replica of a whole model.
    pub fn new(ask: &Ask, answer: Answer) -> Self {
        if let (Ask::Chunk { .. }, Answer::Frame(bytes)) = (ask, &answer)
            // What cannot be read is found out again, and counted, by the replica.
            && let Ok(chunk) = Chunk::read(bytes, true)
        {
            return Self(Work::Chunk(Box::new(chunk)));
        }
        answer.into()
    }
}

impl Chunk {
    /// Reads a frame; if it is of a whole model, all of it.
    pub(super) fn read(bytes: &Bytes, is_whole: bool) -> Result<Self, Malformed> {
        let frame = Frame::from_one(bytes)?;
        let seq = frame.header.seq;
        let piece = is_whole.then(|| Piece::read(&frame.body, seq)).transpose()?;
        Ok(Self { frame, piece, bytes: bytes.len() })
    }
}
