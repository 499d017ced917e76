//! The changes that the command line says, with the contents of the files it names.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_wire::edit::{self, Deed, Edit};
use esker_wire::message::CONTENT_MAX;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Item, Stat};
use esker_wire::whatif::{self, About};

use crate::cli::{Change, Changes};
use crate::reach::{Hub, found};
use crate::say::hinted;

/// The longest text that is told of an edit, in characters.
const TOLD_MAX: usize = 80;

/// Changes, read.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) edits: Vec<Edit>,
    pub(super) inputs: Vec<(Resource, Bytes)>,
    pub(super) files: Vec<(String, Bytes)>,
}

impl Wanted {
    /// Reads the files that changes name.
    pub(super) fn read(changes: &Changes) -> Result<Self> {
        let mut wanted = Self::default();
        let mut stdin = None;
        for change in &changes.0 {
            let (Change::Edits(path) | Change::Input(_, path) | Change::File(_, path)) = change
            else {
                continue;
            };
            if path.as_os_str() == "-" && stdin.replace(()).is_some() {
                return Err(hinted("standard input is named twice", "write one of them to a file"));
            }
        }
        for change in &changes.0 {
            match change {
                Change::Edit(edit) => wanted.edits.push((**edit).clone()),
                Change::Edits(path) => {
                    let read = edit::read(&content(path)?);
                    let edits = read.with_context(|| format!("cannot use {}", path.display()))?;
                    wanted.edits.extend(edits.into_iter().map(|(edit, _)| edit));
                }
                Change::Input(resource, path) => {
                    wanted.inputs.retain(|(known, _)| known != resource);
                    wanted.inputs.push((resource.clone(), content(path)?));
                }
                Change::File(name, path) => {
                    wanted.files.retain(|(known, _)| known != name);
                    wanted.files.push((name.clone(), content(path)?));
                }
            }
        }
        Ok(wanted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.inputs.is_empty() && self.files.is_empty()
    }

    /// The first change in words.
    pub(super) fn first(&self) -> String {
        if let Some(edit) = self.edits.first() {
            return words(edit);
        }
        let input = self.inputs.first().map(|(resource, _)| format!("another {resource}"));
        let file = || self.files.first().map(|(path, _)| format!("another {path}"));
        input.or_else(file).unwrap_or_default()
    }

    /// Adds these changes to those there are.
    pub(super) fn add_to(&self, about: &mut About) {
        about.edits.extend(self.edits.iter().cloned());
        for (resource, _) in &self.inputs {
            if !about.inputs.contains(resource) {
                about.inputs.push(resource.clone());
            }
        }
        for (path, _) in &self.files {
            if !about.files.contains(path) {
                about.files.push(path.clone());
            }
        }
    }

    /// The contents, as they lie on the branch.
    pub(super) fn items(&self, hub: &Hub, base: Revision) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for (resource, bytes) in &self.inputs {
            // It is of the kind that it is at the base.
            let (at, branch) = (At::from(base), Branch::main());
            let then = found(hub.call(&Stat { resource: resource.clone(), at, branch }))?;
            let content_type = then.and_then(|then| then.content_type);
            let (resource, content) = (whatif::input(resource)?, Some(bytes.clone()));
            items.push(Item { resource, content, if_head: None, content_type });
        }
        for (path, bytes) in &self.files {
            let (resource, content) = (whatif::file(path)?, Some(bytes.clone()));
            items.push(Item { resource, content, if_head: None, content_type: None });
        }
        Ok(items)
    }
}

/// An edit in words: `Params[End].Value = 2027-04-09`.
pub(super) fn words(edit: &Edit) -> String {
    let at = match edit.at.place.steps.as_slice() {
        [] => edit.at.resource.to_string(),
        _ => edit.at.place.to_string(),
    };
    let text = match &edit.deed {
        Deed::Set(text) => format!("{at} = {text}"),
        Deed::Add { cells, .. } => {
            let cells: Vec<&str> = cells.iter().map(|(_, text)| text.as_str()).collect();
            format!("add to {at}: {}", cells.join(", "))
        }
        Deed::Remove => format!("without {at}"),
        Deed::Move(to) => format!("{at} {to}"),
        Deed::Rank(rank) => format!("{at} ranked {rank}"),
    };
    shortened(&text)
}

/// A text on one line, not too long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    match line.char_indices().nth(TOLD_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn content(path: &Path) -> Result<Bytes> {
    let name = match path.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    let mut from: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(path).with_context(|| format!("cannot open {name}"))?),
    };
    let mut content = Vec::new();
    let read = from.by_ref().take(CONTENT_MAX as u64 + 1).read_to_end(&mut content);
    read.with_context(|| format!("cannot read {name}"))?;
    if content.len() > CONTENT_MAX {
        let hint = "a what-if takes contents of one message; put it under another name instead";
        return Err(hinted(format!("{name} has over {CONTENT_MAX} bytes"), hint));
    }
    Ok(content.into())
}
