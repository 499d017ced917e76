//! Logging in and out, by a page that needs no program: one form, one answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::{RequestExt, http};
use serde::Deserialize;
use serde_json::{Value, json};

use super::password::PASSWORD_MAX;
use super::{By, Entry, Unentered, Who, cookie, door};
use crate::page::static_page;
use crate::routes::Web;

/// The page, its ways in, and where in them what changes stands.
const PAGE: &str = include_str!("login.html");
const FORM: &str = include_str!("login_form.html");
const ELSEWHERE: &str = include_str!("login_elsewhere.html");
const NEXT: &str = "{next}";
const SAID: &str = "{said}";
/// How it looks, and what little it does.
const STYLE: &str = include_str!("login.css");
const SCRIPT: &str = include_str!("login.js");

/// Where the form is sent from the page's own address: that keeps what stands behind the `#`. And from others.
const HERE: &str = "";
pub(super) const AWAY: &str = " action=\"/login\"";

/// The largest form, in bytes.
pub(crate) const FORM_MAX: usize = 16 * 1024;
/// The longest name, in bytes.
const NAME_MAX: usize = 256;
/// The longest way back, in bytes.
const NEXT_MAX: usize = 2_048;
/// The address of those of whom none is known.
pub(super) const NOWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

#[derive(Deserialize)]
pub(crate) struct Wanted {
    pub(super) next: Option<String>,
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
        _ => ways(&web, HERE, &next, ""),
    }
}

/// `GET /login.js`: what little it does.
pub(crate) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
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
        let text = "That was no name and password.";
        return said(&web, HERE, StatusCode::BAD_REQUEST, ("/", text));
    };
    let next = way(next.as_deref());
    if web.gate.is_open() {
        return Redirect::to(&next).into_response();
    }
    let now = Instant::now();
    if user.len() > NAME_MAX || password.len() > PASSWORD_MAX {
        return said(&web, HERE, StatusCode::BAD_REQUEST, (&next, "That is too long."));
    }
    if let Err(wait) = web.gate.tries.begin(address, &user, now) {
        return refused(&web, (&user, address), "limited", later(&web, HERE, &next, wait));
    }
    let entry = web.gate.named().user(&user);
    let hash = entry.as_ref().and_then(Entry::hash).map(str::to_owned);
    match (web.gate.passwords.is_right(password, hash).await, entry) {
        (Err(_), _) => {
            let busy = later(&web, HERE, &next, Duration::from_secs(1));
            refused(&web, (&user, address), "busy", busy)
        }
        (Ok(true), Some(entry)) => {
            web.gate.tries.right(address, &user);
            match begin(&web, entry, address, &headers) {
                Ok(session) => {
                    let mut response = see_other(&next);
                    set(&mut response, header::SET_COOKIE, &session);
                    response
                }
                Err(why) => said(&web, HERE, StatusCode::SERVICE_UNAVAILABLE, (&next, why.text())),
            }
        }
        (Ok(_), _) => {
            let text = "The name or the password is wrong.";
            let wrong = said(&web, HERE, StatusCode::UNAUTHORIZED, (&next, text));
            refused(&web, (&user, address), "wrong", wrong)
        }
    }
}

/// Begins a session, with an id of its own whatever the browser has had before; the cookie that holds it.
pub(super) fn begin(
    web: &Web,
    entry: Entry,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<String, Unentered> {
    let name = web.gate.site.cookie(headers);
    if let Some(before) = cookie(headers, name) {
        web.gate.sessions.end(before);
    }
    let (user, role, how) = (Arc::clone(&entry.name), entry.role, entry.how.as_str());
    let id = web.gate.enter(entry, Instant::now())?;
    web.metrics.login("done");
    let user = &*user;
    tracing::info!(user, %role, %address, route = "logIn", how, outcome = "done", "audit");
    let secure = if web.gate.site.is_secure(headers) { "; Secure" } else { "" };
    Ok(format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}"))
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
    let user = if web.gate.named().user(user).is_some() { user } else { "unknown" };
    let (status, how) = (response.status().as_u16(), "password");
    tracing::info!(user, role = "-", %address, route = "logIn", how, status, outcome, "audit");
    response
}

/// The page, with how long to wait.
pub(super) fn later(web: &Web, action: &str, next: &str, wait: Duration) -> Response {
    let mut response = said(web, action, StatusCode::TOO_MANY_REQUESTS, (next, &waiting(wait)));
    set(&mut response, header::RETRY_AFTER, &seconds(wait).to_string());
    response
}

/// How long to wait, in words.
pub(super) fn waiting(wait: Duration) -> String {
    format!("That was tried too often. Wait {} seconds.", seconds(wait))
}

/// How long to wait, in whole seconds.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// The page, with what there is to say.
pub(super) fn said(
    web: &Web,
    action: &str,
    status: StatusCode,
    (next, text): (&str, &str),
) -> Response {
    let mut response = ways(web, action, next, text);
    *response.status_mut() = status;
    response
}

/// The page, with the ways in that there are.
fn ways(web: &Web, action: &str, next: &str, text: &str) -> Response {
    let named = web.gate.named();
    let mut ways = String::new();
    if let Some(provider) = &named.oidc {
        let title = escaped(&provider.settings.title);
        ways += &ELSEWHERE.replace("{title}", &title).replace(NEXT, &encoded(next));
    }
    if named.has_users() || named.oidc.is_none() {
        ways += &FORM.replace("{action}", action).replace(NEXT, &escaped(next));
    }
    static_page(PAGE.replace(SAID, &escaped(text)).replace("{ways}", &ways))
}

pub(super) fn see_other(to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

pub(super) fn set(response: &mut Response, name: http::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}

/// The same, besides what there is of this name.
pub(super) fn append(response: &mut Response, name: http::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().append(name, value);
    }
}

/// Where somebody wanted to go: a place of this site, or its beginning.
pub(super) fn way(next: Option<&str>) -> String {
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
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // Where something is put in next does not stand in what was.
            '{' => out += "&#123;",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
