//! Problems: runs that failed, or that checks warn of, with what people have said of each; and the PUTs by which people
//! ask for another try, or say something.
//!
//! A problem is a record of a run on the branch `records`, and what was said of it stands beside it ([`Stance`]).

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::fault::{Code, Fault};
use crate::name::Resource;
use crate::provenance::Input;
use crate::record::{DEFINITION, Ended, Failure, RunRecord};
use crate::snapshot::Put;
use crate::stance::{NOTE_MAX, Said, Stance};

/// How much of a problem's id people are shown, and need not type more of.
pub const ID_SHOWN: usize = 7;

/// The fewest digits of an id that name a problem.
const ID_MIN: usize = 4;

/// How long at most a problem may be out of sight.
pub const MUTE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What the names of records begin with: of the last run of each stage, then of versions that were passed over.
pub const PREFIXES: [&str; 2] = ["run/", "skipped/"];

/// What a problem is known by: the same for the same stage and run key, in hexadecimal.
pub fn id(record: &RunRecord) -> String {
    let hash = Sha256::digest(format!("{}\n{}", record.stage, record.run_key));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The record that makes the engine run a source or stage again at once, although its outputs are what they should be.
pub fn again(record: &RunRecord, now: Timestamp) -> RunRecord {
    let asked = record.failure.as_ref().map(|failure| Failure {
        summary: "asked to run again".to_owned(),
        hint: String::new(),
        detail: String::new(),
        count: 0,
        // It fails as long as it does, whoever asks meanwhile.
        since: failure.since,
        not_before: Some(now),
    });
    RunRecord { ended: Ended::Retry, failure: asked, ..record.clone() }
}

/// A record of what failed, or of what checks warn of, and what people have said of it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The record.
    pub record: RunRecord,
    /// The resource that keeps it.
    pub at: Resource,
    /// What it is known by.
    pub id: String,
    /// That it is known.
    pub ack: Option<Stance>,
    /// That it is to be out of sight.
    pub mute: Option<Stance>,
}

/// The problems among these records, in their order, with what was said of each that holds now.
pub fn all(
    records: Vec<(Resource, RunRecord)>,
    stances: &[Stance],
    now: Timestamp,
) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for (at, record) in records {
        let id = id(&record);
        let tells = record.failure.is_some() || !record.warnings.is_empty();
        if !tells || problems.iter().any(|known| known.id == id) {
            continue;
        }
        let held = |said: Said| {
            let mut of = stances.iter().filter(|stance| stance.said == said);
            of.find(|stance| stance.holds(&record, now)).cloned()
        };
        let (ack, mute) = (held(Said::Ack), held(Said::Mute));
        problems.push(Problem { record, at, id, ack, mute });
    }
    problems
}

/// The problem a person names: by its stage, or by the first digits of its id.
///
/// # Errors
/// `not-found` with those there are, or `ambiguous`.
pub fn named<'p>(all: &'p [Problem], name: &str) -> Result<&'p Problem, Fault> {
    let of_stage: Vec<&Problem> = all.iter().filter(|one| one.record.stage == name).collect();
    match of_stage.as_slice() {
        [] => {}
        [one] => return Ok(one),
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.short()).collect();
            let text = format!("{name} has {} problems", ids.len());
            let hint = format!("name one by its id: {}", ids.join(", "));
            return Err(Fault::new(Code::Ambiguous, text).hint(hint));
        }
    }
    let begins = |problem: &&Problem| name.len() >= ID_MIN && problem.id.starts_with(name);
    let found: Vec<&Problem> = all.iter().filter(begins).collect();
    let stages = |of: &[&Problem]| {
        let names: Vec<&str> = of.iter().map(|one| one.record.stage.as_str()).collect();
        names.join(", ")
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let hint = match stages(&all.iter().collect::<Vec<_>>()) {
                none if none.is_empty() => "there are no problems".to_owned(),
                known => format!("problems are: {known}"),
            };
            Err(Fault::new(Code::NotFound, format!("{name} has no problem")).hint(hint))
        }
        several => {
            let text = format!("several problems begin with {name}");
            let hint = format!("name one by its stage: {}", stages(several));
            Err(Fault::new(Code::Ambiguous, text).hint(hint))
        }
    }
}

