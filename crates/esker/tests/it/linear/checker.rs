//! Whether what clients saw of one resource can be told as a story: one thing after the other, in an order
//! that their clocks and the store's own chain of versions both allow. Pure: values in, a verdict out.
//!
//! For registers in general that question (linearizability) is hard because the order of the writes is not known. Here
//! it is: every content is written once, and the store's chain says in which order. So each operation has its place:
//!
//! - the write of version k, counted from 1, has place 2k;
//! - a read that found version k has place 2k + 1, after that write and before the next (0 is "nothing yet");
//! - a write refused because the head was no longer version k, which its client had seen before it asked, has its
//!   place somewhere after 2(k + 1), and nothing has to come after it.
//!
//! A story is a moment for each operation, between its beginning and its end, such that the moments come in the order of
//! the places. There is one if and only if no operation ended before another began whose place is earlier:
//! that is needed, since the later moment cannot be the smaller; and it is enough, for then each operation may
//! have as its moment the latest beginning of all whose place is not later, which is not after its end and never sinks as
//! places rise. Reads of one version have no order among them. What is left is checked on the chain: that each acknowledged
//! write is in it once, with the revisions it was told, each unknown one at most once, no refused one; that each version was written
//! by someone, is linked to the one before, and stands on what its writer expected.

use std::collections::HashMap;
use std::time::Duration;

/// One version of the resource, as the store tells it at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) revision: String,
    pub(crate) previous: Option<String>,
    pub(crate) content: String,
}

/// What one client did, and when by the one clock of all clients.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
    pub(crate) deed: Deed,
}

/// A revision of the resource; none is "nothing yet".
pub(crate) type Head = Option<String>;

#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Found this revision with this content, or nothing.
    Read(Option<(String, String)>),
    /// Wrote a content that nobody else writes.
    Write {
        content: String,
        /// Only if the head is this, which this client has seen before.
        expected: Option<Head>,
        outcome: Outcome,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored {
        revision: String,
        previous: Head,
    },
    /// The head was another.
    Conflict,
    /// Not done, for a reason that has nothing to do with the head.
    Refused,
    /// Nobody answered: done or not.
    Unknown,
}

/// Where an operation stands in the story.
struct Place<'a> {
    place: usize,
    /// Whether others have to come after it.
    binds: bool,
    operation: &'a Operation,
}

/// Checks one resource.
///
/// # Errors
/// What cannot be, in words.
pub(crate) fn check(chain: &[Version], history: &[Operation]) -> Result<(), String> {
    linked(chain)?;
    let story = Story::new(chain, history)?;
    let mut places = Vec::new();
    for operation in history {
        if let Some((place, binds)) = story.place(operation)? {
            places.push(Place { place, binds, operation });
        }
    }
    in_time(places)
}

/// The chain is one: each version names the one before it, and no content comes twice.
fn linked(chain: &[Version]) -> Result<(), String> {
    let mut contents = HashMap::new();
    let mut before = None;
    for version in chain {
        if version.previous != before {
            return Err(format!("{version:?} does not follow {before:?}"));
        }
        if let Some(first) = contents.insert(&version.content, version) {
            return Err(format!("one content twice: {first:?} and {version:?}"));
        }
        before = Some(version.revision.clone());
    }
    Ok(())
}

/// Which version is which.
struct Story<'a> {
    chain: &'a [Version],
    by_revision: HashMap<&'a str, usize>,
    by_content: HashMap<&'a str, usize>,
}

impl<'a> Story<'a> {
    fn new(chain: &'a [Version], history: &'a [Operation]) -> Result<Self, String> {
        let mut unwritten: HashMap<&str, &Version> =
            chain.iter().map(|version| (version.content.as_str(), version)).collect();
        for operation in history {
            if let Deed::Write { content, .. } = &operation.deed {
                unwritten.remove(content.as_str());
            }
        }
        if let Some(version) = unwritten.values().next() {
            return Err(format!("nobody wrote {version:?}"));
        }
        let numbered = || chain.iter().zip(1..);
        Ok(Self {
            chain,
            by_revision: numbered().map(|(version, k)| (version.revision.as_str(), k)).collect(),
            by_content: numbered().map(|(version, k)| (version.content.as_str(), k)).collect(),
        })
    }

    /// The number of a head in the chain.
    fn number(&self, head: &Head) -> Option<usize> {
        match head {
            None => Some(0),
            Some(revision) => self.by_revision.get(revision.as_str()).copied(),
        }
    }

    /// The place of an operation, and whether others must come after it; none if it did nothing.
    fn place(&self, operation: &Operation) -> Result<Option<(usize, bool)>, String> {
        let wrong = |what: &str| Err(format!("{what}: {operation:?}"));
        let (content, expected, outcome) = match &operation.deed {
            Deed::Read(None) => return Ok(Some((1, true))),
            Deed::Read(Some((revision, content))) => {
                return match self.by_revision.get(revision.as_str()) {
                    Some(k) if self.chain[k - 1].content == *content => Ok(Some((2 * k + 1, true))),
                    Some(_) => wrong("read another content than the version has"),
                    None => wrong("read what is not in the chain"),
                };
            }
            Deed::Write { content, expected, outcome } => (content, expected, outcome),
        };
        let expected = match expected {
            None => None,
            Some(head) => match self.number(head) {
                None => return wrong("expected a head that is not in the chain"),
                known => known,
            },
        };
        let k = self.by_content.get(content.as_str()).copied();
        if let Some(k) = k
            && expected.is_some_and(|expected| expected + 1 != k)
        {
            return wrong("stored on another head than expected");
        }
        match (outcome, k) {
            (Outcome::Stored { revision, previous }, Some(k)) => {
                let version = &self.chain[k - 1];
                if (&version.revision, &version.previous) != (revision, previous) {
                    return wrong("told other revisions than the chain has");
                }
                Ok(Some((2 * k, true)))
            }
            (Outcome::Stored { .. }, None) => wrong("an acknowledged write is lost"),
            (Outcome::Unknown, k) => Ok(k.map(|k| (2 * k, true))),
            (Outcome::Conflict | Outcome::Refused, Some(_)) => wrong("refused, and yet stored"),
            (Outcome::Refused, None) => Ok(None),
            (Outcome::Conflict, None) => match expected {
                None => wrong("a conflict where nothing was expected"),
                Some(expected) if expected == self.chain.len() => {
                    wrong("a conflict with a head that nobody moved")
                }
                Some(expected) => Ok(Some((2 * (expected + 1) + 1, false))),
            },
        }
    }
}

/// No operation ended before one began that must come earlier.
fn in_time(mut places: Vec<Place<'_>>) -> Result<(), String> {
    places.sort_by_key(|place| place.place);
    let mut latest: Option<&Operation> = None;
    for same in places.chunk_by(|one, other| one.place == other.place) {
        for Place { operation, .. } in same {
            if let Some(earlier) = latest.filter(|earlier| operation.ended < earlier.begun) {
                return Err(format!(
                    "{operation:?} was over before this began, and must come after it: {earlier:?}"
                ));
            }
        }
        let binding = same.iter().filter(|place| place.binds).map(|place| place.operation);
        latest = latest.into_iter().chain(binding).max_by_key(|operation| operation.begun);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
