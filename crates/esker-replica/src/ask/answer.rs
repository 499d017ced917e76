//! What a publisher answers, and its form as a message.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Section};

use super::{Ask, paths, push_paths};
use crate::digest::Digest;
use crate::frame::Frame;
use crate::path::Path;

/// Where a publisher is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Its start.
    pub epoch: u64,
    /// Its last transaction.
    pub seq: u64,
    /// The model's digest behind it.
    pub digest: Digest,
    /// The oldest transaction that can be replayed.
    pub first: u64,
    /// Where it publishes.
    pub events: String,
    /// How many leaves and dicts the model has.
    pub nodes: u64,
    /// Whether it takes PUTs.
    pub writable: bool,
    /// The dicts whose children are sections.
    pub junctions: Vec<Path>,
}

/// A cut: a model that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutting {
    /// Its number.
    pub cut: u64,
    /// The last transaction in it.
    pub seq: u64,
    /// The digest of it, or of the sections asked for and the junctions above them.
    pub digest: Digest,
    /// How many leaves and dicts there are.
    pub nodes: u64,
}

/// Transactions, as they were published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The last transaction told.
    pub seq: u64,
    /// Whether there is more.
    pub more: bool,
    /// Header and body of each frame as one.
    pub frames: Vec<Bytes>,
}

/// A part of an answer that has many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The cut it is of.
    pub of: Cutting,
    /// What it has.
    pub frame: Bytes,
    /// Where it ended; none if it was the last.
    pub next: Option<Path>,
}

/// What became of a PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It was done: the transaction.
    Done(u64),
    /// These nodes are not as expected; what is there, as a CHUNK frame.
    Conflict(Vec<Path>, Bytes),
}

/// What a publisher answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To HELLO.
    Hello(Hello),
    /// To REPLAY.
    Replayed(Replayed),
    /// To CUT.
    Cut(Cutting),
    /// To CHUNK and NODES: one frame.
    Frame(Bytes),
    /// To GET and DIFF.
    Page(Page),
    /// To PUT.
    Changed(Changed),
    /// To AUDIT: the digest as it is kept, and as it is worked out anew if that is done.
    Audit(u64, Digest, Option<Digest>),
}

impl Answer {
    /// As a message.
    pub fn to_message(&self, epoch: u64) -> Message {
        let mut message = Message::ok();
        let head = message.head_mut();
        head.push("epoch", epoch);
        match self {
            Self::Hello(hello) => push_hello(head, hello),
            Self::Replayed(replayed) => {
                head.push("seq", replayed.seq);
                if replayed.more {
                    head.push("next", replayed.seq);
                }
                message.body.clone_from(&replayed.frames);
            }
            Self::Cut(cutting) => push_cut(head, cutting),
            Self::Frame(frame) => message.body.push(frame.clone()),
            Self::Page(page) => {
                push_cut(head, &page.of);
                push_paths(head, "next", page.next.as_slice());
                message.body.push(page.frame.clone());
            }
            Self::Changed(Changed::Done(seq)) => head.push("seq", seq),
            Self::Changed(Changed::Conflict(paths, frame)) => {
                push_paths(head, "conflict", paths);
                message.body.push(frame.clone());
            }
            Self::Audit(seq, digest, recomputed) => {
                head.push("seq", seq);
                head.push("digest", digest);
                match recomputed {
                    Some(recomputed) => head.push("recomputed", recomputed),
                    None => head.push("working", "yes"),
                }
            }
        }
        message
    }

    /// Reads the answer to a question; which epoch it is of.
    ///
    /// # Errors
    /// The publisher's fault, or `bad-request` if the answer cannot be read.
    pub fn from_message(ask: &Ask, message: &Message) -> Result<(u64, Self), Fault> {
        esker_wire::message::check(message)?;
        let head = message.head();
        let frame = || {
            let frame = message.body.first().cloned();
            frame.ok_or_else(|| Fault::bad_request("the answer has no frame"))
        };
        let answer = match ask {
            Ask::Hello => Self::Hello(hello(head)?),
            Ask::Replay(_) => Self::Replayed(Replayed {
                seq: head.require("seq")?,
                more: head.get("next").is_some(),
                frames: message.body.clone(),
            }),
            Ask::Cut(_) => Self::Cut(cut(head)?),
            Ask::Chunk { .. } | Ask::Nodes { .. } => Self::Frame(frame()?),
            Ask::Get { .. } | Ask::Diff(_) => Self::Page(Page {
                of: cut(head)?,
                frame: frame()?,
                next: paths(head, "next")?.pop(),
            }),
            Ask::Put(_) => {
                let conflicts = paths(head, "conflict")?;
                Self::Changed(match conflicts.is_empty() {
                    true => Changed::Done(head.require("seq")?),
                    false => Changed::Conflict(conflicts, frame()?),
                })
            }
            Ask::Audit => {
                let (seq, digest) = (head.require("seq")?, head.require("digest")?);
                Self::Audit(seq, digest, head.parse("recomputed")?)
            }
        };
        Ok((head.require("epoch")?, answer))
    }
}

fn push_hello(head: &mut Section, hello: &Hello) {
    head.push("seq", hello.seq);
    head.push("digest", hello.digest);
    head.push("first", hello.first);
    head.push("events", &hello.events);
    head.push("nodes", hello.nodes);
    head.push("writable", if hello.writable { "yes" } else { "no" });
    push_paths(head, "junction", &hello.junctions);
}

fn hello(head: &Section) -> Result<Hello, Fault> {
    Ok(Hello {
        epoch: head.require("epoch")?,
        seq: head.require("seq")?,
        digest: head.require("digest")?,
        first: head.require("first")?,
        events: head.require("events")?,
        nodes: head.require("nodes")?,
        writable: head.get("writable") == Some("yes"),
        junctions: paths(head, "junction")?,
    })
}

fn push_cut(head: &mut Section, cutting: &Cutting) {
    head.push("cut", cutting.cut);
    head.push("seq", cutting.seq);
    head.push("digest", cutting.digest);
    head.push("nodes", cutting.nodes);
}

fn cut(head: &Section) -> Result<Cutting, Fault> {
    Ok(Cutting {
        cut: head.require("cut")?,
        seq: head.require("seq")?,
        digest: head.require("digest")?,
        nodes: head.require("nodes")?,
    })
}

impl Changed {
    /// What is there where a PUT expected something else.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn there(frame: &Bytes) -> Result<Frame, Fault> {
        Frame::from_one(frame).map_err(|error| Fault::bad_request(format!("a bad frame: {error}")))
    }
}
