//! Making a what-if: in one PUT, so that nobody sees half of one.

use std::process::ExitCode;

use anyhow::{Context, Result};
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Item, Put, Resolve};
use esker_wire::whatif::{self, ABOUT, About, TITLE_MAX};
use jiff::Timestamp;

use crate::cli::WhatIfNew;
use crate::commands::is_fault;
use crate::commands::put::author;
use crate::project::Place;
use crate::reach::{Hub, version};
use crate::say::{self, hinted};

use super::changes::Wanted;
use super::wait::Waiting;
use super::{Case, expiry};

/// How many ids are tried that begin alike.
const TRIES_MAX: usize = 1_000;
/// What an id may be.
const RULE: &str = "an id has lower-case letters, digits and dashes, and begins with no dash";
/// What a command line exits with that cannot be meant.
const USAGE: u8 = 2;

/// Makes one, and waits until it is computed.
pub(super) fn begin(place: &Place, new: &WhatIfNew) -> Result<ExitCode> {
    if new.changes.0.is_empty() {
        return Ok(usage(&hinted(
            "nothing is to be otherwise",
            "name a change: esker whatif new --set 'raw/plan:Work[CHK-1].Team=Blue'; `esker whatif new --help` has more",
        )));
    }
    if let Some(id) = new.id.as_deref().filter(|id| whatif::branch(id).is_none()) {
        return Ok(usage(&hinted(format!("cannot use the id {id:?}"), RULE)));
    }
    let wanted = Wanted::read(&new.changes)?;
    if wanted.is_empty() {
        return Err(hinted("nothing is to be otherwise", "the list of edits is empty"));
    }
    let hub = Hub::find(place)?;
    let base = base(&hub, &new.base)?;
    let title = new.title.clone().unwrap_or_else(|| wanted.first());
    let created = Timestamp::now();
    let mut about = About {
        title: cut(&title, TITLE_MAX).to_owned(),
        owner: new.owner.clone().or_else(author),
        created,
        expires: if new.pin { None } else { expiry(new.keep) },
        base,
        edits: Vec::new(),
        inputs: Vec::new(),
        files: Vec::new(),
        replaced: 0,
        ask: None,
    };
    wanted.add_to(&mut about);
    let items = wanted.items(&hub, base)?;
    let made = make(&hub, new.id.as_deref(), &about, items)?;
    if !new.json {
        say::line(&made.id)?;
    }
    let waiting = Waiting::of(place, &hub, new.json)?;
    waiting.tell(&made, new.no_wait)
}

/// Says what cannot be meant, and how the program ends then.
pub(super) fn usage(error: &anyhow::Error) -> ExitCode {
    say::error(error);
    ExitCode::from(USAGE)
}

/// The commit of main that a version means now.
pub(super) fn base(hub: &Hub, at: &str) -> Result<Revision> {
    let resolve = Resolve { at: version(at)?, branch: Branch::main(), zone: None };
    Ok(hub.call(&resolve)?.revision)
}

/// Makes a what-if with this id, or with one like its title that is free.
pub(super) fn make(hub: &Hub, id: Option<&str>, about: &About, items: Vec<Item>) -> Result<Case> {
    let own = Item {
        resource: ABOUT.parse()?,
        content: Some(about.to_bytes()?.into()),
        if_head: Some(Expect::Absent),
        content_type: None,
    };
    let items: Vec<Item> = std::iter::once(own).chain(items).collect();
    for number in 1..=TRIES_MAX {
        let id_now = id.map_or_else(|| whatif::name(&about.title, number), str::to_owned);
        let branch = whatif::branch(&id_now).context("an id that is none")?;
        let stored = hub.call(&Put {
            items: items.clone(),
            branch: branch.clone(),
            message: Some(format!("what-if {id_now}: {}", about.title)),
            author: author(),
            provenance: None,
            base: Some(about.base),
        });
        match stored {
            Ok(stored) => {
                let revision = stored.items[0].revision.unwrap_or(stored.revision);
                let (id, about) = (id_now, about.clone());
                let case = whatif::case::Case { id, branch, about, revision, state: None };
                return Ok(Case(case));
            }
            Err(error) if is_fault(&error, Code::Conflict) && id.is_none() => {}
            Err(error) if is_fault(&error, Code::Conflict) => {
                let hint = format!("change it: esker whatif amend {id_now}; or take another --id");
                return Err(hinted(format!("there is a what-if {id_now} already"), hint));
            }
            Err(error) => return Err(error),
        }
    }
    Err(hinted(
        format!("{TRIES_MAX} what-ifs are called {}", whatif::name(&about.title, 1)),
        "name another: --id ID",
    ))
}

/// As much of a text as fits into so many bytes.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
