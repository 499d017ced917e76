//! The address of a database: which, where, who asks, and whether others on the way can read it.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::definition::secret::Text;

/// What is wrong with an address, and what to do.
type Wrong = (String, &'static str);

const EXAMPLE: &str =
    "write for example \"postgres://me@db.example.org/plan\" or \"sqlite:plan.db\"";

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Postgres(Server),
    /// MariaDB too.
    Mysql(Server),
    /// A file; a relative path is meant from the project's folder.
    Sqlite(PathBuf),
}

/// A database behind a server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: Host,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) name: String,
    pub(super) encrypt: bool,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("host", &self.host).field("name", &self.name).finish()
    }
}

impl Address {
    /// The password, if there is one.
    pub(super) fn password(&self) -> Option<&str> {
        match self {
            Self::Postgres(server) | Self::Mysql(server) => server.password.as_deref(),
            Self::Sqlite(_) => None,
        }
    }
}

/// What is wrong with an address, without any part of one that is a secret.
pub(super) fn unquoted(address: &Text, why: String) -> String {
    match address {
        Text::Secret(_) if why.contains('"') => "a part of it is not known".to_owned(),
        _ => why,
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// On a name or number, and a port.
    Net(String, u16),
    /// In a folder, or at a path, of this machine.
    Local(PathBuf),
}

/// Whether an address can be used, and holds no password.
pub(crate) fn check(text: &str) -> Result<(), Wrong> {
    match parse(text)? {
        Address::Postgres(server) | Address::Mysql(server) if server.password.is_some() => {
            let why = "a password in an address is seen by everyone".to_owned();
            Err((why, "write password = { env = \"NAME\" }, or database = { env = \"NAME\" }"))
        }
        _ => Ok(()),
    }
}

/// Reads an address as people write it.
pub(super) fn parse(text: &str) -> Result<Address, Wrong> {
    let wrong = |why: &str| (why.to_owned(), EXAMPLE);
    let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong("this is no address"))?;
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            match path {
                "" => Err(wrong("the address names no file")),
                path if path.contains(['?', '\0']) => {
                    Err(wrong("the address has more than a path"))
                }
                path => Ok(Address::Sqlite(path.into())),
            }
        }
        "postgres" | "postgresql" | "mysql" | "mariadb" => {
            let rest = rest.strip_prefix("//").ok_or_else(|| wrong("this is no address"))?;
            match scheme.starts_with('p') {
                true => server(rest, 5432).map(Address::Postgres),
                false => server(rest, 3306).map(Address::Mysql),
            }
        }
        _ => Err((format!("a database of the kind {scheme:?} is not known"), EXAMPLE)),
    }
}

/// `USER:PASSWORD@HOST:PORT/NAME?PARAMETERS`, most of it optional.
fn server(text: &str, port: u16) -> Result<Server, Wrong> {
    let wrong = |why: &str| (why.to_owned(), EXAMPLE);
    let (text, parameters) = text.split_once('?').unwrap_or((text, ""));
    let (authority, name) = text.split_once('/').unwrap_or((text, ""));
    let (who, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match who.split_once(':') {
        Some((user, password)) => (user, Some(decode(password)?)),
        None => (who, None),
    };
    let mut host =
        net(place, port).ok_or_else(|| wrong("the address has no port that is a number"))?;
    let mut mode = None;
    for (key, value) in parameters.split('&').filter_map(|pair| pair.split_once('=')) {
        match (key, decode(value)?) {
            ("host" | "socket", path) if path.starts_with('/') => host = Host::Local(path.into()),
            ("sslmode", value) => mode = Some(value),
            _ => {
                let why = format!("the parameter {key:?} is not known");
                return Err((
                    why,
                    "known are host=/FOLDER, socket=/PATH and sslmode=disable or require",
                ));
            }
        }
    }
    if matches!(&host, Host::Net(name, _) if name.is_empty()) {
        return Err(wrong("the address names no server"));
    }
    let encrypt = match mode.as_deref() {
        Some("disable") => false,
        Some("require" | "verify-ca" | "verify-full") => true,
        None => !is_here(&host),
        Some(_) => return Err(("sslmode is disable or require".to_owned(), "")),
    };
    let user = decode(user)?;
    let user = (!user.is_empty()).then_some(user);
    let password = password.filter(|password| !password.is_empty());
    Ok(Server { host, user, password, name: decode(name)?, encrypt })
}

fn net(place: &str, port: u16) -> Option<Host> {
    let (name, port) = match place.rsplit_once(':') {
        // A number of version 6 holds colons itself.
        Some((name, _)) if name.contains('[') && !name.contains(']') => (place, port),
        Some((name, port)) if !place.ends_with(']') => (name, port.parse().ok()?),
        _ => (place, port),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    Some(Host::Net(name.to_owned(), port))
}

/// Whether a server is on this machine, where nobody else can listen.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Local(_) => true,
        Host::Net(name, _) => {
            name.parse::<IpAddr>().map_or(name == "localhost", |ip| ip.is_loopback())
        }
    }
}

/// Undoes `%41`.
fn decode(text: &str) -> Result<String, Wrong> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(("a % that two digits do not follow".to_owned(), "write %25 for it")),
        }
    }
    String::from_utf8(bytes).map_err(|_| ("the address is not UTF-8".to_owned(), ""))
}

#[cfg(test)]
mod tests;
