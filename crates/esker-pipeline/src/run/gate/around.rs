//! What outputs are held against beside their checks: the versions before, and other resources.

use std::collections::BTreeMap;

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::Resource;
use esker_wire::provenance::Input;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Content, Get};

use crate::plan::Run;

use super::super::failure::Broken;
use super::super::line::Line;
use super::super::{Bench, Halt, may_pass};

/// What was read for a run's checks; each thing once.
pub(super) struct Around<'a> {
    pub(super) bench: &'a Bench,
    pub(super) line: &'a Line,
    pub(super) run: &'a Run,
    previous: BTreeMap<Resource, Option<Bytes>>,
    references: BTreeMap<Resource, (Option<Revision>, Option<Bytes>)>,
}

impl<'a> Around<'a> {
    pub(super) fn new(bench: &'a Bench, line: &'a Line, run: &'a Run) -> Self {
        let (previous, references) = (BTreeMap::new(), BTreeMap::new());
        Self { bench, line, run, previous, references }
    }

    /// The same for a run of the past: these were the versions before.
    pub(super) fn then(
        (bench, line): (&'a Bench, &'a Line),
        run: &'a Run,
        previous: BTreeMap<Resource, Option<Bytes>>,
    ) -> Self {
        Self { previous, ..Self::new(bench, line, run) }
    }

    /// The version of an output that is current; none before the first. If it is not the one that the run was
    /// planned with, its outputs would not be stored, and nothing need be judged.
    pub(super) fn previous(&mut self, output: &Resource) -> Result<Option<Bytes>, Halt> {
        if let Some(known) = self.previous.get(output) {
            return Ok(known.clone());
        }
        let planned = self.run.outputs.iter().find(|(name, _)| name == output);
        let planned = planned.and_then(|(_, head)| *head);
        let found = self.get(output, At::head())?;
        let revision = found.as_ref().map(|content| content.entry.revision);
        if revision != planned {
            return Err(Halt::Again(format!("{output} is no longer what was planned with")));
        }
        let bytes = found.and_then(|content| content.bytes);
        self.previous.insert(output.clone(), bytes.clone());
        Ok(bytes)
    }

    /// A resource that a check refers to, as of the commit that the inputs are read at; none if there is none.
    pub(super) fn reference(&mut self, resource: &Resource) -> Result<Option<Bytes>, Halt> {
        if let Some((_, known)) = self.references.get(resource) {
            return Ok(known.clone());
        }
        let found = self.get(resource, self.run.at.map_or_else(At::head, At::from))?;
        let revision = found.as_ref().map(|content| content.entry.revision);
        let bytes = found.and_then(|content| content.bytes);
        self.references.insert(resource.clone(), (revision, bytes.clone()));
        Ok(bytes)
    }

    /// What was referred to, in the versions that were read.
    pub(super) fn references(self) -> Vec<Input> {
        let references = self.references.into_iter();
        references
            .filter_map(|(resource, (revision, _))| Some(Input { resource, revision: revision? }))
            .collect()
    }

    fn get(&self, resource: &Resource, at: At) -> Result<Option<Content>, Halt> {
        let branch = self.bench.branch.clone();
        let request = Get { resource: resource.clone(), at, branch, range: None, unless: None };
        match self.line.ask(self.bench, &request)? {
            Ok(content) => Ok(Some(content)),
            Err(fault) if fault.code == Code::NotFound => Ok(None),
            Err(fault) if may_pass(&fault) => {
                Err(Halt::Again(format!("cannot read {resource}: {fault}")))
            }
            Err(fault) => {
                let summary = format!("cannot compare with {resource}: {}", fault.message);
                Err(Broken::new(summary, fault.hint).into())
            }
        }
    }
}
