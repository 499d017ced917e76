//! Sources that esker fetches itself from elsewhere, one file per kind.
//!
//! What is remembered of a pull (a validator, a bookmark) is a resource, stored by the same PUT as what the pull
//! brought: whatever is lost, the two never differ.

mod files;
mod git;
pub(crate) mod http;
mod hub;
mod jira;
pub(crate) mod place;
pub(crate) mod recall;
pub(crate) mod secrets;
pub(crate) mod singer;
pub(crate) mod sql;
mod state;
pub(crate) mod tap;
mod tls;

#[cfg(test)]
mod stand;

use std::time::Duration;

use bytes::Bytes;

use crate::definition::Source;
use crate::definition::pull::{Kind, Pull};
use crate::plan::Run;
use crate::run::failure::Broken;
use crate::run::line::Line;
use crate::run::{Bench, Halt, Made};

use self::secrets::Secrets;

/// The most of an answer that is shown with a problem, in bytes.
const SHOWN_MAX: usize = 4 * 1024;

/// How much longer than its time a pull is waited for.
const MARGIN: Duration = Duration::from_secs(5);

/// What a pull has to go by.
struct Errand<'a> {
    bench: &'a Bench,
    line: &'a Line,
    run: &'a Run,
    source: &'a Source,
    pull: &'a Pull,
    secrets: &'a Secrets,
}

/// Fetches what a source is about.
pub(crate) fn fetch(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (source, pull): (&Source, &Pull),
) -> Result<Made, Halt> {
    let secrets = Secrets::open(&bench.dir, pull.secrets())?;
    let errand = Errand { bench, line, run, source, pull, secrets: &secrets };
    let made = match &pull.kind {
        Kind::Http(http) => http::fetch(&errand, http),
        Kind::Git(git) => git::fetch(&errand, git),
        Kind::Hub(hub) => hub::fetch(&errand, hub),
        Kind::Jira(jira) => jira::fetch(&errand, jira),
        Kind::Sql(sql) => sql::fetch(&errand, sql),
    };
    made.map_err(|halt| secrets.redact_halt(halt))
}

impl Errand<'_> {
    /// Has something done that waits for the network, no longer than the source may take; a little more, as what
    /// keeps within the time by itself says better what took it.
    fn aside<T: Send + 'static>(
        &self,
        from: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Halt> {
        let done = self.line.aside("fetch", Some(self.pull.timeout + MARGIN), work)?;
        done.ok_or_else(|| too_slow(from, self.pull.timeout).into())
    }
}

/// The kinds of content that views know.
pub(crate) fn known_type(content_type: &str) -> Option<&'static str> {
    const KNOWN: [&str; 4] =
        ["text/csv", "text/tab-separated-values", "application/json", "text/plain"];
    KNOWN.into_iter().find(|known| *known == content_type)
}

/// What it means that an answer takes longer than it may.
fn too_slow(from: &str, timeout: Duration) -> Broken {
    let summary = format!("{from} did not answer within {timeout:?}");
    Broken::new(summary, "is it reachable? or give the source a longer `timeout`").temporary()
}

/// The beginning of what a server said, if it is text. Secrets go first: half of one would not be known again.
fn shown(secrets: &Secrets, bytes: &Bytes) -> String {
    let text = secrets.redact(&String::from_utf8_lossy(bytes));
    if text.contains('\0') {
        return String::new();
    }
    text[..text.floor_char_boundary(SHOWN_MAX)].to_owned()
}
