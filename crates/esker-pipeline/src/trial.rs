//! One run of a program beside the pipeline, for a command that has a content judged: how it ended is all that counts.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;

use crate::child::{self, End, Mailbox, Order, SCRATCH_VARIABLE};
use crate::definition::Program;
use crate::run::stopped;

/// How long a program may take to end when its time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How much a program may print, in bytes; nobody reads it.
const OUTPUT_MAX: u64 = 64 * 1024 * 1024;

/// What to run. Unlike a stage it is a person's program: it runs where the person is, with the person's environment.
#[derive(Debug)]
pub struct Trial<'a> {
    /// This very program.
    pub esker: &'a Path,
    /// Where the program runs.
    pub dir: &'a Path,
    /// The program and its arguments; at least one word.
    pub argv: &'a [String],
    /// Variables besides the person's own.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub stdin: Bytes,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// It did not: it was stopped. Why, in words.
    Stopped(String),
}

/// Runs a program to its end; also gives the end of what it wrote to standard error. The calling thread must live as
/// long.
///
/// # Errors
/// If nothing can be started at all; a program that does not exist exits 127.
pub fn run(trial: Trial<'_>) -> io::Result<(Ended, String)> {
    let program = Program {
        timeout: trial.timeout,
        grace: GRACE,
        output_max: OUTPUT_MAX,
        ..Program::new(trial.argv.to_vec())
    };
    let scratch = tempfile::Builder::new().prefix("esker-").tempdir()?;
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    env.extend(trial.env);
    env.push((SCRATCH_VARIABLE.into(), scratch.path().into()));
    let order = Order {
        esker: trial.esker,
        dir: trial.dir,
        program: &program,
        env,
        says: &|_| {},
        stdin: child::Stdin::Bytes(trial.stdin),
    };
    let (post, mail) = mpsc::channel();
    let finished = child::run(&order, &Mailbox { post, mail })?;
    let ended = match finished.end {
        End::Exited(code) => Ended::Exited(code),
        // What it printed does not count.
        End::Unclosed => Ended::Exited(0),
        end => Ended::Stopped(stopped(&program, end)),
    };
    Ok((ended, String::from_utf8_lossy(&finished.stderr).into_owned()))
}

#[cfg(test)]
mod tests;
