//! What people write for a version, taken apart: a base and how far back from it. Pure.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

/// The most parents gone back by marks like `~3^^`.
const MARKS_MAX: usize = 100;

/// A text without its marks, and how many parents back they go; none if they cannot be followed.
pub(crate) fn split(text: &str) -> Option<(&str, u64)> {
    let end = text.find(['~', '^']).unwrap_or(text.len());
    let (base, marks) = text.split_at(end);
    let mut back = 0_u64;
    let mut rest = marks;
    for _ in 0..MARKS_MAX {
        let mut letters = rest.chars();
        let Some(mark) = letters.next() else {
            return Some((base, back));
        };
        rest = letters.as_str();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        rest = after;
        let count = match number {
            "" => 1,
            number => number.parse().ok()?,
        };
        // `^2` would be a second parent: esker follows first parents only.
        match mark {
            '~' => back = back.checked_add(count)?,
            '^' if count <= 1 => back = back.checked_add(count)?,
            _ => return None,
        }
    }
    None
}

/// The last second a text like `2025-11-20`, `2025-11-20 17:00`, RFC 3339, `yesterday`, `now` or
/// `3 days ago` may mean; none if it is no time.
pub(crate) fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let today = zone.to_datetime(now).date();
    let date = match text {
        "now" => return Some(now.as_second()),
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        _ => text.parse::<Date>().ok().filter(|_| is_date(text)),
    };
    if let Some(date) = date {
        let end = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
        return Some(end.timestamp().as_second() - 1);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    if let Ok(time) = text.parse::<DateTime>() {
        let zoned = time.to_zoned(zone.clone()).ok()?;
        return Some(zoned.timestamp().as_second());
    }
    let before = ago(text)?;
    let then = now.to_zoned(zone.clone()).checked_sub(before).ok()?;
    Some(then.timestamp().as_second())
}

/// Whether the text is a date alone.
fn is_date(text: &str) -> bool {
    text.len() == "2025-11-20".len()
}

/// `3 days ago` as a span.
fn ago(text: &str) -> Option<Span> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, unit, "ago"] = words.as_slice() else {
        return None;
    };
    let count: i64 = match *number {
        "a" | "an" | "one" => 1,
        number => number.parse().ok().filter(|count| (0..=1_000_000).contains(count))?,
    };
    match unit.trim_end_matches('s') {
        "second" => Some(count.seconds()),
        "minute" => Some(count.minutes()),
        "hour" => Some(count.hours()),
        "day" => Span::new().try_days(count).ok(),
        "week" => Span::new().try_weeks(count).ok(),
        "month" => Span::new().try_months(count).ok(),
        "year" => Span::new().try_years(count).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
