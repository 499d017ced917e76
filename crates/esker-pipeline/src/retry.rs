//! Whether and when a failed run is tried again by itself.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The shortest wait before another try.
pub(crate) const DELAY_MIN: Duration = Duration::from_secs(1);
/// The longest wait before another try.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(300);

/// How often a run that says itself that its failure may pass (exit code 75) is tried again, at least.
const TEMPORARY_RETRIES: u32 = 5;

/// The longest that those who ask to be left alone are left alone.
pub(crate) const ASKED_MAX: Duration = Duration::from_secs(3600);

/// The exit code of a program whose failure may pass: `EX_TEMPFAIL`.
pub(crate) const TEMPORARY: i32 = 75;
/// The exit code of a program whose input is bad, so that it will fail again: `EX_DATAERR`.
pub(crate) const BAD_DATA: i32 = 65;
/// The exit code of a program that is set up wrongly, so that it will fail again: `EX_CONFIG`.
pub(crate) const BAD_SETUP: i32 = 78;
/// The exit code of a program that has found its outputs to be what they should be already.
pub(crate) const NO_CHANGE: i32 = 99;

/// The shortest wait where nothing failed but nothing came of it either.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest such wait.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How long to wait after the `count`th time in a row that nothing came of it.
pub(crate) fn pause(count: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << count.saturating_sub(1).min(20)).min(PAUSE_MAX)
}

/// Whether a run that says that its failure may pass is tried again after it has failed `count` times.
pub(crate) fn is_worth(count: u32, allowed: u32) -> bool {
    count <= allowed.max(TEMPORARY_RETRIES)
}

/// When to try again a run that has failed `count` times, or none if that was enough. `chance`, between 0 and
/// 1, spreads out those who fail together.
pub(crate) fn not_before(
    count: u32,
    allowed: u32,
    temporary: bool,
    (now, chance): (Timestamp, f64),
) -> Option<Timestamp> {
    let worth = if temporary { is_worth(count, allowed) } else { count <= allowed };
    if !worth {
        return None;
    }
    let doubled = DELAY_MIN.saturating_mul(1 << count.min(20));
    let spread = doubled.min(DELAY_MAX).saturating_sub(DELAY_MIN);
    let delay = DELAY_MIN + spread.mul_f64(chance.clamp(0.0, 1.0));
    let delay = SignedDuration::try_from(delay).ok()?;
    now.saturating_add(delay).ok()
}

/// The time of the next try, if those who failed the last ask to be left alone for so long.
pub(crate) fn asked(time: Timestamp, after: Option<Duration>, now: Timestamp) -> Timestamp {
    let after =
        after.map(|after| SignedDuration::try_from(after.min(ASKED_MAX)).unwrap_or_default());
    let asked = after.and_then(|after| now.checked_add(after).ok());
    asked.map_or(time, |asked| time.max(asked))
}

#[cfg(test)]
mod tests;
