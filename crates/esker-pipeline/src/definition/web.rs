//! The table `[web]`: where the page is served, and who is let in.

pub mod hubs;
pub mod oidc;

use std::path::{Component, Path, PathBuf};

use esker_wire::role::{ROLES, Role};
use toml::de::DeValue;

use super::page::{Page, Table};
use super::read::check_name;
use super::secret::{Secret, Text};
use super::{Definition, value};
use hubs::Hub;
use oidc::Oidc;

/// The keys of `[web]`.
pub(super) const KEYS: [&str; 8] = ["bind", "app", "public", "tls", "user", "token", "oidc", "hub"];
/// The keys of `tls`.
pub(super) const TLS_KEYS: [&str; 2] = ["cert", "key"];
/// What says what somebody may do.
pub(super) const ROLE: &str = "role";

/// Where the page is served if nothing is said.
const BIND: &str = "127.0.0.1:8000";
/// The most users, and the most tokens.
const EACH_MAX: usize = 1_000;
/// What the form of a password begins with that may stand in a definition.
const HASHED: &str = "$argon2id$";

/// Where the page is served, and who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// `HOST:PORT`.
    pub bind: String,
    /// A folder of the project with pages of its own, relative to the project's.
    pub app: Option<String>,
    /// What people type to get there: `https://esker.example.org`; the first is the one that is told.
    pub public: Vec<String>,
    /// The server's certificate, if it speaks TLS itself.
    pub tls: Option<Tls>,
    /// Who may log in.
    pub users: Vec<User>,
    /// Which programs are let in.
    pub tokens: Vec<Token>,
    /// Who else may log in: those for whom another server answers.
    pub oidc: Option<Oidc>,
    /// The hubs whose projects `esker web` shows; that of its own project if there are none.
    pub hubs: Vec<Hub>,
}

impl Default for Web {
    fn default() -> Self {
        let (public, users, tokens) = (Vec::new(), Vec::new(), Vec::new());
        let hubs = Vec::new();
        let (app, tls, oidc) = (None, None, None);
        Self { bind: BIND.to_owned(), app, public, tls, users, tokens, oidc, hubs }
    }
}

impl Web {
    /// Whether it speaks TLS and knows who comes.
    fn is_protected(&self) -> bool {
        self.tls.is_some() && !self.is_open()
    }

    /// Whether nobody is named.
    fn is_open(&self) -> bool {
        self.users.is_empty() && self.tokens.is_empty() && self.oidc.is_none()
    }
}

/// The server's certificate; paths are relative to the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The file with its certificates.
    pub cert: String,
    /// The file with its private key.
    pub key: String,
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their name.
    pub name: String,
    /// The hash of their password, in the form that begins with `$argon2id$`.
    pub password: Text,
    /// What they may do.
    pub role: Role,
}

/// A program that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called.
    pub name: String,
    /// What it sends.
    pub token: Secret,
    /// What it may do.
    pub role: Role,
}

impl Definition {
    /// The secrets of those who are let in, with what those are called.
    pub(crate) fn let_in_secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        let users = self.web.users.iter();
        let users = users.filter_map(|user| Some((user.name.as_str(), user.password.secret()?)));
        let tokens = self.web.tokens.iter().map(|token| (token.name.as_str(), &token.token));
        let oidc = self.web.oidc.iter().filter_map(|oidc| oidc.secret.as_ref());
        users.chain(tokens).chain(oidc.map(|secret| ("[web.oidc]", secret)))
    }
}

pub(super) fn web(page: &mut Page<'_>, root: &Table<'_, '_>) -> Web {
    let mut web = Web::default();
    let Some(table) = page.table(root.entries, "web") else {
        return web;
    };
    page.check_keys(&table, &KEYS);
    for one in page.strings(&table, "public", true).map(|all| all.value).unwrap_or_default() {
        match origin(&one.value) {
            Ok(origin) => web.public.push(origin),
            Err(why) => page.error(&one.span, format!("`public` in [web]: {why}"), ""),
        }
    }
    web.app = app(page, &table);
    web.tls = tls(page, &table);
    web.users = users(page, &table);
    web.tokens = tokens(page, &table);
    web.oidc = oidc::oidc(page, &table);
    web.hubs = hubs::hubs(page, &table);
    unserved(page, &table, &web);
    bind(page, &table, &mut web);
    if !web.public.is_empty() && web.is_open() {
        page.error(&table.span, "`public` in [web]: nobody is let in", PROTECT);
    }
    if let Some(user) =
        web.users.iter().find(|user| web.tokens.iter().any(|token| token.name == user.name))
    {
        let message = format!("a user and a token are both called {}", user.name);
        page.error(&table.span, message, "the log tells them apart by their names: change one");
    }
    web
}

