//! Who somebody is by what a provider says of them, and what they may do.

use esker_wire::role::Role;
use serde_json::{Map, Value};

use super::Oidc;

/// The longest name, in bytes.
const NAME_MAX: usize = 256;
/// The claim whose letters may be small or capital, and which may be unverified.
const EMAIL: &str = "email";

/// What a provider says of somebody.
pub(super) type Claims = Map<String, Value>;

/// Somebody who is let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) role: Role,
}

/// Somebody who is not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    /// The provider does not say what they are called.
    Nameless,
    /// They are called what nobody can be called.
    Odd,
    /// It says that this is not known to be theirs.
    Unverified(String),
    /// Nobody has given them a role.
    NoRole(String),
}

impl Oidc {
    /// Whether the ID token leaves out what has to be known: it is asked for then.
    pub(super) fn lacks(&self, claims: &Claims) -> bool {
        let is_lacking = |claim: &str| !claims.contains_key(claim);
        is_lacking(&self.claim) || (!self.groups.is_empty() && is_lacking(&self.groups_claim))
    }

    /// Who it is. What was signed counts before what was asked for.
    pub(super) fn person(&self, signed: &Claims, asked: &Claims) -> Result<Person, Stranger> {
        let source = if signed.contains_key(&self.claim) { signed } else { asked };
        let name = source.get(&self.claim).and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(Stranger::Nameless);
        }
        if name.len() > NAME_MAX || !name.chars().all(is_plain) || name.trim() != name {
            return Err(Stranger::Odd);
        }
        let is_email = self.claim == EMAIL;
        let name = if is_email { name.to_ascii_lowercase() } else { name.to_owned() };
        let is_verified = match source.get("email_verified") {
            None | Some(Value::Bool(true)) => true,
            // Some providers write it as a text.
            Some(said) => said == "true",
        };
        if is_email && !is_verified {
            return Err(Stranger::Unverified(name));
        }
        let groups = signed.get(&self.groups_claim).or_else(|| asked.get(&self.groups_claim));
        match self.role(&name, groups) {
            Some(role) => Ok(Person { name, role }),
            None => Err(Stranger::NoRole(name)),
        }
    }

    fn role(&self, name: &str, groups: Option<&Value>) -> Option<Role> {
        let is_email = self.claim == EMAIL;
        let is_theirs =
            |known: &str| known == name || (is_email && known.eq_ignore_ascii_case(name));
        if let Some((_, role)) = self.roles.iter().find(|(known, _)| is_theirs(known)) {
            return Some(*role);
        }
        let each = match groups {
            Some(Value::Array(groups)) => groups.as_slice(),
            Some(group) => std::slice::from_ref(group),
            None => &[],
        };
        let of_groups = each.iter().filter_map(|group| self.groups.get(group.as_str()?)).max();
        of_groups.copied().max(self.default)
    }
}

/// What can stand in a log and before `<mail>`.
fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !c.is_control() && !turns && !matches!(c, '<' | '>') && (c == ' ' || !c.is_whitespace())
}

#[cfg(test)]
mod tests;
