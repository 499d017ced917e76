//! Telling others what happens: OpenLineage to a file or a server, CloudEvents to webhooks.
//!
//! Everything is told from the history of the store, each by a courier on a thread of its own: what is told is never
//! waited for, and whoever was away hears of it afterwards.

pub(crate) mod bell;
mod cloudevent;
mod courier;
pub(crate) mod couriers;
pub(crate) mod facts;
mod history;
mod openlineage;
mod out;
mod sent;
mod tale;
mod verdict;

use std::path::Path;
use std::time::Duration;

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::record::RunRecord;
use esker_wire::revision::At;
use esker_wire::snapshot::{Resolve, Resolved};
use serde_json::Value;

use crate::definition::Definition;
use crate::definition::deliver::Webhook;

use self::facts::Facts;
use self::history::{Both, Position};
use self::out::Destination;
use crate::commits::DEADLINE;

pub use self::sent::Sent;

/// What a history of runs is written of.
pub struct Export<'a> {
    /// The project's folder and its definition, if there is one.
    pub definition: Option<(&'a Path, &'a Definition)>,
    /// What the project is called if there is no definition.
    pub project: &'a str,
    /// Only what came after this version of `main`.
    pub from: Option<At>,
    /// Only what came up to this one.
    pub to: Option<At>,
}

/// Gives every event of the runs of a history, the oldest first, as OpenLineage says; how many runs there were.
///
/// # Errors
/// The store's fault, or whatever `each` fails with.
pub fn export<E: From<Fault>>(
    caller: &Caller,
    asked: &Export<'_>,
    mut each: impl FnMut(&Value) -> Result<(), E>,
) -> Result<u64, E> {
    let facts = match asked.definition {
        Some((dir, definition)) => Facts::of(dir, definition),
        None => Facts::of_none(asked.project),
    };
    let since = match &asked.from {
        Some(at) => {
            let from = resolve(caller, at)?;
            Position { main: Some(from.revision), ..Position::before(caller, from.time)? }
        }
        None => Position::default(),
    };
    let until = match &asked.to {
        Some(at) => {
            let to = resolve(caller, at)?;
            // Commits know whole seconds: what was told of within this one is part of it.
            let next = to.time.saturating_add(Duration::from_secs(2)).unwrap_or(to.time);
            Some(Position { main: Some(to.revision), ..Position::before(caller, next)? })
        }
        None => None,
    };
    let mut news = Both::since(caller, since, until)?;
    let mut runs = 0;
    while let Some(commit) = news.next()? {
        for happening in tale::tell(caller, &commit)? {
            let events = openlineage::events(&happening, &facts);
            runs += u64::from(!events.is_empty());
            events.iter().try_for_each(&mut each)?;
        }
    }
    Ok(runs)
}

fn resolve(caller: &Caller, at: &At) -> Result<Resolved, Fault> {
    let request = Resolve { at: at.clone(), branch: Branch::main(), zone: None };
    caller.call_blocking(&request, DEADLINE)
}

/// What a webhook answered to a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Who was asked, without secrets.
    pub server: String,
    /// The status.
    pub status: u16,
    /// The beginning of what it said, without secrets.
    pub said: String,
}

impl Tested {
    /// Whether it has taken the event.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a webhook could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{summary}")]
pub struct Unsent {
    /// What is wrong, in one line.
    pub summary: String,
    /// What to do.
    pub hint: String,
}

/// Sends a webhook one event now, whose type is `dev.esker.test.v1`.
///
/// # Errors
/// A secret that is not there, a server that cannot be reached or does not answer in time.
pub fn test(dir: &Path, project: &str, webhook: &Webhook) -> Result<Tested, Unsent> {
    match out::test(dir, project, webhook) {
        Ok((server, answer)) => Ok(Tested { server, status: answer.status, said: answer.said }),
        Err(broken) => Err(Unsent { summary: broken.summary, hint: broken.hint }),
    }
}

/// How a webhook stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come; nothing before a runner has first seen it.
    pub sent: Option<Sent>,
    /// What is wrong with it, if something is.
    pub problem: Option<RunRecord>,
}

/// How a webhook stands, as the store knows.
///
/// # Errors
/// The store's fault.
pub fn standing(caller: &Caller, webhook: &Webhook) -> Result<Standing, Fault> {
    let name = Destination::of_webhook(webhook).name;
    let resource = RunRecord::resource(&name)?;
    let problem = match tale::read(caller, &resource, At::head()) {
        Err(fault) if fault.code == Code::NotFound => None,
        read => read?,
    };
    Ok(Standing { sent: Sent::read(caller, &name)?, problem })
}
