//! A provider: where it is asked what, its keys, and what it says of somebody who comes back from it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::super::login::encoded;
use super::super::tries::Tries;
use super::Oidc;
use super::ask::{Asker, Known, Question, Silent};
use super::pending::{Begun, Pending, Unbegun};
use super::person::{Claims, Person, Stranger};
use super::token::{self, Expected, Flaw};

/// How long what was found is used: that a provider has gone is noticed after that.
const FOUND_MAX: Duration = Duration::from_secs(60);
/// How long keys are used.
const KEYS_MAX: Duration = Duration::from_secs(3_600);
/// How long a provider is left alone that could not be asked, or that lacks a key somebody has named.
const AGAIN: Duration = Duration::from_secs(5);
/// How long all that is asked for one log-in may take.
const ALL_MAX: Duration = Duration::from_secs(25);
/// The longest address a provider may name.
const URL_MAX: usize = 2_048;
/// What stands behind the issuer where a provider says what it has.
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// Why nobody is let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Not {
    /// The provider does not answer.
    Silent(Silent),
    /// What it says is not believed.
    Untrue(&'static str),
    /// Who comes is not let in.
    Stranger(Stranger),
}

impl From<Silent> for Not {
    fn from(silent: Silent) -> Self {
        Self::Silent(silent)
    }
}

/// Where a provider is asked what.
#[derive(Clone)]
struct Found {
    authorize: String,
    token: String,
    keys: String,
    userinfo: Option<String>,
    /// Whether it wants the secret in the form.
    in_form: bool,
    /// Whether it says who it is where it sends people back.
    names_itself: bool,
}

/// A provider, with what is known of it and who is on the way there.
pub(crate) struct Provider {
    pub(crate) settings: Oidc,
    pub(super) pending: Pending,
    /// Who has come back with what was nothing: it is no password, and keeps nobody from trying one.
    pub(super) tries: Tries,
    asker: Asker,
    found: Mutex<Option<(Instant, Result<Found, Silent>)>>,
    keys: Mutex<Option<(Instant, Vec<Jwk>)>>,
}

/// Why nobody is sent there.
pub(super) enum Unsent {
    Silent(Silent),
    Unbegun(Unbegun),
}

impl Provider {
    pub(crate) fn new(settings: Oidc) -> Self {
        let (pending, asker, tries) = (Pending::default(), Asker::default(), Tries::default());
        Self { settings, pending, tries, asker, found: Mutex::default(), keys: Mutex::default() }
    }

    /// Begins a log-in: where the browser is to go, and what its cookie has to hold.
    pub(super) async fn begin(
        &self,
        back: (&str, &str),
        network: IpAddr,
    ) -> Result<(String, String), Unsent> {
        let found = self.found().await.map_err(Unsent::Silent)?;
        let sent = self.pending.begin(back, network, Instant::now()).map_err(Unsent::Unbegun)?;
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, sent.verifier.as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client),
            ("redirect_uri", back.0),
            ("scope", &self.settings.scopes.join(" ")),
            ("state", &sent.state),
            ("nonce", &sent.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if found.authorize.contains('?') { '&' } else { '?' };
        Ok((format!("{}{joint}{query}", found.authorize), sent.cookie))
    }

    /// Who it is that comes back with this code; `issuer` is whom the browser says it comes from.
    pub(super) async fn person(
        &self,
        begun: &Begun,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Person, Not> {
        let late = |_| Silent::Away("it takes too long".to_owned());
        tokio::time::timeout(ALL_MAX, self.identify(begun, code, issuer)).await.map_err(late)?
    }

    async fn identify(
        &self,
        begun: &Begun,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Person, Not> {
        let found = self.found().await?;
        let is_other = issuer.map_or(found.names_itself, |said| said != self.settings.issuer);
        if is_other {
            return Err(Not::Untrue("it is another provider's"));
        }
        let told = self.exchange(&found, begun, code).await?;
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let token = text("id_token").ok_or(Not::Untrue("there is no ID token in it"))?;
        let signed = self.believed(&found, token, &begun.nonce).await?;
        let asked = match (&found.userinfo, text("access_token")) {
            (Some(url), Some(token)) if self.settings.lacks(&signed) => {
                self.userinfo(url, token, &signed).await?
            }
            _ => Claims::new(),
        };
        self.settings.person(&signed, &asked).map_err(Not::Stranger)
    }

    /// Exchanges the code for tokens.
    async fn exchange(
        &self,
        found: &Found,
        begun: &Begun,
        code: &str,
    ) -> Result<Map<String, Value>, Silent> {
        let client = self.settings.client.as_str();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &begun.redirect),
            ("code_verifier", &begun.verifier),
        ];
        let mut known = None;
        match &self.settings.secret {
            Some(secret) if found.in_form => {
                fields.extend([("client_id", client), ("client_secret", secret)]);
            }
            Some(secret) => known = Some(Known::Basic(field(client), field(secret))),
            None => fields.push(("client_id", client)),
        }
        let form = Some(form(&fields));
        self.asker.ask(Question { url: found.token.clone(), form, known }).await
    }

