//! What may go wrong in asking a server, in words, and whether it may pass by itself.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ureq::http::header::RETRY_AFTER;
use ureq::http::response::Parts;
use ureq::{Error, Timeout};

use crate::run::failure::Broken;

use super::super::{shown, too_slow};
use super::ask::Request;

/// What it means that no answer came.
pub(super) fn of_error(request: &Request, named: &str, error: &Error) -> Broken {
    let cannot = |why: &str, hint: &str| Broken::new(format!("cannot read {named}: {why}"), hint);
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            cannot("it cannot be reached in time", "is the server up, and is the network?")
                .temporary()
        }
        Error::Timeout(_) => too_slow(named, request.timeout),
        Error::HostNotFound => {
            cannot("there is no such host", "is the name right, and does the network work?")
                .temporary()
        }
        Error::Io(error) => of_io(named, error),
        Error::Rustls(error) => cannot(&error.to_string(), CERTIFICATES),
        Error::Decompress(..) => {
            cannot("what it sends is no gzip, though it says so", "the server is set up wrongly")
        }
        Error::LargeResponseHeader(..) => cannot("its answer's head is too large", ""),
        Error::Protocol(error) => {
            cannot(&format!("its answer is no HTTP: {error}"), "is it the right port?")
        }
        Error::ConnectProxyFailed(why) => {
            let why = format!("the proxy refuses: {why}");
            cannot(&why, "see HTTPS_PROXY and NO_PROXY where esker is started")
        }
        Error::Http(_) | Error::BadUri(_) => {
            cannot("what is to be sent holds characters that cannot be sent", "see its secrets")
        }
        error => cannot(&error.to_string(), "").temporary(),
    }
}

const CERTIFICATES: &str =
    "if the server is right, name the certificate it is signed with: ca = \"FILE.pem\"";

fn of_io(named: &str, error: &std::io::Error) -> Broken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(error) = inner {
        return Broken::new(format!("cannot read {named}: {error}"), CERTIFICATES);
    }
    let summary = match error.kind() {
        ErrorKind::ConnectionRefused => format!("cannot reach {named}: nobody listens there"),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            format!("cannot read {named}: it broke off before the end")
        }
        _ => {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("cannot read {named}: {error}{source}")
        }
    };
    Broken::new(summary, "is the server up, and is the network?").temporary()
}

/// What it means that the server answered so.
pub(super) fn of_status(request: &Request, head: &Parts, said: &Bytes) -> Broken {
    let status = head.status.as_u16();
    let reason =
        head.status.canonical_reason().map(|text| format!(" ({text})")).unwrap_or_default();
    let summary = format!("{} answers {status}{reason}", request.named);
    let has_secret = request.headers.iter().any(|header| header.is_secret);
    let hint = match status {
        401 | 403 if has_secret => "is the secret still valid, and may it read this?",
        401 | 403 => {
            "it wants to know who asks: give the source a `token`, or a `user` and a `password`"
        }
        404 | 410 => "correct the address",
        304 => "it was not asked whether anything has changed",
        407 => "the proxy wants to know who asks: see HTTPS_PROXY where esker is started",
        429 => "ask less often: a longer `every`",
        500..=599 => "the server has a problem of its own",
        _ => "see its answer",
    };
    let broken = Broken { detail: shown(&request.secrets, said), ..Broken::new(summary, hint) };
    if !matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504) {
        return broken;
    }
    let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Broken { after: after.and_then(|text| wait(text, Timestamp::now())), ..broken.temporary() }
}

/// Reads `Retry-After`: seconds, or a date.
pub(super) fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Duration::try_from(time.duration_since(now)).ok()
}

/// A page where data was asked for is most often a login.
pub(super) fn check_page(request: &Request, content_type: &str) -> Result<(), Broken> {
    const DATA: [&str; 7] = ["csv", "tsv", "json", "xml", "xlsx", "xlsm", "ods"];
    let name = request.place.file_name();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let wants_data = ending.is_some_and(|ending| DATA.contains(&ending.as_str()));
    if wants_data && content_type == "text/html" {
        let summary = format!("{} gives a web page, not data", request.named);
        return Err(Broken::new(summary, "does it want a login? open it in a browser to see"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
