//! How much of a resource's past is kept: `90d`, or `all 7d, hourly 30d, daily 2y`.
//!
//! A version's age counts from when it was replaced. `daily` keeps the versions in force at the end of a day, as a
//! date means one; so whatever day is asked for within the time is answered.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// How many parts a rule may have.
const PARTS_MAX: usize = 8;
/// The longest rule, in bytes.
const TEXT_MAX: usize = 200;
/// The longest time, in days.
const DAYS_MAX: u64 = 366_000;

/// Which versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grain {
    All,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

const GRAINS: [(&str, Grain); 6] = [
    ("all", Grain::All),
    ("hourly", Grain::Hourly),
    ("daily", Grain::Daily),
    ("weekly", Grain::Weekly),
    ("monthly", Grain::Monthly),
    ("yearly", Grain::Yearly),
];

/// One part of a rule: which versions, for how long; for ever if there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    grain: Grain,
    time: Option<SignedDuration>,
}

/// A rule: what any of its parts keeps is kept. The newest version always is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    text: String,
    parts: Vec<Part>,
}

impl Keep {
    /// Whether a version is kept that was in force from one moment until another, when it was replaced.
    pub fn keeps(
        &self,
        (from, until): (Timestamp, Timestamp),
        now: Timestamp,
        zone: &TimeZone,
    ) -> bool {
        let is_young = |then: Timestamp, time: Option<SignedDuration>| {
            time.is_none_or(|time| now.duration_since(then) <= time)
        };
        self.parts.iter().any(|part| match part.grain {
            Grain::All => is_young(until, part.time),
            // In force at the end of at least one hour or day: the last of them is the youngest.
            grain => begin(grain, until, zone)
                .is_none_or(|begin| begin > from && is_young(begin, part.time)),
        })
    }
}

/// When the hour, day, week, month or year began that a moment is in; none if there is no telling.
fn begin(grain: Grain, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = moment.to_zoned(zone.clone()).datetime();
    let day = local.date();
    let date = match grain {
        Grain::All | Grain::Hourly | Grain::Daily => day,
        Grain::Weekly => {
            let back = i64::from(day.weekday().since(Weekday::Monday));
            day.checked_sub(back.days()).ok()?
        }
        Grain::Monthly => day.first_of_month(),
        Grain::Yearly => day.first_of_year(),
    };
    if grain == Grain::Hourly {
        // By the moments themselves: an hour that the clock showed twice is two.
        let past =
            SignedDuration::from_secs(i64::from(local.minute()) * 60 + i64::from(local.second()));
        let whole = Timestamp::from_second(moment.as_second()).ok()?;
        return whole.checked_sub(past).ok();
    }
    let begin = DateTime::from_parts(date, jiff::civil::Time::midnight());
    Some(begin.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no rule of what to keep: {reason}; write for example \"90d\" or \"all 7d, daily 2y\""
)]
pub struct BadKeep {
    text: String,
    reason: String,
}

impl FromStr for Keep {
    type Err = BadKeep;

    fn from_str(text: &str) -> Result<Self, BadKeep> {
        let bad = |reason: String| BadKeep { text: text.chars().take(80).collect(), reason };
        if text.len() > TEXT_MAX {
            return Err(bad(format!("it is longer than {TEXT_MAX} bytes")));
        }
        let parts: Vec<Part> = text
            .split(',')
            .map(|part| self::part(part.trim()))
            .collect::<Result<_, _>>()
            .map_err(bad)?;
        if parts.len() > PARTS_MAX {
            return Err(bad(format!("it has {} parts, {PARTS_MAX} are allowed", parts.len())));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

/// Reads `90d`, `daily 2y`, `daily for 2y`, `monthly forever`.
fn part(text: &str) -> Result<Part, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let known = |word: &str| GRAINS.iter().find(|(name, _)| *name == word).map(|(_, grain)| *grain);
    let (grain, time) = match words[..] {
        [time] => (Grain::All, time),
        [grain, time] | [grain, "for", time] => {
            let grain = known(grain).ok_or_else(|| {
                format!("{grain:?} is not all, hourly, daily, weekly, monthly or yearly")
            })?;
            (grain, time)
        }
        [] => return Err("a part of it is empty".to_owned()),
        _ => return Err(format!("{text:?} is not of the form `daily 2y`")),
    };
    let time = if time == "forever" { None } else { Some(self::time(time)?) };
    Ok(Part { grain, time })
}

/// Reads `12h`, `90d`, `8w`, `2y`; a year has 366 days, so that none is cut short.
fn time(text: &str) -> Result<SignedDuration, String> {
    let bad = || format!("{text:?} is no time such as 12h, 90d, 8w, 2y or forever");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let number: u64 = text[..split].parse().map_err(|_| bad())?;
    let hours = match &text[split..] {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        "y" => 366 * 24,
        _ => return Err(bad()),
    };
    let hours = number.checked_mul(hours).filter(|hours| (1..=DAYS_MAX * 24).contains(hours));
    let hours = hours.and_then(|hours| i64::try_from(hours).ok());
    hours
        .map(SignedDuration::from_hours)
        .ok_or_else(|| format!("{text:?} is no time at all, or too long"))
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
