//! What a person has said of a problem: that it is known, or that it is to be out of sight for a while. Kept as the
//! resources `ack/STAGE` and `mute/STAGE` on the branch `records`.
//!
//! The runner does not read them: what runs does not depend on who looks at it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::{self, Section};
use crate::name::Resource;
use crate::record::RunRecord;
use crate::stacked;

/// The longest note, in bytes.
pub const NOTE_MAX: usize = 1024;

/// What the content begins with.
const TITLE: &str = "stance v1";

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is known: it is shown as such.
    Ack,
    /// It is to be out of sight.
    Mute,
}

impl Said {
    /// What the names of such resources begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ack => "ack/",
            Self::Mute => "mute/",
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix().trim_end_matches('/'))
    }
}

impl FromStr for Said {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ack" => Ok(Self::Ack),
            "mute" => Ok(Self::Mute),
            _ => Err(format!("{text:?} is nothing that is said of a problem")),
        }
    }
}

/// What a person has said of a stage's problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stance {
    /// What was said.
    pub said: Said,
    /// The stage or source.
    pub stage: String,
    /// The run key that had failed.
    pub run_key: String,
    /// How it had failed, one line.
    pub summary: String,
    /// Since when.
    pub since: Timestamp,
    /// When it was said.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Until when it holds, whatever happens; until the failure is another one if there is no time.
    pub until: Option<Timestamp>,
    /// Why, one line.
    pub note: Option<String>,
}

impl Stance {
    /// The resource it is kept as.
    ///
    /// # Errors
    /// `bad-request` if no resource can be named so; the names a definition accepts all can.
    pub fn resource(said: Said, stage: &str) -> Result<Resource, Fault> {
        format!("{}{stage}", said.prefix()).parse().map_err(Fault::bad_request)
    }

    /// Whether it is meant of this failure, now.
    pub fn holds(&self, record: &RunRecord, now: Timestamp) -> bool {
        let Some(failure) = record.failure.as_ref().filter(|_| record.stage == self.stage) else {
            return false;
        };
        match self.until {
            Some(until) => now < until,
            None => {
                record.run_key == self.run_key
                    && one_line(&failure.summary) == self.summary
                    && failure.since == self.since
            }
        }
    }

    /// The stance as a stacked stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let section = Section::new(TITLE)
            .with("said", self.said)
            .with("stage", &self.stage)
            .with("run-key", &self.run_key)
            .with("summary", one_line(&self.summary))
            .with("since", self.since)
            .with("at", self.at)
            .with("by", one_line(&self.by))
            .with_some("until", self.until)
            .with_some("note", self.note.as_deref().map(one_line));
        let lines = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
        let mut out = Vec::new();
        stacked::write(&mut out, TITLE, lines.collect::<String>().as_bytes());
        out
    }

    /// Reads [`Stance::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let unreadable = |why: &dyn fmt::Display| {
            Fault::bad_request(format!("cannot read what was said of a problem: {why}"))
        };
        let streams = stacked::parse(bytes).map_err(|error| unreadable(&error))?;
        let fields = streams.iter().find(|stream| stream.name == TITLE.as_bytes());
        let fields = fields.ok_or_else(|| unreadable(&format!("no `{TITLE}`")))?;
        let mut head = Vec::new();
        stacked::write(&mut head, TITLE, &fields.content());
        let sections = message::sections(&head)?;
        let section = &sections[0];
        Ok(Self {
            said: section.require("said")?,
            stage: section.require("stage")?,
            run_key: section.get("run-key").unwrap_or_default().to_owned(),
            summary: section.get("summary").unwrap_or_default().to_owned(),
            since: section.require("since")?,
            at: section.require("at")?,
            by: section.get("by").unwrap_or_default().to_owned(),
            until: section.parse("until")?,
            note: section.get("note").map(str::to_owned),
        })
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
