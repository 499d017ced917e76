//! A what-if with all that a store says of it.

use crate::edit::{Edit, Noted};
use crate::name::Branch;
use crate::revision::Revision;

use super::state::{Outcome, State};
use super::{About, Wish};

/// A what-if as a store has it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// Its branch.
    pub branch: Branch,
    /// What it says of itself.
    pub about: About,
    /// The version of that.
    pub revision: Revision,
    /// What has come of it, or of an earlier version.
    pub state: Option<State>,
}

impl Case {
    /// What has come of it as it is; none while that is worked on.
    pub fn settled(&self) -> Option<&State> {
        self.state.as_ref().filter(|state| state.about == self.revision)
    }

    /// Whether this is what was wished for last, and done.
    pub fn has_done(&self, wish: Wish) -> bool {
        let answer = self.state.as_ref().and_then(|state| state.answer.as_ref());
        let ask = self.about.ask.as_ref().filter(|ask| ask.what == wish);
        ask.zip(answer)
            .is_some_and(|(ask, answer)| ask.number == answer.number && answer.revision.is_some())
    }

    /// Whether it is on `main` as it is: what was amended since is another.
    fn is_applied(&self) -> bool {
        let is_there = self.state.as_ref().is_some_and(|state| state.applied.is_some());
        is_there && self.about.ask.is_some()
    }

    /// How it stands, in a word: `computing`, `done`, `problem`, `invalid` or `applied`.
    pub fn word(&self) -> &'static str {
        match self.settled().map(|state| state.outcome) {
            None => "computing",
            Some(_) if self.is_applied() => "applied",
            Some(Outcome::Done) => "done",
            Some(Outcome::Problem) => "problem",
            Some(Outcome::Invalid) => "invalid",
        }
    }

    /// How many changes it makes.
    pub fn changes(&self) -> usize {
        let About { edits, inputs, files, .. } = &self.about;
        edits.len() + inputs.len() + files.len()
    }

    /// Its edits, each with what it found as far as that is known.
    pub fn noted(&self) -> Vec<Noted> {
        let found = self.settled().map(|state| state.found.as_slice()).unwrap_or_default();
        let before = |at: usize, edit: &Edit| {
            let noted = found.get(at).filter(|(known, _)| known == edit);
            noted.and_then(|(_, before)| before.clone())
        };
        let edits = self.about.edits.iter().enumerate();
        edits.map(|(at, edit)| (edit.clone(), before(at, edit))).collect()
    }
}
