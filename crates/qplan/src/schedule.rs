//! Scheduling a plan: the application's filter.
//!
//! By default the output is byte for byte what the original filter printed, including that scheduled skills are
//! paired with people *by position*: the first scheduled skill takes from the people of the first of all skills
//! in sorted order, whatever their names. That is right only if the scheduled skills are the first of all; where
//! it is not and dates depend on it, a warning says so. [`ScheduleOptions::by_name`] pairs them rightly.

use crate::error::{BadInput, Error, INPUT_MAX, quoted};
use crate::plan::{self, Plan, Reading};
use crate::report::Report;
use crate::track::{Book, Pairing};
use crate::warnings::Warnings;

/// The most numbers of tracks by skills that are printed.
const CELLS_MAX: usize = 4_000_000;

/// How to schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// Return the input as it is.
    pub raw: bool,
    /// Pair scheduled skills with people by name, trim the names of skills, and refuse what the original let
    /// pass: skills named twice, streams given twice, lines without a tab, an end before the start, efforts
    /// below zero or without end.
    pub by_name: bool,
}

/// A scheduled plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The eight streams of the result.
    pub output: Vec<u8>,
    /// What is doubtful about the plan, a line each.
    pub warnings: Vec<String>,
}

/// Schedules a plan of four stacked streams: params, holidays, staff and work.
///
/// # Errors
/// [`Error::Plan`] names the stream, the line, the field, the value and the remedy of what cannot be read;
/// [`Error::TooLarge`] the limit the plan is beyond.
pub fn schedule(input: &[u8], options: ScheduleOptions) -> Result<Schedule, Error> {
    limit("bytes", input.len(), INPUT_MAX)?;
    if options.raw {
        return Ok(Schedule { output: input.to_vec(), warnings: Vec::new() });
    }
    let mut warnings = Warnings::default();
    let mut reading = Reading { strict: options.by_name, warnings: &mut warnings };
    let plan = plan::read(input, &mut reading).map_err(Error::Plan)?;
    let book = Book::new(&plan);
    let cells = book.tracks.len().saturating_mul(book.skills.len());
    limit("cells of tracks by skills", cells, CELLS_MAX)?;
    let pairing = match options.by_name {
        true => book.by_name(),
        false => book.by_position(),
    };
    for skill in nobodys(&book) {
        warnings.add(|| format!("the scheduled skill {} is nobody's", quoted(skill)));
    }
    let output = written(&book, &pairing).map_err(Error::Plan)?;
    if let Some(warning) = mispaired(&book, &pairing) {
        warnings.add(|| warning);
    }
    Ok(Schedule { output, warnings: warnings.into_vec() })
}

fn limit(what: &'static str, found: usize, max: usize) -> Result<(), Error> {
    match found > max {
        true => Err(Error::TooLarge { deed: "schedule", what, found, max }),
        false => Ok(()),
    }
}

/// The output of all tracks.
fn written(book: &Book<'_, '_>, pairing: &Pairing<'_>) -> Result<Vec<u8>, BadInput> {
    let mut report = Report::new(book);
    for members in &book.tracks {
        let figures = book.figures(members, pairing);
        let ended = figures.ends.iter().position(Option::is_some);
        if let Some(position) = ended.filter(|_| book.plan.days == 0) {
            return Err(endless(book.plan, members.items[position]));
        }
        report.track(members, &figures);
    }
    Ok(report.finish())
}

/// An item that needs no day ends on the first one, which a plan without days does not have.
fn endless(plan: &Plan<'_>, item: usize) -> BadInput {
    let item = &plan.work[item];
    item.place.bad(format!(
        "the item {} needs no day and would end on the first, but the plan ends before it starts; \
         correct the dates of the params",
        quoted(item.name)
    ))
}

/// Scheduled skills no person has.
fn nobodys<'a>(book: &Book<'_, 'a>) -> Vec<&'a str> {
    let scheduled = book.plan.scheduled.iter().copied();
    scheduled.filter(|skill| !book.plan.staff.iter().any(|person| person.skill == *skill)).collect()
}

/// Tells if pairing by position gave other dates than pairing by name would.
fn mispaired(book: &Book<'_, '_>, pairing: &Pairing<'_>) -> Option<String> {
    let right = book.by_name();
    if *pairing == right {
        return None;
    }
    let (mut dates, mut wrong) = (0, 0);
    for members in &book.tracks {
        let groups = book.groups(members);
        let ends = book.ends(members, &groups, pairing);
        let right_ends = book.ends(members, &groups, &right);
        dates += ends.len();
        wrong += ends.iter().zip(&right_ends).filter(|(end, right)| end != right).count();
    }
    if wrong == 0 {
        return None;
    }
    let swapped = pairing.iter().filter(|pair| pair.wanted != Some(pair.taken));
    let mut faults: Vec<String> = swapped
        .map(|pair| {
            let people = book.skills[pair.taken];
            format!("{} takes the people of {}", quoted(pair.skill), quoted(people))
        })
        .collect();
    let dropped =
        right.iter().filter(|pair| !pairing.iter().any(|other| other.skill == pair.skill));
    faults.extend(dropped.map(|pair| format!("{} is not scheduled", quoted(pair.skill))));
    Some(format!(
        "scheduled skills are paired with people by position, not by name: {}; {wrong} of {dates} end dates \
         are affected; schedule by name, or let the scheduled skills be the first of all skills in sorted order",
        faults.join(", ")
    ))
}

#[cfg(test)]
mod tests;
