//! Taking people's days: when does an effort end if it is begun as early as possible.

/// What people of one skill can still give, a number for each day of the plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    /// Empty if nobody has the skill.
    days: Vec<f32>,
    /// All days before this one are used up.
    first: usize,
}

/// What an item takes of a pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// How many people work on it in one day at most.
    people: f32,
    /// How many days of one person it takes altogether.
    days: f32,
}

impl Demand {
    /// The demand of an effort: two weeks are one person's, and every two weeks more another one's.
    ///
    /// The order of the operations is the original's: each of them rounds.
    pub(crate) fn of(weeks: Option<f32>) -> Self {
        let Some(weeks) = weeks else {
            return Self { people: 0.0, days: 0.0 };
        };
        let people = if weeks <= 2.0 { 1.0 } else { (weeks / 2.0).floor() };
        let days = (5.0 * (weeks / people)) * people;
        Self { people, days }
    }
}

impl Pool {
    /// A pool that can give so much each day.
    pub(crate) fn new(days: Vec<f32>) -> Self {
        Self { days, first: 0 }
    }

    /// Takes a demand and tells the index of the day it ends on, or nothing if the days ran out. What was
    /// taken stays taken even then. A demand that is no number takes nothing and never ends.
    pub(crate) fn take(&mut self, demand: Demand) -> Option<usize> {
        let mut remaining = demand.days;
        if remaining <= 0.0 {
            return Some(0);
        }
        if remaining.is_nan() {
            return None;
        }
        let mut end = None;
        for day in self.first..self.days.len() {
            let available = &mut self.days[day];
            let taken = available.min(demand.people).min(remaining);
            *available -= taken;
            remaining -= taken;
            if remaining <= 0.0 {
                end = Some(day);
                break;
            }
        }
        let left = &self.days[self.first..];
        self.first += left.iter().take_while(|available| **available <= 0.0).count();
        end
    }
}

#[cfg(test)]
mod tests;
