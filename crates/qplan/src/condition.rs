//! Conditioning a plan: from the sheets of a workbook to the four streams that are scheduled.
//!
//! The input has a stream per sheet: a line per row, cells separated by tabs, with `\t`, `\n`, `\r` and `\\`
//! standing for what they say. Sheets and columns are found by name in any case and order:
//!
//! | sheet | columns; those in parentheses may be missing |
//! | --- | --- |
//! | Params | none: column A has the names `Start`, `End` and `Skills`, column B the values |
//! | Holidays | Date |
//! | Staff | (Id), Name, (Team), Track, Skill, (Vacation) |
//! | Work | (Id), Rank, Name, Estimate, Triage, Track, (Team), (Value), (Prereqs) |
//!
//! The first row that is not blank names the columns. In Params such a row is optional: a first row whose
//! column A is none of the three names is taken for one. Dates are `2027-01-04`, with or without a time, or
//! `Jan 4, 2027`. A list of vacations has dates and ranges `2027-02-01..2027-02-05` separated by `,` or `;`
//! (by `;` alone if they are written like `Jan 4, 2027`). An estimate has parts `SKILL:WEEKS` separated by `,`
//! or `;`. An empty triage is 3.
//!
//! Every cell is judged, and all bad ones are told at once.

mod cells;
mod sheet;
mod tables;
mod verdict;

use crate::error::{Error, INPUT_MAX};
use crate::plan::{HOLIDAYS, PARAMS, STAFF, WORK};
use sheet::Workbook;
use tables::{Item, Params, Person};
use verdict::Verdict;

/// A conditioned plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditioned {
    /// The four streams of the plan.
    pub output: Vec<u8>,
    /// What is doubtful about the sheets, a line each.
    pub warnings: Vec<String>,
}

/// Conditions the sheets of a plan.
///
/// # Errors
/// [`Error::Sheets`] if the input is not a stacked stream of sheets, [`Error::Cells`] with every missing sheet,
/// missing column and bad cell, [`Error::TooLarge`] beyond the limit of size.
pub fn condition(input: &[u8]) -> Result<Conditioned, Error> {
    if input.len() > INPUT_MAX {
        return Err(Error::TooLarge {
            deed: "condition",
            what: "bytes",
            found: input.len(),
            max: INPUT_MAX,
        });
    }
    let workbook = Workbook::read(input).map_err(Error::Sheets)?;
    let mut verdict = Verdict::default();
    let params = tables::params(&workbook, &mut verdict);
    let holidays = tables::holidays(&workbook, &mut verdict);
    let staff = tables::staff(&workbook, &mut verdict);
    let work = tables::work(&workbook, &mut verdict);
    workbook.warn_of_others(&mut verdict);
    tables::compare(&params, &staff, &work, &mut verdict);
    let warnings = verdict.passed()?;

    let mut out = Vec::new();
    stream(&mut out, PARAMS, params.iter().map(params_line));
    stream(&mut out, HOLIDAYS, holidays.iter().map(|day| format!("{day:#}")));
    stream(&mut out, STAFF, staff.iter().map(staff_line));
    stream(&mut out, WORK, work.iter().map(work_line));
    Ok(Conditioned { output: out, warnings })
}

fn stream(out: &mut Vec<u8>, name: &str, lines: impl Iterator<Item = String>) {
    out.extend_from_slice(format!("====={name}\n").as_bytes());
    for line in lines {
        out.extend_from_slice(format!("\t{line}\n").as_bytes());
    }
}

fn params_line(params: &Params) -> String {
    let skills: Vec<&str> = params.skills.iter().map(|(_, skill)| skill.as_str()).collect();
    format!("{:#}\t{:#}\t{}", params.start, params.end, skills.join(":"))
}

fn staff_line(person: &Person) -> String {
    let vacation: Vec<String> = person.vacation.iter().map(|day| format!("{day:#}")).collect();
    let vacation = vacation.join(":");
    let fields =
        [&person.id, &person.name, &person.team, &person.track.1, &person.skill.1, &vacation];
    fields.map(String::as_str).join("\t")
}

fn work_line(item: &Item) -> String {
    let estimate = item.estimate.iter().map(|(skill, weeks)| format!("{skill}:{weeks}"));
    let estimate = estimate.collect::<Vec<String>>().join(",");
    let rank = item.rank.1.to_string();
    let fields = [
        &item.id.1,
        &rank,
        &item.name,
        &estimate,
        item.triage,
        &item.track.1,
        &item.team,
        &item.value,
        &item.prereqs.1,
    ];
    fields.join("\t")
}

#[cfg(test)]
mod tests;
