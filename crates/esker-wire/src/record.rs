//! The record of a stage's last run, kept as the resource `run/STAGE` on the branch `records`.
//!
//! A stage that has to see every version of its input goes on behind one that failed; the record of that run is
//! then kept as `skipped/STAGE/REVISION` until it is tried again or let go.
//!
//! The output's own commit says what made the current version. The record says what commits cannot: that an
//! output was verified against newer inputs without changing, or that a run failed and why.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::{self, Section};
use crate::name::Resource;
use crate::provenance::Input;
use crate::revision::Revision;
use crate::stacked;

/// The most of a program's standard error kept with a record, in bytes; the end is what is kept.
pub const STDERR_MAX: usize = 64 * 1024;

/// The name under which a definition that cannot be read is recorded: no stage can be called so.
pub const DEFINITION: &str = "esker.toml";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// New outputs were committed.
    Stored,
    /// The outputs equal the current ones: verified, nothing committed.
    Unchanged,
    /// It failed in a way that may pass; it is tried again at `not-before`.
    Retry,
    /// It failed; it is tried again when its inputs, program or definition change, or someone asks.
    Problem,
}

const ENDED: [(Ended, &str); 4] = [
    (Ended::Stored, "stored"),
    (Ended::Unchanged, "unchanged"),
    (Ended::Retry, "retry"),
    (Ended::Problem, "problem"),
];

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            ENDED.iter().find(|(ended, _)| ended == self).map_or("problem", |(_, text)| text);
        f.write_str(text)
    }
}

impl FromStr for Ended {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ENDED.iter().find(|(_, known)| *known == text);
        known.map(|(ended, _)| *ended).ok_or_else(|| format!("{text:?} is no way for a run to end"))
    }
}

/// What went wrong, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed and how, one line: `python3 condition.py exited 1`.
    pub summary: String,
    /// What to do, one line.
    pub hint: String,
    /// The end of the program's standard error, at most [`STDERR_MAX`] bytes.
    pub detail: String,
    /// How often the same run key has failed.
    pub count: u32,
    /// When it failed first.
    pub since: Timestamp,
    /// When it may be tried again, for [`Ended::Retry`].
    pub not_before: Option<Timestamp>,
}

/// The record of the last run of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The stage or source, or [`DEFINITION`].
    pub stage: String,
    /// The run key it ran for.
    pub run_key: String,
    /// How it ended.
    pub ended: Ended,
    /// The inputs it read.
    pub inputs: Vec<Input>,
    /// The outputs as the run left them: what it stored, or found unchanged.
    pub outputs: Vec<Input>,
    /// When it started.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What went wrong, if something did.
    pub failure: Option<Failure>,
    /// What checks say of the outputs that let them pass, a line each.
    pub warnings: Vec<String>,
}

impl RunRecord {
    /// The resource a stage's record is kept as.
    ///
    /// # Errors
    /// `bad-request` if no resource can be named so; the names a definition accepts all can.
    pub fn resource(stage: &str) -> Result<Resource, Fault> {
        format!("run/{stage}").parse().map_err(Fault::bad_request)
    }

    /// The resource that keeps the record of a failed run for this version of its input, when a stage that has to
    /// see every version has passed over it.
    ///
    /// # Errors
    /// As [`RunRecord::resource`].
    pub fn skipped(stage: &str, input: Revision) -> Result<Resource, Fault> {
        format!("skipped/{stage}/{input}").parse().map_err(Fault::bad_request)
    }

    /// The record as a stacked stream: `run v1` with the fields, then `detail` with the text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut section = Section::new("run v1")
            .with("stage", &self.stage)
            .with("run-key", &self.run_key)
            .with("ended", self.ended)
            .with("started", self.started)
            .with("duration-ms", self.duration_ms);
        for input in &self.inputs {
            section.push("input", input.to_text());
        }
        for output in &self.outputs {
            section.push("output", output.to_text());
        }
        for warning in &self.warnings {
            section.push("warning", warning.replace(['\n', '\r'], " "));
        }
        let mut detail = None;
        if let Some(failure) = &self.failure {
            section.push("summary", failure.summary.replace(['\n', '\r'], " "));
            section.push("hint", failure.hint.replace(['\n', '\r'], " "));
            section.push("count", failure.count);
            section.push("since", failure.since);
            section = section.with_some("not-before", failure.not_before);
            detail = Some(&failure.detail);
        }
        let fields: String =
            section.fields.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        let mut out = Vec::new();
        stacked::write(&mut out, &section.name, fields.as_bytes());
        if let Some(detail) = detail {
            stacked::write(&mut out, "detail", detail.as_bytes());
        }
        out
    }

    /// Reads [`RunRecord::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let unreadable = |why: &dyn fmt::Display| {
            Fault::bad_request(format!("cannot read a run's record: {why}"))
        };
        let streams = stacked::parse(bytes).map_err(|error| unreadable(&error))?;
        let fields = streams
            .iter()
            .find(|s| s.name == b"run v1")
            .ok_or_else(|| unreadable(&"no `run v1`"))?;
        let mut head = Vec::new();
        stacked::write(&mut head, "run v1", &fields.content());
        let sections = message::sections(&head)?;
        let section = &sections[0];
        let detail = streams.iter().find(|s| s.name == b"detail");
        let detail = detail.map(|s| String::from_utf8_lossy(&s.content()).into_owned());
        Ok(Self {
            stage: section.require("stage")?,
            run_key: section.get("run-key").unwrap_or_default().to_owned(),
            ended: section.require("ended")?,
            inputs: versions(section, "input")?,
            outputs: versions(section, "output")?,
            started: section.require("started")?,
            duration_ms: section.require("duration-ms")?,
            failure: failure(section, detail.unwrap_or_default())?,
            warnings: section.all("warning").map(str::to_owned).collect(),
        })
    }
}

fn versions(section: &Section, key: &str) -> Result<Vec<Input>, Fault> {
    section.all(key).map(Input::from_text).collect()
}

fn failure(section: &Section, detail: String) -> Result<Option<Failure>, Fault> {
    let Some(summary) = section.get("summary") else {
        return Ok(None);
    };
    Ok(Some(Failure {
        summary: summary.to_owned(),
        hint: section.get("hint").unwrap_or_default().to_owned(),
        detail,
        count: section.require("count")?,
        since: section.require("since")?,
        not_before: section.parse("not-before")?,
    }))
}

#[cfg(test)]
mod tests;
