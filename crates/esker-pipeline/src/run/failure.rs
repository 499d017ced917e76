//! What went wrong with a run, in words, and whether it is tried again.

use std::time::Duration;

use esker_wire::record::{Ended, Failure, RunRecord};
use jiff::Timestamp;

use crate::child::End;
use crate::definition::Program;
use crate::plan::{Run, Task};
use crate::retry;
use crate::supervise::{NOT_EXECUTABLE, NOT_FOUND};

use super::Began;

/// A failure, before it is known how often it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) summary: String,
    pub(crate) hint: String,
    pub(crate) detail: String,
    /// Whether it is likely to pass by itself.
    pub(crate) temporary: bool,
    /// Whether it is known not to.
    pub(crate) lasting: bool,
    /// How long those who failed it ask to be left alone.
    pub(crate) after: Option<Duration>,
}

impl Broken {
    pub(crate) fn new(summary: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            hint: hint.into(),
            detail: String::new(),
            temporary: false,
            lasting: false,
            after: None,
        }
    }

    pub(crate) fn temporary(mut self) -> Self {
        self.temporary = true;
        self
    }
}

/// What a program's end means.
pub(super) fn of_program(program: &Program, end: End, stderr: &[u8]) -> Broken {
    let name = name(&program.argv);
    let detail = String::from_utf8_lossy(stderr).into_owned();
    let broken = match end {
        End::Exited(code) => {
            let summary = format!("{name} exited {code}{}{}", meaning(code), last_words(&detail));
            Broken::new(summary, hint(code))
        }
        End::TimedOut => {
            let summary = format!("{name} did not end within {:?}", program.timeout);
            Broken::new(summary, "mend it, or give it a longer `timeout`")
        }
        End::TooMuch => {
            let summary = format!("{name} printed more than {} bytes", program.output_max);
            Broken::new(summary, "mend it, or give it a larger `output_max`")
        }
        End::Unclosed => {
            let summary = format!("{name} ended, but its standard output did not");
            Broken::new(summary, "something it started still holds it open; have it closed")
        }
        End::Stopped | End::Interrupted => Broken::new(format!("{name} was stopped"), ""),
    };
    let temporary = end == End::Exited(retry::TEMPORARY);
    let lasting = matches!(end, End::Exited(retry::BAD_DATA | retry::BAD_SETUP));
    Broken { detail, temporary, lasting, ..broken }
}

/// The last line a program said, by which its failure is known: of a traceback it is the error itself.
fn last_words(detail: &str) -> String {
    const SHOWN_MAX: usize = 200;
    let Some(line) = detail.lines().rev().map(str::trim).find(|line| !line.is_empty()) else {
        return String::new();
    };
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!(": {}…", &line[..end]),
        None => format!(": {line}"),
    }
}

fn meaning(code: i32) -> String {
    match code {
        retry::TEMPORARY => " (it says that this may pass)".to_owned(),
        retry::BAD_DATA => " (it says that its input is bad)".to_owned(),
        retry::BAD_SETUP => " (it says that it is set up wrongly)".to_owned(),
        129..=192 => format!(" (killed by signal {})", code - 128),
        _ => String::new(),
    }
}

fn hint(code: i32) -> &'static str {
    match code {
        retry::BAD_DATA => "mend its input: it runs again when that changes",
        retry::BAD_SETUP => "mend how it is set up, then: esker problems retry",
        137 => "was it killed for using too much memory? see its standard error",
        _ if code == i32::from(NOT_FOUND) => "a program does not exist; run: esker check",
        _ if code == i32::from(NOT_EXECUTABLE) => "a program is not executable; run: esker check",
        _ => "mend its input or its program: it runs again when either changes",
    }
}

/// The words of a command by which people know it: `python3 clean.py` rather than all of its options.
pub(crate) fn name(argv: &[String]) -> String {
    const SHOWN_MAX: usize = 80;
    let all = argv.join(" ").replace(['\n', '\r'], " ");
    match all.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}

/// The record of a failed run: a problem, or a failure to be tried again.
pub(super) fn record(run: &Run, broken: Broken, began: Began, now: Timestamp) -> RunRecord {
    let (before, since) = run.failed.unwrap_or((0, now));
    let count = before.saturating_add(1);
    let chance = (now, fastrand::f64());
    let allowed = if broken.lasting { 0 } else { allowed(run) };
    let not_before = retry::not_before(count, allowed, broken.temporary, chance);
    let not_before = not_before.map(|time| retry::asked(time, broken.after, now));
    let ended = match not_before {
        Some(_) => Ended::Retry,
        None => Ended::Problem,
    };
    RunRecord {
        stage: run.name().to_owned(),
        run_key: run.run_key.clone(),
        ended,
        inputs: run.read(),
        outputs: Vec::new(),
        started: began.at,
        duration_ms: began.duration_ms(),
        failure: Some(Failure {
            summary: broken.summary,
            hint: match ended {
                Ended::Retry => "it is tried again by itself".to_owned(),
                _ => broken.hint,
            },
            detail: broken.detail,
            count,
            since,
            not_before,
        }),
        warnings: Vec::new(),
    }
}

fn allowed(run: &Run) -> u32 {
    use crate::definition::Origin;
    match &run.task {
        Task::Stage(stage) => stage.program.retry,
        Task::Source(source) => match &source.origin {
            Origin::Run(program) => program.retry,
            Origin::Tap(tap) => tap.program.retry,
            Origin::Pull(pull) => pull.retry,
            Origin::File { .. } | Origin::Folder(_) => 0,
        },
    }
}
