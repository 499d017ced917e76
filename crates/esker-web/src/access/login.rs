//! Logging in and out, by a page that needs no program: one form, one answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::{RequestExt, http};
use serde::Deserialize;
use serde_json::{Value, json};

use super::password::PASSWORD_MAX;
use super::{By, Who, cookie, door};
use crate::page::static_page;
use crate::routes::Web;

/// The page, and where in it what changes stands.
const PAGE: &str = include_str!("login.html");
const NEXT: &str = "{next}";
const SAID: &str = "{said}";
/// How it looks.
const STYLE: &str = include_str!("login.css");

/// The largest form, in bytes.
pub(crate) const FORM_MAX: usize = 16 * 1024;
/// The longest name, in bytes.
const NAME_MAX: usize = 256;
/// The longest way back, in bytes.
const NEXT_MAX: usize = 2_048;
/// The address of those of whom none is known.
const NOWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

#[derive(Deserialize)]
pub(crate) struct Wanted {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Entered {
    user: String,
    password: String,
    next: Option<String>,
}

/// `GET /login`: the form; whoever is known already goes on.
pub(crate) async fn page(
    State(web): State<Web>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let next = wanted.ok().and_then(|Query(wanted)| wanted.next);
    let next = way(next.as_deref());
    match web.gate.who(&headers, Instant::now()) {
        Ok(Some(_)) => Redirect::to(&next).into_response(),
        _ => form(&next, ""),
    }
}

/// `GET /login.css`: how it looks.
pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// `POST /login`: a session, if the password is right.
pub(crate) async fn enter(State(web): State<Web>, request: Request) -> Response {
    let address = door::address(&web, &request).unwrap_or(NOWHERE);
    let headers = request.headers().clone();
    let entered: Result<Form<Entered>, FormRejection> = request.extract().await;
    let Ok(Form(Entered { user, password, next })) = entered else {
        return said(StatusCode::BAD_REQUEST, "/", "That was no name and password.");
    };
    let next = way(next.as_deref());
    if web.gate.is_open() {
        return Redirect::to(&next).into_response();
    }
    let now = Instant::now();
    if user.len() > NAME_MAX || password.len() > PASSWORD_MAX {
        return said(StatusCode::BAD_REQUEST, &next, "That is too long.");
    }
    if let Err(wait) = web.gate.tries.begin(address, &user, now) {
        return refused(&web, (&user, address), "limited", later(&next, wait));
    }
    let known = web.gate.users.get(&user);
    let hash = known.map(|known| known.hash.clone());
    match web.gate.passwords.is_right(password, hash).await {
        Err(_) => refused(&web, (&user, address), "busy", later(&next, Duration::from_secs(1))),
        Ok(false) => {
            let wrong = said(StatusCode::UNAUTHORIZED, &next, "The name or the password is wrong.");
            refused(&web, (&user, address), "wrong", wrong)
        }
        Ok(true) => {
            web.gate.tries.right(address, &user);
            begin(&web, &user, address, (&headers, &next))
        }
    }
}

/// Begins a session, with an id of its own whatever the browser has had before.
fn begin(web: &Web, user: &str, address: IpAddr, (headers, next): (&HeaderMap, &str)) -> Response {
    let name = web.gate.site.cookie(headers);
    if let Some(before) = cookie(headers, name) {
        web.gate.sessions.end(before);
    }
    let known = web.gate.users.get(user);
    let id = known.and_then(|known| web.gate.sessions.begin(user, known.role, Instant::now()));
    let (Some(known), Some(id)) = (known, id) else {
        return said(StatusCode::SERVICE_UNAVAILABLE, next, "There are no random numbers here.");
    };
    web.metrics.login("done");
    tracing::info!(user, role = %known.role, %address, route = "logIn", outcome = "done", "audit");
    let secure = if web.gate.site.is_secure(headers) { "; Secure" } else { "" };
    let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}");
    let mut response = see_other(next);
    set(&mut response, header::SET_COOKIE, &cookie);
    response
}

/// `POST /logout`: ends the session.
pub(crate) async fn leave(State(web): State<Web>, headers: HeaderMap) -> Response {
    let name = web.gate.site.cookie(&headers);
    if let Some(id) = cookie(&headers, name) {
        web.gate.sessions.end(id);
    }
    let secure = if web.gate.site.is_secure(&headers) { "; Secure" } else { "" };
    let mut response = see_other("/login");
    let gone = format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{secure}");
    set(&mut response, header::SET_COOKIE, &gone);
    response
}

/// `GET /api/me`: who asks, and what they may do.
pub(crate) async fn me(Extension(who): Extension<Who>) -> Json<Value> {
    let by = match who.by {
        By::Nothing => Value::Null,
        By::Token => "token".into(),
        By::Session { .. } => "session".into(),
    };
    Json(json!({ "user": who.name.as_deref(), "role": who.role.as_str(), "by": by }))
}

/// Writes down that somebody was not let in.
fn refused(
    web: &Web,
    (user, address): (&str, IpAddr),
    outcome: &'static str,
    response: Response,
) -> Response {
    web.metrics.login(outcome);
    // What somebody types for a name may be a password.
    let user = if web.gate.users.contains_key(user) { user } else { "unknown" };
    let status = response.status().as_u16();
    tracing::info!(user, role = "-", %address, route = "logIn", status, outcome, "audit");
    response
}

fn later(next: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let text = format!("That was tried too often. Wait {seconds} seconds.");
    let mut response = said(StatusCode::TOO_MANY_REQUESTS, next, &text);
    set(&mut response, header::RETRY_AFTER, &seconds.to_string());
    response
}

fn said(status: StatusCode, next: &str, text: &str) -> Response {
    let mut response = form(next, text);
    *response.status_mut() = status;
    response
}

fn form(next: &str, text: &str) -> Response {
    static_page(PAGE.replace(SAID, &escaped(text)).replace(NEXT, &escaped(next)))
}

fn see_other(to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

fn set(response: &mut Response, name: http::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}

/// Where somebody wanted to go: a place of this site, or its beginning.
fn way(next: Option<&str>) -> String {
    let is_ours = |next: &&str| {
        let second = next.as_bytes().get(1).copied();
        let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        next.starts_with('/') && second != Some(b'/') && is_plain && next.len() <= NEXT_MAX
    };
    next.filter(is_ours).unwrap_or("/").to_owned()
}

/// As it stands in an address.
pub(crate) fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let part = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(part).collect()
}

/// As it stands in a page.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
