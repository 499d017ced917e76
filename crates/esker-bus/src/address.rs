//! Addresses as they are written: `tcp://HOST:PORT`, and which of them may be bound.

use std::net::IpAddr;

use esker_wire::fault::Fault;

/// A host and a port; the only transport there is, is tcp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Reads `tcp://HOST:PORT`.
    ///
    /// # Errors
    /// `bad-request` naming the address.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || {
            Fault::bad_request(format!("cannot read the address {text:?}"))
                .hint("expected tcp://HOST:PORT")
        };
        let rest = text.strip_prefix("tcp://").ok_or_else(bad)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(bad)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let readable = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(is_host_char),
        };
        if !readable || port.starts_with('+') {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| bad())? })
    }

    /// Whether only this machine is meant.
    pub(crate) fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The text to bind: loopback alone, because what is said is not encrypted.
    ///
    /// # Errors
    /// `bad-request` naming the address.
    pub(crate) fn to_bind(&self) -> Result<String, Fault> {
        let host = if self.host == "localhost" { "127.0.0.1" } else { &self.host };
        if self.is_loopback() {
            return Ok(format!("tcp://{host}:{}", self.port));
        }
        let message = format!("cannot bind {self}: it is not a loopback address");
        Err(Fault::bad_request(message)
            .hint("bind 127.0.0.1, [::1] or localhost; anyone could read and write otherwise"))
    }

    /// The text to connect to.
    ///
    /// # Errors
    /// `bad-request` if nobody can be there: port 0.
    pub(crate) fn to_connect(&self) -> Result<String, Fault> {
        if self.port == 0 {
            return Err(Fault::bad_request(format!(
                "cannot connect to {self}: port 0 is no address"
            ))
            .hint(
                "port 0 asks for a free port when binding; connect to the port that was chosen",
            ));
        }
        Ok(self.to_string())
    }
}

fn is_host_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_')
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tcp://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests;