impl Problem {
    /// Whether somebody should look at it.
    pub fn is_open(&self) -> bool {
        self.record.failure.is_some() && self.ack.is_none() && self.mute.is_none()
    }

    /// The version that a stage which sees every version has failed for and gone on behind.
    pub fn passed_over(&self) -> Option<&Input> {
        let is_over = self.at.as_str().starts_with(PREFIXES[1]);
        self.record.inputs.first().filter(|_| is_over)
    }

    /// As much of its id as people need.
    pub fn short(&self) -> &str {
        &self.id[..ID_SHOWN]
    }

    /// Its failure; what only warns has none.
    ///
    /// # Errors
    /// `conflict` if it has not failed.
    pub fn failure(&self) -> Result<&Failure, Fault> {
        self.record.failure.as_ref().ok_or_else(|| {
            Fault::new(Code::Conflict, format!("{} has not failed", self.record.stage))
                .hint("it only warns: its outputs are published")
        })
    }

    /// What was said of it that holds.
    pub fn said(&self, said: Said) -> Option<&Stance> {
        match said {
            Said::Ack => self.ack.as_ref(),
            Said::Mute => self.mute.as_ref(),
        }
    }

    /// The PUT that asks the runner to run it once more, although nothing has changed.
    ///
    /// # Errors
    /// `conflict` if it only warns, or is the definition, which is not run.
    pub fn retry(&self, author: Option<String>, now: Timestamp) -> Result<Put, Fault> {
        self.failure()?;
        if self.record.stage == DEFINITION {
            return Err(Fault::new(Code::Conflict, format!("{DEFINITION} is not run"))
                .hint("edit the file: it is read again when it is saved"));
        }
        let record = again(&self.record, now);
        let message = format!("{}: {}", record.stage, record.ended);
        let content = Some(Bytes::from(record.to_bytes()));
        Ok(Put { author, ..Put::noted(self.at.clone(), content, message) })
    }

    /// What somebody says of it.
    ///
    /// # Errors
    /// `conflict` if it only warns; `bad-request` if the note is too long, or holds for too long.
    pub fn say(
        &self,
        said: Said,
        by: Option<String>,
        note: Option<String>,
        (now, until): (Timestamp, Option<Timestamp>),
    ) -> Result<Stance, Fault> {
        let failure = self.failure()?;
        if note.as_ref().is_some_and(|note| note.len() > NOTE_MAX) {
            let text = format!("the note has more than {NOTE_MAX} bytes");
            let hint = "say it shorter, and put the rest where the note says";
            return Err(Fault::bad_request(text).hint(hint));
        }
        if until.is_some_and(|until| until.duration_since(now) > MUTE_MAX) {
            let text = "it is to be out of sight for longer than a year";
            return Err(Fault::bad_request(text).hint("mute it for a while only"));
        }
        Ok(Stance {
            said,
            stage: self.record.stage.clone(),
            run_key: self.record.run_key.clone(),
            summary: failure.summary.replace(['\n', '\r'], " "),
            since: failure.since,
            at: now,
            by: by.unwrap_or_else(|| "somebody".to_owned()),
            until,
            note,
        })
    }

    /// The PUT that takes back what was said of it.
    ///
    /// # Errors
    /// `conflict` if it was not said.
    pub fn take_back(&self, said: Said, author: Option<String>) -> Result<Put, Fault> {
        let stage = &self.record.stage;
        let word = match said {
            Said::Ack => "acknowledged",
            Said::Mute => "muted",
        };
        if self.said(said).is_none() {
            return Err(Fault::new(Code::Conflict, format!("{stage} is not {word}"))
                .hint("`esker problems --all` shows what is"));
        }
        let resource = Stance::resource(said, stage)?;
        Ok(Put { author, ..Put::noted(resource, None, format!("{stage}: no more {word}")) })
    }
}

impl Stance {
    /// The PUT that keeps it.
    ///
    /// # Errors
    /// As [`Stance::resource`].
    pub fn put(&self, author: Option<String>) -> Result<Put, Fault> {
        let resource = Self::resource(self.said, &self.stage)?;
        let note = self.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let message = format!("{}: {}{note}", self.stage, self.said);
        let content = Some(Bytes::from(self.to_bytes()));
        Ok(Put { author, ..Put::noted(resource, content, message) })
    }
}

#[cfg(test)]
mod tests;
