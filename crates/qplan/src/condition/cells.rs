//! What a single cell may hold. Each function tells what is wrong with its cell and then gives nothing.

use super::sheet::Cell;
use super::verdict::Verdict;
use crate::date::Day;
use crate::error::quoted;
use crate::plan::TRIAGES;

/// The most weeks one estimate may ask for.
const WEEKS_MAX: f64 = 100_000.0;
/// The most days from the first to the last one of a range.
const RANGE_DAYS_MAX: usize = 366;
/// What separates the parts of a list.
const SEPARATORS: [char; 3] = [',', ';', '\n'];

/// Any text on one line, with every white space a single blank.
pub(super) fn words(cell: &Cell) -> String {
    cell.text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// A text that must not be empty.
pub(super) fn name(cell: &Cell, of: &str, verdict: &mut Verdict) -> String {
    let name = words(cell);
    if name.is_empty() {
        verdict.bad(cell, format!("the cell is empty; every {of} needs one"));
    }
    name
}

/// The name of a skill, which must not look like an estimate or a list; it may be empty.
pub(super) fn skill(cell: &Cell, verdict: &mut Verdict) -> String {
    let skill = words(cell);
    if skill.contains([',', ';', ':']) {
        let problem = format!("{} is not one skill; name one, without , ; or :", quoted(&skill));
        verdict.bad(cell, problem);
    }
    skill
}

/// A list of different skills.
pub(super) fn skills(cell: &Cell, verdict: &mut Verdict) -> Vec<String> {
    let parts = cell.text.split([',', ';', ':', '\n']).map(str::trim);
    let mut skills: Vec<String> = Vec::new();
    for skill in parts.filter(|skill| !skill.is_empty()) {
        if skills.iter().any(|other| other == skill) {
            verdict.bad(cell, format!("the skill {} comes twice; remove one", quoted(skill)));
        } else {
            skills.push(skill.to_owned());
        }
    }
    if skills.is_empty() {
        let problem = "the cell is empty; name the skills to schedule like Design, Server";
        verdict.bad(cell, problem.to_owned());
    }
    skills
}

/// A date.
pub(super) fn date(cell: &Cell, verdict: &mut Verdict) -> Option<Day> {
    let day = day(&cell.text);
    if day.is_none() {
        verdict.bad(cell, not_a_date(&cell.text));
    }
    day
}

fn not_a_date(text: &str) -> String {
    match text {
        "" => "the cell is empty; write a date like 2027-01-04".to_owned(),
        _ if text.parse::<f64>().is_ok() => format!(
            "{} is a number and not a date; give the cell the format of a date",
            quoted(text)
        ),
        _ => format!("{} is not a date; write it like 2027-01-04", quoted(text)),
    }
}

/// Reads `2027-01-04`, perhaps with a time, or `Jan 4, 2027`.
fn day(text: &str) -> Option<Day> {
    iso_day(text).or_else(|| Day::parse(text))
}

fn iso_day(text: &str) -> Option<Day> {
    let (date, time) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2)?;
    let day = number(parts.next()?, 2)?;
    let day = Day::new(i64::from(year), month, day)?;
    is_time(time).then_some(day)
}

/// So many digits.
fn number(text: &str, length: usize) -> Option<u32> {
    let fine = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// Nothing, or the time of a day after its date; the hour does not matter to a plan.
fn is_time(text: &str) -> bool {
    let Some(time) = text.strip_prefix(['T', ' ']) else {
        return text.is_empty();
    };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(end) => time.split_at(end),
        None => (time, ""),
    };
    let mut parts = clock.split(':');
    let mut pair = |max: u32| {
        let part = parts.next().unwrap_or("00");
        let whole = part.split('.').next().unwrap_or(part);
        number(whole, 2).is_some_and(|value| value <= max)
    };
    let clock_fine = clock.len() >= 5 && pair(23) && pair(59) && pair(60) && parts.next().is_none();
    let zone_fine = zone.chars().all(|part| part.is_ascii_digit() || "Z+-:".contains(part));
    clock_fine && zone_fine && zone.len() <= 6
}

