//! Keeps other web sites out: whose name is asked for, and whose page asks.
//!
//! A browser lets any site open `http://127.0.0.1:8000`, and any name can be made to resolve to it. So the name
//! asked for must be one of this server's own, and whoever names an origin must name the same one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::Peer;
use crate::answer::Refused;

/// What the page may load: its own files, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// Has browsers come by TLS alone, for a year.
const TRANSPORT: &str = "max-age=31536000";

/// The session's cookie where nobody but this server can have set it, by TLS; and where there is none.
const COOKIES: (&str, &str) = ("__Host-esker", "esker");

/// A server's address, `https://esker.example.org`, as others are told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Home {
    /// It was asked for by this.
    Here(String),
    /// It is to be asked for by this.
    There(String),
}

/// Where a server is, as browsers know it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    bind: SocketAddr,
    speaks_tls: bool,
    /// The hosts of the addresses that people type; all are reached by TLS.
    public: Vec<String>,
}

impl Site {
    /// A server there, which people also reach by these addresses.
    pub(crate) fn new(bind: SocketAddr, speaks_tls: bool, public: &[String]) -> Self {
        let hosts = public.iter().filter_map(|origin| origin.strip_prefix("https://"));
        Self { bind, speaks_tls, public: hosts.map(str::to_ascii_lowercase).collect() }
    }

    fn is_public(&self, host: &str) -> bool {
        let host = host.strip_suffix(":443").unwrap_or(host);
        self.public.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether it answers to this name. An address cannot be made to mean another machine.
    fn answers_to(&self, host: &str) -> bool {
        let named = address(host).is_some_and(|address| {
            let is_bound = self.bind.ip().is_unspecified() || self.bind.ip() == address;
            address.is_loopback() || (is_bound && !self.bind.ip().is_loopback())
        });
        named || is_localhost(host) || self.is_public(host)
    }

    /// Whether a request has come by TLS, here or to a proxy in front.
    pub(crate) fn is_secure(&self, headers: &HeaderMap) -> bool {
        self.speaks_tls || self.is_public(host(headers))
    }

    /// What the session's cookie is called in a request.
    pub(crate) fn cookie(&self, headers: &HeaderMap) -> &'static str {
        if self.is_secure(headers) { COOKIES.0 } else { COOKIES.1 }
    }

    /// The address by which others are told of this server, of whoever asks for it so.
    pub(crate) fn home(&self, headers: &HeaderMap) -> Option<Home> {
        let asked = host(headers).to_ascii_lowercase();
        if self.is_public(&asked) {
            let asked = asked.strip_suffix(":443").unwrap_or(&asked);
            return Some(Home::Here(format!("https://{asked}")));
        }
        let is_here = is_localhost(&asked) || address(&asked).is_some_and(|ip| ip.is_loopback());
        let port = asked.strip_prefix(name_part(&asked)).unwrap_or_default();
        let is_plain = port.is_empty() || port[1..].parse::<u16>().is_ok();
        if is_here && is_plain {
            let scheme = if self.speaks_tls { "https" } else { "http" };
            return Some(Home::Here(format!("{scheme}://{asked}")));
        }
        self.public.first().map(|public| Home::There(format!("https://{public}")))
    }

    /// Where a request comes from: a proxy in front, which is on this machine, says for whom it asks.
    pub(crate) fn from(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<IpAddr> {
        let peer = peer?.0;
        if self.speaks_tls || !peer.is_loopback() || !self.is_public(host(headers)) {
            return Some(peer);
        }
        let told = headers.get_all("x-forwarded-for").iter().next_back();
        let last =
            told.and_then(|told| told.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.or(Some(peer))
    }

    /// Why a request with these headers is refused, if it is.
    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<Refused> {
        let host = host(headers);
        if !self.answers_to(host) {
            let what = format!("the page was asked for as {host:?}, which is not its name");
            let hint = "ask for it as localhost or 127.0.0.1, or write its name in esker.toml: \
                [web] public = \"https://NAME\"";
            return Some(Refused::forbidden(what, hint));
        }
        let strange = |who: String| {
            Some(Refused::forbidden(format!("a page from {who} may not use this one"), ""))
        };
        if let Some(origin) = headers.get(header::ORIGIN) {
            let scheme = if self.is_secure(headers) { "https://" } else { "http://" };
            let origin = origin.to_str().unwrap_or("?");
            let same =
                origin.strip_prefix(scheme).is_some_and(|from| from.eq_ignore_ascii_case(host));
            if !same {
                return strange(format!("{origin:?}"));
            }
        }
        match text(headers, "sec-fetch-site") {
            Some("cross-site" | "same-site") if !is_visit(method, headers) => {
                strange("another site".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether somebody follows a link: all that other sites' pages may have a browser do here.
fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
        && text(headers, "sec-fetch-mode") == Some("navigate")
        && text(headers, "sec-fetch-dest") == Some("document")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// What a request says that it asks.
fn host(headers: &HeaderMap) -> &str {
    text(headers, "host").unwrap_or_default()
}

/// Refuses requests that come from elsewhere, and adds the headers every answer has.
pub(crate) async fn check(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let is_secure = site.is_secure(request.headers());
    let mut response = match site.refusal(request.method(), request.headers()) {
        Some(refused) => {
            let (path, why) = (request.uri().path(), &refused.message);
            let method = request.method();
            tracing::info!(%method, path, why, outcome = "refused", "audit");
            refused.into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT));
    }
    response
}

/// The name without the port, in its brackets if it has some.
fn name_part(host: &str) -> &str {
    match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// The name without the port.
fn name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    name(host).parse().ok()
}

fn is_localhost(host: &str) -> bool {
    name(host).eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests;
