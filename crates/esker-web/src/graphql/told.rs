//! The types, read from what REST and the live model tell.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Json, SimpleObject, scalar};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::snapshot::Get;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::CONTENT_COST;
use super::{Desk, Told};
use crate::api;

/// The largest content that is told in an answer, in bytes.
const CONTENT_MAX: u64 = 256 * 1024;

/// A number of bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Size(u64);
scalar!(Size, "Size", "A number of bytes, as an integer that may need more than 32 bits.");

/// How the project stands.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Project {
    /// What it is called.
    #[serde(rename = "project")]
    name: String,
    /// The esker that runs it.
    version: String,
    /// The newest revision.
    head: Option<String>,
    /// As of when, if nothing is of now.
    as_of: Option<String>,
    /// Whether a runner works: without one, nothing is pulled or computed.
    runner: bool,
    /// What stages warn of.
    warnings: Vec<String>,
}

/// A version of a resource.
#[derive(SimpleObject, Deserialize)]
#[graphql(complex)]
pub(super) struct Resource {
    /// What it is called.
    #[serde(rename = "resource")]
    name: String,
    /// Which version it is.
    revision: String,
    /// The version before.
    previous: Option<String>,
    /// The id of its content in git; none if it was removed.
    blob: Option<String>,
    /// How large its content is.
    size: Size,
    /// What it says that it is.
    content_type: Option<String>,
    /// When it was stored.
    time: String,
    /// Who stored it.
    author: String,
    /// What was said of it.
    summary: String,
    /// How it was made; none if it was put.
    #[serde(flatten)]
    provenance: Option<Provenance>,
    /// Where it is.
    #[serde(skip, default = "Branch::main")]
    #[graphql(skip)]
    branch: Branch,
}

/// How a version was made.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Provenance {
    /// The source or stage.
    stage: String,
    /// Its program and arguments, or the file it read.
    program: String,
    /// The version of its code.
    code: String,
    /// The esker that ran it.
    engine: String,
    /// The machine.
    host: String,
    /// What it was made from.
    inputs: Vec<Version>,
    /// How long that took.
    duration_ms: u64,
}

/// Which version of which resource.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Version {
    /// The resource.
    resource: String,
    /// Its version.
    revision: String,
}

/// A source or a stage.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Stage {
    /// What it is called.
    name: String,
    /// `source` or `stage`.
    kind: String,
    /// The resources it reads.
    inputs: Vec<String>,
    /// The resources it makes.
    outputs: Vec<String>,
    /// Its program and arguments, or the file it reads.
    program: String,
    /// `fresh`, `stale`, `waiting`, `problem` or `retry`.
    state: String,
    /// Whether it is fresh, but something above it is not.
    behind: bool,
}

/// What failed, or what checks warn of.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Problem {
    /// What it is called where something is done about it.
    id: String,
    /// The source or stage.
    stage: String,
    /// How the run ended.
    ended: String,
    /// What happened; none if there are warnings only.
    summary: Option<String>,
    /// What to do.
    hint: Option<String>,
    /// The end of what its program said.
    detail: Option<String>,
    /// How often it failed so.
    count: Option<u32>,
    /// Since when.
    since: Option<String>,
    /// When it is tried again by itself.
    not_before: Option<String>,
    /// The stages below it, which go on with the last good version.
    behind: Vec<String>,
    /// What checks warn of.
    warnings: Vec<String>,
    /// What it ran on.
    inputs: Vec<Version>,
    /// Who said that it is known.
    acknowledged: Option<Stance>,
    /// Who has put it out of sight.
    muted: Option<Stance>,
}

/// What somebody has said of a problem.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Stance {
    /// Who.
    by: Option<String>,
    /// When.
    at: String,
    /// Why.
    note: Option<String>,
    /// Until when it holds.
    until: Option<String>,
}

/// A run that is over.
#[derive(SimpleObject, Deserialize)]
pub(super) struct Run {
    /// What it is called.
    id: String,
    /// The source or stage.
    stage: String,
    /// How it ended: `stored`, `unchanged`, `retry`, `problem` and the like.
    ended: String,
    /// When it began.
    started: String,
    /// How long it took.
    duration_ms: u64,
    /// What it ran on.
    inputs: Vec<Version>,
    /// What it made.
    outputs: Vec<Version>,
    /// The machine, where it is known.
    host: Option<String>,
    /// What it warned of.
    warnings: Vec<String>,
    /// What happened, if it failed.
    summary: Option<String>,
    /// What to do.
    hint: Option<String>,
    /// How often it failed so.
    count: Option<u32>,
    /// Since when.
    since: Option<String>,
    /// When it is tried again by itself.
    retry_at: Option<String>,
}

/// What would be if something were otherwise.
#[derive(SimpleObject, Deserialize)]
pub(super) struct WhatIf {
    /// What it is called.
    id: String,
    /// What people call it.
    title: String,
    /// Whose it is.
    owner: Option<String>,
    /// When it was made.
    created: String,
    /// When it goes.
    expires: Option<String>,
    /// The revision that it changes.
    base: String,
    /// How many changes it has.
    changes: u32,
    /// `computing`, `done`, `problem`, `invalid` or `applied`.
    state: String,
    /// What came of it.
    summary: Option<String>,
}

/// Reads a type from JSON that esker itself has made.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|error| {
        Fault::new(Code::Internal, format!("cannot tell this in GraphQL: {error}"))
            .hint("it may be of a later esker; GET /api tells how to ask for it over REST")
    })
}

impl Resource {
    /// The same, on a branch.
    pub(super) fn on(self, branch: Branch) -> Self {
        Self { branch, ..self }
    }

    async fn bytes(&self, ctx: &Context<'_>) -> Result<Option<bytes::Bytes>, Fault> {
        if self.blob.is_none() {
            return Ok(None);
        }
        let Size(size) = self.size;
        if size > CONTENT_MAX {
            let text = format!(
                "{} has {size} bytes, an answer in GraphQL has contents of up to {CONTENT_MAX}",
                self.name
            );
            let hint = format!("GET /api/get?resource={} has all of it", self.name);
            return Err(Fault::new(Code::TooLarge, text).hint(hint));
        }
        let desk = ctx.data_unchecked::<Arc<Desk>>();
        let resource = api::resource(&self.name)?;
        let at = api::at(Some(&self.revision))?;
        let get = Get { at, branch: self.branch.clone(), ..Get::head(resource) };
        Ok(desk.call(&get).await?.bytes)
    }
}

#[ComplexObject]
impl Resource {
    /// Its content, up to 256 KiB; none if it is no text.
    #[graphql(complexity = CONTENT_COST)]
    async fn text(&self, ctx: &Context<'_>) -> Result<Option<String>, Told> {
        let bytes = self.bytes(ctx).await?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
    }

    /// Its content, up to 256 KiB; none if it is no JSON. Tables are told by `model(path: ["content", NAME])`.
    #[graphql(complexity = CONTENT_COST)]
    async fn json(&self, ctx: &Context<'_>) -> Result<Option<Json<Value>>, Told> {
        let bytes = self.bytes(ctx).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).map(Json))
    }
}
