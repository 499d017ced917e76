//! Who is let in, and what they may do: users that log in, programs that send a token; everybody where nobody is named.

pub mod password;

pub(crate) mod door;
pub(crate) mod login;
mod sessions;
mod tries;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderMap, header};
use blake3::Hash;
use esker_wire::role::Role;
use tokio::sync::watch;

use self::password::Passwords;
use self::sessions::Sessions;
use self::tries::Tries;
use crate::guard::Site;
use crate::server::Error;

/// The shortest token: whoever guesses gets nowhere.
const TOKEN_MIN: usize = 16;

/// Who is let in, and how. Where nobody is named, everybody on this machine is, and may do everything.
#[derive(Clone, Default)]
pub struct Access {
    /// What people type to get there, such as `https://esker.example.org`.
    pub public: Vec<String>,
    /// The server's certificate.
    pub tls: Option<Files>,
    /// Who may log in.
    pub users: Vec<User>,
    /// Which programs are let in.
    pub tokens: Vec<Token>,
}

/// The files of a certificate, PEM both.
#[derive(Clone)]
pub struct Files {
    /// The certificates, the server's own first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Somebody who may log in.
#[derive(Clone)]
pub struct User {
    /// Their name.
    pub name: String,
    /// The hash of their password, as [`password::hash`] makes it.
    pub password: String,
    /// What they may do.
    pub role: Role,
}

/// A program that is let in.
#[derive(Clone)]
pub struct Token {
    /// What it is called.
    pub name: String,
    /// What it sends.
    pub token: String,
    /// What it may do.
    pub role: Role,
}

impl Access {
    /// Whether nobody is named.
    fn is_open(&self) -> bool {
        self.users.is_empty() && self.tokens.is_empty()
    }

    /// Whether this may be served there.
    ///
    /// # Errors
    /// What has to be written first.
    pub(crate) fn check(&self, bind: SocketAddr) -> Result<(), Error> {
        if !bind.ip().is_loopback() && (self.tls.is_none() || self.is_open()) {
            return Err(Error::NotProtected { address: bind });
        }
        match self.public.first() {
            Some(public) if self.is_open() => Err(Error::Nobody { public: public.clone() }),
            _ => Ok(()),
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Who {
    /// Their name; none where nobody is named.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) role: Role,
    /// What they came by.
    pub(crate) by: By,
}

/// What somebody came by.
#[derive(Clone)]
pub(crate) enum By {
    /// Everybody is let in.
    Nothing,
    Token,
    Session {
        /// Ends when the session does.
        alive: watch::Receiver<()>,
        /// When it does at the latest.
        ends: Instant,
    },
}

impl Who {
    /// Who asks where nobody is named.
    pub(crate) fn anybody() -> Self {
        Self { name: None, role: Role::Admin, by: By::Nothing }
    }

    /// Who they are to the store: `name <mail>`; none where nobody is named.
    pub(crate) fn author(&self) -> Option<String> {
        self.name.as_ref().map(|name| format!("{name} <{name}@esker>"))
    }

    /// Waits until they may no longer do what they have begun.
    pub(crate) async fn ended(self) {
        match self.by {
            By::Nothing | By::Token => std::future::pending().await,
            By::Session { mut alive, ends } => {
                let gone = async { while alive.changed().await.is_ok() {} };
                tokio::time::timeout_at(ends.into(), gone).await.ok();
            }
        }
    }
}

/// A name with what is known of it.
struct Known {
    hash: String,
    role: Role,
}

/// Lets people in.
pub(crate) struct Gate {
    users: BTreeMap<String, Known>,
    tokens: Vec<(Hash, Arc<str>, Role)>,
    pub(crate) site: Site,
    pub(crate) sessions: Sessions,
    tries: Tries,
    passwords: Passwords,
}

/// Why somebody is not known who says who they are.
pub(crate) struct WrongToken;

impl Gate {
    /// # Errors
    /// A password's hash that is none, or a token that can be guessed.
    pub(crate) fn new(access: Access, site: Site) -> Result<Self, Error> {
        let mut users = BTreeMap::new();
        for User { name, password, role } in access.users {
            if let Err(why) = password::check(&password) {
                return Err(Error::Password { user: name, why });
            }
            users.insert(name, Known { hash: password, role });
        }
        let mut tokens = Vec::new();
        for Token { name, token, role } in access.tokens {
            if token.len() < TOKEN_MIN {
                return Err(Error::Token { name, least: TOKEN_MIN });
            }
            tokens.push((blake3::hash(token.as_bytes()), name.into(), role));
        }
        let (sessions, tries) = (Sessions::default(), Tries::default());
        let passwords = Passwords::default();
        Ok(Self { users, tokens, site, sessions, tries, passwords })
    }

    /// Whether everybody is let in.
    pub(crate) fn is_open(&self) -> bool {
        self.users.is_empty() && self.tokens.is_empty()
    }

    /// Who asks, if that is known.
    pub(crate) fn who(&self, headers: &HeaderMap, now: Instant) -> Result<Option<Who>, WrongToken> {
        if self.is_open() {
            return Ok(Some(Who::anybody()));
        }
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let text = value.to_str().unwrap_or_default();
            let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
            let token = scheme.map(|_| text[7..].trim()).ok_or(WrongToken)?;
            return self.program(token).map(Some).ok_or(WrongToken);
        }
        let id = cookie(headers, self.site.cookie(headers));
        let found = id.and_then(|id| self.sessions.find(id, now));
        // Who is no longer in the definition has no session: they are kept in this process alone.
        Ok(found.map(|found| Who {
            name: Some(found.user),
            role: found.role,
            by: By::Session { alive: found.alive, ends: found.ends },
        }))
    }

    /// The program that has this token. What is compared, in constant time, are hashes.
    fn program(&self, token: &str) -> Option<Who> {
        let hash = blake3::hash(token.as_bytes());
        let (_, name, role) = self.tokens.iter().find(|(known, _, _)| *known == hash)?;
        Some(Who { name: Some(Arc::clone(name)), role: *role, by: By::Token })
    }
}

/// The value of a cookie.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Where a request comes from, as the connection tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

#[cfg(test)]
mod tests;
