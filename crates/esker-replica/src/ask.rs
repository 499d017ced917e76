//! What is asked of a publisher, and what it answers; their forms as messages.

mod answer;

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Section};

use crate::digest::Digest;
use crate::op::{self, Op};
use crate::path::{self, Path};

pub use answer::{Answer, Changed, Cutting, Hello, Page, Replayed};

/// The longest `request-id`, in bytes.
pub const REQUEST_ID_MAX: usize = 64;

/// The most sections, paths or conditions in one request.
pub const NAMED_MAX: usize = 10_000;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Where are you?
    Hello,
    /// The transactions after one.
    Replay(Replay),
    /// The model, to stay as it is now, or was a moment ago.
    Cut(Cut),
    /// A chunk of a cut.
    Chunk {
        /// Which cut.
        cut: u64,
        /// Which chunk, from 0 on.
        index: u32,
        /// Whether it may be compressed.
        zstd: bool,
    },
    /// Digests in a cut; the queries as they travel.
    Nodes {
        /// Which cut.
        cut: u64,
        /// See `docs/sync.md`.
        queries: Bytes,
    },
    /// Nodes of a cut.
    Get {
        /// Which cut.
        cut: u64,
        /// The nodes, each with all below it.
        paths: Vec<Path>,
        /// Only what comes behind this.
        after: Option<Path>,
        /// Whether it may be compressed.
        zstd: bool,
    },
    /// What has changed.
    Diff(Diff),
    /// A change.
    Put(Put),
    /// Is the digest that of the model?
    Audit,
}

/// Asks for a model that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cut {
    /// Which sections; none for all.
    pub sections: Vec<Path>,
    /// The transaction it has to have, at least.
    pub from: u64,
}

/// Asks for the transactions after one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The epoch meant.
    pub epoch: u64,
    /// The last transaction that is known.
    pub after: u64,
    /// Which sections; none for all.
    pub sections: Vec<Path>,
    /// About how many bytes to answer at most.
    pub bytes_max: usize,
}

/// Asks for what has changed since a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The epoch meant.
    pub epoch: u64,
    /// The last transaction that is known.
    pub from: u64,
    /// Which sections; none for all.
    pub sections: Vec<Path>,
    /// The cut of the page before, and where that ended.
    pub after: Option<(u64, Path)>,
    /// Whether it may be compressed.
    pub zstd: bool,
}

/// Asks for a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Put {
    /// What is to be done, all of it or nothing.
    pub ops: Vec<Op>,
    /// What has to hold: the digests of nodes, zero where nothing is to be.
    pub conditions: Vec<(Path, Digest)>,
    /// Makes it safe to ask again.
    pub request_id: Option<String>,
}

