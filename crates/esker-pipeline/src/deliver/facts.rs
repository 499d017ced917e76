//! What the definition in force says of a run of the past, as far as it was in force then: a file that was changed
//! since says nothing of it.

use std::fs;
use std::path::{Path, PathBuf};

use esker_wire::name::Resource;
use jiff::Timestamp;

use crate::definition::gate::{Gate, Judge};
use crate::definition::{Definition, FILE};
use crate::gate::file::Rules;

use super::tale::Ran;

/// A project and, if there is one, its definition.
pub(crate) struct Facts<'d> {
    project: String,
    namespace: String,
    known: Option<Known<'d>>,
}

struct Known<'d> {
    dir: PathBuf,
    definition: &'d Definition,
    /// Since when it says what it says.
    since: Option<Timestamp>,
}

/// A column of a table, or a table of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) columns: Vec<Self>,
}

impl<'d> Facts<'d> {
    pub(crate) fn of(dir: &Path, definition: &'d Definition) -> Self {
        let lineage = definition.lineage.as_ref();
        let namespace = lineage.and_then(|lineage| lineage.namespace.clone());
        let known = Known { dir: dir.to_owned(), definition, since: changed(&dir.join(FILE)) };
        Self {
            project: definition.project.clone(),
            namespace: namespace.unwrap_or_else(|| definition.project.clone()),
            known: Some(known),
        }
    }

    /// Of a project whose definition is not here.
    pub(crate) fn of_none(project: &str) -> Self {
        Self { project: project.to_owned(), namespace: project.to_owned(), known: None }
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether it was a source that ran: one that there is, or else what read nothing.
    pub(crate) fn is_source(&self, ran: &Ran) -> bool {
        let definition = self.known.as_ref().map(|known| known.definition);
        let is = |definition: &Definition| {
            let mut sources = definition.sources.iter();
            let mut stages = definition.stages.iter();
            match sources.any(|source| source.name == ran.stage) {
                true => Some(true),
                false => stages.any(|stage| stage.name == ran.stage).then_some(false),
            }
        };
        definition.and_then(is).unwrap_or(ran.inputs.is_empty())
    }

    /// What its outputs were held against, if that is known.
    pub(crate) fn gate(&self, ran: &Ran) -> Option<&Gate> {
        let known = self.known.as_ref()?;
        if known.since.is_none_or(|since| since > ran.started) {
            return None;
        }
        let gate = known.definition.gates().find(|(name, _)| *name == ran.stage);
        gate.map(|(_, gate)| gate)
    }

    /// The columns of what it left, if they are known.
    pub(crate) fn columns(&self, ran: &Ran, output: &Resource) -> Vec<Column> {
        let (Some(known), Some(gate)) = (&self.known, self.gate(ran)) else {
            return Vec::new();
        };
        for check in &gate.checks {
            let is_of = check.output.as_ref().is_none_or(|only| only == output);
            let Judge::File(path) = &check.judge else {
                continue;
            };
            let is_same = changed(&known.dir.join(path)).is_some_and(|then| then <= ran.started);
            if is_of
                && is_same
                && check.stream.is_none()
                && let Ok(rules) = Rules::load(&known.dir, path)
            {
                let columns = rules.columns();
                if !columns.is_empty() {
                    return columns;
                }
            }
        }
        Vec::new()
    }
}

/// When a file was changed last.
fn changed(path: &Path) -> Option<Timestamp> {
    let time = fs::metadata(path).and_then(|about| about.modified()).ok()?;
    Timestamp::try_from(time).ok()
}
