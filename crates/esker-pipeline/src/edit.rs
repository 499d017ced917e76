//! Edits of contents: what would it be if this cell were 3, and the same again on every newer version.
//!
//! Bytes in, bytes out. Every edit is a splice: what it does not mean stays as it is, to the byte. Edits are applied in
//! their order by [`weigh`], which holds each against what it found when it was made; [`merge()`] works that out
//! from an older content; [`merge_whole`] merges a content that was replaced. All edits given are of one content:
//! the resource of their addresses is the caller's business.
//!
//! `rank` is told in `edit/rank.rs`, what a content is taken for in `edit/doc.rs`.

mod doc;
mod index;
mod json;
mod json_node;
mod lines;
mod merge;
mod miss;
mod rank;
mod scan;
mod streams;
mod table;
mod tables;
mod toml_text;
mod whole;

use std::fmt;

use esker_wire::edit::address::Place;
use esker_wire::edit::{Before, Deed, Edit, Noted};

use doc::Doc;
use miss::Miss;

pub use merge::{Decision, merge};
pub use whole::merge_whole;

/// The largest content that is edited, in bytes.
pub const CONTENT_MAX: usize = esker_wire::message::CONTENT_MAX;

/// A content that is edited, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The content.
    pub bytes: &'a [u8],
    /// What it is said to be; else its looks tell.
    pub content_type: Option<&'a str>,
    /// The columns that name rows, if they are declared; tables that lack one of them have a key of their own.
    pub key: &'a [String],
}

impl<'a> Content<'a> {
    /// A content of which nothing is known.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, content_type: None, key: &[] }
    }

    /// Another content of which the same is known.
    fn like(&self, bytes: &'a [u8]) -> Self {
        Self { bytes, ..*self }
    }
}

/// A content after its edits, and what became of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The content; what is in conflict has not changed it.
    pub content: Vec<u8>,
    /// What became of each edit, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Weighed {
    /// Whether nothing is in conflict, so that the content may be kept.
    pub fn is_settled(&self) -> bool {
        !self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Conflict(_)))
    }
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Applied {
        /// What it found.
        before: Before,
    },
    /// The content says so already.
    Already,
    /// It was decided that the content stays as it is.
    Yielded,
    /// It was not made, and somebody has to decide.
    Conflict(Conflict),
}

/// Why an edit was not made, in texts for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where, if that can be said.
    pub place: Option<Place>,
    /// What stands against it.
    pub clash: Clash,
    /// What the edit found when it was made.
    pub base: String,
    /// What is there now.
    pub theirs: String,
    /// What the edit wants.
    pub mine: String,
}

/// What stands against an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// The same was changed otherwise.
    BothChanged,
    /// What the edit changes, or stands by, was removed.
    EditedAndRemoved,
    /// What the edit removes was changed.
    RemovedAndEdited,
    /// The row was added otherwise.
    BothAdded,
    /// The row was moved otherwise.
    BothMoved,
    /// The row has another rank.
    BothRanked,
    /// The column is no longer there.
    ColumnGone,
    /// The stream is no longer there.
    StreamGone,
    /// There is a value of another kind.
    OtherKind,
    /// Several rows are meant now.
    Ambiguous,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BothChanged => "both changed it",
            Self::EditedAndRemoved => "changed here, removed there",
            Self::RemovedAndEdited => "removed here, changed there",
            Self::BothAdded => "both added it",
            Self::BothMoved => "both moved it",
            Self::BothRanked => "both ranked it",
            Self::ColumnGone => "the column is gone",
            Self::StreamGone => "the stream is gone",
            Self::OtherKind => "it is of another kind now",
            Self::Ambiguous => "several rows are meant now",
        })
    }
}

/// An edit that cannot be made whatever anybody decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {deed}: {why}")]
pub struct Refused {
    /// Which edit, from 1; 0 if it is none of them.
    pub number: usize,
    /// What was to be done: the edit and its number.
    pub deed: String,
    /// Why not, and what to do.
    pub why: String,
}

