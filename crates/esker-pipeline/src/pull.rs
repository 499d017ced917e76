//! Sources that esker fetches itself from elsewhere, one file per kind.
//!
//! What is remembered of a pull (a validator, a bookmark) is a resource, stored by the same PUT as what the pull
//! brought: whatever is lost, the two never differ.

mod http;
pub(crate) mod place;
mod secrets;
mod state;
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
    let secrets = Secrets::open(&bench.dir, &pull.secrets())?;
    let errand = Errand { bench, line, run, source, pull, secrets: &secrets };
    let made = match &pull.kind {
        Kind::Http(http) => http::fetch(&errand, http),
    };
    made.map_err(|halt| secrets.redact_halt(halt))
}

/// What it means that an answer takes longer than it may.
fn too_slow(from: &str, timeout: Duration) -> Broken {
    let summary = format!("{from} did not answer within {timeout:?}");
    Broken::new(summary, "is it reachable? or give the source a longer `timeout`").temporary()
}

/// The beginning of what a server said, if it is text.
fn shown(bytes: &Bytes) -> String {
    let start = &bytes[..bytes.len().min(SHOWN_MAX)];
    let text = String::from_utf8_lossy(start);
    let is_text = !text.chars().any(|c| c == '\0');
    if is_text { text.into_owned() } else { String::new() }
}
