//! The four streams of a plan, read into values. Fields are separated by tabs; too many are ignored, too few
//! are an error. What the original swallowed in silence becomes a warning, or an error in the strict reading.

use crate::date::Day;
use crate::error::{BadInput, Place, quoted};
use crate::number::{integer, real};
use crate::streams::{self, Stream};
use crate::warnings::Warnings;
use std::cmp::Ordering;

/// The stream of start, end and scheduled skills.
pub(crate) const PARAMS: &str = "qplan params v1";
/// The stream of days on which nobody works.
pub(crate) const HOLIDAYS: &str = "qplan holidays v1";
/// The stream of people.
pub(crate) const STAFF: &str = "qplan staff v1";
/// The stream of work items.
pub(crate) const WORK: &str = "qplan work v1";

/// The names of the triages, most important first.
pub(crate) const TRIAGES: [&str; 5] = ["1", "1.5", "2", "2.5", "3"];

/// The most days from the first to the last one of a plan.
pub(crate) const DAYS_MAX: usize = 36_525;

/// The most skills that are scheduled.
const SCHEDULED_MAX: usize = 1_000;

/// Years before this are most likely two-digit ones.
const YEAR_LIKELY_MIN: i64 = 1_000;

const START_FIELD: (usize, &str) = (1, "start");
const END_FIELD: (usize, &str) = (2, "end");
const SKILLS_FIELD: (usize, &str) = (3, "scheduled skills");
const ESTIMATE_FIELD: (usize, &str) = (4, "estimate");

/// A whole plan.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The lines of the params, which are copied to the output.
    pub(crate) params: Vec<&'a str>,
    /// The first day.
    pub(crate) start: Day,
    /// How many days the plan has; none if it ends before it starts.
    pub(crate) days: usize,
    /// The skills whose work is scheduled.
    pub(crate) scheduled: Vec<&'a str>,
    /// Days on which nobody works.
    pub(crate) holidays: Vec<Day>,
    /// People, sorted by name.
    pub(crate) staff: Vec<Person<'a>>,
    /// Work items, sorted by rank.
    pub(crate) work: Vec<Item<'a>>,
}

/// One of the staff.
#[derive(Debug)]
pub(crate) struct Person<'a> {
    pub(crate) name: &'a str,
    pub(crate) track: &'a str,
    pub(crate) skill: &'a str,
    /// Sorted, each day once.
    pub(crate) vacation: Vec<Day>,
}

/// One work item.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) place: Place,
    pub(crate) rank: i64,
    pub(crate) name: &'a str,
    /// Sorted by skill, then effort; empty parts are `None` and last.
    pub(crate) estimate: Vec<Option<Effort<'a>>>,
    /// An index into [`TRIAGES`].
    pub(crate) triage: usize,
    pub(crate) track: &'a str,
}

/// How much of a skill an item needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort<'a> {
    pub(crate) skill: &'a str,
    /// In weeks of one person.
    pub(crate) weeks: f32,
}

impl<'a> Item<'a> {
    /// The effort of each skill that counts: only the first of a skill does.
    pub(crate) fn efforts(&self) -> impl Iterator<Item = Effort<'a>> {
        let mut previous = None;
        self.estimate.iter().flatten().copied().filter(move |effort| {
            let first = previous != Some(effort.skill);
            previous = Some(effort.skill);
            first
        })
    }

    /// The effort that counts for a skill.
    pub(crate) fn effort(&self, skill: &str) -> Option<f32> {
        let mut efforts = self.estimate.iter().flatten();
        efforts.find(|effort| effort.skill == skill).map(|effort| effort.weeks)
    }

    /// Whether the estimate is an empty field.
    pub(crate) fn is_unestimated(&self) -> bool {
        matches!(self.estimate.as_slice(), [None])
    }
}

/// How the streams are read.
pub(crate) struct Reading<'w> {
    /// Refuse what the original let pass, and trim the names of skills.
    pub(crate) strict: bool,
    pub(crate) warnings: &'w mut Warnings,
}

impl Reading<'_> {
    /// Something doubtful: an error in the strict reading, a warning otherwise.
    fn doubt(&mut self, doubt: BadInput) -> Result<(), BadInput> {
        if self.strict {
            return Err(doubt);
        }
        self.warnings.add(|| doubt.to_string());
        Ok(())
    }
}