/// A list of days and ranges of days, sorted, each day once.
pub(super) fn days(cell: &Cell, verdict: &mut Verdict) -> Vec<Day> {
    let mut days = Vec::new();
    for part in cell.text.split([';', '\n']).map(str::trim) {
        // The comma of `Jan 4, 2027` is not one between two parts.
        let parts = match span(part) {
            Ok(_) => vec![part],
            Err(_) => part.split(',').map(str::trim).collect(),
        };
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            match span(part) {
                Ok((first, length)) => days.extend((0..length).map(|day| first.plus(day))),
                Err(problem) => verdict.bad(cell, problem),
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

/// One day, or `FIRST..LAST`: the first day and how many there are.
fn span(text: &str) -> Result<(Day, usize), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let read = day(first.trim()).zip(day(last.trim()));
    let Some((first, last)) = read else {
        return Err(format!(
            "{} is neither a date nor a range; write 2027-02-01 or 2027-02-01..2027-02-05",
            quoted(text)
        ));
    };
    match last.since(first) {
        None => Err(format!("the range {} ends before it starts; swap its dates", quoted(text))),
        Some(days) if days >= RANGE_DAYS_MAX => Err(format!(
            "the range {} is longer than {RANGE_DAYS_MAX} days; check the years",
            quoted(text)
        )),
        Some(days) => Ok((first, days + 1)),
    }
}

/// A whole number.
pub(super) fn rank(cell: &Cell, verdict: &mut Verdict) -> Option<i64> {
    let text = cell.text.strip_suffix(".0").unwrap_or(&cell.text);
    let rank = text.parse().ok();
    if rank.is_none() {
        let problem = match text {
            "" => "the cell is empty; every item needs a rank like 14".to_owned(),
            _ => format!("{} is not a whole number; write a rank like 14", quoted(&cell.text)),
        };
        verdict.bad(cell, problem);
    }
    rank
}

/// One of the triages; the last one if the cell is empty.
pub(super) fn triage(cell: &Cell, verdict: &mut Verdict) -> &'static str {
    let last = TRIAGES[TRIAGES.len() - 1];
    if cell.text.is_empty() {
        return last;
    }
    let text = cell.text.strip_suffix(".0").unwrap_or(&cell.text);
    let found = TRIAGES.iter().find(|triage| **triage == text);
    found.copied().unwrap_or_else(|| {
        let triages = TRIAGES.join(", ");
        verdict.bad(cell, format!("{} is no triage; use one of {triages}", quoted(&cell.text)));
        last
    })
}

/// Parts `SKILL:WEEKS`, each skill once.
pub(super) fn estimate(cell: &Cell, verdict: &mut Verdict) -> Vec<(String, f64)> {
    let mut efforts: Vec<(String, f64)> = Vec::new();
    let parts = cell.text.split(SEPARATORS).map(str::trim);
    for part in parts.filter(|part| !part.is_empty()) {
        match effort(part) {
            Err(problem) => verdict.bad(cell, problem),
            Ok((skill, _)) if efforts.iter().any(|(other, _)| *other == skill) => {
                verdict.bad(cell, format!("the skill {} comes twice; add them up", quoted(&skill)));
            }
            Ok(effort) => efforts.push(effort),
        }
    }
    efforts
}

fn effort(part: &str) -> Result<(String, f64), String> {
    let read = part.split_once(':').and_then(|(skill, weeks)| {
        let skill = skill.split_whitespace().collect::<Vec<&str>>().join(" ");
        let weeks = weeks.trim();
        let plain = weeks.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let weeks: f64 = weeks.parse().ok().filter(|_| plain)?;
        (!skill.is_empty()).then_some((skill, weeks))
    });
    match read {
        None => Err(format!(
            "{} is not SKILL:NUMBER; write weeks of one person like Server:1.5, Web:3",
            quoted(part)
        )),
        Some((_, weeks)) if weeks > WEEKS_MAX => {
            Err(format!("{} is more than {WEEKS_MAX} weeks; check the number", quoted(part)))
        }
        Some(effort) => Ok(effort),
    }
}

#[cfg(test)]
mod tests;
