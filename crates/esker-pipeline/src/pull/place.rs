//! Addresses on the web: what may be asked for, where a redirect leads, and who is whom.

use std::fmt;
use std::net::IpAddr;

use ureq::http::{HeaderName, HeaderValue, Uri};

/// The longest address.
const PLACE_MAX: usize = 8 * 1024;

/// What is wrong with an address, and what to do.
type Wrong = (String, &'static str);

/// An address that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(Uri);

/// Reads an address as people write it.
pub(crate) fn parse(text: &str) -> Result<Place, Wrong> {
    if text.len() > PLACE_MAX {
        return Err((format!("an address has at most {PLACE_MAX} bytes"), ""));
    }
    let example = "write for example \"https://example.org/plan.csv\"";
    // The fragment is for browsers.
    let asked = text.split('#').next().unwrap_or_default();
    let uri: Uri =
        asked.parse().map_err(|error| (format!("this is no address: {error}"), example))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(("an address begins with https:// or http://".to_owned(), example));
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        let why = "a user or password in an address is seen by everyone".to_owned();
        return Err((why, "write user = \"…\" and password = { env = \"NAME\" }"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(("the address names no server".to_owned(), example));
    }
    Ok(Place(uri))
}

/// Whether a header can be sent.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), String> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("{name:?} cannot name a header"))?;
    HeaderValue::from_str(value)
        .map(drop)
        .map_err(|_| format!("the value of {name:?} holds characters that cannot be sent"))
}

impl Place {
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.0.query()
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().map_or(bare == "localhost", |ip| ip.is_loopback())
    }

    /// Whether the same server is asked in the same way.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        let port = |place: &Self| {
            let usual = if place.is_encrypted() { 443 } else { 80 };
            place.0.port_u16().unwrap_or(usual)
        };
        let host = |place: &Self| place.0.host().unwrap_or_default().to_ascii_lowercase();
        self.0.scheme_str() == other.0.scheme_str()
            && host(self) == host(other)
            && port(self) == port(other)
    }

    /// Where a redirect from here leads.
    pub(crate) fn join(&self, location: &str) -> Result<Self, Wrong> {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        let path = self.0.path();
        let is_whole = location.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        });
        let whole = match location {
            _ if is_whole => location.to_owned(),
            _ if location.starts_with("//") => format!("{scheme}:{location}"),
            _ if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
            _ if location.starts_with('?') => format!("{scheme}://{authority}{path}{location}"),
            _ => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{scheme}://{authority}{folder}/{location}")
            }
        };
        parse(&whole)
    }

    /// A file's name that tells what the content is, as far as the address says: `export?format=csv` is `export.csv`.
    pub(crate) fn file_name(&self) -> String {
        let name = self.0.path().rsplit('/').next().unwrap_or_default();
        let pairs =
            self.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let format = pairs.into_iter().find(|(key, _)| matches!(*key, "format" | "output"));
        match format {
            Some((_, format)) => format!("{name}.{format}"),
            None => name.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    /// The server and the path; a query may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{authority}{}", self.0.path())
    }
}

#[cfg(test)]
mod tests;
