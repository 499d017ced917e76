//! Speaking HTTP: the one file that sends requests. It waits for the network, so it runs on a thread of its own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ureq::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use ureq::http::{HeaderName, Response};
use ureq::{Agent, Body};

use crate::run::failure::Broken;

use super::super::place::Place;
use super::super::secrets::Secrets;
use super::super::tls;
use super::fail;

/// How often a server may send us elsewhere.
const REDIRECTS_MAX: usize = 10;
/// How long it may take to reach the server.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// The longest validator that is kept.
const VALIDATOR_MAX: usize = 1024;
/// How much of a refusal is read.
const REFUSAL_MAX: u64 = 16 * 1024;

/// What is asked.
pub(crate) struct Request {
    pub(crate) place: Place,
    /// What the address is called in front of people.
    pub(crate) named: String,
    pub(crate) headers: Vec<Header>,
    pub(crate) validators: Validators,
    /// What must not be told.
    pub(crate) secrets: Secrets,
    /// The certificates to trust instead of the machine's.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) timeout: Duration,
    pub(crate) size_max: u64,
}

/// A header and whether other servers may see it.
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_secret: bool,
}

/// By what a server knows a version again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Validators {
    fn of(response: &Response<Body>) -> Self {
        let text = |name: HeaderName| {
            let text = response.headers().get(name)?.to_str().ok()?;
            (!text.is_empty() && text.len() <= VALIDATOR_MAX).then(|| text.to_owned())
        };
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    fn are_some(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}

/// What the server answers.
pub(crate) enum Answer {
    /// Nothing has changed.
    Same,
    /// This is the content.
    Content { bytes: Bytes, validators: Validators, content_type: Option<&'static str> },
}

/// Asks, following redirects.
pub(crate) fn ask(request: &Request) -> Result<Answer, Broken> {
    let until = Instant::now() + request.timeout;
    let mut place = request.place.clone();
    for _ in 0..=REDIRECTS_MAX {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(super::super::too_slow(&request.named, request.timeout));
        }
        let response = send(request, &place, left)?;
        let status = response.status().as_u16();
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            place = follow(request, &place, &response)?;
            continue;
        }
        if status == 304 && request.validators.are_some() {
            return Ok(Answer::Same);
        }
        if !matches!(status, 200..=205) {
            return Err(refused(request, response));
        }
        return content(request, &place, response);
    }
    let summary = format!("{} redirects more than {REDIRECTS_MAX} times", request.named);
    Err(Broken::new(summary, "does it want a login? open it in a browser to see where it leads"))
}

fn send(request: &Request, place: &Place, left: Duration) -> Result<Response<Body>, Broken> {
    let agent = agent(place, request.ca.as_deref(), left)?;
    let mut call = agent.get(place.uri());
    let mut accepts = false;
    for header in &request.headers {
        if header.is_secret && !place.has_origin_of(&request.place) {
            continue;
        }
        accepts |= header.name.eq_ignore_ascii_case(ACCEPT.as_str());
        call = call.header(&header.name, &header.value);
    }
    if !accepts {
        call = call.header(ACCEPT, "*/*");
    }
    if let Some(etag) = &request.validators.etag {
        call = call.header(IF_NONE_MATCH, etag);
    }
    if let Some(time) = &request.validators.last_modified {
        call = call.header(IF_MODIFIED_SINCE, time);
    }
    call.call().map_err(|error| fail::of_error(request, &named(request, place), &error))
}

/// What speaks: it knows no cookies, follows nothing by itself and judges no status.
pub(super) fn agent(place: &Place, ca: Option<&Path>, left: Duration) -> Result<Agent, Broken> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .user_agent(concat!("esker/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(left.min(CONNECT_MAX)))
        .timeout_global(Some(left));
    if place.is_encrypted() {
        config = config.tls_config(tls::config(ca)?);
    }
    Ok(config.build().new_agent())
}

/// What a server is called that a redirect has led to: its address may hold what is nobody's business.
fn named(request: &Request, place: &Place) -> String {
    match place.has_origin_of(&request.place) {
        true => request.named.clone(),
        false => format!("{}, to which {} redirects,", place.host(), request.named),
    }
}

fn follow(request: &Request, from: &Place, response: &Response<Body>) -> Result<Place, Broken> {
    let broken = |why: &str| {
        let summary = format!("{} redirects {why}", named(request, from));
        Broken::new(summary, "write the address it should lead to")
    };
    let location = response.headers().get(LOCATION).ok_or_else(|| broken("to nowhere"))?;
    let location = location.to_str().map_err(|_| broken("to what is no address"))?;
    let to = from.join(location).map_err(|_| broken("to what is no address"))?;
    if from.is_encrypted() && !to.is_encrypted() {
        return Err(broken("from https to http, where others can read and change what comes"));
    }
    Ok(to)
}

/// What the server says instead of giving the content.
fn refused(request: &Request, response: Response<Body>) -> Broken {
    let (head, body) = response.into_parts();
    let mut said = Vec::new();
    // What can be read of it; it only helps to understand.
    drop(body.into_reader().take(REFUSAL_MAX).read_to_end(&mut said));
    fail::of_status(request, &head, &said.into())
}

fn content(request: &Request, place: &Place, response: Response<Body>) -> Result<Answer, Broken> {
    let header = |name: HeaderName| {
        let value = response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
    };
    let encoding = header(CONTENT_ENCODING);
    if !matches!(encoding.as_str(), "" | "identity") {
        let summary = format!("{} sends what is encoded as {encoding:?}", named(request, place));
        return Err(Broken::new(summary, "only gzip was offered; the server is set up wrongly"));
    }
    let content_type = header(CONTENT_TYPE);
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    fail::check_page(request, content_type)?;
    let content_type = super::super::known_type(content_type);
    let validators = Validators::of(&response);
    let mut bytes = Vec::new();
    let max = request.size_max;
    let read = response.into_body().into_reader().take(max + 1).read_to_end(&mut bytes);
    read.map_err(|error| fail::of_error(request, &named(request, place), &error.into()))?;
    if bytes.len() as u64 > max {
        let summary = format!("{} sends more than {max} bytes", named(request, place));
        let hint = "ask for less, or give the source a larger `output_max`";
        return Err(Broken::new(summary, hint));
    }
    Ok(Answer::Content { bytes: bytes.into(), validators, content_type })
}
