//! Tags over HTTP: names of revisions, for good.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use esker_wire::snapshot::{Tag, Tags};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Failed, Said};
use crate::api;
use crate::hub::Hub;

/// A name to give.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    name: String,
    /// What is named; the newest if it is not said.
    at: Option<String>,
    message: Option<String>,
}

/// `GET /api/tags`: the names there are.
pub(crate) async fn list(State(hub): State<Hub>) -> Result<Json<Value>, Failed> {
    let tags = hub.call(&Tags).await?;
    let told = tags.iter();
    let told =
        told.map(|(name, revision)| json!({ "name": name, "revision": revision.to_string() }));
    Ok(Json(told.collect()))
}

/// `POST /api/tags`: names a revision; 201 and which it is.
pub(crate) async fn make(
    State(hub): State<Hub>,
    Said(named): Said<Named>,
) -> Result<Response, Failed> {
    let at = api::at(named.at.as_deref())?;
    let tag = Tag { name: named.name.clone(), at, message: named.message };
    let revision = hub.call(&tag).await?.to_string();
    let told = json!({ "name": named.name, "revision": revision });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}
