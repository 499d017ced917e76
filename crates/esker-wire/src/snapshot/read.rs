//! The requests that read contents: GET, LIST, STAT. All are idempotent.

use bytes::Bytes;

use super::{Entry, body, entries, push_entries, subject};
use crate::fault::Fault;
use crate::message::{Message, Request, Section};
use crate::name::{Branch, NAME_MAX, Resource};
use crate::revision::{At, Revision};

/// The most entries of one LIST reply, if a limit is asked for.
pub const LIST_MAX: u32 = 10_000;
/// The longest beginning of names asked for, in bytes.
const PREFIX_MAX: usize = NAME_MAX;

/// A part of a content: `length` bytes from `offset`, fewer at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// Reads one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// Which.
    pub resource: Resource,
    /// Which version.
    pub at: At,
    /// On which branch.
    pub branch: Branch,
    /// Only this part.
    pub range: Option<Range>,
    /// No content if the resource's revision is still this one.
    pub unless: Option<Revision>,
}

impl Get {
    /// The newest version on `main`.
    pub fn head(resource: Resource) -> Self {
        Self { resource, at: At::head(), branch: Branch::main(), range: None, unless: None }
    }

    /// What a listing of a branch told, as it was then: the newest may be another by now, or none.
    pub fn listed(entry: &Entry, branch: Branch) -> Self {
        Self { at: entry.revision.into(), branch, ..Self::head(entry.resource.clone()) }
    }
}

/// What a GET gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The commit that was asked for.
    pub at: Revision,
    /// The resource as of that commit.
    pub entry: Entry,
    /// The bytes asked for; none if it is unchanged.
    pub bytes: Option<Bytes>,
}

/// The fields `at` and `branch` that most reading requests share.
pub(super) fn write_version(section: &mut Section, at: &At, branch: &Branch) {
    if !at.is_head() {
        section.push("at", at);
    }
    if !branch.is_main() {
        section.push("branch", branch);
    }
}

pub(super) fn read_version(section: &Section) -> Result<(At, Branch), Fault> {
    let at = section.parse("at")?.unwrap_or_else(At::head);
    Ok((at, section.parse("branch")?.unwrap_or_else(Branch::main)))
}

impl Request for Get {
    type Reply = Content;
    const VERB: &'static str = "GET";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, self.resource.as_str());
        let head = message.head_mut();
        write_version(head, &self.at, &self.branch);
        if let Some(range) = self.range {
            head.push("offset", range.offset);
            head.push("length", range.length);
        }
        if let Some(unless) = self.unless {
            head.push("unless", unless);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let (at, branch) = read_version(head)?;
        let length: Option<u64> = head.parse("length")?;
        let offset: Option<u64> = head.parse("offset")?;
        let range = match (offset, length) {
            (None, None) => None,
            _ => Some(Range { offset: offset.unwrap_or(0), length: length.unwrap_or(u64::MAX) }),
        };
        Ok(Self { resource: subject(message)?, at, branch, range, unless: head.parse("unless")? })
    }

    fn reply_to_message(reply: &Content) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("at", reply.at);
        message.head_mut().push("unchanged", if reply.bytes.is_some() { "no" } else { "yes" });
        push_entries(&mut message, std::slice::from_ref(&reply.entry));
        message.body.extend(reply.bytes.clone());
        message
    }

    fn reply_from_message(message: &Message) -> Result<Content, Fault> {
        let head = message.head();
        let entry = entries(message)?.pop();
        let entry = entry.ok_or_else(|| Fault::bad_request("the reply describes no resource"))?;
        let unchanged = head.get("unchanged") == Some("yes");
        let bytes = if unchanged { None } else { Some(body(message)?) };
        Ok(Content { at: head.require("at")?, entry, bytes })
    }
}

/// Describes every resource as of one commit: a consistent cut of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Which version of the store.
    pub at: At,
    /// On which branch.
    pub branch: Branch,
    /// Only those whose names begin so.
    pub prefix: String,
    /// Only those whose names come after this one: the `next` of the page before.
    pub after: Option<Resource>,
    /// At most this many; as many as one message holds if there is none.
    pub limit: Option<u32>,
    /// Whether to tell the older names too.
    pub older: bool,
}

