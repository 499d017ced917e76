//! DIFF: what changed in a resource between two versions, and in which form to say it.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::read::{read_version, write_version};
use super::{body, subject};
use crate::fault::Fault;
use crate::message::{Message, Request};
use crate::name::{Branch, Resource};
use crate::revision::At;

/// How a difference is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// A unified diff.
    #[default]
    Text,
    /// Rows and cells of CSV, TSV and stacked streams, as JSON lines.
    Table,
    /// Paths of JSON, as JSON lines.
    Json,
    /// Whichever suits the contents.
    Auto,
}

impl Form {
    const ALL: [Self; 4] = [Self::Text, Self::Table, Self::Json, Self::Auto];

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Table => "table",
            Self::Json => "json",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A form nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a difference is said as text, table, json or auto, not as {0:?}")]
pub struct BadForm(String);

impl FromStr for Form {
    type Err = BadForm;

    fn from_str(text: &str) -> Result<Self, BadForm> {
        let known = Self::ALL.into_iter().find(|form| form.word() == text);
        known.ok_or_else(|| BadForm(text.chars().take(60).collect()))
    }
}

/// What changed in a resource between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Which.
    pub resource: Resource,
    /// The older version; the revision before `to` if none is named.
    pub from: Option<At>,
    /// The newer version.
    pub to: At,
    /// On which branch.
    pub branch: Branch,
    /// How to say it.
    pub form: Form,
    /// The columns that name a table's rows; guessed if there are none.
    pub key: Vec<String>,
}

/// What DIFF gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How it is said; never [`Form::Auto`].
    pub form: Form,
    /// The unified diff, or one change a line; empty if there is none.
    pub body: Bytes,
}

impl Request for Diff {
    type Reply = Difference;
    const VERB: &'static str = "DIFF";
    const IDEMPOTENT: bool = true;

    fn to_message(&self) -> Message {
        let mut message = Message::request(Self::VERB, self.resource.as_str());
        let head = message.head_mut();
        write_version(head, &self.to, &self.branch);
        if let Some(from) = &self.from {
            head.push("from", from);
        }
        if self.form != Form::Text {
            head.push("as", self.form);
        }
        for column in &self.key {
            head.push("key", column);
        }
        message
    }

    fn from_message(message: &Message) -> Result<Self, Fault> {
        let head = message.head();
        let (to, branch) = read_version(head)?;
        Ok(Self {
            resource: subject(message)?,
            from: head.parse("from")?,
            to,
            branch,
            form: head.parse("as")?.unwrap_or_default(),
            key: head.all("key").map(str::to_owned).collect(),
        })
    }

    fn reply_to_message(reply: &Difference) -> Message {
        let mut message = Message::ok();
        message.head_mut().push("as", reply.form);
        message.body.push(reply.body.clone());
        message
    }

    fn reply_from_message(message: &Message) -> Result<Difference, Fault> {
        let form = message.head().parse("as")?.unwrap_or_default();
        Ok(Difference { form, body: body(message)? })
    }
}
