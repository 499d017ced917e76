//! Whether this server is well, for those who look after it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::answer::Failed;
use crate::routes::{Part, Web};
use crate::sync::Relay;

/// `GET /healthz`: whether the hub answers; of several, whether this server does.
pub(crate) async fn health(State(web): State<Web>) -> Result<&'static str, Failed> {
    if web.part != Part::Front {
        web.hub.health().await?;
    }
    Ok("ok\n")
}

/// `GET /readyz`: whether all that is shown is of now: the hub answers, and the live model is heard, if there is one.
/// Of several hubs those that are not there keep nobody from the others.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    let (is_ready, told) = if web.part == Part::Front {
        let missing = web.hubs.missing();
        let all = web.hubs.metrics.len();
        (missing.len() < all, json!({ "hubs": all, "missing": missing }))
    } else {
        let hub = web.hub.health().await.is_ok();
        let model = web.relay.as_ref().map(Relay::is_followed);
        (hub && model != Some(false), json!({ "hub": hub, "model": model }))
    };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(told)).into_response()
}
