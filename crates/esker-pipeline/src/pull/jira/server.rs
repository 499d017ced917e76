//! Asking JIRA page by page, and waiting where it says so.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::definition::pull::Jira;
use crate::pull::http::ask::{Answer, Request, Validators, ask};
use crate::pull::http::{headers, hide};
use crate::pull::place::{self, Place};
use crate::pull::secrets::encoded;
use crate::pull::{Errand, state, too_slow};
use crate::run::Halt;
use crate::run::failure::Broken;

use super::strange;

/// How many issues are asked for at once; the site may give fewer.
const PAGE: &str = "100";
/// The same where only their numbers are.
const PAGE_OF_IDS: &str = "5000";
/// The most pages of one search.
const PAGES_MAX: usize = 20_000;
/// How often in a row a request is made.
const TRIES_MAX: u32 = 3;
/// The longest that is waited within a pull; what is longer ends it, to be tried again later.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How a problem is told that lies in what was asked for.
const QUERY_REFUSED: &str = "answers 400";

/// A site being asked.
pub(super) struct Server<'a> {
    errand: &'a Errand<'a>,
    jira: &'a Jira,
    until: Instant,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    issues: Vec<&'a RawValue>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
    #[serde(rename = "isLast")]
    is_last: Option<bool>,
}

impl<'a> Server<'a> {
    pub(super) fn reach(errand: &'a Errand<'a>, jira: &'a Jira) -> Self {
        Self { errand, jira, until: Instant::now() + errand.pull.timeout }
    }

    /// The issues that were there, whatever overrides have made of them.
    pub(super) fn before(&self) -> Result<Bytes, Halt> {
        let Errand { bench, line, run, source, .. } = self.errand;
        let kept = run.kept_beneath(&source.output).map_or(&source.output, |kept| &kept.resource);
        Ok(state::read((bench, line), run, kept)?.unwrap_or_default())
    }

    /// Whether the site knows who asks.
    pub(super) fn check_user(&mut self) -> Result<(), Halt> {
        if self.jira.headers.is_empty() {
            return Ok(());
        }
        self.get("/rest/api/3/myself", &[]).map(drop)
    }

    /// Finds issues; `take` is given each page.
    pub(super) fn search(
        &mut self,
        jql: &str,
        take: impl FnMut(&[&RawValue]) -> Result<(), Broken>,
    ) -> Result<(), Halt> {
        let fields = self.jira.fields.join(",");
        self.pages(jql, (&fields, PAGE), take)
    }

    /// Finds the numbers of issues.
    pub(super) fn count(
        &mut self,
        jql: &str,
        take: impl FnMut(&[&RawValue]) -> Result<(), Broken>,
    ) -> Result<(), Halt> {
        self.pages(jql, ("id", PAGE_OF_IDS), take)
    }

    fn pages(
        &mut self,
        jql: &str,
        (fields, size): (&str, &str),
        mut take: impl FnMut(&[&RawValue]) -> Result<(), Broken>,
    ) -> Result<(), Halt> {
        let mut token: Option<String> = None;
        let mut size_all = 0;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("jql", jql), ("fields", fields), ("maxResults", size)];
            query.extend(token.as_deref().map(|token| ("nextPageToken", token)));
            let bytes = self.get("/rest/api/3/search/jql", &query)?;
            size_all += bytes.len() as u64;
            self.check_size(size_all)?;
            let page: Page<'_> =
                serde_json::from_slice(&bytes).map_err(|_| strange("it is no page of issues"))?;
            take(&page.issues)?;
            match page.next {
                Some(next) if page.is_last != Some(true) => {
                    if token.as_ref() == Some(&next) {
                        return Err(strange("it gives the same page again and again").into());
                    }
                    token = Some(next);
                }
                _ => return Ok(()),
            }
        }
        Err(strange("it never ends").into())
    }

    /// Refuses more than may come.
    pub(super) fn check_size(&self, size: u64) -> Result<(), Broken> {
        let max = self.errand.pull.output_max;
        if size <= max {
            return Ok(());
        }
        let summary = format!("{} gives more than {max} bytes", self.jira.url);
        let hint = "ask for fewer issues or `fields`, or give the source a larger `output_max`";
        Err(Broken::new(summary, hint))
    }

    /// Asks until there is an answer, waiting where the site says so.
    fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Bytes, Halt> {
        let pairs: Vec<String> =
            query.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
        let text = format!("{}{path}?{}", self.jira.url, pairs.join("&"));
        let place = place::parse(&text).map_err(|(why, hint)| Broken::new(why, hint))?;
        let mut tries = 0;
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(too_slow(&self.jira.url, self.errand.pull.timeout).into());
            }
            let request = self.request(place.clone(), left);
            let broken = match self.errand.aside(&self.jira.url, move || ask(&request))? {
                Ok(Answer::Content { bytes, .. }) => return Ok(bytes),
                Ok(Answer::Same) => return Err(strange("it says that nothing has changed").into()),
                Err(broken) => broken,
            };
            tries += 1;
            let wait = broken.after.unwrap_or(Duration::from_secs(u64::from(tries)));
            if !broken.temporary || tries >= TRIES_MAX || wait > WAIT_MAX.min(left) {
                return Err(told(broken).into());
            }
            tracing::debug!(source = self.errand.source.name, ?wait, "JIRA asks to wait");
            self.errand.line.pause(wait)?;
        }
    }

    fn request(&self, place: Place, timeout: Duration) -> Request {
        let Errand { bench, pull, .. } = self.errand;
        let headers = headers(self.errand, &self.jira.headers);
        let mut secrets = self.errand.secrets.clone();
        hide(&mut secrets, &headers);
        Request {
            place,
            named: self.jira.url.clone(),
            headers,
            validators: Validators::default(),
            secrets,
            ca: self.jira.ca.as_ref().map(|path| bench.dir.join(path)),
            timeout,
            size_max: pull.output_max,
        }
    }
}

/// What JIRA itself says is wrong, rather than a number.
fn told(broken: Broken) -> Broken {
    let said: Value = serde_json::from_str(&broken.detail).unwrap_or_default();
    let mut messages: Vec<&str> = Vec::new();
    messages
        .extend(said["errorMessages"].as_array().into_iter().flatten().filter_map(Value::as_str));
    messages.extend(
        said["errors"].as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str()),
    );
    if messages.is_empty() {
        return broken;
    }
    let summary = format!("{}: {}", broken.summary, messages.join("; "));
    let hint = match broken.summary.contains(QUERY_REFUSED) {
        true => "correct its `jql`".to_owned(),
        false => broken.hint,
    };
    Broken { summary, hint, ..broken }
}
