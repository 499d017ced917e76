//! The rules of scheduling once more, written down as plainly and slowly as can be, to compare with.
//!
//! Nothing is shared with the crate: dates are looked up in a list of all days, sums are taken over whole
//! vectors, and decimals are compared as strings of digits.

use crate::decimals::Decimals;
use std::collections::{BTreeSet, HashMap};

const TRIAGES: [&str; 5] = ["1", "1.5", "2", "2.5", "3"];

/// All days of 2024 to 2026 as inputs and outputs write them, and whether they are at a weekend.
pub(crate) struct Calendar {
    pub(crate) plain: Vec<String>,
    padded: Vec<String>,
    weekend: Vec<bool>,
    index: HashMap<String, usize>,
}

impl Calendar {
    pub(crate) fn new() -> Self {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
        let (mut plain, mut padded, mut weekend) = (Vec::new(), Vec::new(), Vec::new());
        for year in [2024, 2025, 2026] {
            for (month, length) in names.split(' ').zip(lengths) {
                let leap = year == 2024 && month == "Feb";
                for day in 1..=length + i32::from(leap) {
                    // 2024-01-01 was a Monday.
                    weekend.push([5, 6].contains(&(plain.len() % 7)));
                    plain.push(format!("{month} {day}, {year}"));
                    padded.push(format!("{month} {day:>2}, {year}"));
                }
            }
        }
        let index = plain.iter().cloned().zip(0..).collect();
        Self { plain, padded, weekend, index }
    }

    fn find(&self, date: &str) -> usize {
        let found = self.index.get(date);
        *found.unwrap_or_else(|| panic!("{date} is not in the calendar"))
    }
}

struct Person {
    name: String,
    track: String,
    skill: String,
    vacation: Vec<usize>,
}

struct Item {
    rank: i64,
    name: String,
    parts: Vec<Option<(String, f32)>>,
    triage: usize,
    track: String,
}

impl Item {
    fn effort(&self, skill: &str) -> Option<f32> {
        for part in self.parts.iter().flatten() {
            if part.0 == skill {
                return Some(part.1);
            }
        }
        None
    }
}

fn stream<'a>(text: &'a str, name: &str) -> Vec<Vec<&'a str>> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("=====") {
            inside = line == format!("====={name}");
        } else if inside {
            lines.push(line[1..].split('\t').collect());
        }
    }
    lines
}

fn item(fields: &[&str]) -> Item {
    let mut parts: Vec<Option<(String, f32)>> = Vec::new();
    for part in fields[3].split(',') {
        parts.push(part.split_once(':').map(|(skill, weeks)| {
            (skill.to_owned(), weeks.parse().expect("the generator writes plain numbers"))
        }));
    }
    // Insertion sort: stable, and plainly by skill, number, and nothing last.
    for end in 1..parts.len() {
        let mut at = end;
        while at > 0 && less(&parts[at], &parts[at - 1]) {
            parts.swap(at, at - 1);
            at -= 1;
        }
    }
    let triage: f32 = if fields[4].is_empty() { 3.0 } else { fields[4].parse().expect("a number") };
    let tops = [1.0, 1.5, 2.0, 2.5, f32::INFINITY];
    Item {
        rank: fields[1].parse().expect("a rank"),
        name: fields[2].to_owned(),
        parts,
        triage: tops.iter().position(|top| triage <= *top).expect("infinity is the top"),
        track: fields[5].to_owned(),
    }
}

fn less(one: &Option<(String, f32)>, other: &Option<(String, f32)>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.0 < other.0 || (one.0 == other.0 && one.1 < other.1),
        (one, other) => one.is_some() && other.is_none(),
    }
}

/// The plan's days as indices in the calendar, and which of them are working days.
struct Days {
    all: Vec<usize>,
    work: Vec<bool>,
}

fn days(text: &str, calendar: &Calendar) -> Days {
    let params = stream(text, "qplan params v1");
    let (start, end) = (calendar.find(params[0][0]), calendar.find(params[0][1]));
    let mut holidays = Vec::new();
    for line in stream(text, "qplan holidays v1") {
        holidays.push(calendar.find(line[0]));
    }
    let all: Vec<usize> = if start > end { Vec::new() } else { (start..=end).collect() };
    let work = all.iter().map(|day| !calendar.weekend[*day] && !holidays.contains(day)).collect();
    Days { all, work }
}

