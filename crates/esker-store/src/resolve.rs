//! RESOLVE: which commit of a branch a person means.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Resolve, Resolved};
use jiff::Timestamp;

use crate::at;
use crate::near::nearest;
use crate::store::Store;

/// The fewest digits of a short revision.
const SHORT_MIN: usize = 4;
/// The most revisions named where a short one is ambiguous.
const NAMED_MAX: usize = 10;

impl Store {
    /// The commit a text means, and what it says.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`, with the nearest there are.
    pub fn resolve(&mut self, ask: &Resolve) -> Result<Resolved, Fault> {
        let position = self.position(&ask.branch, &ask.at)?;
        let step = self.history(&ask.branch)?.step(position);
        let (revision, seconds) = (step.revision, step.seconds);
        let told = self.told(revision)?;
        Ok(Resolved {
            revision,
            time: timestamp(seconds),
            summary: told.commit.summary().to_owned(),
        })
    }

    /// The position of the commit a text means on a branch.
    pub(crate) fn position(&mut self, branch: &Branch, at: &At) -> Result<u32, Fault> {
        let text = at.as_str();
        let Some((base, back)) = at::split(text) else {
            let message = format!("cannot go back by the marks of {text:?}");
            return Err(Fault::bad_request(message)
                .hint("write HEAD~3 or HEAD^; esker follows first parents only"));
        };
        let position = self.base(branch, base)?;
        u32::try_from(back).ok().and_then(|back| position.checked_sub(back)).ok_or_else(|| {
            let message =
                format!("{branch} has no revision {text}: it begins {position} before {base}");
            Fault::new(Code::NotFound, message)
        })
    }

    fn base(&mut self, branch: &Branch, text: &str) -> Result<u32, Fault> {
        let history = self.history(branch)?;
        let Some(last) = history.last() else {
            let message = format!("the branch {branch} has no revision yet");
            return Err(Fault::new(Code::NotFound, message));
        };
        if text == "HEAD" {
            return Ok(last);
        }
        if let Ok(revision) = text.parse() {
            return history.position(revision).ok_or_else(|| unknown(branch, text));
        }
        if let Some(revision) = self.tagged(text)? {
            return self.history(branch)?.position(revision).ok_or_else(|| {
                let message =
                    format!("the tag {text} names {revision}, which is not on the branch {branch}");
                Fault::new(Code::NotFound, message)
            });
        }
        let history = self.history(branch)?;
        let digits = text.to_ascii_lowercase();
        let is_short =
            text.len() >= SHORT_MIN && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = if is_short { history.beginning(&digits) } else { Vec::new() };
        match found.as_slice() {
            [] => self.at_time(branch, text),
            [revision] => Ok(history.position(*revision).unwrap_or(last)),
            several => Err(ambiguous(text, several)),
        }
    }

    fn at_time(&mut self, branch: &Branch, text: &str) -> Result<u32, Fault> {
        let now = (self.options.clock)();
        let Some(seconds) = at::time(text, now, &self.options.zone) else {
            let tags = self.tag_names()?;
            let near = nearest(text, tags.iter().map(String::as_str));
            return Err(unknown(branch, text).candidates(near));
        };
        let history = self.history(branch)?;
        history.at_time(seconds).ok_or_else(|| {
            let first = timestamp(history.step(0).seconds);
            let message = format!("{branch} has no revision at {text}: its first is of {first}");
            Fault::new(Code::NotFound, message)
        })
    }
}

/// A commit's time.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn unknown(branch: &Branch, text: &str) -> Fault {
    Fault::new(Code::NotFound, format!("{branch} has no revision {text:?}"))
        .hint("a revision is HEAD, HEAD~3, four or more digits of it, a tag, or a time like 2025-11-20 17:00")
}

fn ambiguous(text: &str, several: &[Revision]) -> Fault {
    let message = format!("{} revisions begin with {text}", several.len());
    let named = several.iter().take(NAMED_MAX);
    Fault::new(Code::Ambiguous, message)
        .hint("give more digits")
        .candidates(named.map(ToString::to_string).collect())
}