/// Reads where the project's own pages are: in a folder of it, or everything would be shown.
fn app(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<String> {
    let app = page.string(table, "app")?;
    let parts = || Path::new(&app.value).components().filter(|part| *part != Component::CurDir);
    let is_inside = parts().all(|part| matches!(part, Component::Normal(_)));
    if is_inside && parts().next().is_some() {
        return Some(app.value);
    }
    let message = format!("`app` in [web]: {:?} is no folder within the project's", app.value);
    page.error(&app.span, message, "put the pages into one, for example \"app\"");
    None
}

/// Refuses secrets that lie where everything is shown.
fn unserved(page: &mut Page<'_>, table: &Table<'_, '_>, web: &Web) {
    let Some(app) = &web.app else { return };
    let key = web.tls.iter().map(|tls| ("the private key".to_owned(), PathBuf::from(&tls.key)));
    let password = |user: &User| {
        Some((format!("the password of {}", user.name), user.password.secret()?.file()?))
    };
    let token = |one: &Token| Some((format!("the token {}", one.name), one.token.file()?));
    let passwords = web.users.iter().filter_map(password);
    let oidc = web.oidc.iter().filter_map(|oidc| oidc.secret.as_ref()?.file());
    let oidc = oidc.map(|path| ("the secret of [web.oidc]".to_owned(), path));
    let secrets = key.chain(passwords).chain(web.tokens.iter().filter_map(token)).chain(oidc);
    for (what, _) in secrets.filter(|(_, path)| plain(path).starts_with(plain(Path::new(app)))) {
        let message = format!("{what} in [web] is in {app}, which is served");
        page.error(&table.span, message, "put it elsewhere");
    }
}

/// The path without its detours, as far as they can be seen.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// Reads where it is served: elsewhere than on this machine only to those who are known, and so that nobody listens.
fn bind(page: &mut Page<'_>, table: &Table<'_, '_>, web: &mut Web) {
    let Some(bind) = page.string(table, "bind") else {
        return;
    };
    match value::is_local(&bind.value) {
        Err(why) => page.error(&bind.span, format!("`bind` in [web]: {why}"), ""),
        Ok(false) if !web.is_protected() => {
            let message = format!(
                "`bind` in [web]: {:?} is not a loopback address, and not everybody who gets there may come in",
                bind.value
            );
            page.error(&bind.span, message, PROTECT);
        }
        Ok(false) if web.oidc.is_some() && web.public.is_empty() => {
            let message = "[web.oidc] has nowhere to send people back to: there is no `public`";
            page.error(&bind.span, message, "write in [web] public = \"https://NAME:PORT\"");
        }
        Ok(_) => web.bind = bind.value,
    }
}

/// What has to be written before others can come.
const PROTECT: &str = "write in [web] tls = { cert = \"cert.pem\", key = \"key.pem\" }, and \
    [web.user.NAME] with a role and the password that `esker web password` prints, or [web.oidc]";

/// Reads `https://esker.example.org:8443`: no more than what a browser says in `Origin`.
fn origin(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let Some(name) = name.filter(|name| !name.is_empty() && name.chars().all(is_plain)) else {
        return Err(format!("{text:?} is no address such as https://esker.example.org"));
    };
    let name = name.strip_suffix(":443").unwrap_or(name).to_ascii_lowercase();
    Ok(format!("https://{name}"))
}

fn tls(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Tls> {
    let (key, value) = table.entries.get_key_value("tls")?;
    let DeValue::Table(entries) = value.get_ref() else {
        let message = format!("`tls` in {} must be a table", table.title);
        page.error(&value.span(), message, TLS_HINT);
        return None;
    };
    let inner = Table { title: "`tls` in [web]".to_owned(), span: key.span(), entries };
    page.check_keys(&inner, &TLS_KEYS);
    let (cert, key) = (page.string(&inner, "cert"), page.string(&inner, "key"));
    match cert.zip(key) {
        Some((cert, key)) => Some(Tls { cert: cert.value, key: key.value }),
        None => {
            page.error(&inner.span, "`tls` names no certificate and key", TLS_HINT);
            None
        }
    }
}

const TLS_HINT: &str = "write tls = { cert = \"cert.pem\", key = \"key.pem\" }";

/// The tables `[web.KEY.NAME]`.
fn each<'a, 'd>(
    page: &mut Page<'_>,
    table: &Table<'a, 'd>,
    key: &str,
) -> Vec<(String, Table<'a, 'd>)> {
    let mut all = page.tables(table.entries, key);
    if all.len() > EACH_MAX {
        let message = format!("there are more than {EACH_MAX} of [web.{key}]");
        page.error(&all[EACH_MAX].1.span, message, "");
        all.truncate(EACH_MAX);
    }
    for (name, table) in &mut all {
        table.title = format!("[web.{key}.{name}]");
        check_name(page, name, &table.span);
    }
    all
}

fn users(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<User> {
    let mut users = Vec::new();
    for (name, table) in each(page, table, "user") {
        page.check_keys(&table, &["password", ROLE]);
        let role = role(page, &table);
        let Some(password) = page.text(&table, "password") else {
            missing(page, &table, "password", "write what `esker web password` prints");
            continue;
        };
        if let Text::Plain(text) = &password.value
            && !text.starts_with(HASHED)
        {
            let message = format!("`password` in {} is a password written out", table.title);
            let hint = "write what `esker web password` prints, or { env = \"NAME\" } or { file = \"PATH\" } that has it";
            page.error(&password.span, message, hint);
            continue;
        }
        users.extend(role.map(|role| User { name, password: password.value, role }));
    }
    users
}

fn tokens(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (name, table) in each(page, table, "token") {
        page.check_keys(&table, &["token", ROLE]);
        let role = role(page, &table);
        let token = page.secret(&table, "token");
        if token.is_none() {
            missing(page, &table, "token", &super::secret::example("token"));
        }
        tokens.extend(token.zip(role).map(|(token, role)| Token { name, token, role }));
    }
    tokens
}

fn role(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Role> {
    if !table.entries.contains_key(ROLE) {
        missing(page, table, ROLE, &format!("write role = \"{}\", for example", ROLES[0].1));
    }
    page.parsed(table, ROLE, str::parse)
}

/// Complains about a key that has to be there.
fn missing(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str, hint: &str) {
    if !table.entries.contains_key(key) {
        page.error(&table.span, format!("{} has no `{key}`", table.title), hint);
    }
}

#[cfg(test)]
mod tests;
