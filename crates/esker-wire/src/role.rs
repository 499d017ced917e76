//! What somebody may do, from least to most: each role may also do what those before it may.

use std::fmt;
use std::str::FromStr;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks at everything.
    View,
    /// Also makes what-ifs, which change nothing.
    WhatIf,
    /// Also applies them, settles problems and overrides, and names revisions.
    Operate,
    /// Kept for what concerns the server itself; over HTTP there is nothing of that yet.
    Admin,
}

/// Every role with its word, the least first.
pub const ROLES: [(Role, &str); 4] = [
    (Role::View, "view"),
    (Role::WhatIf, "what-if"),
    (Role::Operate, "operate"),
    (Role::Admin, "admin"),
];

impl Role {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        ROLES.iter().find(|(role, _)| *role == self).map_or("view", |(_, word)| word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ROLES.iter().find(|(_, word)| *word == text);
        known.map(|(role, _)| *role).ok_or_else(|| {
            let words: Vec<&str> = ROLES.iter().map(|(_, word)| *word).collect();
            format!("{text:?} is no role: {}", words.join(", "))
        })
    }
}
