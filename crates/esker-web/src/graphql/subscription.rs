//! What can be followed: each says what is there at once, then whenever it is something else.

use std::sync::Arc;

use async_graphql::{Context, Json, Subscription as Follows};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::query::{LIST_COST, PART_COST, path, stages};
use super::told::{self, Problem, Resource, Stage};
use super::{Desk, Told};

/// All that can be followed.
pub(super) struct Subscription;

fn desk(ctx: &Context<'_>) -> Arc<Desk> {
    Arc::clone(ctx.data_unchecked::<Arc<Desk>>())
}

/// What can be followed. Each says what is there at once, and then whenever it is something else; of what changes faster than it is
/// taken, the newest.
#[Follows]
impl Subscription {
    /// The newest version of a resource; null while there is none.
    async fn resource(
        &self,
        ctx: &Context<'_>,
        name: String,
    ) -> Result<impl Stream<Item = Result<Option<Resource>, Told>> + use<>, Told> {
        let told = desk(ctx).follow(path(&["resources", &name]))?;
        Ok(told.map(|value| match value? {
            Value::Null => Ok(None),
            value => Ok(Some(told::read(value)?)),
        }))
    }

    /// Sources and stages, in the order in which data flows, whenever one of them is in another state.
    #[graphql(complexity = "LIST_COST + child_complexity")]
    async fn stages(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Vec<Stage>, Told>> + use<>, Told> {
        let desk = desk(ctx);
        let told = desk.follow(path(&["stages"]))?;
        Ok(told.then(move |all| {
            let desk = Arc::clone(&desk);
            async move { Ok(stages(&all?, &desk.at(path(&["about", "stages"])).await?)?) }
        }))
    }

    /// All problems, whenever something fails or is mended. What people say of one is told with the next change.
    #[graphql(complexity = "LIST_COST + child_complexity")]
    async fn problems(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Vec<Problem>, Told>> + use<>, Told> {
        let desk = desk(ctx);
        let told = desk.follow(path(&["problems"]))?;
        Ok(told.then(move |all| {
            let desk = Arc::clone(&desk);
            async move {
                all?;
                Ok(desk.problems().await?)
            }
        }))
    }

    /// A part of the live model, by the keys that lead there, whenever something in it changes; null while nothing is there.
    #[graphql(complexity = PART_COST)]
    async fn model(
        &self,
        ctx: &Context<'_>,
        path: Vec<String>,
    ) -> Result<impl Stream<Item = Result<Json<Value>, Told>> + use<>, Told> {
        let told = desk(ctx).follow(path)?;
        Ok(told.map(|value| Ok(Json(value?))))
    }
}
