//! The small texts of a definition: durations, sizes, names, addresses, schedules.

use std::net::IpAddr;
use std::time::Duration;

use croner::Cron;
use esker_wire::message::CONTENT_MAX;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest duration a definition may name.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// The largest size of what comes in one message.
const SIZE_MAX: u64 = CONTENT_MAX as u64;

/// Reads `250ms`, `15m`, `1h30m`.
///
/// # Errors
/// What is wrong with the text, and what to write.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad =
        || format!("{text:?} is no duration; write for example \"30s\", \"15m\" or \"1h30m\"");
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(bad()),
        };
        let number: u64 = number.parse().map_err(|_| bad())?;
        let part = number.checked_mul(milliseconds).ok_or_else(bad)?;
        total = total.saturating_add(Duration::from_millis(part));
        rest = tail;
    }
    if text.is_empty() {
        return Err(bad());
    }
    if total > DURATION_MAX {
        return Err(format!("{text:?} is longer than a year"));
    }
    Ok(total)
}

/// A duration that is not nothing.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("{text:?} is no time at all")),
        some => Ok(some),
    }
}

/// Reads `10MB`, `64KiB`, `1000`: the size of what comes in one message.
pub(super) fn size(text: &str) -> Result<u64, String> {
    match any_size(text)? {
        size @ 1..=SIZE_MAX => Ok(size),
        _ => Err(format!("{text:?}: at most 64MiB: so much comes in one message")),
    }
}

/// Reads a size of any magnitude, `1TB` too.
///
/// # Errors
/// What is no size, said for people.
pub fn any_size(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is no size; write for example \"10MB\" or \"64KiB\"");
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(bad()),
    };
    match number.saturating_mul(factor) {
        0 => Err(format!("{text:?} is no size at all")),
        size => Ok(size),
    }
}

/// The name of a source, stage or view: what a resource's part may be, without blanks.
pub(super) fn name(text: &str) -> Result<(), &'static str> {
    const NAME_MAX: usize = 100;
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > NAME_MAX || !text.chars().all(plain) {
        return Err("a name is letters, digits, - and _, at most 100 bytes");
    }
    Ok(())
}

/// `HOST:PORT`; whether that is on loopback.
pub(super) fn is_local(text: &str) -> Result<bool, String> {
    let example = "write HOST:PORT, for example \"127.0.0.1:8000\"";
    on_loopback(text).ok_or_else(|| format!("{text:?} is no address; {example}"))
}

/// `tcp://HOST:PORT`, on loopback.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let example = "write tcp://HOST:PORT, for example \"tcp://127.0.0.1:5000\"";
    let rest = text.strip_prefix("tcp://").unwrap_or_default();
    local(text, rest).map_err(|what| format!("{what}; {example}"))
}

/// The text, if `rest` of it is a loopback host and a port; what is wrong, if not.
fn local(text: &str, rest: &str) -> Result<String, String> {
    match on_loopback(rest) {
        Some(true) => Ok(text.to_owned()),
        Some(false) => Err(format!("{text:?} is not a loopback address")),
        None => Err(format!("{text:?} is no address")),
    }
}

/// Whether `HOST:PORT` is on loopback, if it is an address at all.
fn on_loopback(text: &str) -> Option<bool> {
    let parts = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let (host, _) = parts.filter(|(host, _)| !host.is_empty())?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Some(bare.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback()))
}

/// When a source runs by itself.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// This long after its last run began.
    Every(Duration),
    /// At the times of a cron pattern in a time zone.
    Cron(Box<Cron>, TimeZone),
}

impl Schedule {
    /// A cron pattern, refused if it can never come true after `now`.
    pub(super) fn cron(pattern: &str, zone: TimeZone, now: Timestamp) -> Result<Self, String> {
        let cron: Cron =
            pattern.parse().map_err(|error| format!("{pattern:?} is no cron pattern: {error}"))?;
        let schedule = Self::Cron(Box::new(cron), zone);
        match schedule.next_after(now) {
            Some(_) => Ok(schedule),
            None => Err(format!("{pattern:?} never comes true")),
        }
    }

    /// The first time to run after a run that began at `last`. However many times have passed since then,
    /// they are made up for by one run.
    pub(crate) fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(every) => last.checked_add(SignedDuration::try_from(*every).ok()?).ok(),
            Self::Cron(cron, zone) => {
                let from = last.to_zoned(zone.clone());
                let next = cron.find_next_occurrence(&from, false).ok()?;
                Some(next.timestamp())
            }
        }
    }
}

#[cfg(test)]
mod tests;
