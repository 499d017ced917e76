//! The requests that find and explain: WHY, RESOLVE, TAGS, HEALTH. All are idempotent.

use jiff::Timestamp;

use super::mirror::MirrorReport;
use super::read::{read_version, write_version};
use super::{Entry, subject};
use crate::chain::Link;
use crate::event::{push_revision, revision};
use crate::fault::Fault;
use crate::message::{Message, Request, Section};
use crate::name::{Branch, Resource};
use crate::revision::{At, Revision};

/// What a resource was made from, back to its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Which.
    pub resource: Resource,
    /// Which version.
    pub at: At,
    /// On which branch; what was read may be on `main`, if it begins there.
    pub branch: Branch,
}

/// One step of the way back, in depth-first order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyNode {
    /// How many steps from the resource asked for.
    pub depth: u32,
    /// The revision.
    pub entry: Entry,
}

impl Request for Why {
    type Reply = Vec<WhyNode>;
    const VERB: &'static str = "WHY";
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

    fn reply_to_message(reply: &Vec<WhyNode>) -> Message {
        let mut message = Message::ok();
        for node in reply {
            let section = node.entry.to_section("entry".to_owned()).with("depth", node.depth);
            message.sections.push(section);
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Vec<WhyNode>, Fault> {
        let read = |section: &Section| {
            Ok(WhyNode { depth: section.require("depth")?, entry: Entry::from_section(section)? })
        };
        message.sections[1..].iter().map(read).collect()
    }
}

/// Which revision a person means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The text: `HEAD~3`, `3b734`, `v1`, `2025-11-20`, `last friday 17:00`.
    pub at: At,
    /// On which branch.
    pub branch: Branch,
    /// Where the clock hangs that the text speaks of, if it does not say: `Europe/Berlin`, `+02:00`; otherwise
    /// where the store is.
    pub zone: Option<String>,
}

/// What RESOLVE gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub revision: Revision,
    /// Its time.
    pub time: Timestamp,
    /// The first line of its message.
    pub summary: String,
    /// The head of the branch `project` when it was made, if it is one of `main` and there was that branch.
    pub project: Option<Revision>,
}

impl Request for Resolve {
    type Reply = Resolved;
    const VERB: &'static str = "RESOLVE";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, "");
        let head = message.head_mut();
        write_version(head, &self.at, &self.branch);
        if let Some(zone) = &self.zone {
            head.push("zone", zone);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let (at, branch) = read_version(message.head())?;
        Ok(Self { at, branch, zone: message.head().parse("zone")? })
    }

    fn reply_to_message(reply: &Resolved) -> Message {
        let mut message = Message::ok();
        let head = message.head_mut();
        head.push("revision", reply.revision);
        head.push("time", reply.time);
        head.push("summary", &reply.summary);
        if let Some(project) = reply.project {
            head.push("project", project);
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Resolved, Fault> {
        let head = message.head();
        let summary = head.get("summary").unwrap_or_default().to_owned();
        Ok(Resolved {
            revision: head.require("revision")?,
            time: head.require("time")?,
            summary,
            project: head.parse("project")?,
        })
    }
}

/// Every tag and the revision it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags;

impl Request for Tags {
    type Reply = Vec<(String, Revision)>;
    const VERB: &'static str = "TAGS";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        Message::request(Self::VERB, "")
    }

    fn from_message(_: &Message) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn reply_to_message(reply: &Vec<(String, Revision)>) -> Message {
        let mut message = Message::ok();
        for (name, revision) in reply {
            let section = Section::new("tag").with("name", name).with("revision", revision);
            message.sections.push(section);
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Vec<(String, Revision)>, Fault> {
        let read = |section: &Section| Ok((section.require("name")?, section.require("revision")?));
        message.sections[1..].iter().map(read).collect()
    }
}

/// Whether the service is well, and where its chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health;

/// What HEALTH gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// The project's name.
    pub project: String,
    /// The esker that answers.
    pub engine: String,
    /// The last link published.
    pub link: Link,
    /// The head of `main`.
    pub head: Option<Revision>,
    /// Why nothing can be written just now, if so.
    pub not_writable: Option<String>,
    /// How the mirrors stand that the store is pushed to.
    pub mirrors: Vec<MirrorReport>,
    /// How it stands to the mirror it follows, if it is a read replica.
    pub follows: Option<MirrorReport>,
    /// How the bucket stands that large contents are copied to; it is behind by contents.
    pub blobs: Option<MirrorReport>,
}

impl Request for Health {
    type Reply = HealthReport;
    const VERB: &'static str = "HEALTH";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        Message::request(Self::VERB, "")
    }

    fn from_message(_: &Message) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn reply_to_message(reply: &HealthReport) -> Message {
        let mut message = Message::ok();
        let head = message.head_mut();
        head.push("project", &reply.project);
        head.push("engine", &reply.engine);
        head.push("epoch", reply.link.epoch);
        head.push("seq", reply.link.seq);
        push_revision(head, "head", reply.head);
        if let Some(why) = &reply.not_writable {
            head.push("not-writable", why);
        }
        let mirrors = reply.mirrors.iter().map(|report| report.to_section("mirror"));
        let follows = reply.follows.iter().map(|report| report.to_section("follows"));
        let blobs = reply.blobs.iter().map(|report| report.to_section("blobs"));
        message.sections.extend(mirrors.chain(follows).chain(blobs));
        message
    }

    fn reply_from_message(message: &Message) -> Result<HealthReport, Fault> {
        let head = message.head();
        let reports = |name: &'static str| {
            let sections = message.sections[1..].iter().filter(move |section| section.name == name);
            sections.map(MirrorReport::from_section)
        };
        Ok(HealthReport {
            project: head.get("project").unwrap_or_default().to_owned(),
            engine: head.get("engine").unwrap_or_default().to_owned(),
            link: Link { epoch: head.require("epoch")?, seq: head.require("seq")? },
            head: revision(head, "head")?,
            not_writable: head.text("not-writable"),
            mirrors: reports("mirror").collect::<Result<_, _>>()?,
            follows: reports("follows").next().transpose()?,
            blobs: reports("blobs").next().transpose()?,
        })
    }
}
