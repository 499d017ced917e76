//! The requests that write: PUT and TAG.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::subject;
use crate::event::{push_revision, revision};
use crate::fault::Fault;
use crate::message::{Message, Request, Section};
use crate::name::{Branch, Resource};
use crate::pointer::{ContentId, Pointer};
use crate::provenance::Provenance;
use crate::revision::{At, Revision};

/// The most resources of one PUT.
const ITEMS_MAX: usize = 1_000;

/// What the writer believes the head to be; the PUT is refused if it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The resource does not exist.
    Absent,
    /// Its revision is this one.
    Revision(Revision),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Revision(revision) => revision.fmt(f),
        }
    }
}

impl FromStr for Expect {
    type Err = crate::revision::BadRevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self::Absent) } else { text.parse().map(Self::Revision) }
    }
}

/// One resource of a PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub resource: Resource,
    /// Its content, or the pointer of a large one that was brought with UPLOAD; none removes it.
    pub content: Option<Bytes>,
    /// Refuse the whole PUT unless the head is this.
    pub if_head: Option<Expect>,
    /// What the content is, for example `text/csv`.
    pub content_type: Option<String>,
}

/// Commits the items together, or none of them.
///
/// Each item is a section: the first in the head itself (`esker/1 PUT raw/plan`), further ones named
/// `and raw/other`. Contents are the body frames, in the order of the items that have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// At least one.
    pub items: Vec<Item>,
    /// Where; usually `main`.
    pub branch: Branch,
    /// The commit's message; esker writes one if there is none.
    pub message: Option<String>,
    /// Who asks: `name <mail>`; the store's own identity if nobody is named.
    pub author: Option<String>,
    /// The run that made the contents.
    pub provenance: Option<Provenance>,
    /// Begin the branch at this commit of `main`; if it exists, begin it anew there. What the writer believes is
    /// judged against the branch as it was before.
    pub base: Option<Revision>,
}

impl Put {
    /// Keeps something on the branch of records in place of what was there, or removes it.
    pub fn noted(resource: Resource, content: Option<Bytes>, message: String) -> Self {
        Self {
            items: vec![Item { resource, content, if_head: None, content_type: None }],
            branch: Branch::records(),
            message: Some(message),
            author: None,
            provenance: None,
            base: None,
        }
    }
}

/// What a PUT did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The branch's head now.
    pub revision: Revision,
    /// One per item, in order.
    pub items: Vec<StoredItem>,
}

/// What a PUT did to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Its name, as the PUT said.
    pub resource: Resource,
    /// What it is called now, if that is an older name of it.
    pub now: Option<Resource>,
    /// Its revision now; none if it does not exist.
    pub revision: Option<Revision>,
    /// Its revision before.
    pub previous: Option<Revision>,
}

impl StoredItem {
    /// Whether the PUT changed the resource.
    pub fn is_changed(&self) -> bool {
        self.revision != self.previous
    }
}

impl Put {
    /// A PUT of one resource on `main`, without conditions.
    pub fn one(resource: Resource, content: Bytes) -> Self {
        let item = Item { resource, content: Some(content), if_head: None, content_type: None };
        Self {
            items: vec![item],
            branch: Branch::main(),
            message: None,
            author: None,
            provenance: None,
            base: None,
        }
    }
}

fn write_item(section: &mut Section, item: &Item) {
    if let Some(expect) = item.if_head {
        section.push("if-head", expect);
    }
    if let Some(content_type) = &item.content_type {
        section.push("content-type", content_type);
    }
    if item.content.is_none() {
        section.push("remove", "yes");
    }
}

fn read_item(
    section: &Section,
    resource: Resource,
    frames: &mut impl Iterator<Item = Bytes>,
) -> Result<Item, Fault> {
    let removed = section.get("remove") == Some("yes");
    let content = if removed { None } else { Some(frames.next()) };
    let content = match content {
        Some(None) => {
            let message =
                format!("the content of {resource} is missing: its body frame did not come");
            return Err(Fault::bad_request(message).hint("send one body frame per resource"));
        }
        Some(Some(frame)) => Some(named(section, &resource, frame)?),
        None => None,
    };
    let if_head = section.parse("if-head")?;
    Ok(Item { resource, content, if_head, content_type: section.parse("content-type")? })
}

