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

/// A commit that was asked for on a branch. What a branch that begins at a commit of `main` has of that commit and
/// those before it is found there.
pub(crate) struct Place {
    pub(crate) branch: Branch,
    pub(crate) position: u32,
}

/// What a text without marks means.
enum Meant {
    /// A commit.
    Place(Place),
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
        let place = self.place_in(&ask.branch, &ask.at, &zone)?;
        let step = self.history(&place.branch)?.step(place.position);
        let (revision, seconds) = (step.revision, step.seconds);
        let told = self.told(revision)?;
        Ok(Resolved {
            revision,
            time: timestamp(seconds),
            summary: told.commit.summary().to_owned(),
            project: told.trailers.project,
        })
    }

    /// The commit a text means on a branch.
    pub(crate) fn place(&mut self, branch: &Branch, at: &At) -> Result<Place, Fault> {
        let zone = self.options.zone.clone();
        self.place_in(branch, at, &zone)
    }

    /// The position of the commit a text means on `main`.
    pub(crate) fn position(&mut self, at: &At) -> Result<u32, Fault> {
        self.place(&Branch::main(), at).map(|place| place.position)
    }

    /// The position in a branch's own history of the last commit it keeps that is not after a place.
    pub(crate) fn onto(&mut self, branch: &Branch, place: &Place) -> Result<Option<u32>, Fault> {
        let Some((fork, _)) = self.fork_of(branch)?.filter(|_| place.branch != *branch) else {
            return Ok(Some(place.position));
        };
        for position in (0..=fork.last).rev() {
            let kept = self.history(branch)?.step(position).revision;
            let there = self.history(&place.branch)?.position(kept);
            if there.is_some_and(|there| there <= place.position) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The position of the first commit of a range that begins with a text: the one after a revision, but the
    /// first of a day.
    pub(crate) fn since(&mut self, branch: &Branch, at: &At) -> Result<u32, Fault> {
        let zone = self.options.zone.clone();
        if let Some(Meant::Moment(moment)) = self.alone(branch, at, &zone)? {
            let before = self.history(branch)?.at_time(moment.first.saturating_sub(1));
            return Ok(before.map_or(0, |position| position + 1));
        }
        let place = self.place_in(branch, at, &zone)?;
        Ok(self.onto(branch, &place)?.map_or(0, |position| position + 1))
    }

    /// The position of the last commit of a range that ends with a text; none if it ends before the first.
    pub(crate) fn until(&mut self, branch: &Branch, at: &At) -> Result<Option<u32>, Fault> {
        let zone = self.options.zone.clone();
        if let Some(Meant::Moment(moment)) = self.alone(branch, at, &zone)? {
            return Ok(self.history(branch)?.at_time(moment.last));
        }
        let place = self.place_in(branch, at, &zone)?;
        self.onto(branch, &place)
    }

    /// Whether a text means a time.
    pub(crate) fn is_moment(&mut self, branch: &Branch, at: &At) -> Result<bool, Fault> {
        let zone = self.options.zone.clone();
        Ok(matches!(self.alone(branch, at, &zone)?, Some(Meant::Moment(_))))
    }

    /// What a text without marks means.
    fn alone(&mut self, branch: &Branch, at: &At, zone: &TimeZone) -> Result<Option<Meant>, Fault> {
        match at::split(at.as_str()) {
            Some((base, 0)) => self.base(branch, base, zone).map(Some),
            _ => Ok(None),
        }
    }

    fn place_in(&mut self, branch: &Branch, at: &At, zone: &TimeZone) -> Result<Place, Fault> {
        let text = at.as_str();
        let Some((base, back)) = at::split(text) else {
            let message = format!("cannot go back by the marks of {text:?}");
            return Err(Fault::bad_request(message)
                .hint("write HEAD~3 or HEAD^; esker follows first parents only"));
        };
        let place = match self.base(branch, base, zone)? {
            Meant::Place(place) => place,
            Meant::Moment(moment) => self.at_time(branch, base, moment.last)?,
        };
        let mut place = self.settled_on(place)?;
        let fork = self.fork_of(&place.branch)?;
        let (mut left, mut before) = (u32::try_from(back).unwrap_or(u32::MAX), place.position);
        if let Some((fork, on_main)) = fork {
            let own = place.position - fork.last;
            before = on_main.saturating_add(own);
            if left >= own {
                left -= own;
                place = Place { branch: Branch::main(), position: on_main };
            }
        }
        let position = place.position.checked_sub(left).ok_or_else(|| {
            let message =
                format!("{branch} has no revision {text}: it begins {before} before {base}");
            Fault::new(Code::NotFound, message)
        })?;
        Ok(Place { position, ..place })
    }

    /// The same commit on `main`, if that is where the branch has it from.
    fn settled_on(&mut self, place: Place) -> Result<Place, Fault> {
        let Some((fork, _)) = self.fork_of(&place.branch)? else {
            return Ok(place);
        };
        if place.position > fork.last {
            return Ok(place);
        }
        let revision = self.history(&place.branch)?.step(place.position).revision;
        let position = self.history(&Branch::main())?.position(revision);
        Ok(position.map_or(place, |position| Place { branch: Branch::main(), position }))
    }

    /// Where a branch has a commit: of its own, or of what it has from `main`.
    fn known(&mut self, branch: &Branch, revision: Revision) -> Result<Option<Place>, Fault> {
        let fork = self.fork_of(branch)?;
        if let Some(position) = self.history(branch)?.position(revision) {
            return Ok(Some(Place { branch: branch.clone(), position }));
        }
        let Some((_, last)) = fork else {
            return Ok(None);
        };
        let position = self.history(&Branch::main())?.position(revision);
        let position = position.filter(|position| *position <= last);
        Ok(position.map(|position| Place { branch: Branch::main(), position }))
    }

    /// The commits of a branch that begin with some digits.
    fn beginning(&mut self, branch: &Branch, digits: &str) -> Result<Vec<Revision>, Fault> {
        let fork = self.fork_of(branch)?;
        let mut found = self.history(branch)?.beginning(digits, u32::MAX - 1);
        if let Some((_, last)) = fork {
            found.extend(self.history(&Branch::main())?.beginning(digits, last));
            found.sort_unstable();
            found.dedup();
        }
        Ok(found)
    }

    fn base(&mut self, branch: &Branch, text: &str, zone: &TimeZone) -> Result<Meant, Fault> {
        let history = self.history(branch)?;
        let Some(last) = history.last() else {
            let message = format!("the branch {branch} has no revision yet");
            return Err(Fault::new(Code::NotFound, message));
        };
        if text == "HEAD" {
            return Ok(Meant::Place(Place { branch: branch.clone(), position: last }));
        }
        if let Ok(revision) = text.parse() {
            let place = self.known(branch, revision)?;
            return place.ok_or_else(|| unknown(branch, text)).map(Meant::Place);
        }
        if let Some(revision) = self.tagged(text)? {
            let place = self.known(branch, revision)?.ok_or_else(|| {
                let message =
                    format!("the tag {text} names {revision}, which is not on the branch {branch}");
                Fault::new(Code::NotFound, message)
            });
            return place.map(Meant::Place);
        }
        let now = (self.options.clock)();
        let moment = at::moment(text, now, zone)?;
        let digits = text.to_ascii_lowercase();
        let is_short =
            text.len() >= SHORT_MIN && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = if is_short { self.beginning(branch, &digits)? } else { Vec::new() };
        match (found.as_slice(), moment) {
            ([], Some(moment)) => Ok(Meant::Moment(moment)),
            ([], None) => Err(self.nothing_like(branch, text)?),
            ([revision], None) => {
                let place = self.known(branch, *revision)?;
                place.ok_or_else(|| unknown(branch, text)).map(Meant::Place)
            }
            (several, None) => Err(ambiguous(text, several)),
            // What means the one today must not mean the other tomorrow.
            (several, Some(_)) => Err(Fault {
                message: format!("{text} may be a date, or the beginning of a revision"),
                ..ambiguous(text, several)
            }
            .hint("write a date with dashes, as in 2025-11-20, or more digits of the revision")),
        }
    }

    fn at_time(&mut self, branch: &Branch, text: &str, seconds: i64) -> Result<Place, Fault> {
        let fork = self.fork_of(branch)?;
        let own = self.history(branch)?.at_time(seconds);
        let (branch, found) = match fork {
            Some((fork, last)) if own.is_none_or(|position| position <= fork.last) => {
                let main = Branch::main();
                let found = self.history(&main)?.at_time_until(seconds, last);
                (main, found)
            }
            _ => (branch.clone(), own),
        };
        let history = self.history(&branch)?;
        let place = found.map(|position| Place { branch: branch.clone(), position });
        place.ok_or_else(|| {
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