/// Reads a plan.
pub(crate) fn read<'a>(input: &'a [u8], reading: &mut Reading<'_>) -> Result<Plan<'a>, BadInput> {
    let streams = streams::read(input)?;
    let mut wanted = |name| looked_at(&streams, name, reading);
    let params_stream = wanted(PARAMS)?;
    let holidays_stream = wanted(HOLIDAYS)?;
    let staff_stream = wanted(STAFF)?;
    let work_stream = wanted(WORK)?;

    let (start, days, scheduled) = params(params_stream, reading)?;
    let rows = holidays_stream.rows(HOLIDAYS);
    let holidays = rows.map(|(place, text)| date(text, place, (1, "date")));
    let rows = staff_stream.rows(STAFF);
    let staff = rows.map(|(place, text)| person(text, place, reading.strict));
    let (holidays, staff): (Result<_, _>, Result<Vec<_>, _>) =
        (holidays.collect(), staff.collect());
    let (holidays, mut staff) = (holidays?, staff?);
    staff.sort_by_key(|person| person.name);
    let rows = work_stream.rows(WORK);
    let work: Result<Vec<_>, _> = rows.map(|(place, text)| item(text, place, reading)).collect();
    let mut work = work?;
    work.sort_by_key(|item| item.rank);
    let plan =
        Plan { params: params_stream.lines.clone(), start, days, scheduled, holidays, staff, work };
    check_efforts(&plan, reading)?;
    Ok(plan)
}

/// Finds a stream and judges its form.
fn looked_at<'s, 'a>(
    streams: &'s [Stream<'a>],
    name: &'static str,
    reading: &mut Reading<'_>,
) -> Result<&'s Stream<'a>, BadInput> {
    let stream = streams::find(streams, name)?;
    if let Some(line) = stream.blank {
        let problem = "the line is blank; remove it, or begin it with a tab";
        return Err(stream.place(name, line).bad(problem));
    }
    if let Some(line) = stream.untabbed {
        let problem = "the line does not begin with a tab and loses its first character; indent it with one tab";
        reading.doubt(stream.place(name, line).bad(problem))?;
    }
    if let Some(again) = streams.iter().filter(|other| other.name == name).nth(1) {
        let problem = "the stream comes twice and only the first one counts; remove one";
        reading.doubt(again.place(name, 0).bad(problem))?;
    }
    Ok(stream)
}

/// The first fields of a line.
fn fields<'a, const COUNT: usize>(
    text: &'a str,
    place: Place,
    names: [&'static str; COUNT],
) -> Result<[&'a str; COUNT], BadInput> {
    let mut found = [""; COUNT];
    let mut parts = text.split('\t');
    for (index, field) in found.iter_mut().enumerate() {
        *field = parts.next().ok_or_else(|| {
            let problem = format!(
                "the field is missing; the line needs {COUNT} fields separated by tabs: {}",
                names.join(", ")
            );
            place.field((index + 1, names[index]), problem)
        })?;
    }
    Ok(found)
}

fn date(text: &str, place: Place, field: (usize, &'static str)) -> Result<Day, BadInput> {
    Day::parse(text).ok_or_else(|| {
        let problem = format!("{} is not a date; write it like Jan 6, 2025", quoted(text));
        place.field(field, problem)
    })
}

/// The first line of the params: start, how many days, and the scheduled skills.
fn params<'a>(
    stream: &Stream<'a>,
    reading: &mut Reading<'_>,
) -> Result<(Day, usize, Vec<&'a str>), BadInput> {
    let Some((place, text)) = stream.rows(PARAMS).next() else {
        let problem = "the stream has no line; it needs start, end and scheduled skills";
        return Err(stream.place(PARAMS, 0).bad(problem));
    };
    let [start_text, end_text, skills] = fields(text, place, ["start", "end", "scheduled skills"])?;
    let start = date(start_text, place, START_FIELD)?;
    let end = date(end_text, place, END_FIELD)?;
    if start.civil().0 < YEAR_LIKELY_MIN {
        let problem = format!("{} is in antiquity; write all four digits", quoted(start_text));
        reading.doubt(place.field(START_FIELD, problem))?;
    }
    let days = end.since(start).map_or(0, |days| days + 1);
    if days == 0 {
        let problem = format!(
            "{} is before the start {}; no day is left for any work",
            quoted(end_text),
            quoted(start_text)
        );
        reading.doubt(place.field(END_FIELD, problem))?;
    }
    if days > DAYS_MAX {
        let problem = format!(
            "{} is {days} days from the start {}, at most {DAYS_MAX} are planned; check the years",
            quoted(end_text),
            quoted(start_text)
        );
        return Err(place.field(END_FIELD, problem));
    }
    let mut scheduled: Vec<&str> = skills.split(':').collect();
    if reading.strict {
        scheduled.iter_mut().for_each(|skill| *skill = skill.trim());
        scheduled.retain(|skill| !skill.is_empty());
    }
    if scheduled.len() > SCHEDULED_MAX {
        let problem = format!(
            "{} skills are too many, at most {SCHEDULED_MAX} are scheduled; name fewer",
            scheduled.len()
        );
        return Err(place.field(SKILLS_FIELD, problem));
    }
    for (index, skill) in scheduled.iter().enumerate() {
        if scheduled[..index].contains(skill) {
            let problem = format!("the skill {} comes twice; remove one", quoted(skill));
            reading.doubt(place.field(SKILLS_FIELD, problem))?;
        }
    }
    Ok((start, days, scheduled))
}

