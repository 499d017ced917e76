//! The tables `[lineage]` and `[webhook.NAME]`: who is told of what happens, and how.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Definition;
use super::folder::is_like;
use super::page::{Marked, Page, Table};
use super::pull::http::{self, Header};
use super::read::check_name;
use super::secret::{Secret, Text, is_secretive};
use super::value;
use crate::pull::place;

/// What both tables say of a server.
const SERVER: [&str; 8] = ["url", "header", "token", "user", "password", "ca", "timeout", "retry"];

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT_MAX: Duration = Duration::from_secs(300);
/// How often an event is sent again before it is a problem.
const RETRY: u32 = 8;
const RETRIES: RangeInclusive<u32> = 0..=100;
/// How large the file of lineage becomes before another is begun.
const FILE_MAX: u64 = 64_000_000;
/// The smallest such file: every event fits.
const FILE_MIN: u64 = 1_000_000;
/// How many webhooks there may be: each has a thread.
const WEBHOOKS_MAX: usize = 16;

/// The keys of `[lineage]`.
pub(super) fn lineage_keys() -> Vec<&'static str> {
    ["file", "file_max", "namespace"].into_iter().chain(SERVER).collect()
}

/// The keys of `[webhook.NAME]`.
pub(super) fn webhook_keys() -> Vec<&'static str> {
    ["events", "resources", "stages", "secret"].into_iter().chain(SERVER).collect()
}

/// Where what runs is told as OpenLineage says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lineage {
    /// What jobs and data sets are said to belong to; the project if nothing is said.
    pub namespace: Option<String>,
    /// The file that events are appended to.
    pub file: Option<LineageFile>,
    /// The server that is told.
    pub server: Option<Server>,
}

/// A file that events are appended to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageFile {
    /// Its path; a relative one is meant from the project's folder.
    pub path: String,
    /// How large it becomes before another is begun, in bytes.
    pub size_max: u64,
}

/// A server that events are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub url: Text,
    /// What is said besides.
    pub headers: Vec<Header>,
    /// The file of certificates to trust instead of the machine's.
    pub ca: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often an event is sent again before it is a problem.
    pub retry: u32,
}

impl Server {
    /// The secrets it needs.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().flat_map(Header::secrets);
        self.url.secret().into_iter().chain(headers)
    }
}

/// A kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A resource has a new version.
    Put,
    /// A run has ended.
    Run,
    /// Checks have refused what a run made.
    Rejected,
    /// There is a problem, or one is over.
    Problem,
}

/// Every kind, and what it is called.
pub(crate) const TOPICS: [(Topic, &str); 4] = [
    (Topic::Put, "put"),
    (Topic::Run, "run"),
    (Topic::Rejected, "rejected"),
    (Topic::Problem, "problem"),
];

impl Topic {
    /// What it is called.
    pub fn name(self) -> &'static str {
        TOPICS.iter().find(|(topic, _)| *topic == self).map_or("", |(_, name)| name)
    }
}

/// Names as `raw/*`: a `*` stands for any characters, a `?` for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Globs(Vec<String>);

impl Globs {
    /// Whether one of these is as wanted; all are if nothing is said.
    pub(crate) fn take<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        self.0.is_empty() || names.any(|name| self.0.iter().any(|glob| is_like(name, glob)))
    }
}

/// A server that is told of chosen events as CloudEvents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// The server.
    pub server: Server,
    /// Which events.
    pub topics: Vec<Topic>,
    /// Only those that have to do with these resources.
    pub resources: Globs,
    /// Only those that have to do with these sources and stages.
    pub stages: Globs,
    /// What events are signed with.
    pub secret: Option<Secret>,
}

impl Definition {
    /// The secrets of those who are told, with what those are called.
    pub(crate) fn told_secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        let server = self.lineage.iter().filter_map(|lineage| lineage.server.as_ref());
        let lineage = server.flat_map(Server::secrets).map(|secret| ("[lineage]", secret));
        let webhooks = self.webhooks.iter().flat_map(|webhook| {
            let secrets = webhook.server.secrets().chain(&webhook.secret);
            secrets.map(|secret| (webhook.name.as_str(), secret))
        });
        lineage.chain(webhooks)
    }

    /// Whether somebody is called so who is told of what happens.
    pub(crate) fn tells(&self, name: &str) -> bool {
        let lineage = self.lineage.as_ref();
        match name.split_once('.') {
            Some(("lineage", "file")) => lineage.is_some_and(|lineage| lineage.file.is_some()),
            Some(("lineage", "url")) => lineage.is_some_and(|lineage| lineage.server.is_some()),
            Some(("webhook", name)) => self.webhooks.iter().any(|webhook| webhook.name == name),
            _ => false,
        }
    }
}

