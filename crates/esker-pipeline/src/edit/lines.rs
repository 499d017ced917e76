//! Merging texts line by line.

use std::ops::Range;
use std::time::{Duration, Instant};

use esker_wire::edit::Before;
use similar::{Algorithm, DiffOp};

use super::{Clash, Conflict, Decision, Outcome, Weighed};

/// After how long a comparison is made coarser.
const COMPARED_MAX: Duration = Duration::from_secs(5);
/// How much is told of lines in a conflict, in characters.
const TOLD_MAX: usize = 2_000;

/// Lines of the base that were changed, and the lines they became.
type Hunk = (Range<usize>, Range<usize>);

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let until = Some(Instant::now() + COMPARED_MAX);
    let ops = similar::capture_diff_slices_deadline(Algorithm::Myers, old, new, until);
    let changed = ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changed.map(|op| (op.old_range(), op.new_range())).collect()
}

/// Takes what either changed; lines that both changed otherwise, or that touch, are in conflict and stay theirs unless
/// it was decided otherwise.
pub(super) fn merge(
    base: &str,
    theirs: &str,
    mine: &str,
    decisions: &[(usize, Decision)],
) -> Weighed {
    let (base, theirs, mine) = (lines(base), lines(theirs), lines(mine));
    let (their, my) = (hunks(&base, &theirs), hunks(&base, &mine));
    let (mut content, mut outcomes) = (String::new(), Vec::new());
    let (mut their, mut my) = (their.into_iter().peekable(), my.into_iter().peekable());
    let mut at = 0;
    loop {
        let start = match (their.peek(), my.peek()) {
            (None, None) => break,
            (Some((one, _)), Some((other, _))) => one.start.min(other.start),
            (Some((one, _)), None) | (None, Some((one, _))) => one.start,
        };
        content.extend(base[at..start].iter().copied());
        let mut end = start;
        let (mut from_them, mut from_me) = (Vec::new(), Vec::new());
        // All that overlaps or touches belongs together.
        loop {
            let touches = |hunk: &Hunk| hunk.0.start <= end;
            if let Some(hunk) = their.next_if(touches) {
                end = end.max(hunk.0.end);
                from_them.push(hunk);
            } else if let Some(hunk) = my.next_if(touches) {
                end = end.max(hunk.0.end);
                from_me.push(hunk);
            } else {
                break;
            }
        }
        let theirs = made(&base, &theirs, start..end, &from_them);
        let mine = made(&base, &mine, start..end, &from_me);
        match (from_them.is_empty(), from_me.is_empty()) {
            (_, true) => content.push_str(&theirs),
            (true, false) => {
                let before = Before::Text(base[start..end].concat());
                outcomes.push(Outcome::Applied { before });
                content.push_str(&mine);
            }
            (false, false) => {
                let number = outcomes.len() + 1;
                let decided = decisions.iter().rev().find(|(decided, _)| *decided == number);
                let (outcome, text) = match decided.map(|(_, decision)| *decision) {
                    _ if theirs == mine => (Outcome::Already, theirs),
                    Some(Decision::Theirs) => (Outcome::Yielded, theirs),
                    Some(Decision::Mine) => {
                        (Outcome::Applied { before: Before::Text(theirs) }, mine)
                    }
                    None => (conflict(&base[start..end].concat(), &theirs, &mine), theirs),
                };
                outcomes.push(outcome);
                content.push_str(&text);
            }
        }
        at = end;
    }
    content.extend(base[at..].iter().copied());
    Weighed { content: content.into_bytes(), outcomes }
}

/// What one made of a stretch of the base.
fn made(base: &[&str], new: &[&str], stretch: Range<usize>, hunks: &[Hunk]) -> String {
    let mut text = String::new();
    let mut at = stretch.start;
    for (old, now) in hunks {
        text.extend(base[at..old.start].iter().copied());
        text.extend(new[now.clone()].iter().copied());
        at = old.end;
    }
    text.extend(base[at..stretch.end].iter().copied());
    text
}

/// A conflict of texts, of which the beginnings are told.
pub(super) fn conflict(base: &str, theirs: &str, mine: &str) -> Outcome {
    let told = |text: &str| text.chars().take(TOLD_MAX).collect();
    let (base, theirs, mine) = (told(base), told(theirs), told(mine));
    Outcome::Conflict(Conflict { place: None, clash: Clash::BothChanged, base, theirs, mine })
}
