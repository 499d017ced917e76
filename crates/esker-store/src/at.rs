//! What people write for a version, taken apart: a base and how far back from it, and the moments a date means. Pure.

mod clock;
mod days;

use esker_wire::fault::{Code, Fault};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use days::Days;

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

/// The first and the last second a text may mean, since 1970: a whole day, week, month or year where no time of
/// day is given. A time that the clock showed twice lasts from the first to the second; one that it left out
/// begins at the change and ends before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// When a text like `2025-11-20`, `last friday 17:00`, `3 days ago` or `2025-11-20T17:00[Europe/Berlin]` means;
/// none if it is no time. `zone` is where the clock hangs if the text does not say.
///
/// # Errors
/// `ambiguous` if it may mean two days, `bad-request` if it is a time of no known zone.
pub(crate) fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Option<Moment>, Fault> {
    let text = text.trim().to_lowercase();
    let (rest, place) = clock::take_place(&text);
    let mut words = clock::words(rest);
    let time = clock::take_time(&mut words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let days = match words.as_slice() {
        [] if time.is_some() => Some(Days::Since(0)),
        words => Days::read(words),
    };
    let Some(days) = days else {
        return Ok(None);
    };
    let zone = place.zone(zone)?;
    if let Days::Either(one, other) = days {
        let message = format!("{text} may be {one} or {other}");
        return Err(Fault::new(Code::Ambiguous, message)
            .hint("write the year first, as in 2025-11-20")
            .candidates(vec![one.to_string(), other.to_string()]));
    }
    let now = now.to_zoned(zone.clone());
    let Some(time) = time else {
        if let Some(then) = days.exactly(&now) {
            let second = then.as_second();
            return Ok(Some(Moment { first: second, last: second }));
        }
        return Ok(days.range(&now).and_then(|range| whole(range, &zone)));
    };
    let day = days.range(&now).filter(|(first, last)| first == last).map(|(day, _)| day);
    let Some(day) = day.filter(|_| !days.is_now()) else {
        return Ok(None);
    };
    let Some(time) = time else {
        let message = format!("{text:?} may be the beginning or the end of that day");
        return Err(Fault::new(Code::Ambiguous, message)
            .hint("write the day alone for its end, or 00:00 for its beginning")
            .candidates(vec![format!("{day} 00:00"), day.to_string()]));
    };
    let shown = day.to_datetime(time);
    place.check(shown)?;
    Ok(shows(shown, &zone))
}

/// A time zone by its name, `Europe/Berlin`, or as an offset, `+02:00`.
///
/// # Errors
/// `bad-request` if there is none.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Fault> {
    clock::zone(name)
}

/// Whether a text is a day or time in the one form that has always meant one, so that no tag ever hid it.
pub(crate) fn is_plain(text: &str) -> bool {
    matches!(text, "now" | "today" | "yesterday")
        || text.parse::<DateTime>().is_ok()
        || text.parse::<Timestamp>().is_ok()
}

/// From the beginning of the first day to the end of the last.
fn whole((first, last): (Date, Date), zone: &TimeZone) -> Option<Moment> {
    let first = first.to_zoned(zone.clone()).ok()?.timestamp().as_second();
    let after = last.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    let last = after.timestamp().as_second() - 1;
    Some(Moment { first, last })
}

/// When a zone's clock shows a time.
fn shows(shown: DateTime, zone: &TimeZone) -> Option<Moment> {
    let second =
        |offset: jiff::tz::Offset| offset.to_timestamp(shown).map(Timestamp::as_second).ok();
    let (first, last) = match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => (second(offset)?, second(offset)?),
        AmbiguousOffset::Fold { before, after } => (second(before)?, second(after)?),
        AmbiguousOffset::Gap { after, .. } => {
            let before_it = after.to_timestamp(shown).ok()?;
            let change = zone.following(before_it).next()?.timestamp().as_second();
            (change, change - 1)
        }
    };
    Some(Moment { first, last })
}

#[cfg(test)]
mod tests;
