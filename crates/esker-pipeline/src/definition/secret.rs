//! What a definition says of secrets: where they are kept, never what they are.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::page::{Marked, Page, Table};
use crate::pull::secrets::Secrets;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// In an environment variable of the runner.
    Env(String),
    /// In a file; a relative path is meant from the project's folder.
    File(String),
}

impl Secret {
    /// The file it is kept in, as it is written, if it is in one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Env(_) => None,
            Self::File(path) => Some(path.into()),
        }
    }

    /// What it is.
    ///
    /// # Errors
    /// Why it cannot be read, and what to do.
    pub fn read(&self, dir: &Path) -> Result<String, (String, String)> {
        let secrets = Secrets::open(dir, [self]).map_err(|why| (why.summary, why.hint))?;
        Ok(secrets.of(self).to_owned())
    }

    /// Whether there is something where it should be.
    pub(crate) fn is_there(&self, dir: &Path) -> bool {
        match self {
            Self::Env(name) => std::env::var_os(name).is_some(),
            Self::File(path) => dir.join(path).is_file(),
        }
    }
}

impl fmt::Display for Secret {
    /// As people see it: `$TOKEN`, or the file's path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${name}"),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// A text of the definition, or where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// The text itself.
    Plain(String),
    /// Elsewhere, as it is a secret.
    Secret(Secret),
}

impl Text {
    /// Where it is kept, if it is a secret.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

/// What is in the names of what holds secrets.
const SECRETIVE: [&str; 9] = [
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "password",
    "secret",
    "signature",
    "token",
];

/// Whether what is called so holds a secret.
pub(crate) fn is_secretive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETIVE.iter().any(|word| name.contains(word)) || name == "key" || name == "sig"
}

/// What to write for a secret under a key.
pub(super) fn example(key: &str) -> String {
    format!("write {key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}")
}

impl Page<'_> {
    /// A text, or where it is kept.
    pub(super) fn text(&mut self, table: &Table<'_, '_>, key: &str) -> Option<Marked<Text>> {
        let (name, value) = table.entries.get_key_value(key)?;
        match value.get_ref() {
            DeValue::String(text) => {
                Some(Marked { value: Text::Plain(text.to_string()), span: value.span() })
            }
            DeValue::Table(inner) => {
                let title = format!("`{key}` in {}", table.title);
                let inner = Table { title, span: name.span(), entries: inner };
                let place = self.kept(&inner)?;
                Some(Marked { value: Text::Secret(place), span: value.span() })
            }
            _ => {
                let message = format!("`{key}` in {} must be a string or a table", table.title);
                self.error(&value.span(), message, example(key));
                None
            }
        }
    }

    /// Where a secret is kept; it may not be written out.
    pub(super) fn secret(&mut self, table: &Table<'_, '_>, key: &str) -> Option<Secret> {
        let text = self.text(table, key)?;
        match text.value {
            Text::Secret(secret) => Some(secret),
            Text::Plain(_) => {
                let message = format!("`{key}` in {} is a secret written out", table.title);
                self.error(&text.span, message, example(key));
                None
            }
        }
    }

    /// The secrets that a program is given as environment variables.
    pub(super) fn secrets(&mut self, table: &Table<'_, '_>) -> Vec<(String, Secret)> {
        let Some((key, value)) = table.entries.get_key_value("secret") else {
            return Vec::new();
        };
        let DeValue::Table(inner) = value.get_ref() else {
            let message = format!("`secret` in {} must be a table", table.title);
            self.error(&value.span(), message, "write secret = { TOKEN = { file = \"PATH\" } }");
            return Vec::new();
        };
        let title = format!("`secret` in {}", table.title);
        let inner = Table { title, span: key.span(), entries: inner };
        let mut secrets = Vec::new();
        for key in inner.entries.keys() {
            let name = key.get_ref().to_string();
            if !is_variable(&name) {
                let message = format!("{name:?} cannot name an environment variable");
                self.error(&key.span(), message, "");
            }
            secrets.extend(self.secret(&inner, &name).map(|secret| (name, secret)));
        }
        secrets
    }

    pub(super) fn kept(&mut self, table: &Table<'_, '_>) -> Option<Secret> {
        self.check_keys(table, &["env", "file"]);
        let (env, file) = (self.string(table, "env"), self.string(table, "file"));
        match (env, file) {
            (Some(env), None) if is_variable(&env.value) => Some(Secret::Env(env.value)),
            (None, Some(file)) if is_path(&file.value) => Some(Secret::File(file.value)),
            (Some(wrong), None) => {
                let message = format!("{:?} cannot name an environment variable", wrong.value);
                self.error(&wrong.span, message, "write its name alone, without a value");
                None
            }
            (None, Some(wrong)) => {
                self.error(&wrong.span, format!("{} names no file", table.title), "");
                None
            }
            _ => {
                let message = format!("{} must name either an `env` or a `file`", table.title);
                self.error(&table.span, message, "");
                None
            }
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn is_path(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0')
}