impl Ask {
    /// As a message to the publisher of a model.
    pub fn to_message(&self, model: &str) -> Message {
        let mut message = Message::request(self.verb(), model);
        let mut body = None;
        let head = message.head_mut();
        match self {
            Self::Hello | Self::Audit => {}
            Self::Replay(replay) => {
                head.push("epoch", replay.epoch);
                head.push("after", replay.after);
                head.push("max-bytes", replay.bytes_max);
                push_paths(head, "section", &replay.sections);
            }
            Self::Cut(cut) => {
                if cut.from > 0 {
                    head.push("from", cut.from);
                }
                push_paths(head, "section", &cut.sections);
            }
            Self::Chunk { cut, index, zstd } => {
                head.push("cut", cut);
                head.push("index", index);
                push_zstd(head, *zstd);
            }
            Self::Nodes { cut, queries } => {
                head.push("cut", cut);
                body = Some(queries.clone());
            }
            Self::Get { cut, paths, after, zstd } => {
                head.push("cut", cut);
                push_paths(head, "path", paths);
                push_paths(head, "after", after.as_slice());
                push_zstd(head, *zstd);
            }
            Self::Diff(diff) => {
                head.push("epoch", diff.epoch);
                head.push("from", diff.from);
                push_paths(head, "section", &diff.sections);
                if let Some((cut, after)) = &diff.after {
                    head.push("cut", cut);
                    push_paths(head, "after", std::slice::from_ref(after));
                }
                push_zstd(head, diff.zstd);
            }
            Self::Put(put) => {
                for (path, digest) in &put.conditions {
                    head.push("if", format!("{} {}", kind(*digest), path::to_json(path)));
                }
                if let Some(id) = &put.request_id {
                    head.push("request-id", id);
                }
                body = Some(op::encode(&put.ops).into());
            }
        }
        message.body.extend(body);
        message
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::Replay(_) => "REPLAY",
            Self::Cut(_) => "CUT",
            Self::Chunk { .. } => "CHUNK",
            Self::Nodes { .. } => "NODES",
            Self::Get { .. } => "GET",
            Self::Diff(_) => "DIFF",
            Self::Put(_) => "PUT",
            Self::Audit => "AUDIT",
        }
    }

    /// Reads a message; which model it is for is its subject.
    ///
    /// # Errors
    /// `bad-request` naming the verb or the field.
    pub fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let zstd = head.all("accept").any(|accept| accept == "zstd");
        Ok(match message.verb() {
            "HELLO" => Self::Hello,
            "AUDIT" => Self::Audit,
            "REPLAY" => Self::Replay(Replay {
                epoch: head.require("epoch")?,
                after: head.require("after")?,
                sections: paths(head, "section")?,
                bytes_max: head.parse("max-bytes")?.unwrap_or(usize::MAX),
            }),
            "CUT" => Self::Cut(Cut {
                sections: paths(head, "section")?,
                from: head.parse("from")?.unwrap_or(0),
            }),
            "CHUNK" => {
                Self::Chunk { cut: head.require("cut")?, index: head.require("index")?, zstd }
            }
            "NODES" => Self::Nodes { cut: head.require("cut")?, queries: body(message)? },
            "GET" => Self::Get {
                cut: head.require("cut")?,
                paths: paths(head, "path")?,
                after: paths(head, "after")?.pop(),
                zstd,
            },
            "DIFF" => Self::Diff(Diff {
                epoch: head.require("epoch")?,
                from: head.require("from")?,
                sections: paths(head, "section")?,
                after: match paths(head, "after")?.pop() {
                    Some(after) => Some((head.require("cut")?, after)),
                    None => None,
                },
                zstd,
            }),
            "PUT" => Self::Put(put(message)?),
            other => {
                let hint =
                    "a model answers HELLO, REPLAY, CUT, CHUNK, NODES, GET, DIFF, PUT, AUDIT";
                return Err(Fault::bad_request(format!("there is no verb {other:?}")).hint(hint));
            }
        })
    }
}

fn kind(digest: Digest) -> String {
    if digest == Digest::ZERO { "absent".to_owned() } else { digest.to_string() }
}

fn put(message: &Message) -> Result<Put, Fault> {
    let head = message.head();
    let ops = op::decode(&body(message)?)
        .map_err(|error| Fault::bad_request(format!("cannot read the operations: {error}")))?;
    let mut conditions = Vec::new();
    for text in head.all("if") {
        let bad =
            |what: &str| Fault::bad_request(format!("cannot read the condition {text:?}: {what}"));
        let (kind, path) =
            text.split_once(' ').ok_or_else(|| bad("it is `absent PATH` or `DIGEST PATH`"))?;
        if conditions.len() == NAMED_MAX {
            return Err(bad(&format!("there are more than {NAMED_MAX}")));
        }
        let digest = match kind {
            "absent" => Digest::ZERO,
            digest => digest.parse().map_err(|error: String| bad(&error))?,
        };
        conditions.push((path::from_json(path).map_err(|error| bad(&error))?, digest));
    }
    let request_id = head.get("request-id").map(str::to_owned);
    if request_id.as_ref().is_some_and(|id| id.len() > REQUEST_ID_MAX) {
        let text = format!("the field `request-id` is longer than {REQUEST_ID_MAX} bytes");
        return Err(Fault::bad_request(text));
    }
    Ok(Put { ops, conditions, request_id })
}

fn body(message: &Message) -> Result<Bytes, Fault> {
    let body = message.body.first().cloned();
    body.ok_or_else(|| Fault::bad_request(format!("{} needs a body", message.verb())))
}

fn push_zstd(head: &mut Section, zstd: bool) {
    if zstd {
        head.push("accept", "zstd");
    }
}

fn push_paths(head: &mut Section, key: &'static str, paths: &[Path]) {
    for path in paths {
        head.push(key, path::to_json(path));
    }
}

/// The paths under a key.
fn paths(head: &Section, key: &str) -> Result<Vec<Path>, Fault> {
    let mut found = Vec::new();
    for text in head.all(key) {
        if found.len() == NAMED_MAX {
            let text = format!("more than {NAMED_MAX} fields `{key}`");
            return Err(Fault::bad_request(text));
        }
        let read = path::from_json(text);
        found.push(read.map_err(|error| {
            Fault::bad_request(format!("cannot read the field `{key}`: {error}"))
        })?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
