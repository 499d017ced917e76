//! What has come of a what-if, as its runner tells it.

use std::fmt;
use std::str::FromStr;

use crate::edit::{self, Noted};
use crate::fault::Fault;
use crate::message::Section;
use crate::name::Resource;
use crate::record::RunRecord;
use crate::revision::Revision;
use crate::stacked;

use super::{streams, unreadable, write};

/// What has come of a what-if.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The version of [`super::ABOUT`] that this is of; while it is another one than the newest, more is to come.
    pub about: Revision,
    /// How far it came.
    pub outcome: Outcome,
    /// Why no further, one line; empty if all went well.
    pub summary: String,
    /// What to do about it.
    pub hint: String,
    /// The commit of the branch `project` whose programs were run; none if it is not known.
    pub project: Option<Revision>,
    /// The stages that are left out because they have effects.
    pub skipped: Vec<String>,
    /// The resources that are changed by hand.
    pub edited: Vec<Resource>,
    /// The edits as they were made, each with what it has found.
    pub found: Vec<Noted>,
    /// The last run of each stage that ran.
    pub runs: Vec<RunRecord>,
    /// What became of the last wish.
    pub answer: Option<Answer>,
    /// The commit of `main` that applied it, until that is taken back.
    pub applied: Option<Revision>,
}

/// How far a what-if came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that depends on the changes is computed.
    Done,
    /// A stage failed.
    Problem,
    /// The changes cannot be made.
    Invalid,
}

const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Done, "done"), (Outcome::Problem, "problem"), (Outcome::Invalid, "invalid")];

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OUTCOMES.iter().find(|(outcome, _)| outcome == self);
        f.write_str(text.map_or("invalid", |(_, text)| text))
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = OUTCOMES.iter().find(|(_, known)| *known == text);
        known.map(|(outcome, _)| *outcome).ok_or_else(|| format!("{text:?} is no outcome"))
    }
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The wish's number.
    pub number: u64,
    /// The commit of `main` that did it; none if it was not done.
    pub revision: Option<Revision>,
    /// Why not, one line; empty if it was.
    pub summary: String,
    /// What stands against it.
    pub conflicts: Vec<Conflict>,
}

/// Two changes of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The number of the edit, from 1; 0 for a content that was replaced as a whole.
    pub edit: usize,
    /// What both have changed: an address, or a resource.
    pub at: String,
    /// How they differ, in few words.
    pub kind: String,
    /// What was there before; empty if nothing was.
    pub base: String,
    /// What `main` says.
    pub theirs: String,
    /// What the what-if says.
    pub mine: String,
}

impl State {
    /// As stacked streams.
    pub fn to_bytes(&self) -> Vec<u8> {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        let mut section = Section::new("state v1")
            .with("about", self.about)
            .with("outcome", self.outcome)
            .with("summary", one_line(&self.summary))
            .with("hint", one_line(&self.hint))
            .with_some("project", self.project)
            .with_some("applied", self.applied);
        self.skipped.iter().for_each(|stage| section.push("skipped", stage));
        self.edited.iter().for_each(|resource| section.push("edited", resource));
        let mut out = Vec::new();
        write(&mut out, &section);
        // What was read as edits can be written as such; with what they found they may be too much.
        if let Ok(found) = edit::write(&self.found) {
            stacked::write(&mut out, "found", &found);
        }
        for run in &self.runs {
            stacked::write(&mut out, "run", &run.to_bytes());
        }
        if let Some(answer) = &self.answer {
            answer.write(&mut out);
        }
        out
    }

    /// Reads [`State::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let streams = streams(bytes)?;
        let section = streams.section("state v1")?;
        let section = section.ok_or_else(|| unreadable("no `state v1`"))?;
        let all = |name: &[u8]| {
            let named = streams.0.iter().filter(|stream| stream.name == name);
            named.map(stacked::Stream::content).collect::<Vec<_>>()
        };
        let found = streams.content("found").map_or(Ok(Vec::new()), |text| edit::read(&text));
        let runs = all(b"run").into_iter().map(|bytes| RunRecord::from_bytes(&bytes));
        let edited = section.all("edited").map(|name| name.parse().map_err(Fault::bad_request));
        let mut answer = streams.section("answer v1")?.map(|one| Answer::read(&one)).transpose()?;
        if let Some(answer) = &mut answer {
            let conflicts = all(b"conflict").into_iter().map(|bytes| Conflict::read(&bytes));
            answer.conflicts = conflicts.collect::<Result<_, _>>()?;
        }
        Ok(Self {
            about: section.require("about")?,
            outcome: section.require("outcome")?,
            summary: section.get("summary").unwrap_or_default().to_owned(),
            hint: section.get("hint").unwrap_or_default().to_owned(),
            project: section.parse("project")?,
            skipped: section.all("skipped").map(str::to_owned).collect(),
            edited: edited.collect::<Result<_, _>>()?,
            found: found.map_err(Fault::bad_request)?,
            runs: runs.collect::<Result<_, _>>()?,
            answer,
            applied: section.parse("applied")?,
        })
    }
}

impl Answer {
    fn write(&self, out: &mut Vec<u8>) {
        let section = Section::new("answer v1")
            .with("number", self.number)
            .with_some("revision", self.revision)
            .with("summary", self.summary.replace(['\n', '\r'], " "));
        write(out, &section);
        for conflict in &self.conflicts {
            stacked::write(out, "conflict", &conflict.to_bytes());
        }
    }

    fn read(section: &Section) -> Result<Self, Fault> {
        Ok(Self {
            number: section.require("number")?,
            revision: section.parse("revision")?,
            summary: section.get("summary").unwrap_or_default().to_owned(),
            conflicts: Vec::new(),
        })
    }
}

impl Conflict {
    fn to_bytes(&self) -> Vec<u8> {
        let section = Section::new("about")
            .with("edit", self.edit)
            .with("at", self.at.replace(['\n', '\r'], " "))
            .with("kind", &self.kind);
        let mut out = Vec::new();
        write(&mut out, &section);
        for (name, text) in [("base", &self.base), ("theirs", &self.theirs), ("mine", &self.mine)] {
            stacked::write(&mut out, name, text.as_bytes());
        }
        out
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let streams = streams(bytes)?;
        let section =
            streams.section("about")?.ok_or_else(|| unreadable("a conflict of nothing"))?;
        let text = |name: &str| {
            let stream = streams.0.iter().find(|stream| stream.name == name.as_bytes());
            let bytes = stream.map(stacked::Stream::unterminated).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ok(Self {
            edit: section.require("edit")?,
            at: section.get("at").unwrap_or_default().to_owned(),
            kind: section.get("kind").unwrap_or_default().to_owned(),
            base: text("base"),
            theirs: text("theirs"),
            mine: text("mine"),
        })
    }
}