impl Refused {
    fn edit(number: usize, edit: &Edit, why: &dyn fmt::Display) -> Self {
        let deed = format!("make edit {number} ({edit})");
        Self { number, deed, why: why.to_string() }
    }

    fn content(why: &dyn fmt::Display) -> Self {
        Self { number: 0, deed: "edit the content".to_owned(), why: why.to_string() }
    }
}

/// Applies edits in their order. One that comes with what it found is made only if that is still so; the content may
/// also say already what it wants. One without is made whatever is there.
///
/// # Errors
/// [`Refused`] if the content cannot be edited by address, or an edit cannot be made in any content like it, or it comes
/// without what it found and there is nothing to change.
pub fn weigh(content: Content<'_>, edits: &[Noted]) -> Result<Weighed, Refused> {
    let mut doc = Doc::open(content)?;
    let mut outcomes = Vec::with_capacity(edits.len());
    for (index, (edit, before)) in edits.iter().enumerate() {
        let one =
            One { number: index + 1, edit, before: before.as_ref(), last: None, decision: None };
        outcomes.push(one.weigh(&mut doc)?);
    }
    let content = finish(doc, edits.last().map(|(edit, _)| edit), edits.len())?;
    Ok(Weighed { content, outcomes })
}

/// What is at a place: the text of a cell, the text of a string, any other value as it is written. None if nothing is
/// there, or the content has no places.
pub fn read(content: Content<'_>, place: &Place) -> Option<String> {
    Doc::open(content).ok()?.read(place)
}

/// Applies edits to a content, both given as one: the content with a line feed at its end, a zero byte, the list of edits.
/// A way in for tests with any bytes at all.
pub fn try_any(bytes: &[u8]) -> Option<Weighed> {
    let start = bytes.windows(2).rposition(|pair| pair == b"\n\0")?;
    let edits = esker_wire::edit::read(&bytes[start + 2..]).ok()?;
    weigh(Content::new(&bytes[..=start]), &edits).ok()
}

fn finish(doc: Doc<'_>, last: Option<&Edit>, count: usize) -> Result<Vec<u8>, Refused> {
    doc.finish().map_err(|miss| match last {
        Some(edit) => Refused::edit(count, edit, &miss),
        None => Refused::content(&miss),
    })
}

/// What there is at an edit's place: what it finds, or why nothing.
type State = Result<Before, Miss>;

/// An edit that is weighed.
struct One<'e> {
    number: usize,
    edit: &'e Edit,
    /// What it found when it was made.
    before: Option<&'e Before>,
    /// What was there after all edits were made.
    last: Option<&'e State>,
    decision: Option<Decision>,
}

