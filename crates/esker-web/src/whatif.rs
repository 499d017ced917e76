//! What-ifs over HTTP: which there are, one of them, making, amending and discarding one.
//!
//! All of it is reading and putting what a what-if says of itself; a runner does the rest, and how that goes is told
//! by the live model.

pub mod json;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::role::Role;
use esker_wire::snapshot::{Branches, DropBranch, Expect, Get, Item, Put, Resolve};
use esker_wire::whatif::case::Case;
use esker_wire::whatif::state::State as Outcome;
use esker_wire::whatif::{self, ABOUT, About, STATE, TITLE_MAX, Wish};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::access::Who;
use crate::answer::{Failed, Named, Said};
use crate::api;
use crate::hub::Hub;

/// The largest request, in bytes.
pub(crate) const BODY_MAX: usize = 1024 * 1024;
/// How long one stays that is not pinned, in hours: thirty days.
const STAYS_H: i64 = 30 * 24;
/// How many ids are tried that begin alike.
const TRIES_MAX: usize = 1_000;
/// The longest a what-if may be kept without being pinned, in days.
const DAYS_MAX: i64 = 3_660;

/// Looks at the what-ifs of one hub, remembering those that have not changed.
pub struct WhatIfs {
    hub: Hub,
    known: BTreeMap<Branch, (Revision, Value)>,
}

impl WhatIfs {
    /// Looks by asking with this caller.
    pub fn new(caller: Caller) -> Self {
        Self { hub: Hub::new(caller), known: BTreeMap::new() }
    }

    /// What is to be told of each, by its id: as a list tells it, and the newest commit of its branch as `head`.
    ///
    /// # Errors
    /// The hub's fault.
    pub async fn look(&mut self) -> Result<BTreeMap<String, Value>, Fault> {
        let branches = Branches { prefix: whatif::BRANCHES.to_owned() };
        let mut known = BTreeMap::new();
        for (branch, head) in self.hub.call(&branches).await? {
            if let Some(same) = self.known.get(&branch).filter(|(at, _)| *at == head) {
                known.insert(branch, same.clone());
                continue;
            }
            match find(&self.hub, &branch).await {
                Ok(Some(case)) => {
                    let mut told = json::brief(&case);
                    told["head"] = head.to_string().into();
                    known.insert(branch, (head, told));
                }
                // One that cannot be read is of another esker, or no what-if.
                Ok(None) => {}
                Err(fault) if fault.code == Code::BadRequest => {}
                Err(fault) => return Err(fault),
            }
        }
        self.known = known;
        let all = self.known.iter();
        Ok(all
            .filter_map(|(name, (_, told))| Some((whatif::id(name)?.to_owned(), told.clone())))
            .collect())
    }
}

/// What is wanted of a new what-if.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    id: Option<String>,
    title: Option<String>,
    owner: Option<String>,
    base: Option<String>,
    days: Option<i64>,
    #[serde(default)]
    pinned: bool,
    edits: Vec<Value>,
}

/// What is to be otherwise about a what-if; the rest stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amended {
    /// The version of what it says of itself that this goes by.
    about: String,
    title: Option<String>,
    edits: Option<Vec<Value>>,
    days: Option<i64>,
    #[serde(default)]
    pinned: bool,
    ask: Option<json::Wanted>,
}

/// The branch of a what-if.
pub(crate) fn branch(id: &str) -> Result<Branch, Fault> {
    whatif::branch(id).ok_or_else(|| {
        Fault::bad_request(format!("{id:?} is no id of a what-if"))
            .hint("it has lower-case letters, digits and dashes")
    })
}

/// `GET /api/whatif`: every what-if.
pub(crate) async fn list(State(hub): State<Hub>) -> Result<Json<Value>, Failed> {
    Ok(Json(told_all(&hub).await?.into()))
}

/// All of them, as a list tells them.
pub(crate) async fn told_all(hub: &Hub) -> Result<Vec<Value>, Fault> {
    let mut all = Vec::new();
    for (branch, _) in hub.call(&Branches { prefix: whatif::BRANCHES.to_owned() }).await? {
        // One that is gone by now, or cannot be read, is none.
        if let Some(case) = find(hub, &branch).await.ok().flatten() {
            all.push(json::brief(&case));
        }
    }
    Ok(all)
}

/// `GET /api/whatif/ID`: all of one.
pub(crate) async fn show(
    State(hub): State<Hub>,
    Named(id): Named<String>,
) -> Result<Json<Value>, Failed> {
    Ok(Json(json::whole(&known(&hub, &id).await?)))
}

/// `POST /api/whatif`: makes one; 201 and all of it.
pub(crate) async fn make(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    Said(new): Said<New>,
) -> Result<Response, Failed> {
    let edits = json::edits(&new.edits)?;
    let base = Resolve { at: api::at(new.base.as_deref())?, branch: Branch::main(), zone: None };
    let base = hub.call(&base).await?.revision;
    let first = edits.first().ok_or_else(|| Fault::bad_request("nothing is to be otherwise"))?;
    let title = title(new.title.as_deref().unwrap_or(&first.to_string()))?;
    let about = About {
        owner: who.author().or(new.owner),
        created: Timestamp::now(),
        expires: expires(new.pinned, new.days)?,
        base,
        edits,
        inputs: Vec::new(),
        files: Vec::new(),
        replaced: 0,
        ask: None,
        title,
    };
    for number in 1..=TRIES_MAX {
        let id = new.id.clone().unwrap_or_else(|| whatif::name(&about.title, number));
        match put(&hub, (&id, &about), Expect::Absent, Some(base)).await {
            Err(fault) if fault.code == Code::Conflict && new.id.is_none() => {}
            Err(fault) if fault.code == Code::Conflict => {
                let text = format!("there is a what-if {id} already");
                return Err(Fault::new(Code::Conflict, text).hint("take another id").into());
            }
            Err(fault) => return Err(fault.into()),
            Ok(()) => {
                let case = json::whole(&known(&hub, &id).await?);
                return Ok((StatusCode::CREATED, Json(case)).into_response());
            }
        }
    }
    let text = format!("{TRIES_MAX} what-ifs are called so");
    Err(Fault::new(Code::Conflict, text).hint("name another id").into())
}

