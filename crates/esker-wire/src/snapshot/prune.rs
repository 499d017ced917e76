//! PRUNE: large contents that their rules keep no longer.

use std::fmt;
use std::str::FromStr;

use crate::fault::Fault;
use crate::keep::Keep;
use crate::message::{Message, Request, Section};
use crate::name::Resource;
use crate::pruned::PrunedContent;

/// The most rules of one request.
const RULES_MAX: usize = 10_000;
/// The most contents named in a reply; all of them count.
pub const PRUNED_MAX: usize = 10_000;

/// Looks for large contents that rules keep no longer, and removes them if asked to. It takes a while: the answer
/// is `working` until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// The rules; a resource without one keeps everything.
    pub rules: Vec<(Resource, Keep)>,
    /// Whether to remove them.
    pub remove: bool,
    /// Who asks: `name <mail>`; the store's own identity if nobody is named.
    pub author: Option<String>,
}

/// What PRUNE gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pruned {
    /// Nothing yet; ask again.
    Working,
    /// What was found.
    Done(PruneReport),
}

/// What goes, and what stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneReport {
    /// One for each rule.
    pub resources: Vec<PruneTally>,
    /// How many contents go, and their bytes; each counts once, however many revisions have it.
    pub goes: Tally,
    /// What goes, by revision: the first [`PRUNED_MAX`].
    pub contents: Vec<PrunedContent>,
    /// What tells of it, on the branch `records`, if something was removed.
    pub record: Option<Resource>,
}

/// How many, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.bytes)
    }
}

impl FromStr for Tally {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (count, bytes) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self { count: count.parse()?, bytes: bytes.parse()? })
    }
}

/// What becomes of one resource's revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneTally {
    /// Which resource.
    pub resource: Resource,
    /// Its rule.
    pub keep: Keep,
    /// The revisions whose contents go.
    pub goes: Tally,
    /// Those that stay, by the first reason.
    pub stays: Vec<(Stays, Tally)>,
}

/// Why a revision's content stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stays {
    /// Its rule keeps it.
    Rule,
    /// It is the newest one of a branch.
    Head,
    /// A tag names it.
    Tag,
    /// What is newest or tagged was made from it.
    Input,
    /// A revision that is kept has the same content.
    Named,
    /// It is a small one, in git, where nothing is ever rewritten.
    Git,
    /// It is not there any more.
    Gone,
}

const STAYS: [(Stays, &str); 7] = [
    (Stays::Rule, "rule"),
    (Stays::Head, "head"),
    (Stays::Tag, "tag"),
    (Stays::Input, "input"),
    (Stays::Named, "named"),
    (Stays::Git, "git"),
    (Stays::Gone, "gone"),
];

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = STAYS.iter().find(|(stays, _)| stays == self).map_or("rule", |(_, text)| text);
        f.write_str(text)
    }
}

impl FromStr for Stays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = STAYS.iter().find(|(_, known)| *known == text);
        known.map(|(stays, _)| *stays).ok_or_else(|| format!("{text:?} is no reason to stay"))
    }
}

impl PruneTally {
    fn to_section(&self) -> Section {
        let mut section = Section::new(format!("resource {}", self.resource))
            .with("keep", &self.keep)
            .with("goes", self.goes);
        for (stays, tally) in &self.stays {
            section.push("stays", format!("{stays} {tally}"));
        }
        section
    }

    fn from_section(section: &Section, resource: &str) -> Result<Self, Fault> {
        let stays = section.all("stays").filter_map(|text| {
            // A reason of a later version is left out.
            let (stays, tally) = text.split_once(' ')?;
            Some((stays.parse().ok()?, tally.parse().ok()?))
        });
        Ok(Self {
            resource: resource.parse().map_err(Fault::bad_request)?,
            keep: section.require("keep")?,
            goes: section.require("goes")?,
            stays: stays.collect(),
        })
    }
}

impl Request for Prune {
    type Reply = Pruned;
    const VERB: &'static str = "PRUNE";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, "");
        if self.remove {
            message.head_mut().push("remove", "yes");
        }
        if let Some(author) = &self.author {
            message.head_mut().push("author", author);
        }
        let rules = self.rules.iter();
        let rules =
            rules.map(|(name, keep)| Section::new(format!("rule {name}")).with("keep", keep));
        message.sections.extend(rules);
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let mut rules = Vec::new();
        for section in &message.sections[1..] {
            let Some(name) = section.name.strip_prefix("rule ") else {
                continue;
            };
            rules.push((name.parse().map_err(Fault::bad_request)?, section.require("keep")?));
        }
        if rules.len() > RULES_MAX {
            let text = format!("a PRUNE with {} rules; {RULES_MAX} are allowed", rules.len());
            return Err(Fault::new(crate::fault::Code::TooLarge, text));
        }
        let author = head.get("author").map(str::to_owned);
        Ok(Self { rules, remove: head.get("remove") == Some("yes"), author })
    }

    fn reply_to_message(reply: &Pruned) -> Message {
        let mut message = Message::ok();
        let report = match reply {
            Pruned::Working => {
                message.head_mut().push("working", "yes");
                return message;
            }
            Pruned::Done(report) => report,
        };
        message.head_mut().push("goes", report.goes);
        if let Some(record) = &report.record {
            message.head_mut().push("record", record);
        }
        message.sections.extend(report.resources.iter().map(PruneTally::to_section));
        message.sections.extend(report.contents.iter().map(PrunedContent::to_section));
        message
    }

    fn reply_from_message(message: &Message) -> Result<Pruned, Fault> {
        let head = message.head();
        if head.get("working") == Some("yes") {
            return Ok(Pruned::Working);
        }
        let mut report = PruneReport {
            goes: head.require("goes")?,
            record: head.parse("record")?,
            ..PruneReport::default()
        };
        for section in &message.sections[1..] {
            if let Some(name) = section.name.strip_prefix("resource ") {
                report.resources.push(PruneTally::from_section(section, name)?);
            } else if section.name == "content" {
                report.contents.push(PrunedContent::from_section(section)?);
            }
        }
        Ok(Pruned::Done(report))
    }
}

#[cfg(test)]
mod tests;
