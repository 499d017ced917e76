//! How far each of those who are told has come: the resource `sent/NAME` on the branch `records`.

use std::fmt;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::{self, Section};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Get, Put};
use esker_wire::stacked;
use jiff::Timestamp;

use super::history::Position;
use crate::commits::DEADLINE;

/// What the names of such resources begin with.
pub(super) const PREFIX: &str = "sent/";
/// What the content begins with.
const TITLE: &str = "sent v1";

/// How far one of those who are told has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// Behind the last commits all of whose events were taken.
    pub(super) position: Position,
    /// How many events were sent: the sequence of the last.
    pub sequence: u64,
    /// How many of those were refused for good.
    pub refused: u64,
    /// When the last was taken.
    pub last: Option<Timestamp>,
}

impl Sent {
    fn resource(name: &str) -> Result<Resource, Fault> {
        format!("{PREFIX}{name}").parse().map_err(Fault::bad_request)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let section = Section::new(TITLE)
            .with_some("main", self.position.main)
            .with_some("records", self.position.records)
            .with("sequence", self.sequence)
            .with("refused", self.refused)
            .with_some("last", self.last);
        let lines = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
        let mut out = Vec::new();
        stacked::write(&mut out, TITLE, lines.collect::<String>().as_bytes());
        out
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let sections = message::sections(bytes)?;
        let section = sections.first().filter(|section| section.name == TITLE);
        let section = section.ok_or_else(|| Fault::bad_request(format!("no `{TITLE}`")))?;
        let revision = |key: &str| section.parse::<Revision>(key);
        Ok(Self {
            position: Position { main: revision("main")?, records: revision("records")? },
            sequence: section.parse("sequence")?.unwrap_or_default(),
            refused: section.parse("refused")?.unwrap_or_default(),
            last: section.parse("last")?,
        })
    }

    /// What is kept of somebody; none if nothing is, or nothing that this esker can read.
    pub(super) fn read(caller: &Caller, name: &str) -> Result<Option<Self>, Fault> {
        let get = Get { branch: Branch::records(), ..Get::head(Self::resource(name)?) };
        let bytes = match caller.call_blocking(&get, DEADLINE) {
            Ok(content) => content.bytes.unwrap_or_default(),
            Err(fault) if fault.code == Code::NotFound => return Ok(None),
            Err(fault) => return Err(fault),
        };
        match Self::from_bytes(&bytes) {
            Ok(sent) => Ok(Some(sent)),
            Err(fault) => {
                tracing::warn!(name, %fault, "cannot read how far it has come; beginning from now");
                Ok(None)
            }
        }
    }

    /// Keeps it.
    pub(super) fn keep(&self, caller: &Caller, name: &str) -> Result<(), Fault> {
        let message = format!("{name}: {self}");
        let put = Put::noted(Self::resource(name)?, Some(self.to_bytes().into()), message);
        caller.call_blocking(&put, DEADLINE).map(drop)
    }

    /// Forgets how far somebody has come who is told no more.
    pub(super) fn forget(caller: &Caller, name: &str) -> Result<(), Fault> {
        let put = Put::noted(Self::resource(name)?, None, format!("{name}: forgotten"));
        caller.call_blocking(&put, DEADLINE).map(drop)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sent", self.sequence)
    }
}

#[cfg(test)]
mod tests;
