//! Problems over HTTP: which there are, and what people do about them.

pub mod json;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Extension, State};
use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::problem::{self, Problem, named};
use esker_wire::record::RunRecord;
use esker_wire::snapshot::{Get, List, Put};
use esker_wire::stance::{Said as Word, Stance};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::access::Who;
use crate::answer::{Failed, Named, Said};
use crate::hub::Hub;
use crate::project::Project;
use crate::routes::Web;

/// What somebody says of a problem.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spoken {
    note: Option<String>,
    /// Until when it is out of sight; until the next change if there is no time.
    until: Option<String>,
    /// Who says so, where nobody is known.
    by: Option<String>,
}

/// `GET /api/problems`: all of them, those that are out of sight, too; what only warns comes last.
pub(crate) async fn list(State(web): State<Web>) -> Result<Json<Value>, Failed> {
    let project = web.project.borrow().clone();
    Ok(Json(told_all(&web.hub, &project).await?.into()))
}

/// All of them, as they are told.
pub(crate) async fn told_all(hub: &Hub, project: &Project) -> Result<Vec<Value>, Fault> {
    let mut all = find(hub).await?;
    all.sort_by_key(|problem| problem.record.failure.is_none());
    Ok(all.iter().map(|one| tell(one, project)).collect())
}

/// `GET /api/problems/STAGE`: one.
pub(crate) async fn show(
    State(web): State<Web>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Failed> {
    told(&web, &name).await
}

/// `POST /api/problems/STAGE/retry`: once more, although nothing has changed.
pub(crate) async fn retry(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Failed> {
    let all = find(&web.hub).await?;
    let problem = named(&all, &name)?;
    web.hub.call(&problem.retry(who.author(), Timestamp::now())?).await?;
    Ok(Json(tell(problem, &web.project.borrow())))
}

/// `POST /api/problems/STAGE/acknowledge`: it is known.
pub(crate) async fn acknowledge(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Named(name): Named<String>,
    Said(spoken): Said<Spoken>,
) -> Result<Json<Value>, Failed> {
    if spoken.until.is_some() {
        let fault = Fault::bad_request("what is acknowledged is until it fails in another way");
        return Err(fault.hint("leave `until` out, or mute it").into());
    }
    say(&web, &who, &name, (Word::Ack, spoken)).await
}

/// `POST /api/problems/STAGE/mute`: it is to be out of sight.
pub(crate) async fn mute(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Named(name): Named<String>,
    Said(spoken): Said<Spoken>,
) -> Result<Json<Value>, Failed> {
    say(&web, &who, &name, (Word::Mute, spoken)).await
}

/// `POST /api/problems/STAGE/clear`: takes back whatever was said of it.
pub(crate) async fn clear(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Failed> {
    let all = find(&web.hub).await?;
    let problem = named(&all, &name)?;
    for said in [Word::Ack, Word::Mute] {
        if problem.said(said).is_some() {
            web.hub.call(&problem.take_back(said, who.author())?).await?;
        }
    }
    told(&web, &name).await
}

async fn say(
    web: &Web,
    who: &Who,
    name: &str,
    (said, spoken): (Word, Spoken),
) -> Result<Json<Value>, Failed> {
    let all = find(&web.hub).await?;
    let problem = named(&all, name)?;
    let until = spoken.until.as_deref().map(str::parse::<Timestamp>).transpose();
    let until =
        until.map_err(|error| Fault::bad_request(format!("cannot read `until`: {error}")))?;
    let by = who.author().or(spoken.by);
    let stance = problem.say(said, by.clone(), spoken.note, (Timestamp::now(), until))?;
    let put: Put = stance.put(by)?;
    web.hub.call(&put).await?;
    told(web, name).await
}

async fn told(web: &Web, name: &str) -> Result<Json<Value>, Failed> {
    let all = find(&web.hub).await?;
    Ok(Json(tell(named(&all, name)?, &web.project.borrow())))
}

fn tell(problem: &Problem, project: &Project) -> Value {
    json::problem(problem, &below(project, &problem.record.stage))
}

/// The stages below one, however far, in the order of the project.
fn below<'p>(project: &'p Project, stage: &str) -> Vec<&'p str> {
    let stages = &project.stages;
    let of = stages.iter().filter(|one| one.name == stage).flat_map(|one| &one.outputs);
    let mut late: BTreeSet<&str> = of.map(String::as_str).collect();
    let mut found: BTreeSet<&str> = BTreeSet::new();
    loop {
        let next = stages.iter().find(|one| {
            !found.contains(one.name.as_str())
                && one.inputs.iter().any(|input| late.contains(input.as_str()))
        });
        let Some(next) = next else { break };
        found.insert(&next.name);
        late.extend(next.outputs.iter().map(String::as_str));
    }
    stages.iter().map(|one| one.name.as_str()).filter(|name| found.contains(name)).collect()
}

async fn find(hub: &Hub) -> Result<Vec<Problem>, Fault> {
    let mut records: Vec<(Resource, RunRecord)> = Vec::new();
    for prefix in problem::PREFIXES {
        read(hub, prefix, |at, bytes| {
            records.push((at, RunRecord::from_bytes(bytes)?));
            Ok(())
        })
        .await?;
    }
    let mut stances = Vec::new();
    for said in [Word::Ack, Word::Mute] {
        read(hub, said.prefix(), |_, bytes| {
            let stance = Stance::from_bytes(bytes)?;
            stances.extend((stance.said == said).then_some(stance));
            Ok(())
        })
        .await?;
    }
    Ok(problem::all(records, &stances, Timestamp::now()))
}

/// Reads all records whose names begin so. What cannot be read, which a later esker may have written, is left out.
pub(crate) async fn read(
    hub: &Hub,
    prefix: &str,
    mut each: impl FnMut(Resource, &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let list = List { prefix: prefix.to_owned(), ..List::all(Branch::records()) };
    for entry in hub.listing(list).await?.entries {
        let get = Get::listed(&entry, Branch::records());
        let content = match hub.call(&get).await {
            Ok(content) => content,
            // It was forgotten meanwhile.
            Err(fault) if fault.code == esker_wire::fault::Code::NotFound => continue,
            Err(fault) => return Err(fault),
        };
        let resource = get.resource;
        if let Err(fault) = each(resource.clone(), &content.bytes.unwrap_or_default()) {
            tracing::debug!(%fault, %resource, "skipping a record");
        }
    }
    Ok(())
}
