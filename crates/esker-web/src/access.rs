//! Who is let in, and what they may do: users that log in, programs that send a token; everybody where nobody is named.

pub mod password;

pub(crate) mod door;
pub(crate) mod login;
pub mod oidc;
mod sessions;
mod tries;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::http::{HeaderMap, header};
use blake3::Hash;
use esker_wire::role::Role;
use tokio::sync::watch;

use self::oidc::Oidc;
use self::oidc::provider::Provider;
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
    /// Who else may log in: those for whom another server answers.
    pub oidc: Option<Oidc>,
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
        self.users.is_empty() && self.tokens.is_empty() && self.oidc.is_none()
    }

    /// Whether this may be served there.
    ///
    /// # Errors
    /// What has to be written first.
    pub(crate) fn check(&self, bind: SocketAddr) -> Result<(), Error> {
        if !bind.ip().is_loopback() && (self.tls.is_none() || self.is_open()) {
            return Err(Error::NotProtected { address: bind });
        }
        if !bind.ip().is_loopback() && self.oidc.is_some() && self.public.is_empty() {
            return Err(Error::NoWayBack { address: bind });
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
        self.name.as_ref().map(|name| match name.contains('@') {
            true => format!("{name} <{name}>"),
            false => format!("{name} <{name}@esker>"),
        })
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

/// Somebody who has logged in.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
    pub(crate) how: How,
}

/// How somebody has logged in.
#[derive(Clone)]
pub(crate) enum How {
    /// With the password of this hash.
    Password(String),
    /// At this provider.
    Elsewhere(Arc<Provider>),
}

impl How {
    /// As the log has it.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Elsewhere(_) => "oidc",
        }
    }
}

impl Entry {
    /// The hash of the password.
    fn hash(&self) -> Option<&str> {
        match &self.how {
            How::Password(hash) => Some(hash),
            How::Elsewhere(_) => None,
        }
    }
}

/// Why somebody gets no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unentered {
    /// They are no longer let in, or are called as somebody else is.
    Changed,
    /// The machine has no random numbers.
    Random,
}

impl Unentered {
    /// What they are told.
    fn text(self) -> &'static str {
        match self {
            Self::Changed => "Who is let in here has changed just now.",
            Self::Random => "There are no random numbers here.",
        }
    }
}

/// Those who are let in.
pub(crate) struct Named {
    users: BTreeMap<String, Entry>,
    tokens: Vec<(Hash, Arc<str>, Role)>,
    pub(crate) oidc: Option<Arc<Provider>>,
}

impl Named {
    /// # Errors
    /// A password's hash that is none, or a token that can be guessed.
    fn new(access: Access, before: Option<&Self>) -> Result<Self, Error> {
        let mut users = BTreeMap::new();
        for User { name, password, role } in access.users {
            if let Err(why) = password::check(&password) {
                return Err(Error::Password { user: name, why });
            }
            let entry = Entry { name: name.as_str().into(), role, how: How::Password(password) };
            users.insert(name, entry);
        }
        let mut tokens = Vec::new();
        for Token { name, token, role } in access.tokens {
            if token.len() < TOKEN_MIN {
                return Err(Error::Token { name, least: TOKEN_MIN });
            }
            tokens.push((blake3::hash(token.as_bytes()), name.into(), role));
        }
        let before = before.and_then(|before| before.oidc.as_ref());
        let oidc = access.oidc.map(|oidc| match before {
            // Who is on the way there comes back to the same.
            Some(before) if before.settings == oidc => Arc::clone(before),
            _ => Arc::new(Provider::new(oidc)),
        });
        Ok(Self { users, tokens, oidc })
    }

    fn is_open(&self) -> bool {
        self.users.is_empty() && self.tokens.is_empty() && self.oidc.is_none()
    }

    /// Whether anybody has a password.
    fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Somebody with a password.
    fn user(&self, name: &str) -> Option<Entry> {
        self.users.get(name).cloned()
    }

