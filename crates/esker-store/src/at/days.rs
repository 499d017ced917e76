//! The days a text means: one, or a whole week, month or year.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::{Span, Timestamp, ToSpan as _, Zoned};

/// The most that may be gone back by `N days ago`.
const AGO_MAX: i64 = 1_000_000;
/// Years written alone, in four digits.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;
/// How many years back 29 February is looked for.
const LEAP_MAX: i16 = 8;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const NUMBERS: [&str; 12] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
];

/// Which of those that come round again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The newest that has begun: `friday` on a Friday is today.
    Newest,
    /// The newest that is over: `last friday`.
    Last,
    /// That of this week or year, or this week or year itself: `this friday`.
    This,
}

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Week,
    Month,
    Year,
}

/// What the words of a date say, before it is known which day it is today.
#[derive(Debug, Clone, Copy)]
pub(super) enum Days {
    /// `now`.
    Now,
    /// `3 days ago`: that moment, or that day if a time of day is given.
    Ago(Span),
    /// Some days before or after today: `yesterday`.
    Since(i64),
    /// `last friday`.
    Weekday(Which, Weekday),
    /// `last week`.
    Unit(Which, Unit),
    /// `november`.
    Month(Which, i8),
    /// `20 Nov`: month and day.
    Yearly(i8, i8),
    /// From the first to the last day: `2025-11-20`, `november 2025`, `2025-w47`, `2025`.
    Range(Date, Date),
    /// `03/04/2025`.
    Either(Date, Date),
}

impl Days {
    /// Reads lower-case words without a time of day.
    pub(super) fn read(words: &[&str]) -> Option<Self> {
        match words {
            ["now"] => Some(Self::Now),
            ["today"] => Some(Self::Since(0)),
            ["yesterday"] => Some(Self::Since(-1)),
            ["tomorrow"] => Some(Self::Since(1)),
            [count, unit, "ago"] => ago(count, unit).map(Self::Ago),
            ["last", name] => named(Which::Last, name),
            ["this", name] => named(Which::This, name),
            [word] => numbers(word).or_else(|| named(Which::Newest, word)),
            [one, other] => of_month(one, other),
            [one, other, year] => {
                let (month, day) = month_and_day(one, other)?;
                Date::new(year_of(year)?, month, day).ok().map(day_alone)
            }
            _ => None,
        }
    }

    /// The moment itself, where the words tell it.
    pub(super) fn exactly(&self, now: &Zoned) -> Option<Timestamp> {
        match self {
            Self::Now => Some(now.timestamp()),
            Self::Ago(span) => Some(now.checked_sub(*span).ok()?.timestamp()),
            _ => None,
        }
    }

    /// The first and the last day.
    pub(super) fn range(&self, now: &Zoned) -> Option<(Date, Date)> {
        let today = now.date();
        let alone = |day: Date| Some((day, day));
        match *self {
            Self::Now => alone(today),
            Self::Ago(span) => alone(now.checked_sub(span).ok()?.date()),
            Self::Since(days) => alone(today.checked_add(days.days()).ok()?),
            Self::Weekday(which, weekday) => alone(weekday_of(today, which, weekday)?),
            Self::Unit(which, unit) => unit_of(today, which, unit),
            Self::Month(which, month) => {
                let over = match which {
                    Which::Newest => month > today.month(),
                    Which::Last => month >= today.month(),
                    Which::This => false,
                };
                month_days(today.year() - i16::from(over), month)
            }
            Self::Yearly(month, day) => {
                let years = (0..LEAP_MAX).map(|back| Date::new(today.year() - back, month, day));
                alone(years.flatten().find(|date| *date <= today)?)
            }
            Self::Range(first, last) => Some((first, last)),
            Self::Either(..) => None,
        }
    }

    /// Whether this is no day but a moment, beside which no time of day can stand.
    pub(super) fn is_now(&self) -> bool {
        matches!(self, Self::Now)
    }
}

fn day_alone(day: Date) -> Days {
    Days::Range(day, day)
}

/// `3 days ago` as a span.
fn ago(count: &str, unit: &str) -> Option<Span> {
    let count = match count {
        "a" | "an" => 1,
        count => match NUMBERS.iter().position(|name| *name == count) {
            Some(index) => i64::try_from(index).ok()? + 1,
            None => count.parse().ok().filter(|count| (0..=AGO_MAX).contains(count))?,
        },
    };
    match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => Span::new().try_seconds(count),
        "minute" => Span::new().try_minutes(count),
        "hour" => Span::new().try_hours(count),
        "day" => Span::new().try_days(count),
        "week" => Span::new().try_weeks(count),
        "month" => Span::new().try_months(count),
        "year" => Span::new().try_years(count),
        _ => return None,
    }
    .ok()
}

/// `friday`, `week`, `november`.
fn named(which: Which, name: &str) -> Option<Days> {
    let unit = match name {
        "week" => Some(Unit::Week),
        "month" => Some(Unit::Month),
        "year" => Some(Unit::Year),
        _ => None,
    };
    if let Some(unit) = unit.filter(|_| which != Which::Newest) {
        return Some(Days::Unit(which, unit));
    }
    let mut weekdays = WEEKDAYS.iter().filter(|(full, _)| stands_for(name, full));
    if let Some((_, weekday)) = weekdays.next() {
        return Some(Days::Weekday(which, *weekday));
    }
    month(name).map(|month| Days::Month(which, month))
}

/// Whether a word is a name or its beginning: `thu`, `thurs`, `thursday`.
fn stands_for(word: &str, name: &str) -> bool {
    word.len() >= 3 && name.starts_with(word.strip_suffix('.').unwrap_or(word))
}

