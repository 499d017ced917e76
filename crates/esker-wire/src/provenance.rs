//! Provenance: what a revision was made from and by. It travels as fields and rests in the commit's trailers.

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::Section;
use crate::name::Resource;
use crate::revision::Revision;

/// A resource at a revision: something a run read or left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// What was read.
    pub resource: Resource,
    /// The revision that last changed it, as seen by the run.
    pub revision: Revision,
}

impl Input {
    /// `raw/plan 0123…`, as in trailers.
    pub fn to_text(&self) -> String {
        format!("{} {}", self.resource, self.revision)
    }

    /// Reads [`Input::to_text`].
    ///
    /// # Errors
    /// `bad-request` naming the text.
    pub fn from_text(text: &str) -> Result<Self, Fault> {
        let (resource, revision) = text.rsplit_once(' ').ok_or_else(|| {
            Fault::bad_request(format!("{text:?} is not an input of the form `resource revision`"))
        })?;
        let resource = resource.parse().map_err(Fault::bad_request)?;
        Ok(Self { resource, revision: revision.parse().map_err(Fault::bad_request)? })
    }
}

/// How a revision came to be, when a run made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The stage or source of the definition.
    pub stage: String,
    /// The run key (pipeline S2): the same key means the same effect.
    pub run_key: String,
    /// The inputs and their revisions, in the definition's order.
    pub inputs: Vec<Input>,
    /// The program and its arguments as one line, or what the source read.
    pub program: String,
    /// The content hash of the program's files inside the project; empty if there are none.
    pub code: String,
    /// The esker that ran it.
    pub engine: String,
    /// The machine it ran on.
    pub host: String,
    /// When it started; a label for people, never an order.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The program's exit code.
    pub exit: i32,
    /// The parts of the input whose results are not in it, if it was made in parts and some failed.
    pub failed_parts: Vec<String>,
}

impl Provenance {
    /// Appends the fields to a section.
    pub fn write(&self, section: &mut Section) {
        section.push("stage", &self.stage);
        section.push("run-key", &self.run_key);
        for input in &self.inputs {
            section.push("input", input.to_text());
        }
        section.push("program", self.program.replace(['\n', '\r'], " "));
        section.push("code", &self.code);
        section.push("engine", &self.engine);
        section.push("host", &self.host);
        section.push("started", self.started);
        section.push("duration-ms", self.duration_ms);
        section.push("exit", self.exit);
        for part in &self.failed_parts {
            section.push("failed-part", part.replace(['\n', '\r'], " "));
        }
    }

    /// Reads the fields of a section; none if it names no stage.
    ///
    /// # Errors
    /// `bad-request` naming the field that is missing or cannot be read.
    pub fn read(section: &Section) -> Result<Option<Self>, Fault> {
        let Some(stage) = section.get("stage") else {
            return Ok(None);
        };
        Ok(Some(Self {
            stage: stage.to_owned(),
            run_key: section.require("run-key")?,
            inputs: section.all("input").map(Input::from_text).collect::<Result<_, _>>()?,
            program: section.get("program").unwrap_or_default().to_owned(),
            code: section.get("code").unwrap_or_default().to_owned(),
            engine: section.get("engine").unwrap_or_default().to_owned(),
            host: section.get("host").unwrap_or_default().to_owned(),
            started: section.require("started")?,
            duration_ms: section.require("duration-ms")?,
            exit: section.require("exit")?,
            failed_parts: section.all("failed-part").map(str::to_owned).collect(),
        }))
    }
}
