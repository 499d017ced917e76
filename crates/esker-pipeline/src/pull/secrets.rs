//! The secrets of one run: read when it begins, and taken out of all that is said about it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use esker_wire::record::STDERR_MAX;
use serde_json::Value;

use crate::definition::secret::{Secret, Text, is_secretive};
use crate::open;
use crate::run::Halt;
use crate::run::failure::Broken;

/// The largest secret, in bytes.
const SECRET_MAX: u64 = 64 * 1024;
/// What stands where a secret was.
const HIDDEN: &str = "***";

/// Secrets and what they are.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    values: BTreeMap<Secret, String>,
    /// All that would give one away, the longest first.
    telling: Vec<String>,
    /// What programs are given besides what they ask for.
    given: Vec<(String, String)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Secrets {
    /// Reads them.
    pub(crate) fn open<'s>(
        dir: &Path,
        secrets: impl IntoIterator<Item = &'s Secret>,
    ) -> Result<Self, Broken> {
        let mut all = Self::default();
        for secret in secrets {
            let value = match secret {
                Secret::Env(name) => from_env(name)?,
                Secret::File(path) => from_file(dir, path)?,
            };
            all.hide(&value);
            all.values.insert(secret.clone(), value);
        }
        Ok(all)
    }

    /// What a secret is; it is one of those opened.
    pub(crate) fn of(&self, secret: &Secret) -> &str {
        self.values.get(secret).map_or("", String::as_str)
    }

    /// What a text is, wherever it is kept.
    pub(crate) fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        match text {
            Text::Plain(text) => text,
            Text::Secret(secret) => self.of(secret),
        }
    }

    /// Keeps a value out of what is said, in the forms in which it may come back.
    pub(crate) fn hide(&mut self, value: &str) {
        let json = Value::from(value).to_string();
        let forms = [
            value.to_owned(),
            encoded(value),
            STANDARD.encode(value),
            STANDARD_NO_PAD.encode(value),
            json[1..json.len() - 1].to_owned(),
        ];
        self.telling.extend(forms.into_iter().filter(|form| !form.is_empty()));
        self.telling.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        self.telling.dedup();
    }

    /// Gives a variable to the programs that run with these secrets.
    pub(crate) fn give(&mut self, name: &str, value: &str) {
        self.given.push((name.to_owned(), value.to_owned()));
    }

    /// What programs are given.
    pub(crate) fn given(&self) -> &[(String, String)] {
        &self.given
    }

    /// Hides what variables hold that are called like secrets.
    pub(crate) fn hide_variables(&mut self, names: &[String]) {
        for name in names.iter().filter(|name| is_secretive(name)) {
            if let Ok(value) = std::env::var(name) {
                self.hide(&value);
            }
        }
    }

    /// Hides what is called like a secret in a file that a program is told to be set up by.
    pub(crate) fn hide_config(&mut self, dir: &Path, argv: &[String]) {
        let words = argv.windows(2).filter(|words| matches!(words[0].as_str(), "--config" | "-c"));
        for words in words {
            let bytes = open::regular(&dir.join(&words[1])).and_then(|file| {
                let mut bytes = Vec::new();
                file.take(SECRET_MAX).read_to_end(&mut bytes).map(|_| bytes)
            });
            // A program that cannot read it either will say so.
            let value = serde_json::from_slice(&bytes.unwrap_or_default());
            self.hide_values(&value.unwrap_or_default(), false);
        }
    }

    fn hide_values(&mut self, value: &Value, secret: bool) {
        match value {
            Value::String(text) if secret => self.hide(text),
            Value::Array(items) => items.iter().for_each(|item| self.hide_values(item, secret)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.hide_values(value, secret || is_secretive(name));
                }
            }
            _ => {}
        }
    }

    /// What is kept of what a program said.
    pub(crate) fn redact_stderr(&self, bytes: &[u8]) -> Vec<u8> {
        self.redact_tail(bytes, bytes.len() >= STDERR_MAX)
    }

    /// The end of what a program said, without secrets and without a part of one at its beginning.
    pub(crate) fn redact_tail(&self, bytes: &[u8], is_cut: bool) -> Vec<u8> {
        let Some(longest) = self.telling.first().filter(|_| !bytes.is_empty()) else {
            return bytes.to_vec();
        };
        let cut = if is_cut { longest.len().min(bytes.len()) } else { 0 };
        self.redact(&String::from_utf8_lossy(&bytes[cut..])).into_bytes()
    }

    /// A text without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.telling.iter().fold(text.to_owned(), |text, told| text.replace(told, HIDDEN))
    }

    /// The end of a run without secrets.
    pub(crate) fn redact_halt(&self, halt: Halt) -> Halt {
        match halt {
            Halt::Broken(broken) => Halt::Broken(Broken {
                summary: self.redact(&broken.summary),
                hint: self.redact(&broken.hint),
                detail: self.redact(&broken.detail),
                ..broken
            }),
            Halt::Again(why) => Halt::Again(self.redact(&why)),
            Halt::Unchanged => Halt::Unchanged,
        }
    }
}

fn from_env(name: &str) -> Result<String, Broken> {
    let hint = "set it where esker is started";
    match std::env::var(name) {
        Ok(value) if value.is_empty() => {
            Err(Broken::new(format!("the secret ${name} is empty"), hint))
        }
        Ok(value) => Ok(value),
        Err(std::env::VarError::NotPresent) => {
            Err(Broken::new(format!("the secret ${name} is not set"), hint))
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Broken::new(format!("the secret ${name} is not UTF-8"), hint))
        }
    }
}

/// A file's content without the line's end that editors put there.
fn from_file(dir: &Path, path: &str) -> Result<String, Broken> {
    let cannot = |why: String| {
        let summary = format!("cannot read the secret in {path}: {why}");
        Broken::new(summary, "it must be a small text file that this user may read")
    };
    let mut text = String::new();
    let file = open::regular(&dir.join(path)).map_err(|error| cannot(error.to_string()))?;
    file.take(SECRET_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| cannot(error.to_string()))?;
    if text.len() as u64 > SECRET_MAX {
        return Err(cannot(format!("it is larger than {SECRET_MAX} bytes")));
    }
    let value = text.trim_end_matches(['\n', '\r']);
    if value.is_empty() {
        return Err(cannot("it is empty".to_owned()));
    }
    Ok(value.to_owned())
}

/// As it stands in an address.
pub(super) fn encoded(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    value.bytes().map(part).collect()
}

#[cfg(test)]
mod tests;
