//! `tap = ["tap-jira"]`: a program that speaks as Singer says, and what it is set up with.

use serde_json::{Map, Value};
use toml::de::DeValue;

use super::Program;
use super::page::{Page, Table};
use super::secret::{Secret, example, is_secretive};

/// What a tap has besides the keys of its program.
pub(super) const KEYS: [&str; 3] = ["config", "catalog", "replace"];

/// A tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// The program; `--config`, `--catalog` and `--state` come after its words where there is what they name.
    pub program: Program,
    /// What it is set up with; null where a secret belongs.
    pub config: Option<Value>,
    /// The secrets of `config` and their places in it, as JSON pointers.
    pub secrets: Vec<(String, Secret)>,
    /// Which of its streams come whole with every run.
    pub replace: Replace,
}

/// Which streams come whole with every run, so that what a run does not bring is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// All.
    All,
    /// These.
    These(Vec<String>),
}

impl Replace {
    /// Whether a stream does.
    pub(crate) fn has(&self, stream: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.iter().any(|name| name == stream),
        }
    }
}

impl Tap {
    /// What decides what it brings besides its program, for the run key.
    pub(crate) fn words(&self) -> Vec<String> {
        let config = self.config.iter().map(|config| format!("config {config}"));
        let secrets = self.secrets.iter().map(|(place, secret)| format!("secret {place} {secret}"));
        let replace = match &self.replace {
            Replace::All => vec!["replace all".to_owned()],
            Replace::These(names) => names.iter().map(|name| format!("replace {name}")).collect(),
        };
        config.chain(secrets).chain(replace).collect()
    }

    /// The secrets it needs.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        let all = self.secrets.iter().chain(&self.program.secrets);
        all.map(|(_, secret)| secret).collect()
    }

    pub(super) fn read(
        page: &mut Page<'_>,
        table: &Table<'_, '_>,
        mut program: Program,
    ) -> Option<Self> {
        if let Some(catalog) = page.string(table, "catalog") {
            // As a word of the command it is part of the program: a change of it runs the tap.
            program.argv.extend(["--catalog".to_owned(), catalog.value]);
        }
        let mut secrets = Vec::new();
        let config = match table.entries.get_key_value("config") {
            None => None,
            Some((key, value)) => {
                let DeValue::Table(_) = value.get_ref() else {
                    let message = format!("`config` in {} must be a table", table.title);
                    page.error(
                        &value.span(),
                        message,
                        "write config = { start_date = \"2027-01-01\" }",
                    );
                    return None;
                };
                if program.argv.iter().any(|word| word == "--config" || word == "-c") {
                    let message = format!("{} has a `config` and a --config", table.title);
                    page.error(&key.span(), message, "keep one of them");
                }
                let title = format!("`config` in {}", table.title);
                let mut settings = Settings { page, title, secrets: &mut secrets };
                Some(settings.value("", value))
            }
        };
        Some(Self { program, config, secrets, replace: replace(page, table)? })
    }
}

fn replace(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Replace> {
    match table.entries.get("replace").map(|value| value.get_ref()) {
        None | Some(DeValue::Boolean(false)) => Some(Replace::These(Vec::new())),
        Some(DeValue::Boolean(true)) => Some(Replace::All),
        Some(_) => {
            let names = page.strings(table, "replace", true)?.value;
            Some(Replace::These(names.into_iter().map(|name| name.value).collect()))
        }
    }
}

/// A configuration being read.
struct Settings<'a, 'p> {
    page: &'a mut Page<'p>,
    title: String,
    secrets: &'a mut Vec<(String, Secret)>,
}

impl Settings<'_, '_> {
    /// A value as JSON; `place` is its JSON pointer.
    fn value(&mut self, place: &str, value: &toml::Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Integer(digits) => {
                let text = digits.as_str().replace('_', "");
                i64::from_str_radix(&text, digits.radix()).map_or(Value::Null, Value::from)
            }
            DeValue::Float(text) => {
                text.as_str().replace('_', "").parse::<f64>().map_or(Value::Null, Value::from)
            }
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Datetime(time) => Value::from(time.to_string()),
            DeValue::Array(items) => {
                let item = |(index, item)| self.value(&format!("{place}/{index}"), item);
                items.iter().enumerate().map(item).collect()
            }
            DeValue::Table(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let name = key.get_ref().to_string();
                    let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                    map.insert(name.clone(), self.setting(&name, &place, value));
                }
                Value::Object(map)
            }
        }
    }

    /// What a name stands for: a value, or where a secret is kept.
    fn setting(&mut self, name: &str, place: &str, value: &toml::Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::Table(entries) if is_kept(entries) => {
                let title = format!("`{name}` of {}", self.title);
                let table = Table { title, span: value.span(), entries };
                let kept = self.page.kept(&table);
                self.secrets.extend(kept.map(|secret| (place.to_owned(), secret)));
                Value::Null
            }
            DeValue::String(_) if is_secretive(name) => {
                let message = format!("{} has a secret written out: `{name}`", self.title);
                self.page.error(&value.span(), message, example(name));
                Value::Null
            }
            _ => self.value(place, value),
        }
    }
}

/// Whether a table says where a secret is kept, and nothing else.
fn is_kept(entries: &toml::de::DeTable<'_>) -> bool {
    let is_text =
        |value: &toml::Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::String(_));
    let mut entries = entries.iter();
    let only = entries.next().filter(|_| entries.next().is_none());
    only.is_some_and(|(key, value)| {
        matches!(key.get_ref().as_ref(), "env" | "file") && is_text(value)
    })
}

#[cfg(test)]
mod tests;
