//! The process of all browsers, as who measures sees it.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use esker_wire::revision::Revision;
use serde_json::Value;

use super::browsers::{END, HEARD};
use crate::bench::process::Running;

/// How often to look whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Browsers that follow a page's model.
pub(super) struct Crowd {
    running: Running,
    folder: PathBuf,
    /// The seconds it took until the last of them was in step.
    pub(super) joined: f64,
}

/// What browsers say.
pub(super) struct Heard {
    /// How many have verified each change, and when the last of them did, by the clock of the machine.
    arrivals: HashMap<String, (u64, u64)>,
    /// How many they are.
    browsers: u64,
    /// What they had to ask for, or found to differ.
    pub(super) lost: u64,
    /// How many transactions each of them has verified.
    pub(super) applied: f64,
    /// The seconds until each of those was let go that do not read.
    pub(super) cut: Vec<f64>,
    /// The seconds from each PUT until the last of them had verified it, sorted.
    took: Vec<f64>,
}

impl Crowd {
    /// Starts so many that read, and so many that do not: once all who read are in step.
    pub(super) fn start(
        folder: &Path,
        at: SocketAddr,
        (browsers, stuck): (usize, usize),
    ) -> Result<Self> {
        fs::create_dir(folder)?;
        let mut command = idle()?;
        command.args(["bench", "browsers", &at.to_string()]);
        command.args([browsers, stuck].map(|count| count.to_string()));
        command.arg(folder);
        let (running, joined) = Running::that_says(&mut command, &folder.join("log"))?;
        let joined = joined.parse().with_context(|| format!("not all are in step: {joined}"))?;
        Ok(Self { running, folder: folder.to_owned(), joined })
    }

    /// Ends them once all have this revision, or when that takes too long.
    pub(super) fn end(mut self, last: &str, patience: Duration) -> Result<Heard> {
        fs::write(self.folder.join("wish"), last)?;
        fs::rename(self.folder.join("wish"), self.folder.join(END))?;
        let begun = Instant::now();
        while !self.running.has_ended() {
            if begun.elapsed() > 2 * patience {
                bail!("the browsers do not end");
            }
            std::thread::sleep(LOOK);
        }
        let heard = fs::read(self.folder.join(HEARD)).context("the browsers have said nothing")?;
        Heard::read(&serde_json::from_slice(&heard)?).context("the browsers say something else")
    }
}

/// This program, to have what processor time nobody else wants, where the system has a way to say so.
fn idle() -> Result<Command> {
    let esker = std::env::current_exe()?;
    let has_way = Command::new("chrt").arg("--version").stdout(Stdio::null()).status();
    if !has_way.is_ok_and(|status| status.success()) {
        return Ok(Command::new(esker));
    }
    let mut command = Command::new("chrt");
    command.args(["--idle", "0"]).arg(esker);
    Ok(command)
}

impl Heard {
    fn read(said: &Value) -> Option<Self> {
        let arrival = |value: &Value| Some((value.get(0)?.as_u64()?, value.get(1)?.as_u64()?));
        let arrivals = said["arrivals"].as_object()?.iter();
        Some(Self {
            arrivals: arrivals
                .map(|(revision, at)| Some((revision.clone(), arrival(at)?)))
                .collect::<Option<_>>()?,
            browsers: said["browsers"].as_u64()?,
            lost: said["lost"].as_u64()?,
            applied: said["applied"].as_f64()?,
            cut: said["cut"].as_array()?.iter().filter_map(Value::as_f64).collect(),
            took: Vec::new(),
        })
    }

    /// Held against when each PUT was asked for; `apart` of them later the same resource is put again. One that the model has not told,
    /// because the next came soon, is there with that; one that not all have heard of is lost.
    pub(super) fn since(mut self, asked: &[(Revision, u64)], apart: usize) -> Self {
        for (index, (_, at)) in asked.iter().enumerate() {
            let same = asked[index..].iter().step_by(apart);
            let mut told = same.filter_map(|(one, _)| self.arrivals.get(&one.to_string()));
            match told.next() {
                Some((count, last)) if *count == self.browsers => {
                    self.took.push(Duration::from_nanos(last.saturating_sub(*at)).as_secs_f64());
                }
                _ => self.lost += 1,
            }
        }
        self.took.sort_unstable_by(f64::total_cmp);
        self
    }

    pub(super) fn quantile(&self, part: f64) -> f64 {
        super::quantile(&self.took, part)
    }
}

#[cfg(test)]
mod tests;
