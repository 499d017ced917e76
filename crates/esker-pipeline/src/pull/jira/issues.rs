//! Issues as lines of JSON, one an issue, by their number: fields by name, and nothing that differs from look to look.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::pull::singer::canonical;
use crate::run::failure::Broken;

use super::strange;

/// What an issue has besides what it is.
const LEFT_OUT: [&str; 2] = ["expand", "self"];

/// Issues by their number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Issues(BTreeMap<u64, String>);

#[derive(Deserialize)]
struct Numbered {
    id: String,
}

/// The numbers of the issues of a page.
pub(super) fn ids(page: &[&RawValue]) -> Result<Vec<u64>, Broken> {
    page.iter().map(|issue| id(issue.get())).collect()
}

fn id(issue: &str) -> Result<u64, Broken> {
    let numbered: Numbered =
        serde_json::from_str(issue).map_err(|_| strange("an issue without an id"))?;
    numbered.id.parse().map_err(|_| strange("an issue whose id is no number"))
}

impl Issues {
    /// Reads [`Issues::text`].
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let text = std::str::from_utf8(bytes).map_err(|_| strange("what is there is not UTF-8"))?;
        let lines = text.lines().map(|line| Ok((id(line)?, line.to_owned())));
        lines.collect::<Result<_, Broken>>().map(Self)
    }

    /// Takes the issues of a page, in place of what they were.
    pub(super) fn take(&mut self, page: &[&RawValue]) -> Result<(), Broken> {
        for issue in page {
            let mut fields: BTreeMap<&str, &RawValue> =
                serde_json::from_str(issue.get()).map_err(|_| strange("an issue that is none"))?;
            fields.retain(|field, _| !LEFT_OUT.contains(field));
            let whole =
                serde_json::to_string(&fields).map_err(|error| strange(&error.to_string()))?;
            let line = canonical(&whole).map_err(|why| strange(&why))?;
            self.0.insert(id(&line)?, line);
        }
        Ok(())
    }

    /// Those that are there and are not known.
    pub(super) fn lost(&self, there: &BTreeSet<u64>) -> Vec<u64> {
        there.iter().filter(|id| !self.0.contains_key(id)).copied().collect()
    }

    /// Lets go those that are not there.
    pub(super) fn keep(&mut self, there: &BTreeSet<u64>) {
        self.0.retain(|id, _| there.contains(id));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(&self) -> String {
        self.0.values().flat_map(|line| [line, "\n"]).collect()
    }
}
