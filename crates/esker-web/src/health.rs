//! Whether this server is well, for those who look after it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::answer::Failed;
use crate::hub::Hub;
use crate::routes::Web;
use crate::sync::Relay;

/// `GET /healthz`: whether the hub answers.
pub(crate) async fn health(State(hub): State<Hub>) -> Result<&'static str, Failed> {
    hub.health().await?;
    Ok("ok\n")
}

/// `GET /readyz`: whether all that is shown is of now: the hub answers, and the live model is heard, if there is one.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    let hub = web.hub.health().await.is_ok();
    let model = web.relay.as_ref().map(Relay::is_followed);
    let status = match hub && model != Some(false) {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "hub": hub, "model": model }))).into_response()
}
