//! What is computed of each track: manpower, demand, shortages and ends.
//!
//! Everything is `f32` and every operation rounds, so the order of additions is part of the result.

use crate::plan::{Plan, TRIAGES};
use crate::taking::{Demand, Pool};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The name of the track that has all work and all people.
pub(crate) const ALL: &str = "All";

/// A plan with its names sorted and its skills numbered.
pub(crate) struct Book<'p, 'a> {
    pub(crate) plan: &'p Plan<'a>,
    /// All skills, sorted.
    pub(crate) skills: Vec<&'a str>,
    /// The tracks with their people and items, `All` first, the others sorted.
    pub(crate) tracks: Vec<Members<'a>>,
    /// The skill of each person, if any.
    people: Vec<Option<usize>>,
    /// The efforts of each item that count, by skill.
    efforts: Vec<Vec<(usize, f32)>>,
    /// For each day of the plan whether it is a working day.
    workdays: Vec<bool>,
}

/// The people and items of a track, as indices in the plan's order.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) name: &'a str,
    pub(crate) people: Vec<usize>,
    pub(crate) items: Vec<usize>,
}

/// A scheduled skill and the people it takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) skill: &'a str,
    /// The skill's own number; none if nobody has it and nothing needs it.
    pub(crate) wanted: Option<usize>,
    /// The number of the skill whose people are taken.
    pub(crate) taken: usize,
}

/// All scheduled skills that take from someone.
pub(crate) type Pairing<'a> = Vec<Pair<'a>>;

/// What is computed of one track.
pub(crate) struct Figures {
    /// By skill.
    pub(crate) manpower: Vec<f32>,
    /// By triage, then skill, each triage including those before it.
    pub(crate) demand: [Vec<f32>; TRIAGES.len()],
    /// The people of each skill.
    pub(crate) groups: Vec<Vec<usize>>,
    /// By item, the skills that are short.
    pub(crate) shortages: Vec<Vec<(usize, f32)>>,
    /// By item, the index of the day it ends on.
    pub(crate) ends: Vec<Option<usize>>,
}

impl<'p, 'a> Book<'p, 'a> {
    pub(crate) fn new(plan: &'p Plan<'a>) -> Self {
        let needed = plan.work.iter().flat_map(|item| item.efforts());
        let mut skills: BTreeSet<&str> = needed.map(|effort| effort.skill).collect();
        skills.extend(plan.staff.iter().map(|person| person.skill));
        skills.remove("");
        let skills: Vec<&str> = skills.into_iter().collect();
        let index = skills.iter().enumerate().map(|(index, skill)| (*skill, index));
        let index: HashMap<&str, usize> = index.collect();
        let people = plan.staff.iter().map(|person| index.get(person.skill).copied());
        let efforts = plan.work.iter().map(|item| {
            let known = item.efforts();
            known.filter_map(|effort| Some((*index.get(effort.skill)?, effort.weeks))).collect()
        });
        Self {
            plan,
            tracks: tracks(plan),
            people: people.collect(),
            efforts: efforts.collect(),
            workdays: workdays(plan),
            skills,
        }
    }

