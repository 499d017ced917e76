//! Change guards: how many rows a content has, and whether they are too few, or too many more or fewer than before.

use esker_wire::stacked;

use crate::definition::gate::{Guards, Percent};

use super::document;
use super::finding::{Finding, Findings};

/// How many rows a content has: the elements of a JSON array, the rows below the heading of a table, the rows below
/// all headings of a stacked stream. A blank line is no row.
pub(crate) fn rows(content: &[u8]) -> u64 {
    if content.starts_with(stacked::HEADER)
        && let Ok(streams) = stacked::parse(content)
    {
        let filled = |line: &&&[u8]| !line.trim_ascii().is_empty();
        let below = |lines: &[&[u8]]| lines.iter().filter(filled).count().saturating_sub(1);
        return streams.iter().map(|stream| below(&stream.lines) as u64).sum();
    }
    if let Some(elements) = document::elements(content) {
        return elements;
    }
    lines(content).saturating_sub(1)
}

/// How many lines are not blank; a line feed within quotes ends none, where commas part the cells.
fn lines(content: &[u8]) -> u64 {
    let heading = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_tabbed = heading.contains(&b'\t');
    let (mut lines, mut is_filled) = (0, false);
    let (mut is_quoted, mut before) = (false, b'\n');
    for byte in content {
        match byte {
            b'"' if !is_tabbed && (is_quoted || b",;\n\"".contains(&before)) => {
                is_quoted = !is_quoted;
            }
            b'\n' if !is_quoted => {
                lines += u64::from(is_filled);
                is_filled = false;
            }
            _ => is_filled |= !byte.is_ascii_whitespace(),
        }
        before = *byte;
    }
    lines + u64::from(is_filled)
}

fn counted(rows: u64) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}

/// What the guards find: `before` is the number of rows of the version before, if there is one.
pub(crate) fn judge(guards: &Guards, now: u64, before: Option<u64>) -> Findings {
    let mut findings = Findings::default();
    let mut find = |what: String| findings.push(Finding::new(what));
    if let Some(min) = guards.rows_min.filter(|min| now < *min) {
        find(format!("{}; rows_min asks for {min}", counted(now)));
    }
    let Some(before) = before else {
        return findings;
    };
    let dropped = before.saturating_sub(now);
    if let Some(max) = guards.rows_drop_max.filter(|max| exceeds(dropped, before, *max)) {
        let share = share(dropped, before);
        find(format!(
            "{}, {share} fewer than the {before} before; rows_drop_max allows {max}",
            counted(now)
        ));
    }
    let delta = before.abs_diff(now);
    if let Some(max) = guards.row_delta_max.filter(|max| exceeds(delta, before, *max)) {
        let word = if now < before { "fewer" } else { "more" };
        let share = share(delta, before);
        find(format!(
            "{}, {share} {word} than the {before} before; row_delta_max allows {max}",
            counted(now)
        ));
    }
    findings
}

/// Whether a change is more than a share of what there was. From nothing, nothing is too much.
fn exceeds(change: u64, before: u64, max: Percent) -> bool {
    before > 0 && u128::from(change) * 10_000 > u128::from(before) * u128::from(max.0)
}

/// A change in percent, rounded up to one digit behind the point, so that it is never shown as what is allowed.
fn share(change: u64, before: u64) -> String {
    let tenths = (u128::from(change) * 1_000).div_ceil(u128::from(before.max(1)));
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) => format!("{whole}.{part}%"),
    }
}

#[cfg(test)]
mod tests;