    /// The program that has this token. What is compared, in constant time, are hashes.
    fn program(&self, token: &str) -> Option<Who> {
        let hash = blake3::hash(token.as_bytes());
        let (_, name, role) = self.tokens.iter().find(|(known, _, _)| *known == hash)?;
        Some(Who { name: Some(Arc::clone(name)), role: *role, by: By::Token })
    }

    /// Whether somebody who has logged in would be let in again.
    fn admits(&self, entry: &Entry) -> bool {
        let user = self.users.get(&*entry.name);
        match &entry.how {
            How::Password(hash) => user
                .is_some_and(|user| user.role == entry.role && user.hash() == Some(hash.as_str())),
            // Nobody else's server says who is a user or a program here.
            How::Elsewhere(provider) => {
                let is_program = self.tokens.iter().any(|(_, name, _)| *name == entry.name);
                let is_same = self.oidc.as_ref().is_some_and(|known| Arc::ptr_eq(known, provider));
                is_same && user.is_none() && !is_program
            }
        }
    }
}

/// Lets people in.
pub(crate) struct Gate {
    named: RwLock<Arc<Named>>,
    /// Where and how it is served, whoever is let in.
    bind: SocketAddr,
    public: Vec<String>,
    tls: Option<Files>,
    pub(crate) site: Site,
    pub(crate) sessions: Sessions,
    tries: Tries,
    passwords: Passwords,
}

/// Why somebody is not known who says who they are.
pub(crate) struct WrongToken;

impl Gate {
    /// # Errors
    /// Who cannot be let in, or what has to be written before it can be served there.
    pub(crate) fn new(access: Access, bind: SocketAddr) -> Result<Self, Error> {
        access.check(bind)?;
        let (public, tls) = (access.public.clone(), access.tls.clone());
        let site = Site::new(bind, tls.is_some(), &public);
        let named = RwLock::new(Arc::new(Named::new(access, None)?));
        let (sessions, tries) = (Sessions::default(), Tries::default());
        let passwords = Passwords::default();
        Ok(Self { named, bind, public, tls, site, sessions, tries, passwords })
    }

    /// Those who are let in just now.
    pub(crate) fn named(&self) -> Arc<Named> {
        // What is guarded is replaced as a whole.
        Arc::clone(&self.named.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets these in from now on; what others have begun ends. Where and how it is served stays.
    ///
    /// # Errors
    /// As [`Gate::new`]; all stays then.
    pub(crate) fn replace(&self, access: Access) -> Result<(), Error> {
        let access = Access { public: self.public.clone(), tls: self.tls.clone(), ..access };
        access.check(self.bind)?;
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let newer = Arc::new(Named::new(access, Some(&named))?);
        self.sessions.retain(|entry| newer.admits(entry));
        *named = newer;
        Ok(())
    }

    /// Begins a session of somebody who has logged in; its id.
    fn enter(&self, entry: Entry, now: Instant) -> Result<String, Unentered> {
        // Nobody is replaced meanwhile: no session outlives that its user is named.
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        if !named.admits(&entry) {
            return Err(Unentered::Changed);
        }
        self.sessions.begin(entry, now).ok_or(Unentered::Random)
    }

    /// Whether everybody is let in.
    pub(crate) fn is_open(&self) -> bool {
        self.named().is_open()
    }

    /// Who asks, if that is known.
    pub(crate) fn who(&self, headers: &HeaderMap, now: Instant) -> Result<Option<Who>, WrongToken> {
        let named = self.named();
        if named.is_open() {
            return Ok(Some(Who::anybody()));
        }
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let text = value.to_str().unwrap_or_default();
            let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
            let token = scheme.map(|_| text[7..].trim()).ok_or(WrongToken)?;
            return named.program(token).map(Some).ok_or(WrongToken);
        }
        let id = cookie(headers, self.site.cookie(headers));
        let found = id.and_then(|id| self.sessions.find(id, now));
        Ok(found.map(|found| Who {
            name: Some(found.entry.name),
            role: found.entry.role,
            by: By::Session { alive: found.alive, ends: found.ends },
        }))
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
