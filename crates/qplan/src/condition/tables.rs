//! The plan's four sheets, read into values, and what they must agree on.

use super::cells;
use super::sheet::{Cell, Column, Workbook, checked};
use super::verdict::Verdict;
use crate::date::Day;
use crate::error::{quoted, quoted_list};
use crate::plan::DAYS_MAX;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The sheet Params.
#[derive(Debug)]
pub(super) struct Params {
    pub(super) start: Day,
    pub(super) end: Day,
    /// Each with the cell that names it.
    pub(super) skills: Vec<(Cell, String)>,
}

/// A row of the sheet Staff. Values that other sheets refer to have their cells.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) team: String,
    pub(super) track: (Cell, String),
    pub(super) skill: (Cell, String),
    pub(super) vacation: Vec<Day>,
}

/// A row of the sheet Work.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: (Cell, String),
    pub(super) rank: (Cell, i64),
    pub(super) name: String,
    pub(super) estimate: Vec<(String, f64)>,
    estimate_cell: Cell,
    pub(super) triage: &'static str,
    pub(super) track: (Cell, String),
    pub(super) team: String,
    pub(super) value: String,
    pub(super) prereqs: (Cell, String),
}

const fn required(name: &'static str) -> Column {
    Column { name, required: true }
}

const fn optional(name: &'static str) -> Column {
    Column { name, required: false }
}

/// Reads the sheet Params; nothing if it has something wrong.
pub(super) fn params(workbook: &Workbook<'_>, verdict: &mut Verdict) -> Option<Params> {
    const KEYS: [&str; 3] = ["Start", "End", "Skills"];
    let rows = workbook.rows("Params", verdict)?;
    let mut found: [Option<Cell>; KEYS.len()] = [const { None }; KEYS.len()];
    for (position, (row, texts)) in rows.iter().enumerate() {
        let key = texts[0].as_str();
        let Some(index) = KEYS.iter().position(|name| name.eq_ignore_ascii_case(key)) else {
            // The first row may be one of headings.
            if position > 0 {
                let key = quoted(key);
                let doubt =
                    format!("sheet Params, row {row}: the parameter {key} is unknown and ignored");
                verdict.doubt_sheet(|| doubt);
            }
            continue;
        };
        let cell = Cell {
            sheet: "Params",
            row: *row,
            column: Some((2, KEYS[index])),
            text: texts.get(1).cloned().unwrap_or_default(),
            broken: false,
        };
        let cell = checked(cell, verdict);
        if found[index].is_some() {
            verdict.bad(&cell, "the parameter comes twice; remove one".to_owned());
        }
        found[index].get_or_insert(cell);
    }
    for (key, _) in KEYS.iter().zip(&found).filter(|(_, cell)| cell.is_none()) {
        let keys = quoted_list(rows.iter().map(|(_, texts)| texts[0].as_str()));
        let problem = format!("the row {key} is missing, column A has {keys}");
        verdict.bad_sheet("Params", None, problem);
    }
    let [start, end, skills] = found;
    period(start, end, skills, verdict)
}

/// The values of the three parameters, all of which are judged even if one is missing.
fn period(
    start: Option<Cell>,
    end: Option<Cell>,
    skills: Option<Cell>,
    verdict: &mut Verdict,
) -> Option<Params> {
    let start = start.and_then(|cell| cells::date(&cell, verdict));
    let end = end.and_then(|cell| Some((cells::date(&cell, verdict)?, cell)));
    let skills: Option<Vec<(Cell, String)>> = skills.map(|cell| {
        let skills = cells::skills(&cell, verdict).into_iter();
        skills.map(|skill| (cell.clone(), skill)).collect()
    });
    let (start, (end, end_cell)) = start.zip(end)?;
    match end.since(start) {
        None => {
            let problem =
                format!("{} is before the start; correct one of them", quoted(&end_cell.text));
            verdict.bad(&end_cell, problem);
        }
        Some(days) if days >= DAYS_MAX => {
            let problem = format!("a plan has at most {DAYS_MAX} days; check the years");
            verdict.bad(&end_cell, problem);
        }
        Some(_) => {}
    }
    Some(Params { start, end, skills: skills? })
}

/// Reads the sheet Holidays.
pub(super) fn holidays(workbook: &Workbook<'_>, verdict: &mut Verdict) -> Vec<Day> {
    let columns = [required("Date"), optional("Name")];
    let mut days = Vec::new();
    let mut seen = HashSet::new();
    for [date, _] in workbook.table("Holidays", columns, verdict) {
        let Some(day) = cells::date(&date, verdict) else {
            continue;
        };
        if seen.insert(day) {
            days.push(day);
        } else {
            verdict.doubt(&date, || format!("{} comes twice", quoted(&date.text)));
        }
    }
    days
}

/// Reads the sheet Staff.
pub(super) fn staff(workbook: &Workbook<'_>, verdict: &mut Verdict) -> Vec<Person> {
    let columns = [
        optional("Id"),
        required("Name"),
        optional("Team"),
        required("Track"),
        required("Skill"),
        optional("Vacation"),
    ];
    let mut names = HashMap::new();
    let rows = workbook.table("Staff", columns, verdict).into_iter();
    let people = rows.map(|[id, name_cell, team, track, skill, vacation]| {
        let name = cells::name(&name_cell, "person", verdict);
        if let Some(row) = names.insert(name.clone(), name_cell.row) {
            let name = quoted(&name);
            verdict.doubt(&name_cell, || format!("{name} is in row {row} too"));
        }
        Person {
            id: cells::words(&id),
            name,
            team: cells::words(&team),
            track: (track.clone(), cells::name(&track, "person", verdict)),
            skill: (skill.clone(), cells::skill(&skill, verdict)),
            vacation: cells::days(&vacation, verdict),
        }
    });
    people.collect()
}

