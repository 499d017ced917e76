//! Speaking HTTP to Consul: the one file that sends requests. Each has a deadline, a bound for what it may answer,
//! and a connection of its own, so that no request meets what an earlier Consul has left of one.

use std::io::Read as _;
use std::time::{Duration, Instant};

use esker_wire::fault::Fault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use ureq::{Agent, Body};

use crate::join::Place;
use crate::pace::Backoff;

use super::fail::{Asked, Failure, of_nonsense, of_silence, of_status};
use super::tls::Tls;
use super::token::Token;

/// How long a request may take, unless it waits for a change.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take to reach Consul.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// The largest answer, unless told otherwise.
pub(crate) const ANSWER_MAX: u64 = 1 << 20;

/// What stays as it is in a key: all else is written with per cent signs.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An agent of Consul, as we speak to it.
pub(crate) struct Consul {
    agent: Agent,
    url: String,
    named: String,
    token: Token,
    pub(crate) place: Place,
}

/// How something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Put,
    Delete,
}

/// What is asked.
pub(crate) struct Request<'a> {
    pub(crate) verb: Verb,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// As it stands after "cannot".
    pub(crate) what: &'a str,
    /// The rule of the ACL that allows it.
    pub(crate) rule: &'a str,
    pub(crate) deadline: Duration,
    pub(crate) answer_max: u64,
}

/// What Consul answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The index of what was asked about, where there is one.
    pub(crate) index: Option<u64>,
    pub(crate) body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// A request with nothing but its path.
    pub(crate) fn new(verb: Verb, path: impl Into<String>, what: &'a str) -> Self {
        Self {
            verb,
            path: path.into(),
            query: Vec::new(),
            body: Vec::new(),
            what,
            rule: "",
            deadline: DEADLINE,
            answer_max: ANSWER_MAX,
        }
    }

    pub(crate) fn rule(mut self, rule: &'a str) -> Self {
        self.rule = rule;
        self
    }

    pub(crate) fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Waits so long for what changes after an index; what begins anew is answered at once.
    pub(crate) fn after(mut self, index: u64, wait: Duration) -> Self {
        if index == 0 {
            return self;
        }
        // Consul adds up to a sixteenth to what it is told to wait.
        self.deadline = wait + wait / 16 + DEADLINE;
        self.query("index", index.to_string()).query("wait", format!("{}ms", wait.as_millis()))
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

/// A key, or part of one, as it stands in an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

impl Consul {
    pub(crate) fn new(place: Place, token: Token, tls: &Tls) -> Result<Self, Fault> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .user_agent(concat!("esker/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_MAX));
        if place.is_encrypted {
            config = config.tls_config(tls.config()?);
        }
        let url = place.url();
        let named = format!("{}:{}", place.host, place.port);
        Ok(Self { agent: config.build().new_agent(), url, named, token, place })
    }

    /// What was asked, for people.
    pub(crate) fn asked<'a>(&'a self, request: &'a Request<'_>) -> Asked<'a> {
        Asked { what: request.what, place: &self.named, rule: request.rule }
    }

    /// Asks once; whatever is answered, if it is.
    pub(crate) fn ask(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let token = self.token.read().map_err(|fault| {
            let asked = self.asked(request);
            Failure { fault, ..of_silence(&asked, "", false) }
        })?;
        let response = self.send(request, token.as_deref());
        let response = response.map_err(|error| self.silent(request, &error))?;
        let header = response.headers().get("X-Consul-Index");
        let index = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let status = response.status().as_u16();
        let max = request.answer_max;
        let mut body = Vec::new();
        let read = response.into_body().into_reader().take(max + 1).read_to_end(&mut body);
        read.map_err(|error| self.silent(request, &error.into()))?;
        if body.len() as u64 > max {
            let why = format!("it answers more than {max} bytes");
            return Err(of_nonsense(&self.asked(request), &why));
        }
        Ok(Answer { status, index, body })
    }

    /// Asks until it is done or refused, or the deadline is over: what passes by itself is asked again.
    pub(crate) fn done(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.answered(request, &[200])
    }

    /// The same where other answers than that it is done are of use too.
    pub(crate) fn answered(
        &self,
        request: &Request<'_>,
        useful: &[u16],
    ) -> Result<Answer, Failure> {
        let until = Instant::now() + request.deadline;
        let mut backoff = Backoff::default();
        loop {
            let answer = self.ask(request)?;
            if useful.contains(&answer.status) {
                return Ok(answer);
            }
            let failure = of_status(&self.asked(request), answer.status, &answer.body);
            let wait = backoff.next();
            if !failure.passes() || Instant::now() + wait >= until {
                return Err(failure);
            }
            std::thread::sleep(wait);
        }
    }

    /// What an answer holds.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
        answer: &Answer,
    ) -> Result<T, Failure> {
        serde_json::from_slice(&answer.body)
            .map_err(|error| of_nonsense(&self.asked(request), &error.to_string()))
    }

    fn silent(&self, request: &Request<'_>, error: &ureq::Error) -> Failure {
        let is_late = matches!(error, ureq::Error::Timeout(_));
        let why = match error {
            ureq::Error::Timeout(_) => format!("not within {:.0?}", request.deadline),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        of_silence(&self.asked(request), &why, is_late)
    }

    fn send(
        &self,
        request: &Request<'_>,
        token: Option<&str>,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let mut url = format!("{}{}", self.url, request.path);
        // What an agent knows by itself is of no datacenter.
        let is_own = request.path.starts_with("/v1/agent/");
        let datacenter = self.place.datacenter.as_ref().filter(|_| !is_own);
        let datacenter = datacenter.map(|name| ("dc", name.clone()));
        let mut mark = '?';
        for (key, value) in request.query.iter().chain(&datacenter) {
            url.push(mark);
            url.push_str(key);
            if !value.is_empty() {
                url.push('=');
                url.push_str(&encoded(value));
            }
            mark = '&';
        }
        let mut call = ureq::http::Request::builder().uri(url).method(match request.verb {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        });
        if let Some(token) = token {
            call = call.header("X-Consul-Token", token);
        }
        let deadline = Some(request.deadline);
        if request.verb == Verb::Put {
            let call = self.agent.configure_request(call.body(&request.body[..])?);
            return self.agent.run(call.timeout_global(deadline).build());
        }
        let call = self.agent.configure_request(call.body(())?);
        self.agent.run(call.timeout_global(deadline).build())
    }
}