fn month(word: &str) -> Option<i8> {
    let index = MONTHS.iter().position(|name| stands_for(word, name))?;
    i8::try_from(index + 1).ok()
}

/// `20`, `20th`.
fn day(word: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th", "."].iter().find_map(|end| word.strip_suffix(end));
    let digits = digits.unwrap_or(word);
    let is_day = matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|day| is_day && (1..=31).contains(day))
}

/// A year in four digits.
fn year_of(word: &str) -> Option<i16> {
    let is_year = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_year)
}

/// `20 nov` or `nov 20`.
fn month_and_day(one: &str, other: &str) -> Option<(i8, i8)> {
    match (month(one), month(other)) {
        (Some(month), None) => Some((month, day(other)?)),
        (None, Some(month)) => Some((month, day(one)?)),
        _ => None,
    }
}

/// `november 2025`, `20 nov`.
fn of_month(one: &str, other: &str) -> Option<Days> {
    if let (Some(month), Some(year)) = (month(one), year_of(other)) {
        return month_days(year, month).map(|(first, last)| Days::Range(first, last));
    }
    month_and_day(one, other).map(|(month, day)| Days::Yearly(month, day))
}

/// A date of numbers in one word.
fn numbers(word: &str) -> Option<Days> {
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let mark = word.chars().find(|c| !c.is_ascii_alphanumeric());
    match (mark, parts.as_slice()) {
        (None, [alone]) => compact(alone),
        (Some('-'), [year, week]) if week.starts_with('w') => week_days(year, &week[1..], None),
        (Some('-'), [year, week, day]) if week.starts_with('w') => {
            week_days(year, &week[1..], Some(day))
        }
        (Some('-'), [year, month]) => {
            let (first, last) = month_days(year_of(year)?, two_digits(month)?)?;
            Some(Days::Range(first, last))
        }
        (Some('-' | '/'), [year, month, day]) if year.len() == 4 => {
            let date = Date::new(year_of(year)?, two_digits(month)?, two_digits(day)?);
            date.ok().map(day_alone)
        }
        (Some('-'), [one, other, year]) => {
            let (month, day) = month_and_day(one, other)?;
            Date::new(year_of(year)?, month, day).ok().map(day_alone)
        }
        (Some('.'), [one, other, year]) => {
            Date::new(year_of(year)?, month_number(other)?, day(one)?).ok().map(day_alone)
        }
        (Some('/'), [one, other, year]) => either(one, other, year),
        _ => None,
    }
}

/// `2025`, `20251120`, `2025w47`.
fn compact(word: &str) -> Option<Days> {
    if let Some((year, week)) = word.split_once('w') {
        return week_days(year, week, None);
    }
    if let Some(year) = year_of(word).filter(|year| YEARS.contains(year)) {
        return Some(Days::Range(Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?));
    }
    let is_day = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_day).map(day_alone)
}

fn two_digits(word: &str) -> Option<i8> {
    let is_number = word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_number)
}

fn month_number(word: &str) -> Option<i8> {
    day(word).filter(|month| *month <= 12)
}

/// `03/04/2025`: day and month, or month and day, if both can be.
fn either(one: &str, other: &str, year: &str) -> Option<Days> {
    let (one, other, year) = (day(one)?, day(other)?, year_of(year)?);
    match (Date::new(year, other, one), Date::new(year, one, other)) {
        (Ok(british), Ok(american)) if british != american => Some(Days::Either(british, american)),
        (Ok(day), _) | (_, Ok(day)) => Some(day_alone(day)),
        _ => None,
    }
}

fn month_days(year: i16, month: i8) -> Option<(Date, Date)> {
    let first = Date::new(year, month, 1).ok()?;
    Some((first, first.last_of_month()))
}

/// A week as ISO 8601 counts them, or a day of it.
fn week_days(year: &str, week: &str, weekday: Option<&str>) -> Option<Days> {
    let (year, week) = (year_of(year)?, two_digits(week)?);
    let of = |weekday| ISOWeekDate::new(year, week, weekday).map(|date| date.date()).ok();
    let Some(weekday) = weekday else {
        return Some(Days::Range(of(Weekday::Monday)?, of(Weekday::Sunday)?));
    };
    let number = weekday.parse().ok().filter(|_| weekday.len() == 1)?;
    of(Weekday::from_monday_one_offset(number).ok()?).map(day_alone)
}

fn monday(day: Date) -> Option<Date> {
    day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()
}

fn weekday_of(today: Date, which: Which, weekday: Weekday) -> Option<Date> {
    let passed = i64::from(today.weekday().since(weekday));
    match which {
        Which::Newest => today.checked_sub(passed.days()).ok(),
        Which::Last if passed == 0 => today.checked_sub(7.days()).ok(),
        Which::Last => today.checked_sub(passed.days()).ok(),
        Which::This => {
            let offset = i64::from(weekday.to_monday_zero_offset());
            monday(today)?.checked_add(offset.days()).ok()
        }
    }
}

/// A week from Monday, a month, a year.
fn unit_of(today: Date, which: Which, unit: Unit) -> Option<(Date, Date)> {
    let back = i64::from(which == Which::Last);
    match unit {
        Unit::Week => {
            let first = monday(today)?.checked_sub((7 * back).days()).ok()?;
            Some((first, first.checked_add(6.days()).ok()?))
        }
        Unit::Month => {
            let first = today.first_of_month().checked_sub(back.months()).ok()?;
            Some((first, first.last_of_month()))
        }
        Unit::Year => {
            let first = today.first_of_year().checked_sub(back.years()).ok()?;
            Some((first, first.last_of_year()))
        }
    }
}
