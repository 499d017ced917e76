//! Processes started to be measured: what they say, what they cost, how they end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use super::machine;

/// How long a process may take to say where it is, or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a process must have done nothing to count as at rest: several of the kernel's ticks.
const REST: Duration = Duration::from_millis(100);

/// How long to wait for rest.
const REST_MAX: Duration = Duration::from_secs(30);

/// A process, killed when dropped.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    /// Starts a program whose errors go to a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = command.stdin(Stdio::null()).stderr(log).spawn();
        child.map(Self).with_context(|| format!("cannot start {}", shown(command)))
    }

    /// Starts a program that says one line when it is ready: the line.
    pub(crate) fn that_says(command: &mut Command, log: &Path) -> Result<(Self, String)> {
        let mut running = Self::start(command.stdout(Stdio::piped()), log)?;
        let mut line = String::new();
        if let Some(stdout) = running.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.is_empty() {
            let log = fs::read_to_string(log).unwrap_or_default();
            bail!("{} does not start: {}", shown(command), last_line(&log));
        }
        Ok((running, line.trim().to_owned()))
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Kills it, as a loss of power would, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.0);
        rustix::process::kill_process(pid, Signal::TERM)?;
        let begun = Instant::now();
        while !self.has_ended() {
            if begun.elapsed() > PATIENCE {
                bail!("process {} does not end", self.0.id());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The memory it has in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let resident = machine::field(&status.unwrap_or_default(), "VmRSS");
        resident.map_or(0, |text| machine::kilobytes(&text))
    }

    /// The ticks of processor time it has used, a hundred a second.
    pub(crate) fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Waits until it has nothing to do, for a while at most.
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        let mut before = self.ticks();
        while begun.elapsed() < REST_MAX {
            std::thread::sleep(REST);
            let now = self.ticks();
            if now == before {
                return;
            }
            before = now;
        }
    }
}

/// Runs a program to its end: what it prints.
///
/// # Errors
/// If it cannot be started, or fails; the last line of what it said.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{} failed ({}): {}", shown(command), output.status, last_line(&said));
    }
    Ok(output.stdout)
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
