//! `esker qplan`: the planning application's filters, from standard input to standard output.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result};

use qplan::schedule::ScheduleOptions;

use crate::cli::Qplan;
use crate::say::{self, hinted};

/// The largest input, in bytes.
const INPUT_MAX: u64 = 256 * 1024 * 1024;

/// What a program exits with when its input is at fault (`EX_DATAERR` of sysexits.h).
const DATA_ERROR: u8 = 65;

/// Runs a filter. Nothing is written unless all of it succeeded.
pub(crate) fn run(qplan: &Qplan) -> Result<ExitCode> {
    let mut input = Vec::new();
    std::io::stdin()
        .lock()
        .take(INPUT_MAX + 1)
        .read_to_end(&mut input)
        .context("cannot read standard input")?;
    if input.len() as u64 > INPUT_MAX {
        let what = format!("standard input has more than {INPUT_MAX} bytes");
        return Err(hinted(what, "a plan is smaller; is this the right file?"));
    }
    match qplan {
        Qplan::Condition => condition(&input),
        Qplan::Schedule { raw, by_name } => schedule(&input, *raw, *by_name),
    }
}

fn condition(input: &[u8]) -> Result<ExitCode> {
    match qplan::condition::condition(input) {
        Ok(conditioned) => write(&conditioned.output, &conditioned.warnings),
        Err(error) => Ok(refuse(&error, DATA_ERROR)),
    }
}

fn schedule(input: &[u8], raw: bool, by_name: bool) -> Result<ExitCode> {
    match qplan::schedule::schedule(input, ScheduleOptions { raw, by_name }) {
        Ok(schedule) => write(&schedule.output, &schedule.warnings),
        // The original's exit code for everything that is wrong.
        Err(error) => Ok(refuse(&error, 1)),
    }
}

fn write(output: &[u8], warnings: &[String]) -> Result<ExitCode> {
    for warning in warnings {
        say::note(format!("esker: warning {warning}"));
    }
    say::bytes(output)?;
    Ok(ExitCode::SUCCESS)
}

fn refuse(error: &qplan::error::Error, code: u8) -> ExitCode {
    say::note(format!("error: {error}"));
    ExitCode::from(code)
}
