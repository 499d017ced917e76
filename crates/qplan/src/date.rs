//! Days of the calendar, and the one way the plan's streams write them: `Jan  6, 2025`.

use crate::number::is_space;
use std::fmt;

/// The latest year read; dates beyond are slips of the pen.
const YEAR_MAX: i64 = 999_999;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(i64);

impl Day {
    /// The day of a year, month (1 to 12) and day of the month, if the calendar has it.
    pub(crate) fn new(year: i64, month: u32, day: u32) -> Option<Self> {
        let fine = (0..=YEAR_MAX).contains(&year) && (1..=12).contains(&month) && day >= 1;
        if !fine || day > days_in(year, month) {
            return None;
        }
        // Years are counted from March, so that the leap day is the last of its year.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_from_march = i64::from((month + 9) % 12);
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Year, month and day of the month.
    pub(crate) fn civil(self) -> (i64, u32, u32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let small = |number: i64| u32::try_from(number).expect("a month or a day is small");
        (year, small(month), small(day))
    }

    /// The day so many days later.
    pub(crate) fn plus(self, days: usize) -> Self {
        let days = i64::try_from(days).expect("a plan is shorter than the calendar");
        Self(self.0 + days)
    }

    /// How many days this is after another; none if it is before.
    pub(crate) fn since(self, other: Self) -> Option<usize> {
        usize::try_from(self.0 - other.0).ok()
    }

    /// Whether it is a Saturday or a Sunday.
    pub(crate) fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday; counted from Monday that is 3.
        (self.0 + 3).rem_euclid(7) >= 5
    }

    /// Reads `Jan 6, 2025` with the original's leniency: any case, any number of blanks where one is, blanks
    /// around, and any number of digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_space);
        let (month, rest) = text.split_at_checked(3)?;
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        let (day, rest) = digits(spaces(rest)?)?;
        let (year, rest) = digits(spaces(rest.strip_prefix(',')?)?)?;
        if !rest.is_empty() {
            return None;
        }
        Self::new(i64::from(year), u32::try_from(month).ok()? + 1, day)
    }
}

/// Takes off white space, at least one.
fn spaces(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(is_space);
    (rest.len() < text.len()).then_some(rest)
}

/// Takes off a number.
fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

fn days_in(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `Jan  6, 2025`, the day padded with a blank; the alternate form `{:#}` does not pad.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        let month = MONTHS[month as usize - 1];
        match f.alternate() {
            true => write!(f, "{month} {day}, {year}"),
            false => write!(f, "{month} {day:>2}, {year}"),
        }
    }
}

#[cfg(test)]
mod tests;
