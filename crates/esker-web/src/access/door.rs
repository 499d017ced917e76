//! Stands before every route: who asks, whether they may, and what is written down of it.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use esker_wire::role::Role;

use super::{Peer, Who};
use crate::answer::Refused;
use crate::page::static_page;
use crate::routes::{self, Route, Web};

/// What a page that another site links to is answered without a session: browsers keep the session's cookie from what
/// begins elsewhere, and send it with what begins here.
const AGAIN: &str =
    "<!doctype html><title>esker</title><meta http-equiv=\"refresh\" content=\"0\">\n";

/// What is written down of a request, if something is: also where nobody has waited for the answer.
struct Note {
    route: &'static str,
    method: Method,
    path: String,
    address: Option<IpAddr>,
    who: Option<Who>,
    /// Whether it is to be written down.
    is_due: bool,
    status: Option<StatusCode>,
}

/// Lets a request through to those who may, counts it, and writes down what changes something and what was refused.
pub(crate) async fn pass(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (method, path) = (request.method().clone(), request.uri().path());
    let path = format!("{}{path}", web.part.prefix());
    let route = matched.as_deref().and_then(|path| routes::find(&method, path));
    let id = match (route, &matched) {
        (Some(route), _) => route.id,
        (None, Some(_)) => "none",
        (None, None) => "page",
    };
    // What is tried at the door is told there, and nothing is changed in GraphQL.
    let is_entry = route.is_some_and(|route| route.path.starts_with("/login"));
    let is_other = is_entry || route.is_some_and(|route| route.path == "/graphql");
    let is_write = !matches!(method, Method::GET | Method::HEAD) && !is_other;
    let (address, who) = (address(&web, &request), None);
    let mut note = Note { route: id, method, path, address, who, is_due: is_write, status: None };
    let mut response = match admit(&web, needs(route, matched.as_deref()), &request) {
        Ok(who) => {
            note.who = Some(who.clone());
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(Refusal::Known(who, refused)) => {
            note.who = Some(who);
            refused.into_response()
        }
        Err(Refusal::Wrong(refused)) => {
            note.is_due = true;
            refused.into_response()
        }
        Err(Refusal::Unknown) => unknown(&web, matched.is_none(), &request),
    };
    note.status = Some(response.status());
    note.is_due |= !is_entry && note.who.is_some() && response.status() == StatusCode::FORBIDDEN;
    drop(note);
    web.metrics.request(id, response.status(), begun.elapsed());
    if !web.gate.is_open() {
        // What is told to one is not for whoever uses the browser next.
        let unsaid = || HeaderValue::from_static("no-store");
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert_with(unsaid);
    }
    response
}

impl Drop for Note {
    /// Writes it down.
    fn drop(&mut self) {
        if !self.is_due {
            return;
        }
        let outcome = match self.status {
            // Whoever asked has gone, or it took too long; it may have been done.
            None => "left",
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => "refused",
            Some(status) if status.is_client_error() => "faulty",
            Some(status) if status.is_server_error() => "failed",
            Some(_) => "done",
        };
        let who = self.who.as_ref();
        tracing::info!(
            user = who.and_then(|who| who.name.as_deref()).unwrap_or("-"),
            role = who.map_or("-", |who| who.role.as_str()),
            address = self.address.map(tracing::field::display),
            route = self.route,
            method = %self.method,
            path = self.path,
            status = self.status.map(|status| status.as_u16()),
            outcome,
            "audit"
        );
    }
}

/// Where a request comes from.
pub(super) fn address(web: &Web, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>().copied();
    web.gate.site.from(request.headers(), peer)
}

/// The role that is needed, if one is; of what there is only by another method, the least there is.
fn needs(route: Option<&Route>, matched: Option<&str>) -> Option<Role> {
    match (route, matched) {
        (Some(route), _) => route.needs,
        (None, Some(path)) => routes::least(path),
        (None, None) => Some(Role::View),
    }
}

/// Why somebody is not let through.
enum Refusal {
    /// They may not.
    Known(Who, Refused),
    /// They say who they are, and it is not so.
    Wrong(Refused),
    /// They do not say who they are.
    Unknown,
}

fn admit(web: &Web, needs: Option<Role>, request: &Request) -> Result<Who, Refusal> {
    let known = web.gate.who(request.headers(), Instant::now());
    let Some(least) = needs else {
        let nobody = Who { role: Role::View, ..Who::anybody() };
        return Ok(known.ok().flatten().unwrap_or(nobody));
    };
    match known {
        Ok(Some(who)) => match who.must(least) {
            Ok(()) => Ok(who),
            Err(refused) => Err(Refusal::Known(who, refused)),
        },
        Ok(None) => Err(Refusal::Unknown),
        Err(_) => Err(Refusal::Wrong(Refused::unknown("the token is not one that is let in"))),
    }
}

impl Who {
    /// Refuses those who may not do as much.
    pub(crate) fn must(&self, least: Role) -> Result<(), Refused> {
        if self.role >= least {
            return Ok(());
        }
        let name = self.name.as_deref().unwrap_or("whoever asks");
        let what = format!("{name} has the role {}; this needs {least}", self.role);
        Err(Refused::forbidden(what, "roles are given in esker.toml, by [web.user.NAME]"))
    }
}

/// What is answered to those who do not say who they are: people who want a page log in first.
fn unknown(web: &Web, is_page: bool, request: &Request) -> Response {
    let headers = request.headers();
    if !is_page || !wants_page(request.method(), headers) {
        return Refused::unknown("nobody is let in without saying who they are").into_response();
    }
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return static_page(AGAIN.to_owned());
    }
    let within = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let to = super::login::encoded(&format!("{}{within}", web.part.prefix()));
    Redirect::to(&format!("/login?next={to}")).into_response()
}

pub(crate) fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    matches!(*method, Method::GET | Method::HEAD)
        && accept.is_some_and(|accept| accept.contains("text/html"))
}
