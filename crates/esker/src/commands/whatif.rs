//! `esker whatif`: what would be if something were otherwise. Whoever writes what a what-if says of itself has made or
//! amended one; a runner computes what comes of it, and this command tells.

mod amend;
mod begin;
mod changes;
mod diff;
mod show;
mod side;
mod touched;
mod wait;
mod wish;

use std::ops::Deref;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::{Branches, Content, Get};
use esker_wire::whatif::state::{Outcome, State};
use esker_wire::whatif::{self, ABOUT, About, STATE};
use jiff::Timestamp;

use crate::cli::{WhatIf, Within};
use crate::commands::drop_branch;
use crate::project::Place;
use crate::reach::{Hub, found};
use crate::say::{self, hinted};
pub(super) use show::told;
pub(super) use wait::is_idle;

/// Makes a what-if, changes it, tells of it.
pub(crate) fn what_if(place: &Place, asked: &WhatIf) -> Result<ExitCode> {
    match asked {
        WhatIf::New(new) => return begin::begin(place, new),
        WhatIf::Amend(amend) => return amend::amend(place, amend),
        WhatIf::List { json } => show::list(&Hub::find(place)?, *json)?,
        WhatIf::Show { id, json } => {
            let hub = Hub::find(place)?;
            show::show(&hub, &Case::find(&hub, id)?, *json)?;
        }
        WhatIf::Diff(asked) => diff::diff(&Hub::find(place)?, asked)?,
        WhatIf::Rebase(asked) => return wish::rebase(place, asked),
        WhatIf::Apply(asked) => return wish::apply(place, asked),
        WhatIf::Undo(asked) => return wish::undo(place, asked),
        WhatIf::Discard { ids } => discard(&Hub::find(place)?, ids)?,
        WhatIf::Pin { id } => keep(place, id, None)?,
        WhatIf::Unpin { id, keep: time } => keep(place, id, Some(*time))?,
        WhatIf::Title { id, title } => {
            let hub = Hub::find(place)?;
            let case = Case::find(&hub, id)?.change(&hub, &[], |about| {
                about.title.clone_from(title);
                Ok(())
            })?;
            say::note(format!("{} is called: {title}", case.id));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A what-if, and what is asked of the hub about it.
struct Case(whatif::case::Case);

impl Deref for Case {
    type Target = whatif::case::Case;

    fn deref(&self) -> &whatif::case::Case {
        &self.0
    }
}

impl Case {
    /// The what-if that an id or its beginning means.
    fn find(hub: &Hub, id: &str) -> Result<Self> {
        let case = Self::try_find(hub, id)?;
        case.ok_or_else(|| {
            hinted(format!("there is no what-if {id}"), "`esker whatif list` lists those there are")
        })
    }

    /// The same; none if there is none.
    fn try_find(hub: &Hub, id: &str) -> Result<Option<Self>> {
        let named = hub.call(&Branches { prefix: format!("{}{id}", whatif::BRANCHES) })?;
        let ids: Vec<&str> = named.iter().filter_map(|(branch, _)| whatif::id(branch)).collect();
        match ids.as_slice() {
            [] => Ok(None),
            ids if ids.contains(&id) => Self::read(hub, id),
            [only] => Self::read(hub, only),
            several => {
                let hint = format!("name one of them: {}", several.join(", "));
                Err(hinted(format!("{} what-ifs begin with {id}", several.len()), hint))
            }
        }
    }

    /// All there are; one that cannot be read, which a later esker may have written, is told and left out.
    fn all(hub: &Hub) -> Result<Vec<Self>> {
        let mut cases = Vec::new();
        for (branch, _) in hub.call(&Branches { prefix: whatif::BRANCHES.to_owned() })? {
            let id = whatif::id(&branch).unwrap_or_default();
            match Self::read(hub, id) {
                Ok(case) => cases.extend(case),
                Err(error) => say::note(format!("{id}: {error}")),
            }
        }
        Ok(cases)
    }

    fn read(hub: &Hub, id: &str) -> Result<Option<Self>> {
        let Some(branch) = whatif::branch(id) else {
            return Ok(None);
        };
        let Some(content) = own(hub, &branch, ABOUT)? else {
            return Ok(None);
        };
        let revision = content.entry.revision;
        let about = About::from_bytes(&content.bytes.unwrap_or_default())?;
        let state = state(hub, &branch)?;
        let id = id.to_owned();
        Ok(Some(Self(whatif::case::Case { id, branch, about, revision, state })))
    }

    /// Tells whoever reads what it holds that it does not hold what it should.
    fn warn(&self) {
        let why = match self.settled() {
            None => {
                return say::note(format!("{} is being computed: this is how far it is", self.id));
            }
            Some(state) if state.outcome == Outcome::Done => return,
            Some(state) => wait::summary(state),
        };
        say::note(format!(
            "{} has a problem: {why}; what depends on that is as at the base",
            self.id
        ));
    }

    /// It as it is now.
    fn again(&self, hub: &Hub) -> Result<Self> {
        let case = Self::read(hub, &self.id)?;
        case.ok_or_else(|| {
            hinted(
                format!("the what-if {} is gone", self.id),
                "its time was over, or it was discarded",
            )
        })
    }
}

/// A resource of the what-if's own branch; none if it is not there.
fn own(hub: &Hub, branch: &Branch, name: &str) -> Result<Option<Content>> {
    let resource: Resource = name.parse()?;
    found(hub.call(&Get { branch: branch.clone(), ..Get::head(resource) }))
}

/// What a runner says of a what-if; none if it has said nothing yet.
fn state(hub: &Hub, branch: &Branch) -> Result<Option<State>> {
    let content = own(hub, branch, STATE)?.and_then(|content| content.bytes);
    Ok(content.map(|bytes| State::from_bytes(&bytes)).transpose()?)
}

/// The branch that a command means.
pub(super) fn branch(hub: &Hub, within: &Within) -> Result<Branch> {
    match &within.what_if {
        None => Ok(Branch::main()),
        Some(id) => {
            let case = Case::find(hub, id)?;
            case.warn();
            Ok(case.0.branch)
        }
    }
}

fn discard(hub: &Hub, ids: &[String]) -> Result<()> {
    for id in ids {
        let case = Case::try_find(hub, id)?;
        let branch = case.map_or_else(|| whatif::branch(id), |case| Some(case.0.branch));
        let dropped = branch.map_or(Ok(None), |branch| {
            Ok::<_, anyhow::Error>(drop_branch(hub, &branch)?.then_some(branch))
        })?;
        match dropped.as_ref().and_then(whatif::id) {
            Some(id) => say::note(format!("the what-if {id} is gone")),
            None => say::note(format!("there is no what-if {id}: nothing to discard")),
        }
    }
    Ok(())
}

/// When a what-if goes that is kept so long from now.
fn expiry(time: Duration) -> Option<Timestamp> {
    Timestamp::now().checked_add(time).ok()
}

fn keep(place: &Place, id: &str, time: Option<Duration>) -> Result<()> {
    let hub = Hub::find(place)?;
    let expires = time.and_then(expiry);
    let case = Case::find(&hub, id)?.change(&hub, &[], |about| {
        about.expires = expires;
        Ok(())
    })?;
    say::note(match expires {
        None => format!("{} is kept until it is discarded", case.id),
        Some(expires) => format!("{} is kept until {}", case.id, say::time(expires)),
    });
    Ok(())
}