/// `PUT /api/whatif/ID`: amends it, or asks for something; all of it then. 409 if it was amended meanwhile.
pub(crate) async fn amend(
    State(hub): State<Hub>,
    Named(id): Named<String>,
    Extension(who): Extension<Who>,
    Said(new): Said<Amended>,
) -> Result<Json<Value>, Failed> {
    let case = known(&hub, &id).await?;
    let was: Revision = new.about.parse().map_err(Fault::bad_request)?;
    let mut about = case.about;
    if let Some(text) = &new.title {
        about.title = title(text)?;
    }
    let answer = case.state.and_then(|state| state.answer).map_or(0, |answer| answer.number);
    let last = about.ask.as_ref().map_or(0, |ask| ask.number).max(answer);
    let waits = last > answer;
    if waits && (new.ask.is_some() || new.edits.is_some()) {
        let text = format!("{id} has not been given what it was asked for last");
        return Err(Fault::new(Code::Conflict, text).hint("wait for its answer").into());
    }
    if !waits {
        // What was granted is not asked for once more because something else is otherwise.
        about.ask = None;
    }
    if let Some(edits) = &new.edits {
        about.edits = json::edits(edits)?;
    }
    if new.pinned || new.days.is_some() {
        about.expires = expires(new.pinned, new.days)?;
    }
    if let Some(ask) = &new.ask {
        let mut ask = json::ask(ask, last + 1)?;
        if !matches!(ask.what, Wish::Rebase(_)) {
            // It is done to `main`.
            who.must(Role::Operate)?;
        }
        ask.by = who.author().or(ask.by);
        about.ask = Some(ask);
    }
    put(&hub, (&id, &about), Expect::Revision(was), None).await?;
    Ok(Json(json::whole(&known(&hub, &id).await?)))
}

/// `DELETE /api/whatif/ID`: discards it; 204 also if there is none.
pub(crate) async fn discard(
    State(hub): State<Hub>,
    Named(id): Named<String>,
) -> Result<StatusCode, Failed> {
    match hub.call(&DropBranch { branch: branch(&id)? }).await {
        Err(fault) if fault.code != Code::NotFound => Err(fault.into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn title(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.is_empty() || text.len() > TITLE_MAX {
        return Err(Fault::bad_request(format!("a title has 1 to {TITLE_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn expires(pinned: bool, days: Option<i64>) -> Result<Option<Timestamp>, Fault> {
    if pinned {
        return Ok(None);
    }
    let hours = match days {
        None => STAYS_H,
        Some(days) if (1..=DAYS_MAX).contains(&days) => days * 24,
        Some(_) => return Err(Fault::bad_request(format!("days are from 1 to {DAYS_MAX}"))),
    };
    Ok(Timestamp::now().checked_add(SignedDuration::from_hours(hours)).ok())
}

async fn put(
    hub: &Hub,
    (id, about): (&str, &About),
    if_head: Expect,
    base: Option<Revision>,
) -> Result<(), Fault> {
    let item = Item {
        resource: ABOUT.parse().map_err(Fault::bad_request)?,
        content: Some(about.to_bytes()?.into()),
        if_head: Some(if_head),
        content_type: None,
    };
    let put = Put {
        items: vec![item],
        branch: branch(id)?,
        message: Some(format!("what-if {id}: {}", about.title)),
        author: about.owner.clone(),
        provenance: None,
        base,
    };
    hub.call(&put).await.map(drop)
}

async fn known(hub: &Hub, id: &str) -> Result<Case, Fault> {
    let found = find(hub, &branch(id)?).await?;
    found.ok_or_else(|| Fault::new(Code::NotFound, format!("there is no what-if {id}")))
}

/// A what-if as the store has it; none if there is none.
async fn find(hub: &Hub, branch: &Branch) -> Result<Option<Case>, Fault> {
    let (Some(id), Some(about)) = (whatif::id(branch), own(hub, branch, ABOUT).await?) else {
        return Ok(None);
    };
    let (bytes, revision) = about;
    let state = own(hub, branch, STATE).await?;
    let state = state.and_then(|(bytes, _)| Outcome::from_bytes(&bytes).ok());
    let about = About::from_bytes(&bytes)?;
    let (id, branch) = (id.to_owned(), branch.clone());
    Ok(Some(Case { id, branch, about, revision, state }))
}

async fn own(
    hub: &Hub,
    branch: &Branch,
    name: &str,
) -> Result<Option<(bytes::Bytes, Revision)>, Fault> {
    let resource = name.parse().map_err(Fault::bad_request)?;
    let get = Get { at: At::head(), branch: branch.clone(), ..Get::head(resource) };
    match hub.call(&get).await {
        Ok(content) => Ok(content.bytes.map(|bytes| (bytes, content.entry.revision))),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
