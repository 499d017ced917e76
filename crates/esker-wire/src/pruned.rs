//! What was pruned, kept as resources `prune/…` on the branch `records`: git still has each content's hash and size,
//! and this says when it was removed, and by which rule.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::{self, Section};
use crate::name::Resource;
use crate::pointer::ContentId;
use crate::revision::Revision;
use crate::stacked;

/// What the names of these resources begin with.
pub const PREFIX: &str = "prune/";

/// The name of the first section.
const HEAD: &str = "prune v1";

/// When a content was pruned, and by which rule: `2027-05-01T10:00:00Z 90d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// When.
    pub time: Timestamp,
    /// The rule.
    pub keep: String,
}

impl fmt::Display for Tombstone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.keep)
    }
}

impl FromStr for Tombstone {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let (time, keep) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self { time: time.parse()?, keep: keep.to_owned() })
    }
}

/// One content of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedContent {
    /// Which.
    pub id: ContentId,
    /// Its size in bytes.
    pub size: u64,
    /// Whose it was, under the name of then.
    pub resource: Resource,
    /// The commit that made that revision of it.
    pub revision: Revision,
    /// The rule that let it go.
    pub keep: String,
}

impl PrunedContent {
    /// The fields, as in records and replies.
    pub fn to_section(&self) -> Section {
        Section::new("content")
            .with("content-id", self.id)
            .with("size", self.size)
            .with("resource", &self.resource)
            .with("revision", self.revision)
            .with("keep", &self.keep)
    }

    /// Reads [`PrunedContent::to_section`].
    ///
    /// # Errors
    /// `bad-request` naming the field that is missing or cannot be read.
    pub fn from_section(section: &Section) -> Result<Self, Fault> {
        Ok(Self {
            id: section.require("content-id")?,
            size: section.require("size")?,
            resource: section.require("resource")?,
            revision: section.require("revision")?,
            keep: section.require("keep")?,
        })
    }
}

/// What was removed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneRecord {
    /// When.
    pub time: Timestamp,
    /// What.
    pub contents: Vec<PrunedContent>,
}

impl PruneRecord {
    /// A resource for a record of this time; `count` tells how many there are of it already.
    pub fn resource(time: Timestamp, count: usize) -> Resource {
        let digits = time.strftime("%Y-%m-%dT%H-%M-%SZ");
        let name = if count == 0 { digits.to_string() } else { format!("{digits}-{count}") };
        format!("{PREFIX}{name}").parse().expect("digits and dashes are a name")
    }

    /// The record as stacked streams: `prune v1`, then `content` for each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let head = Section::new(HEAD).with("time", self.time);
        let contents = self.contents.iter().map(PrunedContent::to_section);
        for section in std::iter::once(head).chain(contents) {
            let fields = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
            stacked::write(&mut out, &section.name, fields.collect::<String>().as_bytes());
        }
        out
    }

    /// Reads [`PruneRecord::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let sections = message::sections(bytes)?;
        let head = sections.first().filter(|head| head.name == HEAD);
        let head = head.ok_or_else(|| Fault::bad_request(format!("it has no `{HEAD}`")))?;
        let contents = sections[1..].iter().filter(|section| section.name == "content");
        Ok(Self {
            time: head.require("time")?,
            contents: contents.map(PrunedContent::from_section).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
