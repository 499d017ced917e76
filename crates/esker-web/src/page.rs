//! The embedded page and its files.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use esker_wire::fault::{Code, Fault};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::answer::{Failed, Refused};

/// The build of `web/`, each file also compressed as `NAME.gz`.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dist"]
struct Dist;

/// Serves a file of the page; every path that names none is a place within the page.
pub(crate) async fn serve(request: Request) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        let fault = Fault::new(Code::NotFound, format!("there is no /{path}"));
        return Failed::from(fault.hint("GET /api tells what there is")).into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Refused::method().into_response();
    }
    let (name, known) = match (path, Dist::get(path)) {
        ("", _) | (_, None) if !path.starts_with("assets/") => {
            ("index.html", Dist::get("index.html"))
        }
        (path, known) => (path, known),
    };
    let Some(plain) = known else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
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
