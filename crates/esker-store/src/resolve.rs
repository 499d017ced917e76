//! RESOLVE: which commit of a branch a person means.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Resolve, Resolved};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::at::{self, Moment};
use crate::near::nearest;
use crate::store::Store;

/// The fewest digits of a short revision.
const SHORT_MIN: usize = 4;
/// The most revisions named where a short one is ambiguous.
const NAMED_MAX: usize = 10;

/// What a text without marks means.
enum Meant {
    /// A commit.
    Position(u32),
    /// A time.
    Moment(Moment),
}

impl Store {
    /// The commit a text means, and what it says.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`, with the nearest there are; `bad-request` if there is no such time zone.
    pub fn resolve(&mut self, ask: &Resolve) -> Result<Resolved, Fault> {
        let zone = ask.zone.as_deref().map(at::zone).transpose()?;
        let zone = zone.unwrap_or_else(|| self.options.zone.clone());
        let position = self.position_in(&ask.branch, &ask.at, &zone)?;
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
        let zone = self.options.zone.clone();
        self.position_in(branch, at, &zone)
    }

    /// The position of the first commit of a range that begins with a text: the one after a revision, but the
    /// first of a day.
    pub(crate) fn since(&mut self, branch: &Branch, at: &At) -> Result<u32, Fault> {
        let zone = self.options.zone.clone();
        if let Some(Meant::Moment(moment)) = self.alone(branch, at, &zone)? {
            let before = self.history(branch)?.at_time(moment.first.saturating_sub(1));
            return Ok(before.map_or(0, |position| position + 1));
        }
        self.position_in(branch, at, &zone).map(|position| position + 1)
    }

    /// The position of the last commit of a range that ends with a text; none if it ends before the first.
    pub(crate) fn until(&mut self, branch: &Branch, at: &At) -> Result<Option<u32>, Fault> {
        let zone = self.options.zone.clone();
        if let Some(Meant::Moment(moment)) = self.alone(branch, at, &zone)? {
            return Ok(self.history(branch)?.at_time(moment.last));
        }
        self.position_in(branch, at, &zone).map(Some)
    }

    /// What a text without marks means.
    fn alone(&mut self, branch: &Branch, at: &At, zone: &TimeZone) -> Result<Option<Meant>, Fault> {
        match at::split(at.as_str()) {
            Some((base, 0)) => self.base(branch, base, zone).map(Some),
            _ => Ok(None),
        }
    }

    fn position_in(&mut self, branch: &Branch, at: &At, zone: &TimeZone) -> Result<u32, Fault> {
        let text = at.as_str();
        let Some((base, back)) = at::split(text) else {
            let message = format!("cannot go back by the marks of {text:?}");
            return Err(Fault::bad_request(message)
                .hint("write HEAD~3 or HEAD^; esker follows first parents only"));
        };
        let position = match self.base(branch, base, zone)? {
            Meant::Position(position) => position,
            Meant::Moment(moment) => self.at_time(branch, base, moment.last)?,
        };
        u32::try_from(back).ok().and_then(|back| position.checked_sub(back)).ok_or_else(|| {
            let message =
                format!("{branch} has no revision {text}: it begins {position} before {base}");
            Fault::new(Code::NotFound, message)
        })
    }

    fn base(&mut self, branch: &Branch, text: &str, zone: &TimeZone) -> Result<Meant, Fault> {
        let history = self.history(branch)?;
        let Some(last) = history.last() else {
            let message = format!("the branch {branch} has no revision yet");
            return Err(Fault::new(Code::NotFound, message));
        };
        if text == "HEAD" {
            return Ok(Meant::Position(last));
        }
        if let Ok(revision) = text.parse() {
            let position = history.position(revision).ok_or_else(|| unknown(branch, text));
            return position.map(Meant::Position);
        }
        if let Some(revision) = self.tagged(text)? {
            let position = self.history(branch)?.position(revision).ok_or_else(|| {
                let message =
                    format!("the tag {text} names {revision}, which is not on the branch {branch}");
                Fault::new(Code::NotFound, message)
            });
            return position.map(Meant::Position);
        }
        let now = (self.options.clock)();
        let moment = at::moment(text, now, zone)?;
        let history = self.history(branch)?;
        let digits = text.to_ascii_lowercase();
        let is_short =
            text.len() >= SHORT_MIN && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = if is_short { history.beginning(&digits) } else { Vec::new() };
        match (found.as_slice(), moment) {
            ([], Some(moment)) => Ok(Meant::Moment(moment)),
            ([], None) => Err(self.nothing_like(branch, text)?),
            ([revision], None) => Ok(Meant::Position(history.position(*revision).unwrap_or(last))),
            (several, None) => Err(ambiguous(text, several)),
            // What means the one today must not mean the other tomorrow.
            (several, Some(_)) => Err(Fault {
                message: format!("{text} may be a date, or the beginning of a revision"),
                ..ambiguous(text, several)
            }
            .hint("write a date with dashes, as in 2025-11-20, or more digits of the revision")),
        }
    }

    fn at_time(&mut self, branch: &Branch, text: &str, seconds: i64) -> Result<u32, Fault> {
        let history = self.history(branch)?;
        history.at_time(seconds).ok_or_else(|| {
            let first = timestamp(history.step(0).seconds);
            let message = format!("{branch} has no revision at {text}: its first is of {first}");
            Fault::new(Code::NotFound, message)
        })
    }

    fn nothing_like(&mut self, branch: &Branch, text: &str) -> Result<Fault, Fault> {
        let tags = self.tag_names()?;
        let near = nearest(text, tags.iter().map(String::as_str));
        Ok(unknown(branch, text).candidates(near))
    }
}

/// A commit's time.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn unknown(branch: &Branch, text: &str) -> Fault {
    Fault::new(Code::NotFound, format!("{branch} has no revision {text:?}"))
        .hint("a revision is HEAD, HEAD~3, four or more digits of it, a tag, or a time like 2025-11-20 17:00 or last friday")
}

fn ambiguous(text: &str, several: &[Revision]) -> Fault {
    let message = format!("{} revisions begin with {text}", several.len());
    let named = several.iter().take(NAMED_MAX);
    Fault::new(Code::Ambiguous, message)
        .hint("give more digits")
        .candidates(named.map(ToString::to_string).collect())
}