    /// The original's pairing: by position in the scheduled and in all skills.
    pub(crate) fn by_position(&self) -> Pairing<'a> {
        let pairs = self.plan.scheduled.iter().zip(0..self.skills.len());
        pairs.map(|(skill, taken)| Pair { skill, wanted: self.number(skill), taken }).collect()
    }

    /// The right pairing. A scheduled skill that nobody has and nothing needs is left out.
    pub(crate) fn by_name(&self) -> Pairing<'a> {
        let pairs = self.plan.scheduled.iter().filter_map(|skill| {
            let taken = self.number(skill)?;
            Some(Pair { skill, wanted: Some(taken), taken })
        });
        pairs.collect()
    }

    fn number(&self, skill: &str) -> Option<usize> {
        self.skills.binary_search(&skill).ok()
    }

    /// What an item needs of a scheduled skill. A skill without a number may still be the nameless one.
    fn needed(&self, item: usize, pair: &Pair<'_>) -> Option<f32> {
        let Some(wanted) = pair.wanted else {
            return self.plan.work[item].effort(pair.skill);
        };
        let mut efforts = self.efforts[item].iter();
        efforts.find(|(skill, _)| *skill == wanted).map(|(_, weeks)| *weeks)
    }

    /// All figures of a track.
    pub(crate) fn figures(&self, members: &Members<'_>, pairing: &Pairing<'_>) -> Figures {
        let groups = self.groups(members);
        let manpower: Vec<f32> =
            groups.iter().map(|group| manpower(&self.availability(group))).collect();
        Figures {
            demand: self.demand(members),
            shortages: self.shortages(members, &manpower),
            ends: self.ends(members, &groups, pairing),
            manpower,
            groups,
        }
    }

    /// The people of a track by skill. People without a skill are in no group.
    pub(crate) fn groups(&self, members: &Members<'_>) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); self.skills.len()];
        for person in &members.people {
            if let Some(skill) = self.people[*person] {
                groups[skill].push(*person);
            }
        }
        groups
    }

    /// How many people of a group are there on each day; of nobody there are no days at all.
    fn availability(&self, group: &[usize]) -> Vec<f32> {
        if group.is_empty() {
            return Vec::new();
        }
        let everybody = group.len() as f32;
        let present = |workday: &bool| if *workday { everybody } else { 0.0 };
        let mut days: Vec<f32> = self.workdays.iter().map(present).collect();
        let vacations = group.iter().flat_map(|person| &self.plan.staff[*person].vacation);
        for day in vacations.filter_map(|day| day.since(self.plan.start)) {
            if self.workdays.get(day) == Some(&true) {
                days[day] -= 1.0;
            }
        }
        days
    }

    /// The weeks needed by triage and skill, each triage including those before it.
    ///
    /// The sum of vectors begins with the first item's vector and has a zero where an item needs nothing. Beginning
    /// with minus zero, the neutral number of addition, and adding one zero at the end is the same.
    fn demand(&self, members: &Members<'_>) -> [Vec<f32>; TRIAGES.len()] {
        let zeros = || vec![0_usize; self.skills.len()];
        let mut sums = [const { Vec::new() }; TRIAGES.len()];
        let mut counts: [Vec<usize>; TRIAGES.len()] = std::array::from_fn(|_| zeros());
        let mut items = [0_usize; TRIAGES.len()];
        sums.fill(vec![-0.0; self.skills.len()]);
        for item in &members.items {
            let triage = self.plan.work[*item].triage;
            items[triage] += 1;
            for (skill, weeks) in &self.efforts[*item] {
                sums[triage][*skill] += weeks;
                counts[triage][*skill] += 1;
            }
        }
        for triage in 0..TRIAGES.len() {
            let (before, rest) = sums.split_at_mut(triage);
            for (skill, sum) in rest[0].iter_mut().enumerate() {
                let all_need = items[triage] > 0 && counts[triage][skill] == items[triage];
                *sum += if all_need { -0.0 } else { 0.0 };
                *sum = before.last().map_or(*sum, |before| before[skill] + *sum);
            }
        }
        sums
    }

    /// What is missing, item by item: the one that crosses zero tells what is missing, later ones their demand.
    fn shortages(&self, members: &Members<'_>, manpower: &[f32]) -> Vec<Vec<(usize, f32)>> {
        let mut left = manpower.to_vec();
        let short = members.items.iter().map(|item| {
            let mut short = Vec::new();
            for (skill, weeks) in &self.efforts[*item] {
                let left = &mut left[*skill];
                *left = if *left <= 0.0 { 0.0 - weeks } else { *left - weeks };
                if *weeks > 0.0 && *left < 0.0 {
                    short.push((*skill, *left));
                }
            }
            short
        });
        short.collect()
    }

    /// When each item ends. An item ends with the last of its skills; if one of them runs out of days, or there
    /// is no estimate at all, it does not end.
    pub(crate) fn ends(
        &self,
        members: &Members<'_>,
        groups: &[Vec<usize>],
        pairing: &Pairing<'_>,
    ) -> Vec<Option<usize>> {
        let pool = |pair: &Pair<'_>| Pool::new(self.availability(&groups[pair.taken]));
        let mut pools: Vec<Pool> = pairing.iter().map(pool).collect();
        let ends = members.items.iter().map(|item| {
            let mut end = Some(0);
            for (pair, pool) in pairing.iter().zip(&mut pools) {
                let taken = pool.take(Demand::of(self.needed(*item, pair)));
                end = end.zip(taken).map(|(end, taken)| end.max(taken));
            }
            end.filter(|_| !self.plan.work[*item].is_unestimated())
        });
        ends.collect()
    }
}

/// The weeks of one person that people can give: a fifth of each day, added day by day.
fn manpower(availability: &[f32]) -> f32 {
    availability.iter().fold(0.0, |sum, available| sum + available / 5.0)
}

/// `All` and every track named by work or staff.
fn tracks<'a>(plan: &Plan<'a>) -> Vec<Members<'a>> {
    let mut named: BTreeMap<&str, Members<'_>> = BTreeMap::new();
    for (index, person) in plan.staff.iter().enumerate() {
        named.entry(person.track).or_default().people.push(index);
    }
    for (index, item) in plan.work.iter().enumerate() {
        named.entry(item.track).or_default().items.push(index);
    }
    let all = Members {
        name: ALL,
        people: (0..plan.staff.len()).collect(),
        items: (0..plan.work.len()).collect(),
    };
    let named = named.into_iter().map(|(name, members)| Members { name, ..members });
    std::iter::once(all).chain(named).collect()
}

/// For each day of the plan whether it is neither at the weekend nor a holiday.
fn workdays(plan: &Plan<'_>) -> Vec<bool> {
    let days = (0..plan.days).map(|index| !plan.start.plus(index).is_weekend());
    let mut days: Vec<bool> = days.collect();
    for holiday in plan.holidays.iter().filter_map(|day| day.since(plan.start)) {
        if let Some(day) = days.get_mut(holiday) {
            *day = false;
        }
    }
    days
}