/// Reads the sheet Work.
pub(super) fn work(workbook: &Workbook<'_>, verdict: &mut Verdict) -> Vec<Item> {
    let columns = [
        optional("Id"),
        required("Rank"),
        required("Name"),
        required("Estimate"),
        required("Triage"),
        required("Track"),
        optional("Team"),
        optional("Value"),
        optional("Prereqs"),
    ];
    let rows = workbook.table("Work", columns, verdict).into_iter();
    let items = rows.map(|[id, rank, name, estimate, triage, track, team, value, prereqs]| Item {
        id: (id.clone(), cells::words(&id)),
        // A missing rank is told and so never printed.
        rank: (rank.clone(), cells::rank(&rank, verdict).unwrap_or_default()),
        name: cells::name(&name, "item", verdict),
        estimate: cells::estimate(&estimate, verdict),
        estimate_cell: estimate,
        triage: cells::triage(&triage, verdict),
        track: (track.clone(), cells::name(&track, "item", verdict)),
        team: cells::words(&team),
        value: cells::words(&value),
        prereqs: (prereqs.clone(), cells::words(&prereqs)),
    });
    items.collect()
}

/// Warns of what the sheets do not agree on.
pub(super) fn compare(
    params: &Option<Params>,
    staff: &[Person],
    work: &[Item],
    verdict: &mut Verdict,
) {
    let scheduled = params.iter().flat_map(|params| &params.skills);
    let scheduled: Vec<&(Cell, String)> = scheduled.collect();
    compare_skills(&scheduled, staff, work, verdict);
    compare_tracks(staff, work, verdict);
    compare_items(work, verdict);
}

fn compare_skills(
    scheduled: &[&(Cell, String)],
    staff: &[Person],
    work: &[Item],
    verdict: &mut Verdict,
) {
    let had = staff.iter().map(|person| person.skill.1.as_str());
    let had: BTreeSet<&str> = had.filter(|skill| !skill.is_empty()).collect();
    for person in staff.iter().filter(|person| person.skill.1.is_empty()) {
        verdict.doubt(&person.skill.0, || "the person has no skill and does no work".to_owned());
    }
    for (cell, skill) in scheduled {
        if !had.contains(skill.as_str()) {
            verdict.doubt(cell, || nobodys(skill, &had));
        }
    }
    let mut told = HashSet::new();
    for item in work {
        let cell = &item.estimate_cell;
        if item.estimate.is_empty() && !cell.broken {
            verdict.doubt(cell, || "there is no estimate, so the item has no end".to_owned());
        }
        for (skill, _) in &item.estimate {
            if !had.contains(skill.as_str()) {
                verdict.doubt(cell, || nobodys(skill, &had));
            } else if !scheduled.iter().any(|(_, other)| other == skill) && told.insert(skill) {
                let skill = quoted(skill);
                let doubt = format!(
                    "the skill {skill} is not among the scheduled ones, so its work takes no time"
                );
                verdict.doubt(cell, || doubt);
            }
        }
    }
}

/// Tells of a skill nobody has, with one that differs in case alone.
fn nobodys(skill: &str, had: &BTreeSet<&str>) -> String {
    let near = had.iter().find(|other| other.to_lowercase() == skill.to_lowercase());
    match near {
        Some(near) => {
            format!("the skill {} is nobody's, did you mean {}?", quoted(skill), quoted(near))
        }
        None => format!(
            "the skill {} is nobody's, people have {}",
            quoted(skill),
            quoted_list(had.iter().copied())
        ),
    }
}

/// Tells of tracks with people and no work, and the other way round; each once.
fn compare_tracks(staff: &[Person], work: &[Item], verdict: &mut Verdict) {
    let manned: HashSet<&str> = staff.iter().map(|person| person.track.1.as_str()).collect();
    let worked: HashSet<&str> = work.iter().map(|item| item.track.1.as_str()).collect();
    let mut told = HashSet::new();
    for (cell, track) in staff.iter().map(|person| &person.track) {
        if !worked.contains(track.as_str()) && !track.is_empty() && told.insert(track) {
            verdict.doubt(cell, || format!("no work is in the track {}", quoted(track)));
        }
    }
    for (cell, track) in work.iter().map(|item| &item.track) {
        if !manned.contains(track.as_str()) && !track.is_empty() && told.insert(track) {
            verdict.doubt(cell, || format!("nobody is in the track {}", quoted(track)));
        }
    }
}

/// Tells of ranks and ids that come twice, and of prerequisites that are no items.
fn compare_items(work: &[Item], verdict: &mut Verdict) {
    let mut ranks = HashMap::new();
    let mut ids = HashMap::new();
    for item in work {
        let (cell, rank) = &item.rank;
        if let Some(row) = ranks.insert((item.track.1.as_str(), *rank), cell.row) {
            let track = quoted(&item.track.1);
            verdict.doubt(cell, || format!("the rank {rank} is in row {row} of track {track} too"));
        }
        let (cell, id) = &item.id;
        let earlier = ids.insert(id.as_str(), cell.row);
        if let Some(row) = earlier.filter(|_| !id.is_empty()) {
            verdict.doubt(cell, || format!("{} is in row {row} too", quoted(id)));
        }
    }
    for (cell, prereqs) in work.iter().map(|item| &item.prereqs) {
        let parts = prereqs.split([',', ';']).map(str::trim);
        for id in parts.filter(|id| !id.is_empty() && !ids.contains_key(id)) {
            verdict.doubt(cell, || format!("{} is the id of no item", quoted(id)));
        }
    }
}
