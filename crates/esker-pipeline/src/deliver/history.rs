//! The history of the store from the oldest commit on, a page at a time: however far behind the reader is, little of
//! it is in memory.

use std::collections::VecDeque;

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, Log, Mark};
use jiff::Timestamp;

use crate::commits::{DEADLINE, newest, resolve};

use super::tale;

/// How many entries are read at once.
const PAGE: u32 = 500;

/// How far a reader has come, on both branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) main: Option<Revision>,
    pub(crate) records: Option<Revision>,
}

impl Position {
    /// Behind all that was there before a moment.
    pub(crate) fn before(caller: &Caller, moment: Timestamp) -> Result<Self, Fault> {
        // Commits know whole seconds, and what came in this one may be news.
        let last = moment.as_second().saturating_sub(1);
        let last = Timestamp::from_second(last).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Self {
            main: at_time(caller, Branch::main(), last)?,
            records: at_time(caller, Branch::records(), last)?,
        })
    }
}

/// What a commit changed.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) is_record: bool,
    pub(crate) revision: Revision,
    pub(crate) time: Timestamp,
    /// By name.
    pub(crate) entries: Vec<Entry>,
}

/// Both branches as one: each in its own order, and what is older first.
pub(crate) struct Both {
    main: Branchwise,
    records: Branchwise,
}

impl Both {
    /// All that has come since; up to the newest there is now, or up to there.
    pub(crate) fn since(
        caller: &Caller,
        since: Position,
        until: Option<Position>,
    ) -> Result<Self, Fault> {
        let end = |branch: Branch, until: Option<Option<Revision>>| match until {
            Some(until) => Ok(until),
            None => newest(caller, branch),
        };
        let main = end(Branch::main(), until.map(|until| until.main))?;
        let records = end(Branch::records(), until.map(|until| until.records))?;
        Ok(Self {
            main: Branchwise::open(caller, Branch::main(), (since.main, main))?,
            records: Branchwise::open(caller, Branch::records(), (since.records, records))?,
        })
    }

    /// The next commit.
    pub(crate) fn next(&mut self) -> Result<Option<Commit>, Fault> {
        let of_main = self.main.peek()?;
        let of_records = self.records.peek()?;
        let from = match (of_main, of_records) {
            (None, None) => return Ok(None),
            (Some(_), None) => &mut self.main,
            (None, Some(_)) => &mut self.records,
            (Some(main), Some(records))
                if main < records || main == records && self.is_main()? =>
            {
                &mut self.main
            }
            _ => &mut self.records,
        };
        Ok(from.ready.pop_front())
    }

    /// Whether of two commits of one second that of `main` tells what ended first. What a run stored comes before its
    /// record.
    fn is_main(&self) -> Result<bool, Fault> {
        let (Some(main), Some(record)) = (self.main.ready.front(), self.records.ready.front())
        else {
            return Ok(true);
        };
        let made = main.entries.iter().find_map(|entry| entry.provenance.as_ref());
        let ended = tale::ended(&self.main.caller, record)?;
        Ok(match (made, ended) {
            (Some(made), Some(ended)) => tale::finished(made.started, made.duration_ms) <= ended,
            _ => true,
        })
    }
}

/// One branch from the oldest commit on.
struct Branchwise {
    caller: Caller,
    log: Log,
    /// Behind what the pages begin that are still to be read; the last is the next.
    pages: Vec<Option<Mark>>,
    /// The oldest commits that are still to be given.
    ready: VecDeque<Commit>,
    /// What was read of a commit whose other entries are on the next page.
    held: Option<Commit>,
}

impl Branchwise {
    fn open(
        caller: &Caller,
        branch: Branch,
        (since, until): (Option<Revision>, Option<Revision>),
    ) -> Result<Self, Fault> {
        let filter = Filter { since: since.map(At::from), ..Filter::default() };
        let at = until.map_or_else(At::head, At::from);
        let log = Log { at, branch, limit: PAGE, filter, ..Log::newest(PAGE) };
        let mut this = Self {
            caller: caller.clone(),
            log,
            pages: Vec::new(),
            ready: VecDeque::new(),
            held: None,
        };
        if until.is_none() || since == until {
            return Ok(this);
        }
        // Pages come newest first: where they begin is noted, what is on them is read when it is its turn, and the
        // last of them is the first.
        let mut page = this.ask(None)?;
        let mut after = None;
        while let Some(next) = page.next {
            this.pages.push(after.replace(next));
            page = this.ask(after.clone())?;
        }
        this.take(page.entries);
        Ok(this)
    }

    fn ask(&self, after: Option<Mark>) -> Result<esker_wire::snapshot::Page, Fault> {
        self.caller.call_blocking(&Log { after, ..self.log.clone() }, DEADLINE)
    }

    /// The time of the next commit.
    fn peek(&mut self) -> Result<Option<Timestamp>, Fault> {
        while self.ready.is_empty() {
            let Some(after) = self.pages.last().cloned() else {
                self.ready.extend(self.held.take());
                break;
            };
            let page = self.ask(after)?;
            self.pages.pop();
            self.take(page.entries);
        }
        Ok(self.ready.front().map(|commit| commit.time))
    }

    fn take(&mut self, entries: Vec<Entry>) {
        for entry in entries.into_iter().rev() {
            match &mut self.held {
                Some(held) if held.revision == entry.revision => held.entries.insert(0, entry),
                held => {
                    let commit = Commit {
                        is_record: !self.log.branch.is_main(),
                        revision: entry.revision,
                        time: entry.time,
                        entries: vec![entry],
                    };
                    self.ready.extend(held.replace(commit));
                }
            }
        }
    }
}

/// The last commit of a branch at a time.
fn at_time(caller: &Caller, branch: Branch, time: Timestamp) -> Result<Option<Revision>, Fault> {
    let at = time.to_string().parse();
    let at = at.map_err(|error| Fault::bad_request(format!("{error}")))?;
    resolve(caller, branch, at)
}

#[cfg(test)]
mod tests;
