//! LOG: the revisions there were, newest first, a page at a time. Idempotent.

use std::fmt;
use std::str::FromStr;

use super::read::{read_version, write_version};
use super::{Entry, entries, push_entries, subject};
use crate::fault::Fault;
use crate::message::{Message, Request, Section};
use crate::name::{Branch, Resource};
use crate::revision::{At, Revision};

/// The most entries of one LOG reply.
pub const LOG_MAX: u32 = 10_000;
/// What is given when no limit is asked for.
const LOG_DEFAULT: u32 = 100;
/// The longest text looked for, in bytes.
const TEXT_MAX: usize = 1024;

/// The revisions of one resource or of all, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Only this one.
    pub resource: Option<Resource>,
    /// From which version back.
    pub at: At,
    /// On which branch.
    pub branch: Branch,
    /// At most this many.
    pub limit: u32,
    /// Only those that match.
    pub filter: Filter,
    /// Only what comes after this: the `next` of the page before.
    pub after: Option<Mark>,
}

impl Log {
    /// The newest revisions of everything on `main`.
    pub fn newest(limit: u32) -> Self {
        Self {
            resource: None,
            at: At::head(),
            branch: Branch::main(),
            limit,
            filter: Filter::default(),
            after: None,
        }
    }
}

/// What a revision must be like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// After this revision, or from the beginning of this day on.
    pub since: Option<At>,
    /// Up to this revision, or the end of this day.
    pub until: Option<At>,
    /// Its author holds this text, in capitals or not.
    pub author: Option<String>,
    /// Its message holds this text, in capitals or not.
    pub grep: Option<String>,
}

/// A place in a log: behind a commit, or behind one resource of those it changed, which come by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The commit.
    pub revision: Revision,
    /// The resource.
    pub resource: Option<Resource>,
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (revision, resource) = match text.split_once(' ') {
            Some((revision, resource)) => (revision, Some(resource)),
            None => (text, None),
        };
        let resource = resource.map(str::parse).transpose();
        Ok(Self {
            revision: revision.parse().map_err(|error| format!("{error}"))?,
            resource: resource.map_err(|error| format!("{error}"))?,
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{} {resource}", self.revision),
            None => write!(f, "{}", self.revision),
        }
    }
}

/// What LOG gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The revisions found. There may be more though none is here, if many were looked at in vain.
    pub entries: Vec<Entry>,
    /// What to ask for the next page with; none if this is the last.
    pub next: Option<Mark>,
}

impl Request for Log {
    type Reply = Page;
    const VERB: &'static str = "LOG";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let name = self.resource.as_ref().map_or("", Resource::as_str);
        let mut message = Message::request(Self::VERB, name);
        let head = message.head_mut();
        write_version(head, &self.at, &self.branch);
        head.push("limit", self.limit);
        self.filter.write(head);
        if let Some(after) = &self.after {
            head.push("after", after);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let (at, branch) = read_version(head)?;
        let named = !message.subject().is_empty();
        let resource = if named { Some(subject(message)?) } else { None };
        let limit: Option<u32> = head.parse("limit")?;
        let limit = limit.unwrap_or(LOG_DEFAULT).clamp(1, LOG_MAX);
        let (filter, after) = (Filter::read(head)?, head.parse("after")?);
        Ok(Self { resource, at, branch, limit, filter, after })
    }

    fn reply_to_message(reply: &Page) -> Message {
        let mut message = Message::ok();
        if let Some(next) = &reply.next {
            message.head_mut().push("next", next);
        }
        push_entries(&mut message, &reply.entries);
        message
    }

    fn reply_from_message(message: &Message) -> Result<Page, Fault> {
        Ok(Page { entries: entries(message)?, next: message.head().parse("next")? })
    }
}

impl Filter {
    fn write(&self, section: &mut Section) {
        let versions = [("since", &self.since), ("until", &self.until)];
        for (key, at) in versions {
            if let Some(at) = at {
                section.push(key, at);
            }
        }
        for (key, text) in [("author", &self.author), ("grep", &self.grep)] {
            if let Some(text) = text {
                section.push(key, text);
            }
        }
    }

    fn read(section: &Section) -> Result<Self, Fault> {
        let text = |key: &str| {
            let text = section.get(key);
            if text.is_some_and(|text| text.len() > TEXT_MAX) {
                let message = format!("the field `{key}` is longer than {TEXT_MAX} bytes");
                return Err(Fault::bad_request(message));
            }
            Ok(text.map(ToOwned::to_owned))
        };
        Ok(Self {
            since: section.parse("since")?,
            until: section.parse("until")?,
            author: text("author")?,
            grep: text("grep")?,
        })
    }
}
