//! Many browsers in one process: each has a connection and a copy of the model of its own, and checks every digest.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use esker_replica::op::{Act, Op};
use esker_replica::replica::Counts;
use esker_replica::value::Value;
use serde_json::json;

use super::{browser, clock};
use crate::{planes, say};

/// The file that says which revision is the last; when it is there, they end.
pub(super) const END: &str = "end";

/// The file with what they have heard.
pub(super) const HEARD: &str = "heard";

/// How long they may take until all are in step.
const JOIN: Duration = Duration::from_secs(60);

/// How long the last revision may take.
const LAST: Duration = Duration::from_secs(10);

/// How often to look.
const LOOK: Duration = Duration::from_millis(5);

/// They leave the processor to everybody else: browsers are on other machines.
const NICE: i32 = 19;

/// What all browsers of this process have done.
#[derive(Default)]
pub(super) struct All(Mutex<Told>);

#[derive(Default)]
struct Told {
    in_step: usize,
    /// How many have verified a revision of a resource, and when the last of them did.
    arrivals: HashMap<String, (u64, u64)>,
    lost: u64,
    applied: u64,
    /// When those who do not read were let go, in seconds.
    cut: Vec<f64>,
    /// Why one of them ended.
    fault: Option<String>,
}

impl All {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn in_step(&self) {
        self.told().in_step += 1;
    }

    /// One of them has verified these changes.
    pub(super) fn changed(&self, ops: &[Op]) {
        let now = clock();
        let mut told = self.told();
        for Op { path, act } in ops {
            let Act::Set(Value::Text(text)) = act else { continue };
            if path.len() == 3 && path[0] == "resources" && path[2] == "revision" {
                let arrival = told.arrivals.entry(text.to_string()).or_default();
                *arrival = (arrival.0 + 1, now);
            }
        }
    }

    pub(super) fn cut(&self, after: Duration) {
        self.told().cut.push(after.as_secs_f64());
    }

    /// One of them has done more since than apply what came.
    pub(super) fn counted(&self, before: &Counts, now: &Counts) {
        let lost = |counts: &Counts| counts.losses + counts.mismatches + counts.malformed;
        let mut told = self.told();
        told.lost += lost(now) - lost(before);
        told.applied += now.applied - before.applied;
    }

    fn ended(&self, fault: &anyhow::Error) {
        self.told().fault.get_or_insert_with(|| format!("a browser has ended: {fault:#}"));
    }

    /// Refuses to go on when one of them has ended.
    fn whole(&self) -> Result<()> {
        match &self.told().fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }
}

/// Says how many seconds it took until all who read were in step, and follows until a file says which revision is the last.
pub(crate) fn run(at: SocketAddr, browsers: usize, stuck: usize, folder: &Path) -> Result<()> {
    planes::allow_files();
    rustix::process::nice(NICE).context("cannot give way to others")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let all = Arc::new(All::default());
        let begun = Instant::now();
        for seed in 1..=browsers as u64 {
            let all = Arc::clone(&all);
            // They end with the runtime.
            drop(tokio::spawn(async move {
                if let Err(fault) = browser::follow(at, seed, &all).await {
                    all.ended(&fault);
                }
            }));
        }
        while all.told().in_step < browsers {
            all.whole()?;
            if begun.elapsed() > JOIN {
                bail!("only {} of {browsers} browsers are in step", all.told().in_step);
            }
            tokio::time::sleep(LOOK).await;
        }
        for _ in 0..stuck {
            let all = Arc::clone(&all);
            drop(tokio::spawn(async move {
                if let Err(fault) = browser::ask_only(at, &all).await {
                    all.ended(&fault);
                }
            }));
        }
        say::line(begun.elapsed().as_secs_f64().to_string())?;
        std::io::stdout().flush()?;
        until_end(&all, browsers as u64, folder).await?;
        let told = all.told();
        let said = json!({
            "browsers": browsers,
            "arrivals": told.arrivals,
            "lost": told.lost,
            "applied": told.applied as f64 / browsers as f64,
            "cut": told.cut,
        });
        Ok(fs::write(folder.join(HEARD), said.to_string())?)
    })
}

/// Waits until the file is there, and all have what it names or have had their time.
async fn until_end(all: &All, browsers: u64, folder: &Path) -> Result<()> {
    let last = loop {
        all.whole()?;
        match fs::read_to_string(folder.join(END)) {
            Ok(last) => break last,
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    };
    let begun = Instant::now();
    let count = || all.told().arrivals.get(&last).map_or(0, |(count, _)| *count);
    while count() < browsers && begun.elapsed() < LAST {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
