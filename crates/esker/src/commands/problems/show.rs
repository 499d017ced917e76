//! A problem as it is shown: in a list, and alone.

use anyhow::Result;
use esker_web::problems::json;
use esker_wire::problem::Problem;
use esker_wire::stance::Stance;

use super::Behind;
use crate::say::{self, DIM};

/// How many lines of a program's last words a list shows; all of them stand in `show`.
const DETAIL_MAX: usize = 20;

/// Prints a problem in a list.
pub(super) fn brief(problem: &Problem, behind: &Behind) -> Result<()> {
    print(problem, behind, DETAIL_MAX)
}

/// Prints a problem with all that is known of it.
pub(super) fn one(problem: &Problem, behind: &Behind, as_json: bool) -> Result<()> {
    if as_json {
        return Ok(say::json(&json::problem(problem, &behind.of(&problem.record.stage)))?);
    }
    let record = &problem.record;
    for warning in &record.warnings {
        say::line(format!("warning: {warning}"))?;
    }
    print(problem, behind, usize::MAX)?;
    for input in &record.inputs {
        say::line(format!("  read {} {}", input.resource, input.revision.short()))?;
    }
    say::line(format!(
        "  run {DIM}{}{DIM:#} at {}, {} ms",
        record.run_key.get(..12).unwrap_or(&record.run_key),
        say::time(record.started),
        record.duration_ms
    ))?;
    Ok(())
}

fn print(problem: &Problem, behind: &Behind, detail_max: usize) -> Result<()> {
    let record = &problem.record;
    let Some(failure) = &record.failure else {
        return Ok(());
    };
    let times = match failure.count {
        0 | 1 => String::new(),
        count => format!(", {count} times"),
    };
    say::line(format!(
        "{}: {}  {DIM}since {}, {}{times}, id {}{DIM:#}",
        record.stage,
        failure.summary,
        say::time(failure.since),
        say::age(failure.since),
        problem.short()
    ))?;
    if let Some(version) = problem.passed_over() {
        say::line(format!("  passed over {} {}", version.resource, version.revision.short()))?;
    }
    for (word, stance) in [("acknowledged", &problem.ack), ("muted", &problem.mute)] {
        if let Some(stance) = stance {
            say::line(format!("  {}", said(word, stance)))?;
        }
    }
    if let Some(at) = failure.not_before {
        say::line(format!("  next try at {}", say::time(at)))?;
    }
    let lines: Vec<&str> = failure.detail.lines().collect();
    let left_out = lines.len().saturating_sub(detail_max);
    if left_out > 0 {
        let short = problem.short();
        say::line(format!("  {DIM}| … {left_out} lines more: esker problems show {short}{DIM:#}"))?;
    }
    for line in &lines[left_out..] {
        say::line(format!("  {DIM}|{DIM:#} {line}"))?;
    }
    let stages = behind.of(&record.stage);
    if !stages.is_empty() {
        say::line(format!("  behind, on the last good version: {}", stages.join(", ")))?;
    }
    if problem.passed_over().is_some() {
        let short = problem.short();
        say::line(format!("  hint: to have it seen after all: esker problems retry {short}"))?;
    } else if !failure.hint.is_empty() {
        say::line(format!("  hint: {}", failure.hint))?;
    }
    Ok(())
}

/// What was said of it, by whom, when, for how long and why.
fn said(word: &str, stance: &Stance) -> String {
    let until = match stance.until {
        Some(until) => format!(" until {}", say::time(until)),
        None if word == "muted" => " until the next change".to_owned(),
        None => String::new(),
    };
    let note = stance.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("{word}{until} by {} at {}{note}", stance.by, say::time(stance.at))
}