    /// What an ID token says, if it is believed; by newer keys if it names one that is not known.
    async fn believed(&self, found: &Found, token: &str, nonce: &str) -> Result<Claims, Not> {
        let Oidc { issuer, client, .. } = &self.settings;
        let expected = Expected { issuer, client, nonce };
        let mut flaw = Flaw::UnknownKey;
        for age_max in [KEYS_MAX, AGAIN] {
            let keys = self.keys(found, age_max).await?;
            match token::believed(token, &keys, &expected) {
                Ok(claims) => return Ok(claims),
                Err(Flaw::UnknownKey) => {}
                Err(wrong) => {
                    flaw = wrong;
                    break;
                }
            }
        }
        Err(Not::Untrue(match flaw {
            Flaw::UnknownKey => "it is signed with a key that the provider does not have",
            Flaw::Wrong(why) => why,
        }))
    }

    /// What else the provider says of the same person.
    async fn userinfo(&self, url: &str, token: &str, signed: &Claims) -> Result<Claims, Not> {
        let known = Some(Known::Bearer(token.to_owned()));
        let told = self.asker.ask(Question { url: url.to_owned(), form: None, known }).await?;
        if told.get("sub") != signed.get("sub") {
            return Err(Not::Untrue("its user info is of somebody else"));
        }
        Ok(told)
    }

    /// Where the provider is asked what. Those who want to know at once are told the same.
    async fn found(&self) -> Result<Found, Silent> {
        let mut known = self.found.lock().await;
        if let Some((since, found)) = &*known {
            let age_max = if found.is_ok() { FOUND_MAX } else { AGAIN };
            if since.elapsed() < age_max {
                return found.clone();
            }
        }
        let issuer = self.settings.issuer.as_str();
        let url = format!("{}{CONFIGURATION}", issuer.strip_suffix('/').unwrap_or(issuer));
        let told = self.asker.ask(Question { url, form: None, known: None }).await;
        let found = told.and_then(|told| Found::read(&told, issuer).map_err(Silent::Away));
        if matches!(found, Err(Silent::Busy)) {
            return found;
        }
        *known = Some((Instant::now(), found.clone()));
        found
    }

    /// The provider's keys, no older than this.
    async fn keys(&self, found: &Found, age_max: Duration) -> Result<Vec<Jwk>, Silent> {
        let mut known = self.keys.lock().await;
        if let Some((since, keys)) = &*known
            && since.elapsed() < age_max
        {
            return Ok(keys.clone());
        }
        let question = Question { url: found.keys.clone(), form: None, known: None };
        let keys = token::keys(&self.asker.ask(question).await?.into());
        *known = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }
}

impl Found {
    /// Reads what a provider says of itself.
    fn read(told: &Map<String, Value>, issuer: &str) -> Result<Self, String> {
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let said = text("issuer").unwrap_or_default();
        if said != issuer {
            let said: String = said.chars().take(URL_MAX).collect();
            return Err(format!("it calls itself {said:?}, and esker.toml {issuer:?}"));
        }
        let is_local = issuer.starts_with("http://");
        let url = |key: &str| match text(key) {
            Some(url) if is_safe(url, is_local) => Ok(url.to_owned()),
            Some(_) => Err(format!("its {key} is no address that begins with https://")),
            None => Err(format!("it has no {key}")),
        };
        let methods = told.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let takes = |method: &str| methods.is_some_and(|all| all.iter().any(|one| one == method));
        Ok(Self {
            authorize: url("authorization_endpoint")?,
            token: url("token_endpoint")?,
            keys: url("jwks_uri")?,
            userinfo: url("userinfo_endpoint").ok(),
            in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            names_itself: told.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
        })
    }
}

/// Whether an address is encrypted, or on this machine as its provider is.
fn is_safe(url: &str, is_local: bool) -> bool {
    let Some(uri) = url.parse::<Uri>().ok().filter(|_| url.len() <= URL_MAX && !url.contains('#'))
    else {
        return false;
    };
    let Some(host) =
        uri.authority().filter(|all| !all.as_str().contains('@')).map(|all| all.host())
    else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare.parse::<IpAddr>().map_or(bare == "localhost", |ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_local && is_here,
        _ => false,
    }
}

/// A text as it stands in a form.
fn field(text: &str) -> String {
    encoded(text).replace('/', "%2F")
}

fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key}={}", field(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests;
