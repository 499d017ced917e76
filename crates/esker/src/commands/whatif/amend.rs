//! Changing what a what-if says of itself: again if somebody else was faster.

use std::process::ExitCode;

use anyhow::{Context, Result};
use esker_wire::edit::Edit;
use esker_wire::fault::Code;
use esker_wire::name::Resource;
use esker_wire::snapshot::{Expect, Item, Put};
use esker_wire::whatif::{self, ABOUT, About};

use crate::cli::WhatIfAmend;
use crate::commands::is_fault;
use crate::commands::put::author;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::hinted;

use super::Case;
use super::begin::usage;
use super::changes::Wanted;
use super::wait::Waiting;

/// How often it is tried to be faster than others.
const TRIES_MAX: usize = 20;

impl Case {
    /// Says something else of itself, with these contents beside it.
    pub(super) fn change(
        mut self,
        hub: &Hub,
        items: &[Item],
        change: impl Fn(&mut About) -> Result<()>,
    ) -> Result<Self> {
        for _ in 0..TRIES_MAX {
            let mut about = self.about.clone();
            change(&mut about)?;
            if about == self.about && items.is_empty() {
                return Ok(self);
            }
            about.replaced += u64::from(!items.is_empty());
            let own = Item {
                resource: ABOUT.parse()?,
                content: Some(about.to_bytes()?.into()),
                if_head: Some(Expect::Revision(self.revision)),
                content_type: None,
            };
            let stored = hub.call(&Put {
                items: std::iter::once(own).chain(items.iter().cloned()).collect(),
                branch: self.branch.clone(),
                message: Some(format!("what-if {}: {}", self.id, about.title)),
                author: author(),
                provenance: None,
                base: None,
            });
            match stored {
                Ok(stored) => {
                    let revision = stored.items[0].revision.context("it was not stored")?;
                    return Ok(Self(whatif::case::Case { about, revision, ..self.0 }));
                }
                Err(error) if is_fault(&error, Code::Conflict) => self = self.again(hub)?,
                Err(error) => return Err(error),
            }
        }
        let what = format!("{} was changed {TRIES_MAX} times meanwhile", self.id);
        Err(hinted(what, "others change it too: try again"))
    }
}

/// What is not to be changed any more.
enum Gone {
    Edit(Box<Edit>),
    Input(Resource),
    File(String),
}

/// Adds changes, and takes some back.
pub(super) fn amend(place: &Place, asked: &WhatIfAmend) -> Result<ExitCode> {
    if asked.base.is_some() {
        let hint = format!("esker whatif rebase {} --onto VERSION", asked.id);
        return Ok(usage(&hinted("a what-if keeps its base when it is amended", hint)));
    }
    if asked.changes.0.is_empty() && asked.drop.is_empty() && asked.title.is_none() {
        let hint = format!(
            "name a change, --drop N or --title TEXT: `esker whatif show {}` numbers its changes",
            asked.id
        );
        return Ok(usage(&hinted("nothing is to be amended", hint)));
    }
    let wanted = Wanted::read(&asked.changes)?;
    let hub = Hub::find(place)?;
    let case = Case::find(&hub, &asked.id)?;
    let gone = asked.drop.iter().map(|name| gone(&case, name));
    let gone = gone.collect::<Result<Vec<_>>>()?;
    let mut items = wanted.items(&hub, case.about.base)?;
    for gone in &gone {
        items.extend(gone.item(&wanted)?);
    }
    let amended = case.change(&hub, &items, |about| {
        // Numbers are those of what was shown: whoever was faster may have changed them.
        gone.iter().for_each(|gone| gone.leave(about));
        wanted.add_to(about);
        if let Some(title) = &asked.title {
            about.title.clone_from(title);
        }
        // It is another one now: what was asked for was asked of what it was.
        if !gone.is_empty() || !wanted.is_empty() {
            about.ask = None;
        }
        Ok(())
    })?;
    Waiting::of(place, &hub, asked.json)?.tell(&amended, asked.no_wait)
}

/// What a person means by a number or a name.
fn gone(case: &Case, name: &str) -> Result<Gone> {
    let about = &case.about;
    if let Ok(number) = name.parse::<usize>() {
        let edit = number.checked_sub(1).and_then(|at| about.edits.get(at));
        return edit.map(|edit| Gone::Edit(Box::new(edit.clone()))).ok_or_else(|| {
            let hint = match about.edits.len() {
                0 => {
                    "it has no edits; name a resource or file whose content was replaced".to_owned()
                }
                count => format!("they are numbered from 1 to {count}"),
            };
            hinted(format!("{} has no change {name}", case.id), hint)
        });
    }
    if let Some(input) = about.inputs.iter().find(|input| input.as_str() == name) {
        return Ok(Gone::Input(input.clone()));
    }
    match about.files.iter().find(|file| *file == name) {
        Some(file) => Ok(Gone::File(file.clone())),
        None => Err(hinted(
            format!("{} has no other content for {name}", case.id),
            format!("`esker whatif show {}` lists what it changes", case.id),
        )),
    }
}

impl Gone {
    fn leave(&self, about: &mut About) {
        match self {
            Self::Edit(edit) => {
                if let Some(at) = about.edits.iter().position(|known| known == &**edit) {
                    about.edits.remove(at);
                }
            }
            Self::Input(input) => about.inputs.retain(|known| known != input),
            Self::File(file) => about.files.retain(|known| known != file),
        }
    }

    /// The item that removes its content from the branch, unless another one is put there.
    fn item(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let resource = match self {
            Self::Edit(_) => return Ok(None),
            Self::Input(input) if wanted.inputs.iter().any(|(name, _)| name == input) => {
                return Ok(None);
            }
            Self::File(file) if wanted.files.iter().any(|(path, _)| path == file) => {
                return Ok(None);
            }
            Self::Input(input) => whatif::input(input)?,
            Self::File(file) => whatif::file(file)?,
        };
        Ok(Some(Item { resource, content: None, if_head: None, content_type: None }))
    }
}
