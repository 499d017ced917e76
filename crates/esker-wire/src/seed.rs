//! The seeds' own message forms, byte for byte as the 2013 clients send and read them.
//!
//! One frame, one request: `=====GET raw qplan` with an optional line `\tVERSION`, or `=====PUT raw qplan` with
//! the content's lines. An answer never ends in a line feed: the original readers would take it for an empty
//! last line. Names are free text; which resource one means is for the service to say.

use bytes::Bytes;

use crate::fault::Fault;
use crate::revision::{At, Revision};
use crate::stacked;

/// A request in the seeds' form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedRequest {
    /// `=====GET NAME`, `\tVERSION`.
    Get {
        /// The name as asked.
        name: String,
        /// The version as asked; the newest if none is.
        at: At,
    },
    /// `=====PUT NAME`, the content's lines.
    Put {
        /// The name as asked.
        name: String,
        /// The content: the lines with their tab off, a line feed between them and none after the last.
        content: Bytes,
    },
}

impl SeedRequest {
    /// Reads the one frame of a request.
    ///
    /// # Errors
    /// `bad-request`, to be answered with [`error`].
    pub fn from_frame(frame: &[u8]) -> Result<Self, Fault> {
        let streams = stacked::parse(frame).map_err(Fault::bad_request)?;
        let [stream] = streams.as_slice() else {
            let message = format!("the message holds {} requests, expected one", streams.len());
            return Err(Fault::bad_request(message));
        };
        if std::str::from_utf8(frame).is_err() {
            return Err(Fault::bad_request("the message is not UTF-8")
                .hint("put binary content with esker/1 PUT, in a frame of its own"));
        }
        let head = String::from_utf8_lossy(stream.name);
        match head.split_once(' ') {
            Some(("GET", name)) if !name.is_empty() => {
                let first = stream.lines.first().copied().unwrap_or_default();
                let version = first.split(|byte| *byte == b'\t').next().unwrap_or_default();
                let version = String::from_utf8_lossy(version);
                let at = match version.trim_end() {
                    "" => At::head(),
                    text => text.parse().map_err(Fault::bad_request)?,
                };
                Ok(Self::Get { name: name.to_owned(), at })
            }
            Some(("PUT", name)) if !name.is_empty() => {
                Ok(Self::Put { name: name.to_owned(), content: stream.unterminated().into() })
            }
            _ => Err(Fault::bad_request(format!("cannot read the request {head:?}"))
                .hint("expected `=====GET NAME` or `=====PUT NAME`")),
        }
    }
}

/// The answer to a GET: the version, then the data.
pub fn content(name: &str, version: Revision, content: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(content.len() + content.len() / 16 + 128);
    stacked::write(&mut out, name, version.to_string().as_bytes());
    stacked::write(&mut out, "data", content);
    out.pop();
    out.into()
}

/// The answer to a PUT.
pub fn ok() -> Bytes {
    Bytes::from_static(b"OK")
}

/// The answer to what cannot be done.
pub fn error(fault: &Fault) -> Bytes {
    Bytes::from(format!("ERROR: {fault}"))
}

/// What is published for every accepted PUT, changed or not: one frame, no line feed.
pub fn event(name: &str) -> Bytes {
    Bytes::from(format!("====={name}"))
}

#[cfg(test)]
mod tests;
