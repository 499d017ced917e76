//! `[web.oidc]`: people log in elsewhere, by OpenID Connect, and what of that gives whom which role.

use esker_wire::role::{ROLES, Role};
use toml::de::DeValue;

use super::super::page::{Marked, Page, Table};
use super::super::secret::Secret;
use super::{EACH_MAX, missing};
use crate::pull::place;

/// The keys of `[web.oidc]`; the first two have to be there.
pub(in super::super) const KEYS: [&str; 10] = [
    "issuer",
    "client",
    "title",
    "secret",
    "scopes",
    "claim",
    "groups_claim",
    "role",
    "group",
    "default",
];

/// What is asked for if nothing is said.
const SCOPES: [&str; 3] = [OPENID, "email", "profile"];
/// What has to be asked for.
const OPENID: &str = "openid";
/// What gives the name if nothing is said.
const CLAIM: &str = "email";
/// What gives the groups.
const GROUPS_CLAIM: &str = "groups";

/// What the longest of these may have, in bytes.
const TEXT_MAX: usize = 1_024;
/// The most scopes.
const SCOPES_MAX: usize = 32;

/// A log-in that somebody else's server answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Whose log-in it is, exactly as that server says: `https://login.example.org`.
    pub issuer: String,
    /// What esker is called there.
    pub client: String,
    /// What people read where they begin.
    pub title: String,
    /// By what esker is known there; a client without one is known by where it is alone.
    pub secret: Option<Secret>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What of the answer gives the name.
    pub claim: String,
    /// What of it gives the groups.
    pub groups_claim: String,
    /// Who may do what, by name.
    pub roles: Vec<(String, Role)>,
    /// Which groups may do what.
    pub groups: Vec<(String, Role)>,
    /// What everybody else may do; nobody else is let in if nothing is said.
    pub default: Option<Role>,
}

/// What to write first.
const HINT: &str =
    "write in [web.oidc] issuer = \"https://login.example.org\" and client = \"esker\"";

pub(super) fn oidc(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Oidc> {
    let mut table = page.table(table.entries, "oidc")?;
    table.title = "[web.oidc]".to_owned();
    page.check_keys(&table, &KEYS);
    for key in &KEYS[..2] {
        missing(page, &table, key, HINT);
    }
    let issuer = page.parsed(&table, "issuer", issuer);
    let client = text(page, &table, "client");
    let title = text(page, &table, "title");
    let secret = page.secret(&table, "secret");
    let scopes = scopes(page, &table);
    let claim = text(page, &table, "claim").unwrap_or_else(|| CLAIM.to_owned());
    let groups_claim =
        text(page, &table, "groups_claim").unwrap_or_else(|| GROUPS_CLAIM.to_owned());
    let (roles, groups) = (roles(page, &table, "role"), roles(page, &table, "group"));
    let default = page.parsed(&table, "default", str::parse);
    let says_who = ["role", "group", "default"].iter().any(|key| table.entries.contains_key(*key));
    if !says_who {
        let hint = format!(
            "write [web.oidc.role] with \"ann@example.org\" = \"operate\", or default = \"{}\"",
            ROLES[0].1
        );
        page.error(&table.span, "[web.oidc] lets nobody in", hint);
    }
    let (issuer, client) = issuer.zip(client)?;
    let title = title.unwrap_or_else(|| host(&issuer));
    Some(Oidc {
        issuer,
        client,
        title,
        secret,
        scopes,
        claim,
        groups_claim,
        roles,
        groups,
        default,
    })
}

/// Reads a text that is neither empty nor endless.
fn text(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str) -> Option<String> {
    page.parsed(table, key, |text| match text.trim() {
        "" => Err("it is empty".to_owned()),
        _ if text.len() > TEXT_MAX => Err(format!("it has more than {TEXT_MAX} bytes")),
        text => Ok(text.to_owned()),
    })
}

/// Reads whose log-in it is: encrypted, but for one on this machine.
fn issuer(text: &str) -> Result<String, String> {
    let place = place::parse(text).map_err(|(why, _)| why)?;
    if !place.is_encrypted() && !place.is_local() {
        return Err(format!("{text:?} does not begin with https://"));
    }
    if text.contains(['?', '#']) {
        return Err(format!("{text:?} has more than a server and a path"));
    }
    Ok(text.to_owned())
}

/// The server's name.
fn host(issuer: &str) -> String {
    place::parse(issuer).map(|place| place.host().to_owned()).unwrap_or_default()
}

fn scopes(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<String> {
    let Some(Marked { value, span }) = page.strings(table, "scopes", false) else {
        return SCOPES.map(str::to_owned).to_vec();
    };
    let scopes: Vec<String> = value.into_iter().map(|scope| scope.value).collect();
    let is_plain = |scope: &String| {
        !scope.is_empty() && scope.len() <= TEXT_MAX && scope.bytes().all(|b| b.is_ascii_graphic())
    };
    if scopes.len() > SCOPES_MAX || !scopes.iter().all(is_plain) {
        let message = format!("`scopes` in [web.oidc] must be at most {SCOPES_MAX} plain words");
        page.error(&span, message, "");
    } else if !scopes.iter().any(|scope| scope == OPENID) {
        let hint = format!("write scopes = {SCOPES:?}, for example");
        page.error(&span, format!("`scopes` in [web.oidc] has no {OPENID:?}"), hint);
    }
    scopes
}

/// Reads `[web.oidc.role]` or `[web.oidc.group]`: who may do what.
fn roles(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str) -> Vec<(String, Role)> {
    let Some(mut inner) = page.table(table.entries, key) else {
        return Vec::new();
    };
    inner.title = format!("[web.oidc.{key}]");
    if inner.entries.len() > EACH_MAX {
        let message = format!("there are more than {EACH_MAX} in {}", inner.title);
        page.error(&inner.span, message, "give roles to groups");
        return Vec::new();
    }
    let mut roles = Vec::new();
    for (name, value) in inner.entries {
        let (name, title) = (name.get_ref().to_string(), &inner.title);
        let role = match value.get_ref() {
            DeValue::String(text) => text.parse::<Role>(),
            _ => Err("it must be a string".to_owned()),
        };
        match role {
            Ok(role) => roles.push((name, role)),
            Err(why) => page.error(&value.span(), format!("{name:?} in {title}: {why}"), ""),
        }
    }
    roles
}
