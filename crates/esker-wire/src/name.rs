//! Names of resources and branches, checked once where they enter.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name of a resource, in bytes.
pub const NAME_MAX: usize = 255;

/// A resource: `stage/name`, for example `raw/qplan`. It is a name, never a path: where the store keeps it is
/// the store's own business. Its text is shared: a store has it many times.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(Arc<str>);

impl Resource {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the other's name is this one, a slash, and more.
    pub fn is_above(&self, other: &Self) -> bool {
        other.0.strip_prefix(&*self.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what} name: {reason}")]
pub struct BadName {
    /// What it was to name: a resource or a branch.
    pub what: &'static str,
    /// What was given (its beginning, when long).
    pub text: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

impl FromStr for Resource {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = |reason| {
            let text = text.chars().take(80).collect();
            BadName { what: "resource", text, reason }
        };
        if text.len() > NAME_MAX {
            return Err(bad("it is longer than 255 bytes"));
        }
        if !text.contains('/') {
            return Err(bad("it needs the form stage/name, for example raw/plan"));
        }
        for part in text.split('/') {
            part_fault(part).map_or(Ok(()), |reason| Err(bad(reason)))?;
        }
        Ok(Self(text.into()))
    }
}

/// The rule a part between slashes breaks, if any. What git refuses as a path is refused here, for every
/// platform a clone may land on.
fn part_fault(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("a part between slashes is empty");
    }
    if part.starts_with('.') {
        return Some("a part begins with a dot");
    }
    if is_short_git(part) {
        return Some("such a name stands for one of git's own files on some file systems");
    }
    if part.chars().any(is_ignorable) {
        return Some("characters that some file systems leave out are not allowed");
    }
    if part != part.trim() || part.ends_with('.') {
        return Some("a part begins or ends with a blank, or ends with a dot");
    }
    if part.chars().any(|c| c.is_control() || matches!(c, '\\' | '@' | ':')) {
        return Some("control characters, backslash, @ and : are not allowed");
    }
    None
}

/// `git~1`, `gitmod~2`, `gitatt~1`: what Windows may call `.git`, `.gitmodules`, `.gitattributes`; `git fsck` refuses
/// them.
fn is_short_git(part: &str) -> bool {
    let Some((name, number)) = part.split_once('~') else {
        return false;
    };
    let git = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("git"));
    git && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The code points that HFS+ leaves out of names, so that `.g\u{200c}it` is `.git` there; `git fsck` has the same list.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A line of history in the store: `main`, or one of esker's own, such as `records`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch(Box<str>);

impl Branch {
    /// What everybody sees: the data itself.
    pub fn main() -> Self {
        Self("main".into())
    }

    /// What the pipeline remembers of its runs: outcomes and problems.
    pub fn records() -> Self {
        Self("records".into())
    }

    /// The branch's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `main`.
    pub fn is_main(&self) -> bool {
        &*self.0 == "main"
    }
}

impl FromStr for Branch {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = text
            .split('/')
            .all(|part| !part.is_empty() && part.chars().all(plain) && !part.starts_with('-'));
        if text.len() > NAME_MAX || !fits {
            let text = text.chars().take(80).collect();
            let reason = "it may have lower-case letters, digits and dashes, in parts joined by /";
            return Err(BadName { what: "branch", text, reason });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