impl One<'_> {
    fn refused(&self, why: &dyn fmt::Display) -> Refused {
        Refused::edit(self.number, self.edit, why)
    }

    fn weigh(&self, doc: &mut Doc<'_>) -> Result<Outcome, Refused> {
        let now = doc.now(self.edit);
        if let Err(Miss::Never(why)) = &now {
            return Err(self.refused(why));
        }
        let Some(before) = self.before else {
            return self.force(doc, now);
        };
        let found = match &now {
            Ok(found) => found.clone(),
            Err(Miss::Row(_)) if self.edit.deed == Deed::Remove => return Ok(Outcome::Already),
            Err(miss) => return Ok(self.clash(clash(miss), before, &now)),
        };
        match self.says(doc, &found) {
            Ok(true) => return Ok(Outcome::Already),
            Ok(false) => {}
            Err(Miss::Never(why)) => return Err(self.refused(&why)),
            Err(miss) => return Ok(self.clash(clash(&miss), before, &now)),
        }
        if found != *before {
            return self.settle(doc, before, now);
        }
        match doc.apply(self.edit, true) {
            Ok(()) => Ok(Outcome::Applied { before: found }),
            Err(Miss::Never(why)) => Err(self.refused(&why)),
            Err(miss) => Ok(self.clash(clash(&miss), before, &now)),
        }
    }

    /// Whether the content says so already; of a row without a key, whether there is one like it.
    fn says(&self, doc: &mut Doc<'_>, found: &Before) -> Result<bool, Miss> {
        Ok(doc.says(self.edit, found)? || doc.has_like(self.edit)?)
    }

    /// Makes the edit whatever is there.
    fn force(&self, doc: &mut Doc<'_>, now: State) -> Result<Outcome, Refused> {
        let before = now.map_err(|miss| self.refused(&miss))?;
        let is_added = matches!((&self.edit.deed, &before), (Deed::Add { .. }, Before::Row(_)));
        if is_added && !doc.says(self.edit, &before).map_err(|miss| self.refused(&miss))? {
            return Err(self.refused(&"there is a row of this key already; set its cells instead"));
        }
        if !is_added {
            doc.apply(self.edit, false).map_err(|miss| self.refused(&miss))?;
        }
        Ok(Outcome::Applied { before })
    }

    /// What becomes of an edit that finds something else than it did.
    fn settle(&self, doc: &mut Doc<'_>, before: &Before, now: State) -> Result<Outcome, Refused> {
        if self.last.is_some_and(|last| is_same(last, &now)) {
            return Ok(Outcome::Already);
        }
        let is_other = |found: &Before| doc::is_nested(before) != doc::is_nested(found);
        let clash = match (&self.edit.deed, &now) {
            (Deed::Remove, _) => Clash::RemovedAndEdited,
            (Deed::Add { .. }, _) => Clash::BothAdded,
            (Deed::Move(_), _) => Clash::BothMoved,
            (Deed::Rank(_), _) => Clash::BothRanked,
            (Deed::Set(_), Ok(Before::Absent)) => Clash::EditedAndRemoved,
            (Deed::Set(_), Ok(found)) if doc.is_tree() && is_other(found) => Clash::OtherKind,
            (Deed::Set(_), _) => Clash::BothChanged,
        };
        let conflict = self.clash(clash, before, &now);
        if self.decision != Some(Decision::Mine) {
            return Ok(conflict);
        }
        let Ok(found) = now else {
            return Ok(conflict);
        };
        match doc.apply(self.edit, true) {
            Ok(()) => Ok(Outcome::Applied { before: found }),
            Err(Miss::Never(why)) => Err(self.refused(&why)),
            Err(_) => Ok(conflict),
        }
    }

    fn clash(&self, clash: Clash, before: &Before, now: &State) -> Outcome {
        if self.decision == Some(Decision::Theirs) {
            return Outcome::Yielded;
        }
        if let Some(last) = self.last
            && is_same(last, now)
        {
            return Outcome::Already;
        }
        let theirs = match now {
            Ok(found) => doc::tell(found),
            Err(miss) => miss.to_string(),
        };
        let mine = match &self.edit.deed {
            Deed::Set(text) => text.clone(),
            Deed::Add { cells, .. } => doc::tell_cells(cells),
            Deed::Remove => "removed".to_owned(),
            Deed::Move(spot) => spot.to_string(),
            Deed::Rank(rank) => rank.to_string(),
        };
        let (place, base) = (Some(self.edit.at.place.clone()), doc::tell(before));
        Outcome::Conflict(Conflict { place, clash, base, theirs, mine })
    }
}

/// Whether two contents are alike at an edit's place.
fn is_same(one: &State, other: &State) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        (Err(one), Err(other)) => one.is_like(other),
        _ => false,
    }
}

fn clash(miss: &Miss) -> Clash {
    match miss {
        Miss::Stream(_) => Clash::StreamGone,
        Miss::Column(_) => Clash::ColumnGone,
        Miss::Twice(_) => Clash::Ambiguous,
        Miss::Row(_) => Clash::EditedAndRemoved,
        Miss::Kind(_) | Miss::Never(_) => Clash::OtherKind,
    }
}

#[cfg(test)]
mod tests;