fn availability(people: &[&Person], skill: &str, days: &Days) -> Vec<f32> {
    let mut sums = Vec::new();
    for person in people.iter().filter(|person| person.skill == skill) {
        sums.resize(days.all.len(), 0.0);
        for (index, day) in days.all.iter().enumerate() {
            let present = days.work[index] && !person.vacation.contains(day);
            sums[index] += if present { 1.0 } else { 0.0 };
        }
    }
    sums
}

fn demand(items: &[&Item], skills: &[String]) -> Vec<Vec<f32>> {
    let mut totals: Vec<Vec<f32>> = Vec::new();
    for triage in 0..TRIAGES.len() {
        let mut sum: Option<Vec<f32>> = None;
        for item in items.iter().filter(|item| item.triage == triage) {
            let vector: Vec<f32> =
                skills.iter().map(|skill| item.effort(skill).unwrap_or(0.0)).collect();
            sum = Some(match sum {
                None => vector,
                Some(sum) => sum.iter().zip(&vector).map(|(sum, more)| sum + more).collect(),
            });
        }
        let sum = sum.unwrap_or_else(|| vec![0.0; skills.len()]);
        totals.push(match totals.last() {
            None => sum,
            Some(before) => before.iter().zip(&sum).map(|(before, more)| before + more).collect(),
        });
    }
    totals
}

/// The index of the day something ends on.
fn taken(days: &mut [f32], effort: Option<f32>) -> Option<usize> {
    let (people, mut remaining) = match effort {
        None => (0.0, 0.0),
        Some(weeks) => {
            let people = if weeks <= 2.0 { 1.0 } else { f32::floor(weeks / 2.0) };
            let each = weeks / people;
            (people, (5.0 * each) * people)
        }
    };
    let mut last = 0;
    let mut next = 0;
    while remaining > 0.0 {
        let available = *days.get(next)?;
        let mut most = available;
        for limit in [people, remaining] {
            if limit < most {
                most = limit;
            }
        }
        days[next] -= most;
        remaining -= most;
        last = next;
        next += 1;
    }
    Some(last)
}

/// What the plan's filter prints; nothing if something ends on the first day of a plan without days.
pub(crate) fn schedule(
    text: &str,
    by_name: bool,
    decimals: &mut Decimals,
    calendar: &Calendar,
) -> Option<String> {
    let days = days(text, calendar);
    let params = stream(text, "qplan params v1");
    let scheduled: Vec<&str> = params[0][2].split(':').collect();
    let mut staff = Vec::new();
    for line in stream(text, "qplan staff v1") {
        let dates = line[5].split(':').filter(|date| !date.is_empty());
        staff.push(Person {
            name: line[1].to_owned(),
            track: line[3].to_owned(),
            skill: line[4].to_owned(),
            vacation: dates.map(|date| calendar.find(date)).collect(),
        });
    }
    staff.sort_by(|one, other| one.name.cmp(&other.name));
    let mut work: Vec<Item> = stream(text, "qplan work v1").iter().map(|line| item(line)).collect();
    work.sort_by_key(|item| item.rank);

    let mut tracks: BTreeSet<String> = work.iter().map(|item| item.track.clone()).collect();
    tracks.extend(staff.iter().map(|person| person.track.clone()));
    let mut skills: BTreeSet<String> = staff.iter().map(|person| person.skill.clone()).collect();
    skills.extend(
        work.iter().flat_map(|item| item.parts.iter().flatten().map(|part| part.0.clone())),
    );
    skills.remove("");
    let skills: Vec<String> = skills.into_iter().collect();
    let tracks: Vec<Option<String>> =
        std::iter::once(None).chain(tracks.into_iter().map(Some)).collect();

    let mut sections = [const { String::new() }; 4];
    for track in &tracks {
        let of = |name: &String| track.as_ref().is_none_or(|track| track == name);
        let people: Vec<&Person> = staff.iter().filter(|person| of(&person.track)).collect();
        let items: Vec<&Item> = work.iter().filter(|item| of(&item.track)).collect();
        let view =
            View { people, items, skills: &skills, scheduled: &scheduled, by_name, days: &days };
        view.print(&mut sections, decimals, calendar)?;
    }
    let mut out = String::from("=====qplan params v1\n");
    for line in params {
        out += &format!("\t{}\n", line.join("\t"));
    }
    out += "=====qplan tracks v1\n";
    for track in tracks {
        out += &format!("\t{}\n", track.unwrap_or_else(|| "All".to_owned()));
    }
    out += "=====qplan skills v1\n";
    for skill in &skills {
        out += &format!("\t{skill}\n");
    }
    out += &format!("=====qplan triages v1\n\t{}\n", TRIAGES.join("\n\t"));
    let names = ["track manpower", "track-triage demand", "track-skill staff", "track work"];
    for (name, section) in names.iter().zip(sections) {
        out += &format!("=====qplan {name} v1\n{section}");
    }
    Some(out)
}