fn person(text: &str, place: Place, strict: bool) -> Result<Person<'_>, BadInput> {
    let names = ["id", "name", "team", "track", "skill", "vacation"];
    let [_, name, _, track, skill, vacation] = fields(text, place, names)?;
    let mut days = match vacation {
        "" => Vec::new(),
        _ => {
            let days = vacation.split(':').map(|day| date(day, place, (6, "vacation")));
            days.collect::<Result<Vec<_>, _>>()?
        }
    };
    days.sort_unstable();
    days.dedup();
    Ok(Person { name, track, skill: if strict { skill.trim() } else { skill }, vacation: days })
}

fn item<'a>(text: &'a str, place: Place, reading: &mut Reading<'_>) -> Result<Item<'a>, BadInput> {
    let names = ["id", "rank", "name", "estimate", "triage", "track"];
    let [_, rank, name, estimate_text, triage_text, track] = fields(text, place, names)?;
    let rank = integer(rank).ok_or_else(|| {
        let problem = format!("{} is not a whole number; write it like 14", quoted(rank));
        place.field((2, "rank"), problem)
    })?;
    Ok(Item {
        place,
        rank,
        name,
        estimate: estimate(estimate_text, place, reading)?,
        triage: triage(triage_text, place)?,
        track,
    })
}

fn triage(text: &str, place: Place) -> Result<usize, BadInput> {
    if text.is_empty() {
        return Ok(TRIAGES.len() - 1);
    }
    let number = real(text).ok_or_else(|| {
        let problem = format!("{} is not a number; use 1, 1.5, 2, 2.5 or 3", quoted(text));
        place.field((5, "triage"), problem)
    })?;
    let tops = [1.0, 1.5, 2.0, 2.5];
    Ok(tops.iter().position(|top| number <= *top).unwrap_or(tops.len()))
}

fn estimate<'a>(
    text: &'a str,
    place: Place,
    reading: &mut Reading<'_>,
) -> Result<Vec<Option<Effort<'a>>>, BadInput> {
    let strict = reading.strict;
    let parts = text.split(',').map(|part| effort(part, place, strict));
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    parts.sort_by(order);
    for pair in parts.windows(2) {
        if let [Some(first), Some(second)] = pair
            && first.skill == second.skill
        {
            let problem = format!(
                "the skill {} comes twice in {} and only the least effort counts; add them up",
                quoted(first.skill),
                quoted(text)
            );
            reading.doubt(place.field(ESTIMATE_FIELD, problem))?;
        }
    }
    for effort in parts.iter().flatten() {
        if effort.skill.trim() != effort.skill {
            let problem = format!(
                "the skill {} has blanks around it and is a skill of its own; remove the blanks",
                quoted(effort.skill)
            );
            reading.doubt(place.field(ESTIMATE_FIELD, problem))?;
        }
    }
    Ok(parts)
}

/// One part of an estimate; an empty one is nothing.
fn effort(part: &str, place: Place, strict: bool) -> Result<Option<Effort<'_>>, BadInput> {
    let part = if strict { part.trim() } else { part };
    if part.is_empty() {
        return Ok(None);
    }
    let read = part.split_once(':').and_then(|(skill, weeks)| {
        let skill = if strict { skill.trim() } else { skill };
        real(weeks).map(|weeks| Effort { skill, weeks })
    });
    let refused = |problem| Err(place.field(ESTIMATE_FIELD, problem));
    match read {
        None => refused(format!(
            "{} is not SKILL:NUMBER; write weeks of one person like Server:1.5",
            quoted(part)
        )),
        Some(effort) if strict && !(0.0..f32::INFINITY).contains(&effort.weeks) => refused(
            format!("{} is not an effort; write weeks of one person from 0 upwards", quoted(part)),
        ),
        some => Ok(some),
    }
}

/// By skill, then effort, with empty parts last.
fn order(one: &Option<Effort<'_>>, other: &Option<Effort<'_>>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => {
            let by_number = || match one.weeks.partial_cmp(&other.weeks) {
                Some(order) => order,
                None => one.weeks.is_nan().cmp(&other.weeks.is_nan()),
            };
            one.skill.cmp(other.skill).then_with(by_number)
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// Refuses what cannot be scheduled and warns of what never ends.
fn check_efforts(plan: &Plan<'_>, reading: &mut Reading<'_>) -> Result<(), BadInput> {
    for item in &plan.work {
        let odd =
            item.efforts().filter(|effort| effort.weeks.is_nan() || effort.weeks == f32::INFINITY);
        for effort in odd.filter(|effort| plan.scheduled.contains(&effort.skill)) {
            let skill = quoted(effort.skill);
            if effort.weeks == f32::INFINITY {
                let problem = format!(
                    "the effort of skill {skill} is infinite; write weeks of one person like 1.5"
                );
                return Err(item.place.field(ESTIMATE_FIELD, problem));
            }
            let problem = format!("the effort of skill {skill} is no number; the item never ends");
            reading.doubt(item.place.field(ESTIMATE_FIELD, problem))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
