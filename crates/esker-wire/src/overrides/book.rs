//! The overrides of one resource, what the last run of its maker says against them, and the PUTs that settle them.

use std::collections::BTreeMap;

use super::Override;
use crate::fault::{Code, Fault};
use crate::name::{Branch, Resource};
use crate::record::RunRecord;
use crate::revision::Revision;
use crate::snapshot::{Content, Expect, Item, Put};

/// The overrides of a resource.
#[derive(Debug, Clone)]
pub struct Book {
    /// Whose they are.
    pub of: Resource,
    /// What holds them.
    pub at: Resource,
    /// Its version.
    pub revision: Revision,
    /// All of them; people number them from 1.
    pub all: Vec<Override>,
    /// What its maker's last run says against them.
    pub against: Option<Against>,
}

/// A contradiction, as the record of a run has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// Whose overrides they are.
    pub of: String,
    /// Who makes that.
    pub stage: String,
    /// What it says.
    pub summary: String,
    /// What it says of each, by their numbers.
    pub each: BTreeMap<usize, String>,
}

/// Which overrides are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// All of them.
    All,
    /// The one of this number, from 1.
    One(usize),
}

/// What the record of a run says against overrides.
pub fn against(record: &RunRecord) -> Option<Against> {
    let failure = record.failure.as_ref()?;
    let (of, _) = failure.summary.split_once(" contradicts override ")?;
    let each = failure.detail.lines().filter_map(|line| {
        let (number, what) = line.strip_prefix("override ")?.split_once(", ")?;
        Some((number.parse().ok()?, what.to_owned()))
    });
    Some(Against {
        of: of.to_owned(),
        stage: record.stage.clone(),
        summary: failure.summary.clone(),
        each: each.collect(),
    })
}

/// What is answered where a resource has none.
pub fn none(of: &Resource) -> Fault {
    Fault::new(Code::NotFound, format!("{of} has no overrides"))
        .hint("`esker override list` lists those there are")
}

impl Book {
    /// Reads the overrides of a resource from what holds them.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn read(of: Resource, content: Content, against: &[Against]) -> Result<Self, Fault> {
        let all = super::read(&content.bytes.unwrap_or_default())?;
        let against = against.iter().find(|against| against.of == of.as_str()).cloned();
        let entry = content.entry;
        Ok(Self { of, at: entry.resource, revision: entry.revision, all, against })
    }

    /// What the last run says of one.
    pub fn said(&self, number: usize) -> Option<&str> {
        self.against.as_ref()?.each.get(&number).map(String::as_str)
    }

    /// The numbers that are meant.
    ///
    /// # Errors
    /// `not-found` if there is none of a number.
    pub fn numbers(&self, which: &[Numbered]) -> Result<Vec<usize>, Fault> {
        let mut numbers = Vec::new();
        for which in which {
            match which {
                Numbered::All => numbers.extend(1..=self.all.len()),
                Numbered::One(number) if (1..=self.all.len()).contains(number) => {
                    numbers.push(*number);
                }
                Numbered::One(number) => {
                    let text = format!("{} has no override {number}", self.of);
                    let hint = format!(
                        "they are numbered from 1 to {}: esker override show {}",
                        self.all.len(),
                        self.of
                    );
                    return Err(Fault::new(Code::NotFound, text).hint(hint));
                }
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The PUT that has these applied whatever is there; none if they are already.
    ///
    /// # Errors
    /// As [`super::write`].
    pub fn keep(&self, numbers: &[usize], author: Option<String>) -> Result<Option<Put>, Fault> {
        let mut all = self.all.clone();
        let meant = (1..).zip(&mut all).filter(|(number, _)| numbers.contains(number));
        meant.for_each(|(_, one)| one.before = None);
        if all == self.all {
            return Ok(None);
        }
        self.put(&all, &format!("keep {}", listed(numbers)), author).map(Some)
    }

    /// The PUT that removes these.
    ///
    /// # Errors
    /// As [`super::write`].
    pub fn leave(&self, numbers: &[usize], author: Option<String>) -> Result<Put, Fault> {
        let all = (1..).zip(&self.all).filter(|(number, _)| !numbers.contains(number));
        let all: Vec<Override> = all.map(|(_, one)| one.clone()).collect();
        self.put(&all, &format!("drop {}", listed(numbers)), author)
    }

    /// Puts what is left, unless somebody has changed them meanwhile: their numbers may mean others then.
    fn put(&self, all: &[Override], what: &str, author: Option<String>) -> Result<Put, Fault> {
        let content = match all {
            [] => None,
            all => Some(super::write(all)?.into()),
        };
        let if_head = Some(Expect::Revision(self.revision));
        let resource = self.at.clone();
        Ok(Put {
            items: vec![Item { resource, content, if_head, content_type: None }],
            branch: Branch::main(),
            message: Some(format!("overrides of {}: {what}", self.of)),
            author,
            provenance: None,
            base: None,
        })
    }

    /// What is told of a PUT that was refused because they were changed meanwhile.
    #[must_use]
    pub fn told(&self, fault: Fault) -> Fault {
        if fault.code != Code::Conflict {
            return fault;
        }
        let hint = format!("their numbers may be others now: esker override show {}", self.of);
        let text = format!("the overrides of {} were changed meanwhile", self.of);
        Fault::new(Code::Conflict, text).hint(hint)
    }
}

/// Numbers as people are told them.
pub fn listed(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
