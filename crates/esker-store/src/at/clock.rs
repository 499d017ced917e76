//! Times of day and time zones, as people write them behind or before a date.

use esker_wire::fault::Fault;
use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

/// The longest name of a time zone, in bytes.
const ZONE_MAX: usize = 64;

const NOON: Time = Time::constant(12, 0, 0, 0);

/// Where the clock hangs, as far as a text says.
pub(super) struct Place<'a> {
    /// `+02:00`, `z`, or a name beside the time.
    beside: Option<&'a str>,
    /// A name in brackets.
    brackets: Option<&'a str>,
}

impl Place<'_> {
    /// The zone to read the time in: an offset tells more than a name.
    pub(super) fn zone(&self, otherwise: &TimeZone) -> Result<TimeZone, Fault> {
        let named = self.brackets.map(zone).transpose()?;
        let beside = self.beside.map(zone).transpose()?;
        Ok(beside.or(named).unwrap_or_else(|| otherwise.clone()))
    }

    /// Refuses an offset that the zone in brackets did not have then.
    pub(super) fn check(&self, shown: DateTime) -> Result<(), Fault> {
        let (Some(beside), Some(brackets)) = (self.beside, self.brackets) else {
            return Ok(());
        };
        let there = shown.to_zoned(zone(beside)?).map(|time| time.timestamp());
        let agrees = there
            .is_ok_and(|time| zone(brackets).is_ok_and(|zone| zone.to_datetime(time) == shown));
        if agrees {
            return Ok(());
        }
        let message = format!("{brackets} is not at {beside} at {shown}");
        Err(Fault::bad_request(message).hint("leave out the offset or the zone"))
    }
}

/// Takes a time zone off the end of a text.
pub(super) fn take_place(text: &str) -> (&str, Place<'_>) {
    let (text, brackets) = match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((rest, name)) => (rest.trim_end(), Some(name.trim_start_matches('!'))),
        None => (text, None),
    };
    let (before, last) = text.rsplit_once(' ').unwrap_or(("", text));
    let is_name = last.starts_with(|c: char| c.is_ascii_alphabetic()) && last.contains('/');
    if is_name || is_offset(last) || matches!(last, "z" | "utc" | "gmt") {
        return (before.trim_end(), Place { beside: Some(last), brackets });
    }
    // Behind a time of day without a blank: `17:00+02:00`, `17:00z`.
    let hours = between_digits(last, 't').or_else(|| last.find(':'));
    let sign = hours.and_then(|at| last[at..].find(['+', '-', 'z']).map(|sign| at + sign));
    match sign.map(|at| at + text.len() - last.len()) {
        Some(at) if is_offset(&text[at..]) || &text[at..] == "z" => {
            (&text[..at], Place { beside: Some(&text[at..]), brackets })
        }
        _ => (text, Place { beside: None, brackets }),
    }
}

/// `+02:00`, `-0330`, `+1`.
fn is_offset(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// A time zone by its name or offset.
pub(super) fn zone(name: &str) -> Result<TimeZone, Fault> {
    let unknown = || {
        let message =
            format!("there is no time zone {:?}", name.chars().take(80).collect::<String>());
        Fault::bad_request(message).hint("write Europe/Berlin, UTC, or an offset like +02:00")
    };
    if matches!(name, "z" | "Z" | "gmt" | "GMT") {
        return Ok(TimeZone::UTC);
    }
    let padded = name.strip_prefix(['+', '-']).filter(|digits| digits.len() == 1);
    let padded = padded.map(|digit| format!("{}0{digit}", &name[..1]));
    let name = padded.as_deref().unwrap_or(name);
    let known = if is_offset(name) {
        DateTimeParser::new().parse_time_zone(name).ok()
    } else if name.len() <= ZONE_MAX {
        TimeZone::get(name).ok()
    } else {
        None
    };
    known.ok_or_else(unknown)
}

/// The words of a text; what follows the `t` between a date and a time is a word that begins with it.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split([' ', ',', '\t']).filter(|word| !word.is_empty()) {
        match between_digits(word, 't') {
            Some(at) => words.extend([word[..at].to_owned(), word[at..].to_owned()]),
            None => words.push(word.to_owned()),
        }
    }
    words
}

fn between_digits(word: &str, letter: char) -> Option<usize> {
    let at = word.find(letter)?;
    let bytes = word.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (at > 0 && digit(at - 1) && digit(at + 1)).then_some(at)
}

/// Takes a time of day off the end or the beginning; `Some(None)` is midnight, of which a day has two.
pub(super) fn take_time(words: &mut Vec<String>) -> Option<Option<Time>> {
    let count = words.len();
    for (from, to) in [
        (count.saturating_sub(2), count),
        (count.saturating_sub(1), count),
        (0, 2.min(count)),
        (0, 1.min(count)),
    ] {
        let text = words[from..to].concat();
        // Two words are a time only as `5 pm`.
        let found = if to - from == 2 { half_day(&text).map(Some) } else { time(&text) };
        let Some(found) = found else {
            continue;
        };
        words.drain(from..to);
        let at = if from == 0 { words.first() } else { words.last() };
        if at.is_some_and(|word| word == "at") {
            words.remove(if from == 0 { 0 } else { words.len() - 1 });
        }
        return Some(found);
    }
    None
}

/// `17:00`, `5pm`, `noon`, `t1700`.
fn time(text: &str) -> Option<Option<Time>> {
    match text {
        "noon" => return Some(Some(NOON)),
        "midnight" => return Some(None),
        _ => {}
    }
    if let Some(digits) = text.strip_prefix('t').filter(|digits| !digits.contains(':')) {
        return digits.parse().ok().map(Some);
    }
    let text = text.strip_prefix('t').unwrap_or(text);
    if text.contains(':') && !text.ends_with('m') {
        return of_day(text).map(Some);
    }
    half_day(text).map(Some)
}

/// `5pm`, `5:30pm`.
fn half_day(text: &str) -> Option<Time> {
    let (text, later) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(text), _) => (text, 0),
        (_, Some(text)) => (text, 12),
        _ => return None,
    };
    let time = if text.contains(':') { of_day(text)? } else { of_day(&format!("{text}:00"))? };
    if !(1..=12).contains(&time.hour()) {
        return None;
    }
    time.with().hour(time.hour() % 12 + later).build().ok()
}

/// `17:00`, `9:05:30.25`.
fn of_day(text: &str) -> Option<Time> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match text.find(':') {
        Some(1) => format!("0{text}").parse().ok(),
        _ => text.parse().ok(),
    }
}
