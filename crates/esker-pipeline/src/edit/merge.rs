//! Edits of an older content made on a newer one.

use esker_wire::edit::address::Row;
use esker_wire::edit::{Deed, Edit};

use super::doc::Doc;
use super::{Content, Noted, One, Outcome, Refused, State, Weighed, finish};

/// What somebody decided of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The edit is made if it can be. A row or a member that was removed is not brought back by an edit of what was in it:
    /// that stays a conflict, and is settled by `Theirs`, or by an edit that adds the row. A row that was added
    /// otherwise is given the edit's cells.
    Mine,
    /// The content stays as it is.
    Theirs,
}

/// Makes edits of `base` on `theirs`. What each found is worked out by making them on `base`; what is in conflict then
/// is settled by the decision of that edit's number, from 1, if there is one.
///
/// # Errors
/// [`Refused`] if the edits cannot be made on `base`, or `theirs` cannot be edited by address.
pub fn merge(
    base: Content<'_>,
    theirs: &[u8],
    edits: &[Edit],
    decisions: &[(usize, Decision)],
) -> Result<Weighed, Refused> {
    let mut doc = Doc::open(base)?;
    let mut outcomes = Vec::with_capacity(edits.len());
    let mut above = Vec::with_capacity(edits.len());
    for (index, edit) in edits.iter().enumerate() {
        above.push(doc.above(edit));
        let one = One { number: index + 1, edit, before: None, last: None, decision: None };
        outcomes.push(one.weigh(&mut doc)?);
    }
    let lasts: Vec<State> = edits.iter().map(|edit| doc.now(edit)).collect();
    let mut newer = Doc::open_like(base.like(theirs), &doc);
    let mine = finish(doc, edits.last(), edits.len())?;
    let already = || edits.iter().map(|_| Outcome::Already).collect();
    if mine == theirs {
        return Ok(Weighed { content: mine, outcomes: already() });
    }
    if base.bytes == theirs {
        return Ok(Weighed { content: mine, outcomes });
    }
    // Edits of one place hide each other, so only all of them together can be there already.
    if is_there(&mut newer, edits, &lasts) {
        return Ok(Weighed { content: theirs.to_vec(), outcomes: already() });
    }
    let befores = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Applied { before } => Some(before),
        _ => None,
    });
    let noted: Vec<Noted> = edits.iter().cloned().zip(befores).collect();
    let mut outcomes = Vec::with_capacity(edits.len());
    let mut older = Doc::open(base)?;
    for (index, (edit, before)) in noted.into_iter().enumerate() {
        let number = index + 1;
        let decided = decisions.iter().rev().find(|(decided, _)| *decided == number);
        let decision = decided.map(|(_, decision)| *decision);
        let last = Some(&lasts[index]);
        let before = match stands(&mut older, &mut newer, &edit, &above[index]) {
            true => newer.now(&edit).ok(),
            false => before,
        };
        let one = One { number, edit: &edit, before: before.as_ref(), last, decision };
        outcomes.push(one.weigh(&mut newer)?);
    }
    let content = finish(newer, edits.last(), edits.len())?;
    Ok(Weighed { content, outcomes })
}

/// Whether a content is at every edit's place as it was after all edits.
fn is_there(newer: &mut Doc<'_>, edits: &[Edit], lasts: &[State]) -> bool {
    edits.iter().zip(lasts).all(|(edit, last)| super::is_same(last, &newer.now(edit)))
}

/// Whether a row that is to be moved stands behind the same row still, of those that are in both contents: others may have
/// come or gone between them.
fn stands(older: &mut Doc<'_>, newer: &mut Doc<'_>, edit: &Edit, above: &[Row]) -> bool {
    if !matches!(edit.deed, Deed::Move(_)) {
        return false;
    }
    let was = above.iter().find(|row| newer.has(edit, row));
    let above = newer.above(edit);
    let is = above.iter().find(|row| older.has(edit, row));
    was == is
}
