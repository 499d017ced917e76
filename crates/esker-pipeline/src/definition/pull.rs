//! Sources that esker itself fetches from elsewhere, and the bounds it does so in.

mod git;
pub(super) mod http;
mod hub;
mod jira;
mod sql;

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::page::{Page, Table};
use super::secret::Secret;
use super::value;

pub use self::git::Git;
pub use self::http::{Header, Http};
pub use self::hub::OtherHub;
pub use self::jira::Jira;
pub use self::sql::{Database, Query, Sql};

const TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// What one message to the store holds, less some room for its head.
const OUTPUT_MAX: u64 = 64_000_000;
const RETRIES: RangeInclusive<u32> = 0..=100;

/// The keys of every pull.
pub(super) const BOUNDS: [&str; 3] = ["timeout", "output_max", "retry"];
/// The keys of [`Kind::Http`].
pub(super) const HTTP: [&str; 6] = ["header", "token", "user", "password", "ca", "sheets"];

/// The keys of [`Kind::Git`].
pub(super) const GIT: [&str; 7] = ["ref", "path", "sheets", "token", "user", "password", "ca"];
/// The keys of [`Kind::Hub`].
pub(super) const HUB: [&str; 2] = ["resource", "at"];
/// The keys of [`Kind::Jira`].
pub(super) const JIRA: [&str; 7] = ["jql", "fields", "census", "token", "user", "password", "ca"];
/// The keys of [`Kind::Sql`].
pub(super) const SQL: [&str; 3] = ["database", "password", "ca"];

/// What is fetched from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// From where, and how.
    pub kind: Kind,
    /// How long it may take.
    pub timeout: Duration,
    /// How much may come, in bytes.
    pub output_max: u64,
    /// How often a failed pull is tried again by itself.
    pub retry: u32,
}

/// From where something is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A server that speaks HTTP.
    Http(Http),
    /// A git repository.
    Git(Git),
    /// Another esker.
    Hub(OtherHub),
    /// A JIRA site.
    Jira(Jira),
    /// A database.
    Sql(Sql),
}

impl Pull {
    /// As people see it; no secret.
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::Http(http) => http.url.to_string(),
            Kind::Git(git) => git.title(),
            Kind::Hub(hub) => hub.title(),
            Kind::Jira(jira) => jira.title(),
            Kind::Sql(sql) => sql.database.title(),
        }
    }

    /// Whether what is remembered of a pull is kept with what it brought.
    pub(crate) fn has_state(&self) -> bool {
        match &self.kind {
            Kind::Git(_) | Kind::Http(_) | Kind::Hub(_) | Kind::Jira(_) => true,
            Kind::Sql(_) => false,
        }
    }

    /// All that decides what is fetched, for the run key: a kind, then words.
    pub(crate) fn words(&self) -> (&'static str, Vec<String>) {
        match &self.kind {
            Kind::Http(http) => ("http", http.words()),
            Kind::Git(git) => ("git", git.words()),
            Kind::Hub(hub) => ("hub", vec![hub.title()]),
            Kind::Jira(jira) => ("jira", jira.words()),
            Kind::Sql(sql) => ("sql", sql.words()),
        }
    }

    /// The secrets it needs.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match &self.kind {
            Kind::Http(http) => http.secrets(),
            Kind::Git(git) => git.secrets(),
            Kind::Hub(_) => Vec::new(),
            Kind::Jira(jira) => jira.secrets(),
            Kind::Sql(sql) => sql.secrets(),
        }
    }

    /// The file that says what is asked for.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sql(sql) => sql.file(),
            Kind::Git(_) | Kind::Http(_) | Kind::Hub(_) | Kind::Jira(_) => None,
        }
    }

    /// Reads what a key that names a kind says; none if it names none.
    pub(super) fn of(key: &str, page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let kind = match key {
            "git" => Git::read(page, table).map(Kind::Git),
            "http" => Http::read(page, table).map(Kind::Http),
            "jira" => Jira::read(page, table).map(Kind::Jira),
            "hub" => OtherHub::read(page, table).map(Kind::Hub),
            "sql" => Sql::read(page, table).map(Kind::Sql),
            _ => None,
        };
        Self::read(page, table, kind)
    }

    fn read(page: &mut Page<'_>, table: &Table<'_, '_>, kind: Option<Kind>) -> Option<Self> {
        let timeout = page.parsed(table, "timeout", value::positive);
        let output_max = page.parsed(table, "output_max", value::size);
        let retry = page.number(table, "retry", RETRIES);
        Some(Self {
            kind: kind?,
            timeout: timeout.unwrap_or(TIMEOUT),
            output_max: output_max.unwrap_or(OUTPUT_MAX),
            retry: retry.unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests;