/// The content of an item: the frame, or the pointer of what `content-id` and `size` name.
fn named(section: &Section, resource: &Resource, frame: Bytes) -> Result<Bytes, Fault> {
    let id: Option<ContentId> = section.parse("content-id")?;
    match id {
        None => Ok(frame),
        Some(id) if frame.is_empty() => {
            Ok(Pointer { id, size: section.require("size")? }.to_bytes())
        }
        Some(_) => {
            let text = format!("the content of {resource} is both named and in a body frame");
            Err(Fault::bad_request(text).hint("send an empty frame beside content-id"))
        }
    }
}

impl Request for Put {
    type Reply = Stored;
    const VERB: &'static str = "PUT";
    const IDEMPOTENT: bool = false;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, self.items[0].resource.as_str());
        for item in &self.items[1..] {
            let mut section = Section::new(format!("and {}", item.resource));
            write_item(&mut section, item);
            message.sections.push(section);
        }
        let head = message.head_mut();
        write_item(head, &self.items[0]);
        if !self.branch.is_main() {
            head.push("branch", &self.branch);
        }
        if let Some(text) = &self.message {
            head.push("message", text);
        }
        if let Some(author) = &self.author {
            head.push("author", author);
        }
        if let Some(provenance) = &self.provenance {
            provenance.write(head);
        }
        if let Some(base) = self.base {
            head.push("base", base);
        }
        message.body.extend(self.items.iter().filter_map(|item| item.content.clone()));
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        if message.sections.len() > ITEMS_MAX {
            let text =
                format!("a PUT of {} resources; {ITEMS_MAX} are allowed", message.sections.len());
            return Err(Fault::new(crate::fault::Code::TooLarge, text));
        }
        let mut frames = message.body.iter().cloned();
        let mut items = vec![read_item(head, subject(message)?, &mut frames)?];
        for section in &message.sections[1..] {
            let name = section.name.strip_prefix("and ").ok_or_else(|| {
                Fault::bad_request(format!(
                    "{:?} is no section of a PUT; expected `and RESOURCE`",
                    section.name
                ))
            })?;
            items.push(read_item(section, name.parse().map_err(Fault::bad_request)?, &mut frames)?);
        }
        if frames.next().is_some() {
            return Err(Fault::bad_request("the PUT has more body frames than resources"));
        }
        Ok(Self {
            items,
            branch: head.parse("branch")?.unwrap_or_else(Branch::main),
            message: head.text("message"),
            author: head.get("author").map(str::to_owned),
            provenance: Provenance::read(head)?,
            base: head.parse("base")?,
        })
    }

    fn reply_to_message(reply: &Stored) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("revision", reply.revision);
        for item in &reply.items {
            let mut section = Section::new(format!("stored {}", item.resource));
            push_revision(&mut section, "revision", item.revision);
            push_revision(&mut section, "previous", item.previous);
            section = section.with_some("now", item.now.as_ref());
            section.push("changed", if item.is_changed() { "yes" } else { "no" });
            message.sections.push(section);
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Stored, Fault> {
        let mut items = Vec::new();
        for section in &message.sections[1..] {
            let Some(name) = section.name.strip_prefix("stored ") else {
                continue;
            };
            items.push(StoredItem {
                resource: name.parse().map_err(Fault::bad_request)?,
                now: section.parse("now")?,
                revision: revision(section, "revision")?,
                previous: revision(section, "previous")?,
            });
        }
        Ok(Stored { revision: message.head().require("revision")?, items })
    }
}

/// Names a revision for good. The subject is the tag's name; a tag is never moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The tag's name.
    pub name: String,
    /// What it names.
    pub at: At,
    /// Why, for people.
    pub message: Option<String>,
}

impl Request for Tag {
    type Reply = Revision;
    const VERB: &'static str = "TAG";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, &self.name);
        message.head_mut().push("at", &self.at);
        if let Some(text) = &self.message {
            message.head_mut().push("message", text);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let at = head.parse("at")?.unwrap_or_else(At::head);
        Ok(Self { name: message.subject().to_owned(), at, message: head.text("message") })
    }

    fn reply_to_message(reply: &Revision) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("revision", reply);
        message
    }

    fn reply_from_message(message: &Message) -> Result<Revision, Fault> {
        message.head().require("revision")
    }
}
