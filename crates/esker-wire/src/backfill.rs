//! What a backfill says of itself, kept as the resource [`ABOUT`] on its branch.

use std::fmt;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::{self, Section};
use crate::name::Resource;
use crate::revision::Revision;
use crate::stacked;

/// The resource that tells about a backfill.
pub const ABOUT: &str = "backfill/about";

/// What is computed anew, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The stage.
    pub stage: String,
    /// What it reads, in the definition's order.
    pub inputs: Vec<Resource>,
    /// Those of them it runs without while they do not exist.
    pub optional: Vec<Resource>,
    /// What it makes.
    pub outputs: Vec<Resource>,
    /// From which commit on; from the beginning if there is none.
    pub from: Option<Revision>,
    /// When it was begun.
    pub begun: Timestamp,
    /// When its results were adopted, if they were.
    pub adopted: Option<Timestamp>,
}

impl About {
    /// As a stacked stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut section = Section::new("backfill v1").with("stage", &self.stage);
        let lists =
            [("input", &self.inputs), ("optional", &self.optional), ("output", &self.outputs)];
        for (key, names) in lists {
            names.iter().for_each(|name| section.push(key, name));
        }
        section = section.with_some("from", self.from);
        section.push("begun", self.begun);
        section = section.with_some("adopted", self.adopted);
        let fields = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
        let mut out = Vec::new();
        stacked::write(&mut out, &section.name, fields.collect::<String>().as_bytes());
        out
    }

    /// Reads [`About::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let unreadable = |why: &dyn fmt::Display| {
            Fault::bad_request(format!("cannot read what a backfill says of itself: {why}"))
        };
        let sections = message::sections(bytes)?;
        let section = sections.iter().find(|section| section.name == "backfill v1");
        let section = section.ok_or_else(|| unreadable(&"no `backfill v1`"))?;
        let list = |key: &str| -> Result<Vec<Resource>, Fault> {
            let names = section.all(key).map(str::parse);
            names.collect::<Result<_, _>>().map_err(|error| unreadable(&error))
        };
        Ok(Self {
            stage: section.require("stage")?,
            inputs: list("input")?,
            optional: list("optional")?,
            outputs: list("output")?,
            from: section.parse("from")?,
            begun: section.require("begun")?,
            adopted: section.parse("adopted")?,
        })
    }
}

#[cfg(test)]
mod tests;
