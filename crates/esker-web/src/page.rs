//! The embedded page and its files.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use esker_wire::fault::{Code, Fault};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::access::door;
use crate::answer::{Failed, Refused};
use crate::routes::Part;

/// The build of `web/`, each file also compressed as `NAME.gz`.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dist"]
struct Dist;

/// The page itself, and where in it stands what it is of.
const INDEX: &str = "index.html";
const MARK: &str = "<html";

/// Serves a file of the page; every path that names none is a place within the page, but where there are several projects.
pub(crate) async fn serve(part: &Part, request: Request) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        let prefix = part.prefix();
        let fault = Fault::new(Code::NotFound, format!("there is no {prefix}/{path}"));
        return Failed::from(fault.hint("GET /api tells what there is")).into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Refused::method().into_response();
    }
    match (path, Dist::get(path)) {
        ("" | INDEX, _) => index(part, request.headers()),
        (path, Some(file)) => send(path, file, headers),
        (path, None) if path.starts_with("assets/") => {
            (StatusCode::NOT_FOUND, "no such file\n").into_response()
        }
        _ if *part != Part::Front => index(part, request.headers()),
        // Who typed a project's name is shown which there are.
        _ if door::wants_page(method, headers) => {
            let mut response = index(part, request.headers());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        (path, None) => {
            let fault = Fault::new(Code::NotFound, format!("there is no /{path}"));
            Failed::from(fault.hint("GET /api/hubs tells which projects there are")).into_response()
        }
    }
}

/// The page itself, which is told what it is of.
fn index(part: &Part, headers: &HeaderMap) -> Response {
    let Some(plain) = Dist::get(INDEX) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let mark = match part {
        Part::Whole => return send(INDEX, plain, headers),
        Part::Front => "<html data-hubs".to_owned(),
        Part::Below(prefix) => format!("<html data-base=\"{prefix}/\""),
    };
    let text = String::from_utf8_lossy(&plain.data).replacen(MARK, &mark, 1);
    let kind = HeaderValue::from_static(kind(INDEX));
    let cache = HeaderValue::from_static("no-cache");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], text).into_response()
}

/// A file as it is, compressed for who takes it so.
fn send(name: &str, plain: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = etag(&plain);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|asked| asked == etag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let small = accepts
        .is_some_and(|accepts| accepts.contains("gzip"))
        .then(|| Dist::get(&format!("{name}.gz")))
        .flatten();
    let compressed = small.is_some();
    let mut response = small.unwrap_or(plain).data.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::ETAG, etag);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Files under assets/ carry a hash in their name.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// A page that is told once: it may say who asks.
pub(crate) fn static_page(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind("a.html")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{digits}\"")).expect("hexadecimal digits")
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("ts") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
