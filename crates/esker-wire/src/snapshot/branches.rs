//! The requests about branches beside `main`: BRANCHES lists them, DROP removes one that may be.

use std::str::FromStr;

use crate::fault::Fault;
use crate::message::{Message, Request, Section};
use crate::name::{Branch, NAME_MAX};
use crate::revision::Revision;

/// Lists the branches beside `main`, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branches {
    /// Only those whose names begin so.
    pub prefix: String,
}

impl Request for Branches {
    type Reply = Vec<(Branch, Revision)>;
    const VERB: &'static str = "BRANCHES";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, "");
        if !self.prefix.is_empty() {
            message.head_mut().push("prefix", &self.prefix);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let prefix = message.head().get("prefix").unwrap_or_default().to_owned();
        if prefix.len() > NAME_MAX {
            let text = format!("the field `prefix` is longer than {NAME_MAX} bytes");
            return Err(Fault::bad_request(text));
        }
        Ok(Self { prefix })
    }

    fn reply_to_message(reply: &Self::Reply) -> Message {
        let mut message = Message::ok();
        for (name, revision) in reply {
            let section = Section::new("branch").with("name", name).with("revision", revision);
            message.sections.push(section);
        }
        message
    }

    fn reply_from_message(message: &Message) -> Result<Self::Reply, Fault> {
        let sections = message.sections[1..].iter().filter(|section| section.name == "branch");
        let read = |section: &Section| Ok((section.require("name")?, section.require("revision")?));
        sections.map(read).collect()
    }
}

/// Removes a branch that holds what can be computed again. One that is not there is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropBranch {
    /// Which.
    pub branch: Branch,
}

impl Request for DropBranch {
    /// Whether there was one.
    type Reply = bool;
    const VERB: &'static str = "DROP";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        Message::request(Self::VERB, self.branch.as_str())
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let branch = Branch::from_str(message.subject()).map_err(Fault::bad_request)?;
        Ok(Self { branch })
    }

    fn reply_to_message(reply: &bool) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("changed", if *reply { "yes" } else { "no" });
        message
    }

    fn reply_from_message(message: &Message) -> Result<bool, Fault> {
        Ok(message.head().get("changed") == Some("yes"))
    }
}
