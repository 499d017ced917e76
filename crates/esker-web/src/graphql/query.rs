//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Json, Object};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Request;
use esker_wire::name::Branch;
use esker_wire::snapshot::{Entry, List, Log, Stat};
use serde_json::Value;

use super::told::{self, Problem, Project, Resource, Run, Stage, WhatIf};
use super::{Desk, Told};
use crate::runs::{RUNS_MAX, RunsQuery};
use crate::{api, problems, runs, state, whatif};

/// What a content costs: the sum of contents in an answer is bounded by [`super::COMPLEXITY_MAX`].
pub(super) const CONTENT_COST: usize = 1_000;

/// What a part of the live model costs, which may be larger.
pub(super) const PART_COST: usize = 10_000;

/// What a list costs whose length nobody knows before.
pub(super) const LIST_COST: usize = 5_000;

/// The most that one list has.
const LIST_MAX: u32 = 10_000;

/// What a run costs beside its fields: its record has to be fetched.
const RUN_COST: usize = 10;

/// All that can be asked.
pub(super) struct Query;

impl Desk {
    /// Asks the hub, when there is room.
    pub(super) async fn call<R: Request + Sync>(&self, request: &R) -> Result<R::Reply, Fault> {
        let _place = self.calls.acquire().await;
        self.hub.call(request).await
    }

    /// Does what asks the hub several times, one question after the other.
    async fn calls<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let _place = self.calls.acquire().await;
        work.await
    }

    /// Every problem there is.
    pub(super) async fn problems(&self) -> Result<Vec<Problem>, Fault> {
        let project = self.project.borrow().clone();
        let all = self.calls(problems::told_all(&self.hub, &project)).await?;
        all.into_iter().map(told::read).collect()
    }
}

/// A number that is asked for, held to what may be.
pub(super) fn count(asked: i32, most: u32) -> u32 {
    u32::try_from(asked).unwrap_or_default().clamp(1, most)
}

/// A length that is asked for, as complexity is reckoned.
fn length(asked: i32, most: u32) -> usize {
    count(asked, most) as usize
}

/// How many runs are asked for.
fn runs_length(asked: i32) -> usize {
    usize::try_from(asked).unwrap_or_default().clamp(1, RUNS_MAX)
}

/// Stages in the order in which data flows.
pub(super) fn stages(all: &Value, order: &Value) -> Result<Vec<Stage>, Fault> {
    let names = order.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| all.get(name)).cloned().map(told::read).collect()
}

fn desk<'c>(ctx: &Context<'c>) -> &'c Desk {
    ctx.data_unchecked::<Arc<Desk>>()
}

pub(super) fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn resource(entry: &Entry, branch: &Branch) -> Result<Resource, Fault> {
    told::read(state::told(entry)).map(|resource: Resource| resource.on(branch.clone()))
}

/// What can be asked. Nothing is changed in GraphQL: that is done over REST, see /api.
#[Object]
impl Query {
    /// How the project stands.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project, Told> {
        Ok(told::read(desk(ctx).at(path(&["about"])).await?)?)
    }

    /// The newest versions of resources whose names begin so, by name; as of then, if `at` is a revision, tag or date.
    #[graphql(complexity = "length(limit, LIST_MAX) * child_complexity")]
    async fn resources(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] prefix: String,
        at: Option<String>,
        #[graphql(default = 100, desc = "At most 10,000.")] limit: i32,
    ) -> Result<Vec<Resource>, Told> {
        let limit = count(limit, LIST_MAX);
        let (at, branch) = (api::at(at.as_deref())?, Branch::main());
        let mut list = List { at, prefix, limit: Some(limit), ..List::all(branch.clone()) };
        let mut entries = Vec::new();
        loop {
            let page = desk(ctx).call(&list).await?;
            let next = list.after(&page);
            entries.extend(page.entries);
            let left = limit.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
            match next.filter(|_| left > 0) {
                Some(next) => list = List { limit: Some(left), ..next },
                None => break,
            }
        }
        Ok(entries.iter().map(|entry| resource(entry, &branch)).collect::<Result<_, _>>()?)
    }

    /// A version of a resource, the newest without `at`; of a what-if, if its id is given. Null if there is no such resource now.
    async fn resource(
        &self,
        ctx: &Context<'_>,
        name: String,
        at: Option<String>,
        what_if: Option<String>,
    ) -> Result<Option<Resource>, Told> {
        let branch = api::branch(what_if.as_deref())?;
        let is_now = at.is_none() && what_if.is_none();
        let at = api::at(at.as_deref())?;
        let stat = Stat { resource: api::resource(&name)?, at, branch: branch.clone() };
        match desk(ctx).call(&stat).await {
            Ok(entry) => Ok(Some(resource(&entry, &branch)?)),
            Err(fault) if fault.code == Code::NotFound && is_now => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Versions, newest first: of a resource, or of all.
    #[graphql(complexity = "length(limit, api::LOG_MAX) * child_complexity")]
    async fn log(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "resource")] name: Option<String>,
        #[graphql(default = 50, desc = "At most 1,000.")] limit: i32,
        what_if: Option<String>,
    ) -> Result<Vec<Resource>, Told> {
        let branch = api::branch(what_if.as_deref())?;
        let log = Log {
            resource: name.as_deref().map(api::resource).transpose()?,
            branch: branch.clone(),
            ..Log::newest(count(limit, api::LOG_MAX))
        };
        let entries = desk(ctx).call(&log).await?.entries;
        Ok(entries.iter().map(|entry| resource(entry, &branch)).collect::<Result<_, _>>()?)
    }

    /// Sources and stages, in the order in which data flows.
    #[graphql(complexity = "LIST_COST + child_complexity")]
    async fn stages(&self, ctx: &Context<'_>) -> Result<Vec<Stage>, Told> {
        let all = desk(ctx).at(path(&["stages"])).await?;
        Ok(stages(&all, &desk(ctx).at(path(&["about", "stages"])).await?)?)
    }

    /// What failed, and what checks warn of; those that somebody has muted, too.
    #[graphql(complexity = "LIST_COST + child_complexity")]
    async fn problems(&self, ctx: &Context<'_>) -> Result<Vec<Problem>, Told> {
        Ok(desk(ctx).problems().await?)
    }

    /// Runs that are over, newest first; only those that failed, or those of a stage or source, if wanted.
    #[graphql(complexity = "runs_length(limit) * (RUN_COST + child_complexity)")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50, desc = "At most 500.")] limit: i32,
        #[graphql(default)] failed: bool,
        stage: Option<String>,
    ) -> Result<Vec<Run>, Told> {
        let limit = runs_length(limit);
        let wanted = RunsQuery { stage, limit: Some(limit), failed: Some(failed), after: None };
        let (runs, _) = desk(ctx).calls(runs::told(&desk(ctx).hub, &wanted)).await?;
        Ok(runs.into_iter().map(told::read).collect::<Result<_, _>>()?)
    }

    /// Every what-if.
    #[graphql(complexity = "LIST_COST + child_complexity")]
    async fn what_ifs(&self, ctx: &Context<'_>) -> Result<Vec<WhatIf>, Told> {
        let all = desk(ctx).calls(whatif::told_all(&desk(ctx).hub)).await?;
        Ok(all.into_iter().map(told::read).collect::<Result<_, _>>()?)
    }

    /// A part of the live model, by the keys that lead there; null if nothing is there.
    #[graphql(complexity = PART_COST)]
    async fn model(&self, ctx: &Context<'_>, path: Vec<String>) -> Result<Json<Value>, Told> {
        Ok(Json(desk(ctx).at(path).await?))
    }
}
