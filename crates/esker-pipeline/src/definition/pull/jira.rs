//! `jira = "https://…"`: the issues that a query finds.

use std::time::Duration;

use super::super::page::{Page, Table};
use super::super::read::required;
use super::super::secret::Secret;
use super::super::value;
use super::http::{Header, headers, warn};
use crate::pull::place;

/// How often it is looked which issues there still are.
const CENSUS: Duration = Duration::from_secs(60 * 60);
/// What of an issue is wanted: what JIRA shows in lists, but for when someone looked at it.
const FIELDS: [&str; 2] = ["*navigable", "-lastViewed"];

const EXAMPLE: &str = "write for example \"https://acme.atlassian.net\"";

/// A query of JIRA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jira {
    /// The site's address, without a slash at its end.
    pub url: String,
    /// Which issues.
    pub jql: String,
    /// What of them.
    pub fields: Vec<String>,
    /// How often it is looked which issues there still are.
    pub census: Duration,
    /// Who asks.
    pub headers: Vec<Header>,
    /// The file of certificates to trust instead of the machine's.
    pub ca: Option<String>,
}

impl Jira {
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.url, self.jql)
    }

    pub(super) fn words(&self) -> Vec<String> {
        let fields = self.fields.iter().map(|field| format!("field {field}"));
        let headers = self.headers.iter().map(Header::word);
        [self.url.clone(), self.jql.clone()].into_iter().chain(fields).chain(headers).collect()
    }

    pub(super) fn secrets(&self) -> Vec<&Secret> {
        self.headers.iter().flat_map(Header::secrets).collect()
    }

    pub(super) fn read(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Self> {
        let ca = page.string(table, "ca").map(|path| path.value);
        let census = page.parsed(table, "census", value::duration);
        let fields = page.strings(table, "fields", true).map(|list| list.value);
        let headers = headers(page, table);
        let jql = required(page, table, "jql");
        let url = page.string(table, "jira")?;
        let parsed = match place::parse(&url.value) {
            Ok(place) => place,
            Err((why, hint)) => {
                let hint = if hint.contains("example.org") { EXAMPLE } else { hint };
                page.error(&url.span, format!("`jira` in {}: {why}", table.title), hint);
                return None;
            }
        };
        if parsed.query().is_some() {
            let message = format!("`jira` in {}: this is more than a site", table.title);
            page.error(&url.span, message, EXAMPLE);
        }
        warn(page, &url.span, &parsed, &headers);
        let jql = jql?;
        let words: Vec<String> = jql.value.split_whitespace().map(str::to_lowercase).collect();
        if words.windows(2).any(|pair| pair == ["order", "by"]) {
            let message = format!("`jql` in {} has an `order by`", table.title);
            page.error(&jql.span, message, "leave it out: issues come in an order of their own");
        }
        if jql.value.trim().is_empty() {
            let message = format!("`jql` in {} names no issues", table.title);
            page.error(&jql.span, message, "write for example \"project = PLAN\"");
        }
        let fields = match fields {
            Some(fields) => fields.into_iter().map(|field| field.value).collect(),
            None => FIELDS.map(str::to_owned).to_vec(),
        };
        Some(Self {
            url: url.value.trim_end_matches('/').to_owned(),
            jql: jql.value,
            fields,
            census: census.unwrap_or(CENSUS),
            headers,
            ca,
        })
    }
}
