//! Questions over HTTP: a content, what there is, a log, a diff, of `main` or of a what-if.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::At;
use esker_wire::snapshot::{Content, Diff, Form, Get, List, Log};
use serde::Deserialize;

use crate::answer::{Asked, Failed};
use crate::hub::Hub;
use crate::state;
use crate::whatif;

/// The most entries of one log.
pub(crate) const LOG_MAX: u32 = 1_000;

#[derive(Deserialize)]
pub(crate) struct GetQuery {
    resource: String,
    at: Option<String>,
    whatif: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    at: Option<String>,
    whatif: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct LogQuery {
    resource: Option<String>,
    at: Option<String>,
    limit: Option<u32>,
    whatif: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct DiffQuery {
    resource: String,
    from: Option<String>,
    to: Option<String>,
    whatif: Option<String>,
    r#as: Option<String>,
}

/// `GET /api/get?resource=raw/plan&at=HEAD~1`: the bytes; with `whatif=ID` as they are there.
pub(crate) async fn get(
    State(hub): State<Hub>,
    headers: HeaderMap,
    Asked(query): Asked<GetQuery>,
) -> Result<Response, Failed> {
    let (at, branch) = (at(query.at.as_deref())?, branch(query.whatif.as_deref())?);
    let get = Get { at, branch, ..Get::head(resource(&query.resource)?) };
    let content = hub.call(&get).await?;
    let etag = content.entry.blob.map(|blob| format!("\"{blob}\""));
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if etag.is_some() && asked == etag.as_deref() {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(bytes(content, etag))
}

fn bytes(content: Content, etag: Option<String>) -> Response {
    let body = content.bytes.unwrap_or_default();
    // Stored content is never run by a browser, whatever it says it is.
    let kind = if std::str::from_utf8(&body).is_ok() {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let mut set = |name: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    set("x-esker-revision", content.entry.revision.to_string());
    set("x-esker-at", content.at.to_string());
    set("etag", etag.unwrap_or_default());
    response
}

/// `GET /api/list?at=2026-11-20`: the newest version of every resource as of then.
pub(crate) async fn list(
    State(hub): State<Hub>,
    Asked(query): Asked<ListQuery>,
) -> Result<Response, Failed> {
    let (at, branch) = (at(query.at.as_deref())?, branch(query.whatif.as_deref())?);
    let listing = hub.listing(List { at, ..List::all(branch) }).await?;
    let text = state::listing(&listing);
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// `GET /api/log?resource=raw/plan&limit=50`: revisions, newest first.
pub(crate) async fn log(
    State(hub): State<Hub>,
    Asked(query): Asked<LogQuery>,
) -> Result<Response, Failed> {
    let log = Log {
        resource: query.resource.as_deref().map(resource).transpose()?,
        at: at(query.at.as_deref())?,
        branch: branch(query.whatif.as_deref())?,
        ..Log::newest(query.limit.unwrap_or(50).min(LOG_MAX))
    };
    let text = state::log(&hub.call(&log).await?.entries);
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// `GET /api/diff?resource=raw/plan&from=HEAD~1&to=HEAD`: a unified diff; with `as` another form of it, which the answer's
/// header `x-esker-as` names.
pub(crate) async fn diff(
    State(hub): State<Hub>,
    Asked(query): Asked<DiffQuery>,
) -> Result<Response, Failed> {
    let diff = Diff {
        resource: resource(&query.resource)?,
        from: query.from.as_deref().map(|text| at(Some(text))).transpose()?,
        to: at(query.to.as_deref())?,
        branch: branch(query.whatif.as_deref())?,
        form: match query.r#as.as_deref() {
            None | Some("") => Form::Text,
            Some(text) => text.parse().map_err(Fault::bad_request)?,
        },
        key: Vec::new(),
    };
    let made = hub.call(&diff).await?;
    let form = made.form.to_string();
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, [("x-esker-as", form)], made.body).into_response())
}

/// The branch of a what-if, or `main`.
pub(crate) fn branch(id: Option<&str>) -> Result<Branch, Fault> {
    match id {
        None | Some("") => Ok(Branch::main()),
        Some(id) => whatif::branch(id),
    }
}

pub(crate) fn resource(text: &str) -> Result<Resource, Fault> {
    text.parse().map_err(Fault::bad_request)
}

pub(crate) fn at(text: Option<&str>) -> Result<At, Fault> {
    match text {
        None | Some("") => Ok(At::head()),
        Some(text) => text.parse().map_err(Fault::bad_request),
    }
}
