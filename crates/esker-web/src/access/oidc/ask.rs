//! Asking a provider: one request, one object of JSON. It waits for the network, so it runs on a thread of its own.

use std::io::Read as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio_rustls::rustls::crypto::ring;
use ureq::Agent;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// The longest answer.
const BYTES_MAX: u64 = 512 * 1024;
/// How many are asked at once.
const AT_ONCE_MAX: usize = 8;
/// How long somebody waits for their turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// The longest word by which a provider says why not.
const WORD_MAX: usize = 64;

/// What is asked.
pub(super) struct Question {
    pub(super) url: String,
    /// A form that is sent.
    pub(super) form: Option<String>,
    /// By what whoever asks is known.
    pub(super) known: Option<Known>,
}

/// By what whoever asks is known.
pub(super) enum Known {
    /// A name and a password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Silent {
    /// Too many others ask.
    Busy,
    /// It cannot be reached, or does not say what it should.
    Away(String),
    /// It says no, by this word.
    No(String),
}

/// Asks, a few at once.
pub(super) struct Asker {
    agent: Arc<OnceLock<Agent>>,
    turns: Arc<Semaphore>,
}

impl Default for Asker {
    fn default() -> Self {
        Self { agent: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

impl Asker {
    /// What is answered.
    pub(super) async fn ask(&self, question: Question) -> Result<Map<String, Value>, Silent> {
        let turn = tokio::time::timeout(TURN_MAX, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| Silent::Busy)?.map_err(|_| Silent::Busy)?;
        let agent = Arc::clone(&self.agent);
        let asked = tokio::task::spawn_blocking(move || {
            let answer = send(agent.get_or_init(agent_of_machine), &question);
            drop(turn);
            answer
        });
        asked.await.unwrap_or_else(|_| Err(Silent::Away("it could not be asked".to_owned())))
    }
}

/// What speaks: it follows nothing, keeps nothing, and believes whom this machine believes.
fn agent_of_machine() -> Agent {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> =
        found.certs.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .user_agent(concat!("esker/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(ANSWER_MAX))
        .tls_config(tls);
    config.build().new_agent()
}

fn send(agent: &Agent, question: &Question) -> Result<Map<String, Value>, Silent> {
    let known = question.known.as_ref().map(|known| match known {
        Known::Bearer(token) => format!("Bearer {token}"),
        Known::Basic(name, password) => {
            format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
        }
    });
    let mut request = ureq::http::Request::builder()
        .uri(&question.url)
        .method(if question.form.is_some() { "POST" } else { "GET" })
        .header(ACCEPT, "application/json");
    if let Some(known) = known {
        request = request.header(AUTHORIZATION, known);
    }
    if question.form.is_some() {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let form = question.form.clone().unwrap_or_default();
    let away = |why: String| Silent::Away(why);
    let request = request.body(form).map_err(|error| away(error.to_string()))?;
    let response = agent.run(request).map_err(|error| away(error.to_string()))?;
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    let read = response.into_body().into_reader().take(BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| away(error.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(away(format!("it answers with more than {BYTES_MAX} bytes")));
    }
    let told = serde_json::from_slice::<Map<String, Value>>(&bytes);
    match (status, told) {
        (200, Ok(told)) => Ok(told),
        (200, Err(_)) => Err(away("it does not answer with an object of JSON".to_owned())),
        (400 | 401 | 403, Ok(told)) if told.contains_key("error") => {
            Err(Silent::No(word(told["error"].as_str().unwrap_or_default())))
        }
        _ => Err(away(format!("it answers {status}"))),
    }
}

/// The word by which a provider says why not, if it is one.
pub(super) fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    match text {
        "" => "no reason".to_owned(),
        text if text.len() <= WORD_MAX && text.bytes().all(is_plain) => text.to_owned(),
        _ => "an odd reason".to_owned(),
    }
}
