//! Events: hints that something changed. They carry revisions and the chain's link, never data.

use bytes::Bytes;

use crate::chain::Link;
use crate::fault::Fault;
use crate::message::{Message, PROTOCOL, Section};
use crate::name::{Branch, Resource};
use crate::revision::Revision;
use crate::whatif;

/// What every topic of ours begins with; a heartbeat's topic is exactly this.
pub const TOPIC: &str = "esker/1 ";

/// What a published message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A resource was put.
    Put {
        /// Its place in the chain.
        link: Link,
        /// What was put.
        resource: Resource,
        /// What it is called now, if the event tells of it by an older name: there is one by the other name too.
        now: Option<Resource>,
        /// On which branch.
        branch: Branch,
        /// The resource's revision now; none if it was removed.
        revision: Option<Revision>,
        /// Its revision before.
        previous: Option<Revision>,
    },
    /// Nothing new: the publisher lives, and this is the last link it gave.
    Heartbeat {
        /// The last event's place in the chain (sequence 0 before the first).
        link: Link,
    },
}

impl Event {
    /// Its place in the chain.
    pub fn link(&self) -> Link {
        match self {
            Self::Put { link, .. } | Self::Heartbeat { link } => *link,
        }
    }

    /// Whether the put left the resource as it was.
    pub fn is_unchanged(&self) -> bool {
        matches!(self, Self::Put { revision, previous, .. } if revision == previous)
    }

    /// The frames to publish: the topic, then the head.
    pub fn to_frames(&self) -> Vec<Bytes> {
        let (topic, mut message) = match self {
            Self::Put { resource, now, branch, revision, previous, .. } => {
                let mut message = Message::request("EVENT", resource.as_str());
                let head = message.head_mut();
                head.push("kind", if revision == previous { "unchanged" } else { "put" });
                head.push("branch", branch);
                push_revision(head, "revision", *revision);
                push_revision(head, "previous", *previous);
                if let Some(now) = now {
                    head.push("now", now);
                }
                // Who follows a resource by its name never hears of what would be, if.
                let topic = match whatif::id(branch) {
                    Some(_) => format!("{TOPIC}{branch} {resource}"),
                    None => format!("{TOPIC}{resource}"),
                };
                (topic, message)
            }
            Self::Heartbeat { .. } => (TOPIC.to_owned(), Message::request("HEARTBEAT", "")),
        };
        let link = self.link();
        let head = message.head_mut();
        head.push("epoch", link.epoch);
        head.push("seq", link.seq);
        let mut frames = vec![Bytes::from(topic)];
        frames.extend(message.to_frames());
        frames
    }

    /// Reads published frames.
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_frames(frames: &[Bytes]) -> Result<Self, Fault> {
        let head = frames.get(1..).unwrap_or_default();
        let message = Message::from_frames(head)?;
        let section = message.head();
        let link = Link { epoch: section.require("epoch")?, seq: section.require("seq")? };
        match message.verb() {
            "EVENT" => Ok(Self::Put {
                link,
                resource: message.subject().parse().map_err(Fault::bad_request)?,
                now: section.parse("now")?,
                branch: section.require("branch")?,
                revision: revision(section, "revision")?,
                previous: revision(section, "previous")?,
            }),
            "HEARTBEAT" => Ok(Self::Heartbeat { link }),
            other => Err(Fault::bad_request(format!("{other:?} is no event of {PROTOCOL}"))),
        }
    }
}

/// Writes a revision or the word `none`.
pub(crate) fn push_revision(section: &mut Section, key: &'static str, revision: Option<Revision>) {
    match revision {
        Some(revision) => section.push(key, revision),
        None => section.push(key, "none"),
    }
}

/// Reads a revision or the word `none`.
pub(crate) fn revision(section: &Section, key: &str) -> Result<Option<Revision>, Fault> {
    match section.get(key) {
        Some("none") => Ok(None),
        _ => section.require(key).map(Some),
    }
}

#[cfg(test)]
mod tests;
