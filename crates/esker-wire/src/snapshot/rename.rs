//! MOVE: another name for a resource.

use super::put::Expect;
use super::subject;
use crate::fault::Fault;
use crate::message::{Message, Request};
use crate::name::{Branch, Resource};
use crate::revision::Revision;

/// Gives a resource another name. Its older names go on meaning it until a new resource has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What it is called.
    pub resource: Resource,
    /// What it is to be called; nothing is called so.
    pub to: Resource,
    /// On which branch.
    pub branch: Branch,
    /// Refuse it unless the head is this.
    pub if_head: Option<Expect>,
    /// The commit's message; esker writes one if there is none.
    pub message: Option<String>,
    /// Who asks: `name <mail>`; the store's own identity if nobody is named.
    pub author: Option<String>,
}

/// What a MOVE did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The resource's revision now.
    pub revision: Revision,
    /// Its revision before, under its older name.
    pub previous: Revision,
}

impl Moved {
    /// Whether it had to be done: the same MOVE again does nothing.
    pub fn is_changed(&self) -> bool {
        self.revision != self.previous
    }
}

impl Request for Move {
    type Reply = Moved;
    const VERB: &'static str = "MOVE";
    const IDEMPOTENT: bool = false;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, self.resource.as_str());
        let head = message.head_mut();
        head.push("to", &self.to);
        if !self.branch.is_main() {
            head.push("branch", &self.branch);
        }
        if let Some(expect) = self.if_head {
            head.push("if-head", expect);
        }
        if let Some(text) = &self.message {
            head.push("message", text);
        }
        if let Some(author) = &self.author {
            head.push("author", author);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        Ok(Self {
            resource: subject(message)?,
            to: head.require("to")?,
            branch: head.parse("branch")?.unwrap_or_else(Branch::main),
            if_head: head.parse("if-head")?,
            message: head.text("message"),
            author: head.get("author").map(str::to_owned),
        })
    }

    fn reply_to_message(reply: &Moved) -> Message {
        let mut message = Message::ok();
        let head = message.head_mut();
        head.push("revision", reply.revision);
        head.push("previous", reply.previous);
        head.push("changed", if reply.is_changed() { "yes" } else { "no" });
        message
    }

    fn reply_from_message(message: &Message) -> Result<Moved, Fault> {
        let head = message.head();
        Ok(Moved { revision: head.require("revision")?, previous: head.require("previous")? })
    }
}

#[cfg(test)]
mod tests;
