//! How somebody says whom to join: `consul://HOST:PORT` or `static:members.toml`.
//!
//! A token never stands there: what stands on a command line is seen by everybody on the machine.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use esker_wire::fault::{Code, Fault};
use esker_wire::member::Member;

/// The longest text.
const TEXT_MAX: usize = 1024;
/// The longest name of a service, a datacenter, or prefix of keys.
const NAME_MAX: usize = 63;
/// Where Consul listens unless told otherwise.
const CONSUL_PORT: u16 = 8500;
/// The service that workers are, unless told otherwise.
const SERVICE: &str = "shoveling-worker";
/// What the keys of a cluster begin with, unless told otherwise.
const PREFIX: &str = "esker";
/// How it is written.
const FORMS: &str = "write consul://HOST:PORT, consul+https://HOST:PORT or static:members.toml";

/// Whom to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// An agent of Consul, which knows the others.
    Consul(Place),
    /// A list of members.
    Static(Roster),
}

/// Where an agent of Consul is, and what is ours there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether it is spoken to over TLS.
    pub is_encrypted: bool,
    /// Its name or address; of the sixth version in brackets.
    pub host: String,
    /// Its port for HTTP.
    pub port: u16,
    /// The datacenter to ask for, where it is not the agent's own.
    pub datacenter: Option<String>,
    /// What all keys begin with, without the slash after it.
    pub prefix: String,
    /// The service that workers are.
    pub service: String,
}

/// A list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roster {
    /// A file, which is watched.
    File(PathBuf),
    /// These, in this process.
    Given(Vec<Member>),
}

impl FromStr for Join {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.len() > TEXT_MAX {
            return Err(Fault::bad_request("cannot join: the address is too long").hint(FORMS));
        }
        if let Some(path) = text.strip_prefix("static:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(bad(text, "it names no file"));
            }
            return Ok(Self::Static(Roster::File(path.into())));
        }
        if let Some(rest) = text.strip_prefix("consul://") {
            return consul(text, rest, false).map(Self::Consul);
        }
        if let Some(rest) = text.strip_prefix("consul+https://") {
            return consul(text, rest, true).map(Self::Consul);
        }
        Err(bad(text, "it is neither Consul's nor a list"))
    }
}

fn bad(text: &str, why: &str) -> Fault {
    Fault::bad_request(format!("cannot join {text:?}: {why}")).hint(FORMS)
}

fn consul(text: &str, rest: &str, is_encrypted: bool) -> Result<Place, Fault> {
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if authority.contains('@') || query.split('&').any(|pair| pair.starts_with("token=")) {
        // The text itself is not repeated: it holds what must not be told.
        let fault = Fault::bad_request("cannot join: a token does not stand in an address");
        return Err(fault.hint("set CONSUL_HTTP_TOKEN, or name a file that holds it"));
    }
    let (host, port) = host_and_port(authority).ok_or_else(|| bad(text, "no host and port"))?;
    let mut place = Place {
        is_encrypted,
        host,
        port,
        datacenter: None,
        prefix: PREFIX.to_owned(),
        service: SERVICE.to_owned(),
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !is_name(value) {
            return Err(bad(text, &format!("{key} is not a name of a-z, 0-9 and -")));
        }
        match key {
            "dc" => place.datacenter = Some(value.to_owned()),
            "prefix" => value.clone_into(&mut place.prefix),
            "service" => value.clone_into(&mut place.service),
            _ => return Err(bad(text, &format!("{key} is not one of dc, prefix and service"))),
        }
    }
    Ok(place)
}

fn host_and_port(authority: &str) -> Option<(String, u16)> {
    let is_host = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match inner {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
                !host.is_empty() && host.bytes().all(plain)
            }
        }
    };
    let end = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority.rfind(':').filter(|at| *at > end) {
        Some(at) => (&authority[..at], authority[at + 1..].parse().ok().filter(|port| *port > 0)?),
        None => (authority, CONSUL_PORT),
    };
    is_host(host).then(|| (host.to_owned(), port))
}

/// What a service, a datacenter and a prefix may be called: nothing that means something in an address, in a rule of
/// an ACL or in DNS.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= NAME_MAX
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Place {
    /// Where requests go.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "consul+https" } else { "consul" };
        write!(f, "{scheme}://{}:{}?", self.host, self.port)?;
        if let Some(datacenter) = &self.datacenter {
            write!(f, "dc={datacenter}&")?;
        }
        write!(f, "prefix={}&service={}", self.prefix, self.service)
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consul(place) => write!(f, "{place}"),
            Self::Static(Roster::File(path)) => write!(f, "static:{}", path.display()),
            Self::Static(Roster::Given(_)) => f.write_str("this machine"),
        }
    }
}

/// A fault of something that only a cluster with Consul has.
pub(crate) fn needs_consul(what: &str) -> Fault {
    let message = format!("cannot {what}: a list of several members has no store that they share");
    Fault::new(Code::Unavailable, message).hint("join a Consul: consul://HOST:PORT")
}

#[cfg(test)]
mod tests;
