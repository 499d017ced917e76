//! The requests for large contents: UPLOAD and GC. Both are idempotent: what is done already is not done again.

use bytes::Bytes;
use jiff::Timestamp;

use crate::fault::{Code, Fault};
use crate::message::{Message, Request, Section};
use crate::pointer::ContentId;

/// The largest piece of one UPLOAD, in bytes.
pub const CHUNK_MAX: usize = 4 * 1024 * 1024;

/// Brings a large content in pieces. Nobody sees it until a PUT names it. The subject is the content's hash, the
/// body the piece at `offset`; without a body it only asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Which content.
    pub id: ContentId,
    /// The size of the whole, in bytes.
    pub size: u64,
    /// Where the piece begins.
    pub offset: u64,
    /// The piece; none only asks.
    pub chunk: Option<Bytes>,
}

/// How far an UPLOAD has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// How many bytes are there, from the first; the next piece begins here.
    pub have: u64,
    /// Whether the content is there, checked and durable: a PUT can name it. When all bytes are there and it is
    /// not, ask again a little later.
    pub is_complete: bool,
}

impl Request for Upload {
    type Reply = Uploaded;
    const VERB: &'static str = "UPLOAD";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, &self.id.digits());
        message.head_mut().push("size", self.size);
        message.head_mut().push("offset", self.offset);
        message.body.extend(self.chunk.clone());
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let id = ContentId::from_digits(message.subject()).map_err(Fault::bad_request)?;
        if message.body.len() > 1 {
            let text = format!("the UPLOAD has {} body frames, one is allowed", message.body.len());
            return Err(Fault::bad_request(text));
        }
        let chunk = message.body.first().filter(|chunk| !chunk.is_empty()).cloned();
        let length = chunk.as_ref().map_or(0, Bytes::len);
        if length > CHUNK_MAX {
            let text = format!("the piece has {length} bytes, {CHUNK_MAX} are allowed");
            return Err(Fault::new(Code::TooLarge, text).hint("send it in smaller pieces"));
        }
        let (size, offset): (u64, u64) =
            (head.require("size")?, head.parse("offset")?.unwrap_or(0));
        if offset.checked_add(length as u64).is_none_or(|end| end > size) {
            let text = format!("{length} bytes at {offset} are beyond the size, {size}");
            return Err(Fault::bad_request(text));
        }
        Ok(Self { id, size, offset, chunk })
    }

    fn reply_to_message(reply: &Uploaded) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("have", reply.have);
        message.head_mut().push("complete", if reply.is_complete { "yes" } else { "no" });
        message
    }

    fn reply_from_message(message: &Message) -> Result<Uploaded, Fault> {
        let head = message.head();
        let is_complete = head.get("complete") == Some("yes");
        Ok(Uploaded { have: head.require("have")?, is_complete })
    }
}

/// Looks for large contents that no commit names, and removes them if asked to. It takes a while: the answer is
/// `working` until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gc {
    /// Younger ones stay, in seconds: someone may be about to name them.
    pub grace_s: u64,
    /// Whether to remove them.
    pub remove: bool,
}

/// What GC gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// Nothing yet; ask again.
    Working,
    /// What was found.
    Done {
        /// Those that no commit names and that are old enough; removed if that was asked for.
        unnamed: Vec<Unnamed>,
        /// How many stay.
        kept: u64,
        /// The bytes of those that stay.
        kept_size: u64,
    },
}

/// A large content that no commit names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unnamed {
    /// Which.
    pub id: ContentId,
    /// Its size in bytes.
    pub size: u64,
    /// When it came, or was last named by someone.
    pub time: Timestamp,
}

impl Request for Gc {
    type Reply = Collected;
    const VERB: &'static str = "GC";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, "");
        message.head_mut().push("grace-s", self.grace_s);
        if self.remove {
            message.head_mut().push("remove", "yes");
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        Ok(Self { grace_s: head.require("grace-s")?, remove: head.get("remove") == Some("yes") })
    }

    fn reply_to_message(reply: &Collected) -> Message {
        let mut message = Message::ok();
        match reply {
            Collected::Working => message.head_mut().push("working", "yes"),
            Collected::Done { unnamed, kept, kept_size } => {
                message.head_mut().push("kept", kept);
                message.head_mut().push("kept-size", kept_size);
                let sections = unnamed.iter().map(|one| {
                    Section::new("unnamed")
                        .with("content-id", one.id)
                        .with("size", one.size)
                        .with("time", one.time)
                });
                message.sections.extend(sections);
            }
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Collected, Fault> {
        let head = message.head();
        if head.get("working") == Some("yes") {
            return Ok(Collected::Working);
        }
        let sections = message.sections[1..].iter().filter(|section| section.name == "unnamed");
        let unnamed = sections.map(|section| {
            Ok(Unnamed {
                id: section.require("content-id")?,
                size: section.require("size")?,
                time: section.require("time")?,
            })
        });
        Ok(Collected::Done {
            unnamed: unnamed.collect::<Result<_, Fault>>()?,
            kept: head.require("kept")?,
            kept_size: head.require("kept-size")?,
        })
    }
}
