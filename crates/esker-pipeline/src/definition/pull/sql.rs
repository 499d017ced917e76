//! `sql = "select …"`: what is asked of which database.

use std::path::Path;

use super::super::page::{Page, Table};
use super::super::secret::{Secret, Text};
use crate::pull::sql;

/// A query of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// What is asked.
    pub query: Query,
    /// Of whom.
    pub database: Database,
    /// The file of certificates to trust instead of the machine's.
    pub ca: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// This.
    Text(String),
    /// What a file of the project says.
    File(String),
}

/// A database, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Where it is.
    pub address: Text,
    /// The password, if it is not in the address.
    pub password: Option<Secret>,
}

impl Database {
    /// As people see it.
    pub fn title(&self) -> String {
        self.address.to_string()
    }
}

impl Sql {
    pub(super) fn words(&self) -> Vec<String> {
        let query = match &self.query {
            Query::Text(text) => format!("sql {text}"),
            Query::File(path) => format!("file {path}"),
        };
        vec![format!("database {}", self.database.address), query]
    }

    pub(super) fn secrets(&self) -> Vec<&Secret> {
        self.database.address.secret().into_iter().chain(&self.database.password).collect()
    }

    /// The file that says what is asked.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.query {
            Query::Text(_) => None,
            Query::File(path) => Some(Path::new(path)),
        }
    }

    pub(super) fn read(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let ca = page.string(table, "ca").map(|path| path.value);
        let password = page.secret(table, "password");
        if !table.entries.contains_key("database") {
            let message = format!("{} has no `database`", table.title);
            page.error(
                &table.span,
                message,
                "add database = { env = \"NAME\" } or \"sqlite:plan.db\"",
            );
        }
        let query = query(page, table);
        let address = page.text(table, "database")?;
        if let Text::Plain(text) = &address.value
            && let Err((why, hint)) = sql::check(text)
        {
            page.error(&address.span, format!("`database` in {}: {why}", table.title), hint);
            return None;
        }
        Some(Self { query: query?, database: Database { address: address.value, password }, ca })
    }
}

fn query(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Query> {
    let text = page.text(table, "sql")?;
    match text.value {
        Text::Plain(query) => {
            if !query
                .to_lowercase()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains("order by")
            {
                let message = format!("the query in {} has no `order by`", table.title);
                page.warning(
                    &text.span,
                    message,
                    "without it the rows may come in another order each time",
                );
            }
            Some(Query::Text(query))
        }
        Text::Secret(Secret::File(path)) => Some(Query::File(path)),
        Text::Secret(Secret::Env(_)) => {
            let message = format!("`sql` in {} is a text or a file", table.title);
            page.error(
                &text.span,
                message,
                "write sql = \"select …\" or sql = { file = \"query.sql\" }",
            );
            None
        }
    }
}
