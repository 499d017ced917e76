//! A POST of one event to a server, and what the server says to it. It waits for the network.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use ureq::http::HeaderName;
use ureq::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use ureq::{Error, Timeout};

use super::super::place::{self, Place};
use super::super::secrets::Secrets;
use super::super::shown;
use super::ask::{self, Header};
use super::fail;
use crate::definition::deliver::Server;
use crate::definition::secret::{Secret, Text};
use crate::key::hex;
use crate::run::failure::Broken;

/// How much of an answer is read.
const ANSWER_MAX: u64 = 16 * 1024;
/// The header with the signature of an event.
const SIGNATURE: &str = "x-esker-signature";

/// A server that takes events, with its secrets as they are now.
pub(crate) struct Post {
    place: Place,
    /// What it is called in front of people.
    named: String,
    headers: Vec<Header>,
    secrets: Secrets,
    key: Option<String>,
    ca: Option<PathBuf>,
    timeout: Duration,
}

/// What a server said.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The beginning of what it said, without secrets.
    pub(crate) said: String,
    /// How long it asks to be left alone.
    pub(crate) after: Option<Duration>,
}

impl Answer {
    /// Whether it has taken the event.
    pub(crate) fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it will never take this event, though it may take others.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.status, 400 | 413 | 415 | 422)
    }
}

impl Post {
    /// Reads the secrets and the address.
    pub(crate) fn open(dir: &Path, server: &Server, key: Option<&Secret>) -> Result<Self, Broken> {
        let mut secrets = Secrets::open(dir, server.secrets().chain(key))?;
        let place = place::parse(secrets.text(&server.url)).map_err(|(why, hint)| {
            Broken::new(format!("cannot use the address in {}: {why}", server.url), hint)
        })?;
        let headers = super::filled(&secrets, &server.headers);
        super::hide(&mut secrets, &headers);
        if matches!(server.url, Text::Secret(_)) {
            // What leads there says as much as the whole address.
            secrets.hide(place.uri().path_and_query().map_or("", |path| path.as_str()));
        }
        Ok(Self {
            named: match &server.url {
                Text::Plain(_) => place.to_string(),
                Text::Secret(secret) => secret.to_string(),
            },
            key: key.map(|key| secrets.of(key).to_owned()),
            place,
            headers,
            secrets,
            ca: server.ca.as_ref().map(|path| dir.join(path)),
            timeout: server.timeout,
        })
    }

    /// What the server is called in front of people.
    pub(crate) fn named(&self) -> &str {
        &self.named
    }

    /// Sends an event and waits for the answer, no longer than the time limit.
    pub(crate) fn send(&self, content_type: &str, body: &str) -> Result<Answer, Broken> {
        let agent = ask::agent(&self.place, self.ca.as_deref(), self.timeout)?;
        let mut call = agent.post(self.place.uri());
        let says = |name: &HeaderName| {
            self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name.as_str()))
        };
        if !says(&CONTENT_TYPE) {
            call = call.header(CONTENT_TYPE, content_type);
        }
        for header in &self.headers {
            call = call.header(&header.name, &header.value);
        }
        if let Some(key) = &self.key {
            call = call.header(SIGNATURE, signature(key, body));
        }
        let response = call.send(body).map_err(|error| self.broken(&error))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let mut said = Vec::new();
        // The status is the answer: what can be read of the rest only helps to understand it.
        drop(body.into_reader().take(ANSWER_MAX).read_to_end(&mut said));
        let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| fail::wait(text, Timestamp::now()));
        let mut said = shown(&self.secrets, &said.into());
        if (300..400).contains(&status) && head.headers.contains_key(LOCATION) {
            said = "it redirects, which is not followed: write the address it leads to".to_owned();
        }
        Ok(Answer { status, said, after })
    }

    /// What it means that the server has not taken an event.
    pub(crate) fn refused(&self, answer: &Answer) -> Broken {
        let hint = match answer.status {
            300..=399 => "write the address it should lead to",
            401 | 403 => "is the secret still valid?",
            404 | 405 | 410 => "correct the address",
            500..=599 => "the server has a problem of its own",
            _ => "see its answer",
        };
        let summary = format!("{} answers {}", self.named, answer.status);
        let broken = Broken::new(summary, hint);
        Broken { detail: answer.said.clone(), after: answer.after, ..broken }
    }

    fn broken(&self, error: &Error) -> Broken {
        let cannot = |why: String, hint: &str| {
            Broken::new(format!("cannot reach {}: {why}", self.named), hint)
        };
        let broken = match error {
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                cannot("it cannot be reached in time".to_owned(), "is the server up?")
            }
            Error::Timeout(_) => {
                let why = format!("it did not answer within {:?}", self.timeout);
                cannot(why, "is the server up? or give it a longer `timeout`")
            }
            Error::HostNotFound => cannot("there is no such host".to_owned(), "is the name right?"),
            Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                cannot("nobody listens there".to_owned(), "is the server up?")
            }
            error => cannot(error.to_string(), "is the server up, and is the network?"),
        };
        Broken { summary: self.secrets.redact(&broken.summary), ..broken }
    }
}

/// The signature of a body: HMAC-SHA256 in hexadecimal, as GitHub writes it.
fn signature(key: &str, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length is one");
    mac.update(body.as_bytes());
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
