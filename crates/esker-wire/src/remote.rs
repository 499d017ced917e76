//! Where a git repository elsewhere is: a URL, `HOST:PATH` or a path, checked once, and never shown with what is
//! secret in it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest remote, in bytes.
const REMOTE_MAX: usize = 2048;
/// Transports that run any program they are told to.
const TRANSPORTS_REFUSED: [&str; 2] = ["ext", "fd"];

/// A git repository elsewhere. Displayed without a password or token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remote(String);

/// Why a text names no git repository that is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} cannot name a git repository: {reason}")]
pub struct BadRemote {
    shown: String,
    reason: String,
}

impl Remote {
    /// The text as it was given, for git alone.
    pub fn as_given(&self) -> &str {
        &self.0
    }

    /// Whether a password or token stands in it.
    pub fn holds_secret(&self) -> bool {
        redact(&self.0) != self.0
    }

    /// The path of a repository on this machine; none if it is elsewhere.
    pub fn local(&self) -> Option<&Path> {
        if let Some(path) = self.0.strip_prefix("file://") {
            return Some(Path::new(path));
        }
        // As git has it: a colon before the first slash ends a host's name.
        let first = self.0.split('/').next().unwrap_or_default();
        (!first.contains(':')).then(|| Path::new(&self.0))
    }

    /// The same, with a relative path meant from this folder.
    #[must_use]
    pub fn under(&self, folder: &Path) -> Self {
        let is_relative = |path: &&Path| path.is_relative() && !self.0.starts_with("file://");
        match self.local().filter(is_relative) {
            Some(path) => Self(folder.join(path).to_string_lossy().into_owned()),
            None => self.clone(),
        }
    }

    /// What a folder for a copy is called: the last word, without `.git`.
    pub fn name(&self) -> Option<PathBuf> {
        let words = self.0.trim_end_matches('/').rsplit(['/', ':']);
        let mut words = words.filter(|word| *word != ".git");
        let last = words.next()?;
        let name = last.strip_suffix(".git").unwrap_or(last);
        let plain = !name.is_empty() && name != "." && name != "..";
        plain.then(|| PathBuf::from(name))
    }
}

impl FromStr for Remote {
    type Err = BadRemote;

    fn from_str(text: &str) -> Result<Self, BadRemote> {
        let bad = |reason: &str| {
            let shown = redact(text).chars().filter(|c| !c.is_control()).take(100).collect();
            Err(BadRemote { shown, reason: reason.to_owned() })
        };
        if text.trim().is_empty() || text.trim() != text {
            return bad("it is empty, or begins or ends with a blank");
        }
        if text.len() > REMOTE_MAX {
            return bad(&format!("it is longer than {REMOTE_MAX} bytes"));
        }
        if text.chars().any(char::is_control) {
            return bad("it holds a control character");
        }
        let host = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = host.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if text.starts_with('-') || authority.starts_with('-') || host.starts_with('-') {
            return bad("it would be taken for an option, for it begins with `-`");
        }
        let transport = text.split_once("::").map_or("", |(transport, _)| transport);
        if TRANSPORTS_REFUSED.iter().any(|refused| transport.eq_ignore_ascii_case(refused)) {
            return bad("that transport runs any program");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({self})")
    }
}

/// A text without what may be secret in its URLs: passwords, the users of HTTP (tokens are given so), and
/// what follows `?`.
pub fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        shown += before;
        let scheme = before.trim_end_matches("://");
        let is_http = ["http", "https"].iter().any(|known| scheme.ends_with(known));
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (url, further) = after.split_at(end);
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        let host = match authority.rsplit_once('@') {
            Some((user, host)) if is_http || user.contains(':') => host,
            _ => authority,
        };
        let url = format!("{host}{path}");
        match url.split_once('?') {
            Some((url, _)) => shown.extend([url, "?…"]),
            None => shown += &url,
        }
        rest = further;
    }
    shown + rest
}

#[cfg(test)]
mod tests;