/// One track of a plan.
struct View<'a> {
    people: Vec<&'a Person>,
    items: Vec<&'a Item>,
    skills: &'a [String],
    scheduled: &'a [&'a str],
    by_name: bool,
    days: &'a Days,
}

impl View<'_> {
    fn print(
        &self,
        sections: &mut [String; 4],
        decimals: &mut Decimals,
        calendar: &Calendar,
    ) -> Option<()> {
        let mut numbers = |numbers: &[f32]| {
            numbers.iter().map(|number| decimals.print(*number)).collect::<Vec<String>>().join("\t")
        };
        let manpower = self.manpower();
        sections[0] += &format!("\t{}\n", numbers(&manpower));
        sections[1] += "\t=====qplan triage item\n";
        for total in demand(&self.items, self.skills) {
            sections[1] += &format!("\t\t{}\n", numbers(&total));
        }
        sections[2] += "\t=====qplan track item\n";
        for skill in self.skills {
            sections[2] += "\t\t=====qplan skill item\n";
            for person in self.people.iter().filter(|person| person.skill == *skill) {
                sections[2] += &format!("\t\t\t{}\n", person.name);
            }
        }
        sections[3] += "\t=====qplan track item\n";
        let mut left = manpower;
        let mut lists: Vec<Vec<f32>> =
            self.skills.iter().map(|skill| availability(&self.people, skill, self.days)).collect();
        for item in &self.items {
            let parts: Vec<String> = item
                .parts
                .iter()
                .map(|part| match part {
                    Some((skill, weeks)) => format!("{skill}:{}", decimals.print(*weeks)),
                    None => String::new(),
                })
                .collect();
            let short = self.shortage(item, &mut left, decimals);
            let end = match self.end(item, &mut lists) {
                Some(end) => calendar.padded[*self.days.all.get(end)?].clone(),
                None => "DNF".to_owned(),
            };
            let (rank, triage) = (item.rank, TRIAGES[item.triage]);
            let parts = parts.join(", ");
            sections[3] += &format!(
                "\t\t{}\t{rank}\t{triage}\t{}\t{parts}\t{short}\t{end}\n",
                item.track, item.name
            );
        }
        Some(())
    }

    fn manpower(&self) -> Vec<f32> {
        let mut manpower = Vec::new();
        for skill in self.skills {
            let mut sum = 0.0;
            for available in availability(&self.people, skill, self.days) {
                sum += available / 5.0;
            }
            manpower.push(sum);
        }
        manpower
    }

    fn shortage(&self, item: &Item, left: &mut [f32], decimals: &mut Decimals) -> String {
        let mut short = Vec::new();
        for (index, skill) in self.skills.iter().enumerate() {
            let weeks = item.effort(skill).unwrap_or(0.0);
            let before = left[index];
            left[index] = if before <= 0.0 { 0.0 - weeks } else { before - weeks };
            if weeks > 0.0 && left[index] < 0.0 {
                short.push(format!("{skill}:{}", decimals.print(left[index])));
            }
        }
        short.join(", ")
    }

    fn end(&self, item: &Item, lists: &mut [Vec<f32>]) -> Option<usize> {
        let mut ends = vec![Some(0)];
        for (index, skill) in self.scheduled.iter().enumerate() {
            let list = if self.by_name {
                self.skills.iter().position(|other| other == skill)
            } else {
                Some(index)
            };
            if let Some(days) = list.and_then(|list| lists.get_mut(list)) {
                ends.push(taken(days, item.effort(skill)));
            }
        }
        let unestimated = item.parts.len() == 1 && item.parts[0].is_none();
        if unestimated || ends.contains(&None) {
            return None;
        }
        ends.into_iter().flatten().max()
    }
}