impl List {
    /// Everything at the head of a branch.
    pub fn all(branch: Branch) -> Self {
        Self {
            at: At::head(),
            branch,
            prefix: String::new(),
            after: None,
            limit: None,
            older: false,
        }
    }

    /// The request for the page after one of this request's, of the same commit; none if that was the last.
    #[must_use]
    pub fn after(&self, page: &Listing) -> Option<Self> {
        let (at, next) = (page.at?, page.next.clone()?);
        Some(Self { at: At::from(at), after: Some(next), older: false, ..self.clone() })
    }
}

/// What LIST gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The commit listed; none if the branch has no commit yet.
    pub at: Option<Revision>,
    /// The resources that exist there, by name.
    pub entries: Vec<Entry>,
    /// What to ask for the next page with; none if this is the last.
    pub next: Option<Resource>,
    /// Older names and what they mean now, if they were asked for.
    pub older: Vec<(Resource, Resource)>,
}

impl Request for List {
    type Reply = Listing;
    const VERB: &'static str = "LIST";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, "");
        let head = message.head_mut();
        write_version(head, &self.at, &self.branch);
        if !self.prefix.is_empty() {
            head.push("prefix", &self.prefix);
        }
        if let Some(after) = &self.after {
            head.push("after", after);
        }
        if let Some(limit) = self.limit {
            head.push("limit", limit);
        }
        if self.older {
            head.push("older", "yes");
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let (at, branch) = read_version(head)?;
        let prefix = head.get("prefix").unwrap_or_default().to_owned();
        if prefix.len() > PREFIX_MAX {
            let text = format!("the field `prefix` is longer than {PREFIX_MAX} bytes");
            return Err(Fault::bad_request(text));
        }
        let limit: Option<u32> = head.parse("limit")?;
        let limit = limit.map(|limit| limit.clamp(1, LIST_MAX));
        let older = head.get("older") == Some("yes");
        Ok(Self { at, branch, prefix, after: head.parse("after")?, limit, older })
    }

    fn reply_to_message(reply: &Listing) -> Message {
        let mut message = Message::ok();
        let head = message.head_mut();
        if let Some(at) = reply.at {
            head.push("at", at);
        }
        if let Some(next) = &reply.next {
            head.push("next", next);
        }
        push_entries(&mut message, &reply.entries);
        let older = reply.older.iter();
        let sections =
            older.map(|(name, now)| Section::new(format!("older {name}")).with("now", now));
        message.sections.extend(sections);
        message
    }

    fn reply_from_message(message: &Message) -> Result<Listing, Fault> {
        let head = message.head();
        let mut older = Vec::new();
        for section in &message.sections[1..] {
            if let Some(name) = section.name.strip_prefix("older ") {
                older.push((name.parse().map_err(Fault::bad_request)?, section.require("now")?));
            }
        }
        let (at, next) = (head.parse("at")?, head.parse("next")?);
        Ok(Listing { at, entries: entries(message)?, next, older })
    }
}

/// Describes one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Which.
    pub resource: Resource,
    /// Which version.
    pub at: At,
    /// On which branch.
    pub branch: Branch,
}

impl Request for Stat {
    type Reply = Entry;
    const VERB: &'static str = "STAT";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, self.resource.as_str());
        write_version(message.head_mut(), &self.at, &self.branch);
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let (at, branch) = read_version(message.head())?;
        Ok(Self { resource: subject(message)?, at, branch })
    }

    fn reply_to_message(reply: &Entry) -> Message {
        let mut message = Message::ok();
        push_entries(&mut message, std::slice::from_ref(reply));
        message
    }

    fn reply_from_message(message: &Message) -> Result<Entry, Fault> {
        let entry = entries(message)?.pop();
        entry.ok_or_else(|| Fault::bad_request("the reply describes no resource"))
    }
}