pub(super) fn lineage(page: &mut Page<'_>, root: &Table<'_, '_>) -> Option<Lineage> {
    let table = page.table(root.entries, "lineage")?;
    page.check_keys(&table, &lineage_keys());
    let size_max = page.parsed(&table, "file_max", |text| match value::any_size(text)? {
        small if small < FILE_MIN => Err(format!("{text:?} is less than {FILE_MIN} bytes")),
        size => Ok(size),
    });
    let path = page.parsed(&table, "file", |text| match text {
        "" => Err("a file has a name".to_owned()),
        text if text.contains('\0') => Err(format!("{text:?} names no file")),
        text => Ok(text.to_owned()),
    });
    let namespace = page.parsed(&table, "namespace", |text| match text {
        text if text.is_empty() || text.chars().any(char::is_control) => {
            Err(format!("{text:?} is no namespace"))
        }
        text => Ok(text.to_owned()),
    });
    let server = server(page, &table);
    if !table.entries.contains_key("file") && !table.entries.contains_key("url") {
        let hint = "add file = \"lineage.ndjson\" or url = \"https://…\"";
        page.error(&table.span, "[lineage] says nobody to tell", hint);
    }
    let file = path.map(|path| LineageFile { path, size_max: size_max.unwrap_or(FILE_MAX) });
    Some(Lineage { namespace, file, server })
}

pub(super) fn webhooks(page: &mut Page<'_>, root: &Table<'_, '_>) -> Vec<Webhook> {
    let mut webhooks = Vec::new();
    for (index, (name, table)) in page.tables(root.entries, "webhook").into_iter().enumerate() {
        check_name(page, &name, &table.span);
        page.check_keys(&table, &webhook_keys());
        if index == WEBHOOKS_MAX {
            let message = format!("there are more than {WEBHOOKS_MAX} webhooks");
            page.error(&table.span, message, "let one server pass events on");
        }
        if !table.entries.contains_key("url") {
            let message = format!("{} has no `url`", table.title);
            page.error(&table.span, message, "add url = \"https://…\"");
        }
        let topics = topics(page, &table);
        let (resources, stages) = (globs(page, &table, "resources"), globs(page, &table, "stages"));
        let secret = page.secret(&table, "secret");
        if let Some(server) = server(page, &table) {
            webhooks.push(Webhook { name, server, topics, resources, stages, secret });
        }
    }
    webhooks
}

fn topics(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<Topic> {
    let Some(list) = page.strings(table, "events", true) else {
        return vec![Topic::Problem];
    };
    let mut topics = Vec::new();
    for text in list.value {
        match TOPICS.iter().find(|(_, name)| *name == text.value) {
            Some((topic, _)) if !topics.contains(topic) => topics.push(*topic),
            Some(_) => {}
            None => {
                let names = TOPICS.map(|(_, name)| format!("{name:?}")).join(", ");
                let message = format!("`events` in {}: there is no {:?}", table.title, text.value);
                page.error(&text.span, message, format!("there are {names}"));
            }
        }
    }
    topics
}

fn globs(page: &mut Page<'_>, table: &Table<'_, '_>, key: &str) -> Globs {
    let list = page.strings(table, key, true).map_or(Vec::new(), |list| list.value);
    Globs(list.into_iter().map(|glob| glob.value).collect())
}

fn server(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Server> {
    let ca = page.string(table, "ca").map(|path| path.value);
    let headers = http::headers(page, table);
    let timeout = page.parsed(table, "timeout", |text| match value::positive(text)? {
        long if long > TIMEOUT_MAX => Err(format!("{text:?} is more than 5m")),
        timeout => Ok(timeout),
    });
    let retry = page.number(table, "retry", RETRIES);
    let url = page.text(table, "url")?;
    check_url(page, table, &url, &headers)?;
    Some(Server {
        url: url.value,
        headers,
        ca,
        timeout: timeout.unwrap_or(TIMEOUT),
        retry: retry.unwrap_or(RETRY),
    })
}

/// Complains about an address that cannot be asked, and about one that gives secrets away.
fn check_url(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    url: &Marked<Text>,
    headers: &[Header],
) -> Option<()> {
    let Text::Plain(text) = &url.value else {
        return Some(());
    };
    let place = match place::parse(text) {
        Ok(place) => place,
        Err((why, hint)) => {
            page.error(&url.span, format!("`url` in {}: {why}", table.title), hint);
            return None;
        }
    };
    let names = place.query().unwrap_or_default().split('&');
    let mut names = names.filter_map(|pair| pair.split_once('='));
    if let Some((name, _)) = names.find(|(name, _)| is_secretive(name)) {
        let message = format!("the address holds a secret, it seems: `{name}`");
        page.warning(&url.span, message, "write url = { env = \"NAME\" } or { file = \"PATH\" }");
    }
    let clear = !place.is_encrypted() && !place.is_local();
    if clear && headers.iter().any(Header::is_secret) {
        let message = "secrets are sent where others can read them";
        page.warning(&url.span, message, "use https if the server speaks it");
    }
    Some(())
}

#[cfg(test)]
mod tests;
