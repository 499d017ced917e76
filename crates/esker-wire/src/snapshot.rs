//! The requests of the snapshot service and what answers them.
//!
//! A revision is a commit of the store. Where a reply speaks of a resource's revision it means the commit that
//! last changed that resource, as seen from the commit asked for.

mod ask;
mod branches;
mod diff;
mod log;
mod mirror;
mod prune;
mod put;
mod read;
mod rename;
mod upload;

use bytes::Bytes;
use jiff::Timestamp;

use crate::event::{push_revision, revision};
use crate::fault::Fault;
use crate::message::{Message, Section};
use crate::name::Resource;
use crate::pointer::ContentId;
use crate::provenance::Provenance;
use crate::pruned::Tombstone;
use crate::revision::Revision;

pub use ask::{Health, HealthReport, Resolve, Resolved, Tags, Why, WhyNode};
pub use branches::{Branches, DropBranch};
pub use diff::{Diff, Difference, Form};
pub use log::{Filter, LOG_MAX, Log, Mark, Page};
pub use mirror::MirrorReport;
pub use prune::{PRUNED_MAX, Prune, PruneReport, PruneTally, Pruned, Stays, Tally};
pub use put::{Expect, Item, Put, Stored, StoredItem, Tag};
pub use read::{Content, Get, LIST_MAX, List, Listing, Range, Stat};
pub use rename::{Move, Moved};
pub use upload::{CHUNK_MAX, Collected, Gc, Unnamed, Upload, Uploaded};

/// One revision of one resource, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which resource: what it was called at this revision, or is at the one asked for.
    pub resource: Resource,
    /// The name it was asked for by, if that is another.
    pub asked: Option<Resource>,
    /// What it was called before, if this revision gave it another name.
    pub moved_from: Option<Resource>,
    /// The commit that made this revision of it.
    pub revision: Revision,
    /// The commit that made the revision before, where it is known.
    pub previous: Option<Revision>,
    /// The git blob of the content; none if this revision removed the resource.
    pub blob: Option<Revision>,
    /// The content's hash, if it is a large one: then the blob is a pointer of git-lfs.
    pub content_id: Option<ContentId>,
    /// The content's size in bytes.
    pub size: u64,
    /// When the content was removed, and by which rule, if it is not there any more.
    pub pruned: Option<Tombstone>,
    /// What the content is, as the PUT said.
    pub content_type: Option<String>,
    /// The commit's time.
    pub time: Timestamp,
    /// Who put it: `name <mail>`.
    pub author: String,
    /// The first line of the commit's message.
    pub summary: String,
    /// The run that made it, if one did.
    pub provenance: Option<Provenance>,
}

impl Entry {
    fn to_section(&self, name: String) -> Section {
        let mut section =
            Section::new(name).with("resource", &self.resource).with("revision", self.revision);
        push_revision(&mut section, "previous", self.previous);
        section = section.with_some("asked", self.asked.as_ref());
        section = section.with_some("moved-from", self.moved_from.as_ref());
        push_revision(&mut section, "blob", self.blob);
        section.push("size", self.size);
        section = section.with_some("pruned", self.pruned.as_ref());
        section = section.with_some("content-id", self.content_id);
        section = section.with_some("content-type", self.content_type.as_ref());
        section.push("time", self.time);
        section.push("author", &self.author);
        section.push("summary", &self.summary);
        if let Some(provenance) = &self.provenance {
            provenance.write(&mut section);
        }
        section
    }

    /// No fewer bytes than the entry has in a message.
    pub fn bytes_max(&self) -> usize {
        // The names of the fields, and what is of one length or nearly so: ids, numbers, times.
        const FIXED: usize = 640;
        let mut texts = vec![self.resource.as_str(), &self.author, &self.summary];
        texts.extend(self.content_type.as_deref());
        texts.extend(self.pruned.as_ref().map(|pruned| pruned.keep.as_str()));
        texts.extend([&self.asked, &self.moved_from].into_iter().flatten().map(Resource::as_str));
        let Some(provenance) = &self.provenance else {
            return FIXED + texts.into_iter().map(bytes_of).sum::<usize>();
        };
        let Provenance { stage, run_key, program, code, engine, host, .. } = provenance;
        texts.extend([stage, run_key, program, code, engine, host].map(String::as_str));
        let inputs = provenance.inputs.iter().map(|input| input.resource.as_str().len() + 64);
        FIXED + texts.into_iter().map(bytes_of).sum::<usize>() + inputs.sum::<usize>()
    }

    fn from_section(section: &Section) -> Result<Self, Fault> {
        Ok(Self {
            resource: section.require("resource")?,
            asked: section.parse("asked")?,
            moved_from: section.parse("moved-from")?,
            revision: section.require("revision")?,
            previous: revision(section, "previous")?,
            blob: revision(section, "blob")?,
            content_id: section.parse("content-id")?,
            size: section.require("size")?,
            pruned: section.parse("pruned")?,
            content_type: section.parse("content-type")?,
            time: section.require("time")?,
            author: section.get("author").unwrap_or_default().to_owned(),
            summary: section.get("summary").unwrap_or_default().to_owned(),
            provenance: Provenance::read(section)?,
        })
    }
}

/// No fewer bytes than a text has in a message: each line is a field with a name of its own.
fn bytes_of(text: &str) -> usize {
    const NAME: usize = "\tcontent-type: \n".len();
    text.len() + text.bytes().filter(|byte| *byte == b'\n').count() * NAME
}

/// Writes entries as sections named `entry`.
fn push_entries(message: &mut Message, entries: &[Entry]) {
    message.sections.extend(entries.iter().map(|entry| entry.to_section("entry".to_owned())));
}

/// Reads the sections named `entry`.
fn entries(message: &Message) -> Result<Vec<Entry>, Fault> {
    let sections = message.sections[1..].iter().filter(|section| section.name == "entry");
    sections.map(Entry::from_section).collect()
}

/// The one body frame that must be there.
fn body(message: &Message) -> Result<Bytes, Fault> {
    message.body.first().cloned().ok_or_else(|| Fault::bad_request("the message has no body frame"))
}

/// The resource a request's head names.
fn subject(message: &Message) -> Result<Resource, Fault> {
    message.subject().parse().map_err(Fault::bad_request)
}

#[cfg(test)]
mod tests;
