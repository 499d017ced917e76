//! `git = "https://…"`: a file or folder of a repository, as of a ref.

use esker_wire::remote::Remote;

use super::super::folder::Pattern;
use super::super::page::{Page, Table};
use super::super::secret::{Secret, example};

/// A path of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Git {
    /// The repository.
    pub remote: Remote,
    /// A branch, tag or commit.
    pub reference: String,
    /// A file, or a folder, whose files are a stacked stream.
    pub path: String,
    /// The sheets wanted of a workbook, in this order; all of them if none are named.
    pub sheets: Vec<String>,
    /// Who asks: the user, and where the password or token is kept.
    pub login: Option<(String, Secret)>,
    /// The file of certificates to trust instead of the machine's.
    pub ca: Option<String>,
}

impl Git {
    pub(super) fn title(&self) -> String {
        format!("{} {} {}", self.remote, self.reference, self.path)
    }

    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![self.remote.to_string(), self.reference.clone(), self.path.clone()];
        words.extend(self.sheets.iter().map(|sheet| format!("sheet {sheet}")));
        words.extend(self.login.iter().map(|(user, secret)| format!("{user} {secret}")));
        words
    }

    pub(super) fn secrets(&self) -> Vec<&Secret> {
        self.login.iter().map(|(_, secret)| secret).collect()
    }

    pub(super) fn read(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let ca = page.string(table, "ca").map(|path| path.value);
        let sheets = page.strings(table, "sheets", false).map_or(Vec::new(), |list| list.value);
        let reference = page.parsed(table, "ref", |text| match is_reference(text) {
            true => Ok(text.to_owned()),
            false => Err(format!("{text:?} names no branch, tag or commit")),
        });
        let token = page.secret(table, "token");
        let user = page.string(table, "user").map(|user| user.value);
        let password = page.secret(table, "password");
        let login = match (token, user, password) {
            // What servers take a token's user for does not matter to most of them.
            (Some(token), user, None) => Some((user.unwrap_or_else(|| "git".to_owned()), token)),
            (None, Some(user), Some(password)) => Some((user, password)),
            (None, None, None) => None,
            _ => {
                let message =
                    format!("{} must have a `token`, or a `user` and a `password`", table.title);
                page.error(&table.span, message, example("token"));
                None
            }
        };
        if !table.entries.contains_key("path") {
            let message = format!("{} has no `path`", table.title);
            page.error(&table.span, message, "add path = \"FILE\", or a folder");
        }
        let path = page.parsed(table, "path", |text| {
            let outside = text.starts_with('/') || text.split('/').any(|part| part == "..");
            match outside || text.contains(['\0', '\n', ':']) {
                true => Err(format!("{text:?} is no path inside a repository")),
                false => Pattern::parse(text).map(|_| text.trim_end_matches('/').to_owned()),
            }
        });
        let text = page.string(table, "git")?;
        let remote: Remote = match text.value.parse() {
            Ok(remote) => remote,
            Err(error) => {
                page.error(&text.span, error.to_string(), "");
                return None;
            }
        };
        if remote.holds_secret() {
            let message = format!("a password stands in {remote}, where everyone sees it");
            page.error(&text.span, message, example("token"));
            return None;
        }
        Some(Self {
            remote,
            reference: reference.unwrap_or_else(|| "HEAD".to_owned()),
            path: path?,
            sheets: sheets.into_iter().map(|sheet| sheet.value).collect(),
            login,
            ca,
        })
    }
}

/// What git would take for an option, or for several refs, is none.
fn is_reference(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !":?*[\\^~".contains(c);
    !text.is_empty() && !text.starts_with('-') && !text.contains("..") && text.chars().all(plain)
}
