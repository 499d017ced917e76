//! `http = "https://…"`: what is asked of which server, and who asks.

use toml::de::DeValue;

use super::super::page::{Page, Table};
use super::super::secret::{Secret, Text, example, is_secretive};
use crate::pull::place::{self, Place};

/// What esker says itself, so that nobody else may.
const OURS: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-modified-since",
    "if-none-match",
    "range",
    "te",
    "transfer-encoding",
];
/// A GET of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The address.
    pub url: Text,
    /// What is said besides.
    pub headers: Vec<Header>,
    /// The file of certificates to trust instead of the machine's.
    pub ca: Option<String>,
    /// The sheets wanted of a workbook, in this order; all of them if none are named.
    pub sheets: Vec<String>,
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    /// Any: its name and value.
    Named(String, Text),
    /// `Authorization: Bearer …`.
    Token(Secret),
    /// `Authorization: Basic …` of a user and a password.
    Basic(Text, Secret),
}

impl Header {
    /// Whether it is for nobody but the server it was meant for.
    pub(crate) fn is_secret(&self) -> bool {
        !matches!(self, Self::Named(_, Text::Plain(_)))
    }

    /// As it is known in the run key.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Named(name, value) => format!("{}: {value}", name.to_ascii_lowercase()),
            Self::Token(secret) => format!("authorization: bearer {secret}"),
            Self::Basic(user, secret) => format!("authorization: basic {user} {secret}"),
        }
    }

    pub(in crate::definition) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (text, secret) = match self {
            Self::Named(_, text) => (Some(text), None),
            Self::Token(secret) => (None, Some(secret)),
            Self::Basic(user, secret) => (Some(user), Some(secret)),
        };
        text.and_then(Text::secret).into_iter().chain(secret)
    }
}

impl Http {
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![self.url.to_string()];
        words.extend(self.headers.iter().map(Header::word));
        words.extend(self.sheets.iter().map(|sheet| format!("sheet {sheet}")));
        words
    }

    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let headers = self.headers.iter().flat_map(Header::secrets);
        self.url.secret().into_iter().chain(headers).collect()
    }

    pub(super) fn read(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let ca = page.string(table, "ca").map(|path| path.value);
        let headers = headers(page, table);
        let sheets = page.strings(table, "sheets", false).map_or(Vec::new(), |list| list.value);
        let url = page.text(table, "http")?;
        if let Text::Plain(text) = &url.value {
            match place::parse(text) {
                Ok(place) => warn(page, &url.span, &place, &headers),
                Err((why, hint)) => {
                    page.error(&url.span, format!("`http` in {}: {why}", table.title), hint);
                    return None;
                }
            }
        }
        Some(Self {
            url: url.value,
            headers,
            ca,
            sheets: sheets.into_iter().map(|sheet| sheet.value).collect(),
        })
    }
}

/// What is not wrong, but gives secrets away.
pub(super) fn warn(
    page: &mut Page<'_>,
    span: &std::ops::Range<usize>,
    place: &Place,
    headers: &[Header],
) {
    let query = place.query().unwrap_or_default();
    let names = query.split('&').filter_map(|pair| pair.split_once('='));
    if let Some((name, _)) = names.into_iter().find(|(name, _)| is_secretive(name)) {
        let message = format!("the address holds a secret, it seems: `{name}`");
        page.warning(span, message, "write http = { env = \"NAME\" } or { file = \"PATH\" }");
    }
    let clear = !place.is_encrypted() && !place.is_local();
    if clear && headers.iter().any(Header::is_secret) {
        let message = "secrets are sent where others can read them";
        page.warning(span, message, "use https if the server speaks it");
    }
}

pub(in crate::definition) fn headers(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<Header> {
    let mut headers = Vec::new();
    headers.extend(page.secret(table, "token").map(Header::Token));
    let user = page.text(table, "user");
    let password = page.secret(table, "password");
    match (user, password) {
        (Some(user), Some(password)) => headers.push(Header::Basic(user.value, password)),
        (Some(user), None) if !table.entries.contains_key("password") => {
            let message = format!("{} has a `user` and no `password`", table.title);
            page.error(&user.span, message, example("password"));
        }
        (None, Some(_)) if !table.entries.contains_key("user") => {
            let message = format!("{} has a `password` and no `user`", table.title);
            page.error(&table.span, message, "add user = \"…\"");
        }
        _ => {}
    }
    if headers.len() > 1 {
        let message = format!("{} has both a `token` and a `password`", table.title);
        page.error(&table.span, message, "keep one of them");
    }
    if let Some((name, value)) = table.entries.get_key_value("header") {
        let DeValue::Table(inner) = value.get_ref() else {
            let message = format!("`header` in {} must be a table", table.title);
            page.error(&value.span(), message, "write header = { Accept = \"text/csv\" }");
            return headers;
        };
        let title = format!("`header` in {}", table.title);
        let inner = Table { title, span: name.span(), entries: inner };
        let names: Vec<String> =
            inner.entries.keys().map(|key| key.get_ref().to_string()).collect();
        headers.extend(names.into_iter().filter_map(|name| header(page, &inner, name)));
    }
    headers
}

fn header(page: &mut Page<'_>, table: &Table<'_, '_>, name: String) -> Option<Header> {
    let value = page.text(table, &name)?;
    let lower = name.to_ascii_lowercase();
    if OURS.contains(&lower.as_str()) {
        let message = format!("{} sets {name:?}, which is esker's to say", table.title);
        page.error(&value.span, message, "remove it");
        return None;
    }
    if let Text::Plain(text) = &value.value {
        if is_secretive(&lower) {
            let message = format!("{} has a secret written out: {name:?}", table.title);
            page.error(&value.span, message, example(&name));
            return None;
        }
        if let Err(why) = place::check_header(&name, text) {
            page.error(&value.span, format!("{}: {why}", table.title), "");
            return None;
        }
    } else if let Err(why) = place::check_header(&name, "") {
        page.error(&value.span, format!("{}: {why}", table.title), "");
        return None;
    }
    Some(Header::Named(name, value.value))
}
