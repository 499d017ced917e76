//! Killed again and again in a storm of PUTs: nothing that was acknowledged may be lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_bus::service::Frames;
use esker_wire::revision::Revision;

use crate::bench::Bench;
use crate::bench::contents::{self, Contents, Random};
use crate::bench::hub::Ground;
use crate::bench::load::{Crew, Job};
use crate::bench::peers;
use crate::bench::process::{PATIENCE, output};
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The clients of the storm.
const CLIENTS: usize = 32;

/// What they put, in bytes.
const CONTENT: usize = 1024;

/// The longest storm before a kill, in microseconds.
const STORM_MAX: u64 = 60_000;

/// How long a client waits for an answer that a kill may have swallowed.
const WAIT: Duration = Duration::from_secs(2);

/// How often git looks at the store while it is as the kill left it.
const LOOKS: u32 = 4;

/// One acknowledged PUT.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    resource: usize,
    number: u64,
    revision: Revision,
}

/// Puts until the hub is gone.
struct Storm {
    contents: Contents,
    next: AtomicU64,
    is_over: AtomicBool,
    lanes: [Mutex<(u64, Vec<Acknowledged>)>; CLIENTS],
}

impl Storm {
    fn acknowledged(&self) -> Vec<Acknowledged> {
        let lanes = self.lanes.iter();
        lanes
            .flat_map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner).1.clone())
            .collect()
    }
}

impl Job for Storm {
    const DEADLINE: Duration = WAIT;

    fn ask(&self, lane: usize, _: u64) -> Option<Frames> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner).0 = number;
        Some(contents::put(lane, self.contents.get(number)))
    }

    fn take(&self, lane: usize, _: u64, reply: &Frames) -> bool {
        let mut state = self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.0;
        let Some(revision) = contents::revision(reply) else {
            return false;
        };
        state.1.push(Acknowledged { resource: lane, number, revision });
        true
    }
}

/// Reads everything that was acknowledged, and counts what is not there.
struct Looking {
    all: Vec<Acknowledged>,
    contents: Contents,
    lost: AtomicU64,
}

impl Looking {
    fn one(&self, lane: usize, turn: u64) -> Option<Acknowledged> {
        let index = usize::try_from(turn).ok()?.checked_mul(CLIENTS)? + lane;
        self.all.get(index).copied()
    }
}

impl Job for Looking {
    fn ask(&self, lane: usize, turn: u64) -> Option<Frames> {
        let one = self.one(lane, turn)?;
        Some(contents::get(one.resource, Some(one.revision)))
    }

    fn take(&self, lane: usize, turn: u64, reply: &Frames) -> bool {
        let one = self.one(lane, turn);
        if one.is_none_or(|one| reply.last() != Some(&self.contents.get(one.number))) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

/// Runs the case.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let kills = bench.sizes.kills;
    bench.begin(&format!("{kills} kills in a storm of PUTs"));
    let ground = Ground::new(&bench.path("killed"))?;
    let contents = Contents::new(CONTENT, 99);
    let storm = Arc::new(Storm {
        contents: contents.clone(),
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        lanes: std::array::from_fn(|_| Mutex::default()),
    });
    let has_git = bench.tools.git();
    let mut faults = 0_u64;
    for kill in 1..=kills {
        if bench.stop.is_pulled() {
            bail!("interrupted");
        }
        one_kill(bench, &ground, &storm, kill)?;
        let looks = kill.is_multiple_of((kills / LOOKS).max(1)) && has_git.is_ok();
        faults += u64::from(looks && !is_clean(&ground));
    }
    let all = storm.acknowledged();
    let what = format!("{kills} × kill -9 in a storm of {CLIENTS} clients");
    let lost = lost(bench, &ground, &contents, &all)?;
    let case = format!("{what}: of {} acknowledged PUTs, lost", all.len());
    let case = Case::new("kill-lost", case, Rounds::one(Unit::Count, lost as f64));
    bench.table.push(case.bound(Bound::Zero));
    let what = format!("{what}: faults that `git fsck --strict` finds");
    bench.table.push(match has_git {
        Err(reason) => Case::not_run("kill-fsck", what, reason),
        Ok(()) => {
            faults += u64::from(!is_clean(&ground));
            Case::new("kill-fsck", what, Rounds::one(Unit::Count, faults as f64)).bound(Bound::Zero)
        }
    });
    Ok(())
}

/// Starts a hub, lets the storm loose on it, and kills it at some moment.
fn one_kill(bench: &Bench, ground: &Ground, storm: &Arc<Storm>, kill: u32) -> Result<()> {
    let hub = ground.hub(&bench.bus)?;
    let crew = Crew::new(&bench.bus, &hub.endpoint, CLIENTS, 1);
    storm.is_over.store(false, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let clients = scope.spawn(|| crew.run(storm));
        let begun = Instant::now();
        let before = storm.next.load(Ordering::Relaxed);
        while storm.next.load(Ordering::Relaxed) < before + 2 * CLIENTS as u64 {
            if begun.elapsed() > PATIENCE {
                bail!("the storm does not begin");
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        let moment = Random(u64::from(kill)).below(STORM_MAX);
        std::thread::sleep(Duration::from_micros(moment));
        hub.running.kill()?;
        storm.is_over.store(true, Ordering::Relaxed);
        // What the kill has swallowed is no fault of the clients.
        drop(clients.join());
        Ok(())
    })
}

/// How many acknowledged PUTs cannot be read, or are no part of the history.
fn lost(bench: &Bench, ground: &Ground, contents: &Contents, all: &[Acknowledged]) -> Result<u64> {
    let hub = ground.hub(&bench.bus)?;
    let crew = Crew::new(&bench.bus, &hub.endpoint, 1, CLIENTS);
    let looking = Arc::new(Looking {
        all: all.to_vec(),
        contents: contents.clone(),
        lost: AtomicU64::new(0),
    });
    crew.run(&looking).whole()?;
    hub.running.stop()?;
    let unread = looking.lost.load(Ordering::Relaxed);
    if bench.tools.git().is_err() {
        return Ok(unread);
    }
    let history = output(&mut peers::git(&ground.store(), &["rev-list", "main"]))?;
    let history = String::from_utf8_lossy(&history).into_owned();
    let history: HashSet<Revision> = history.lines().filter_map(|line| line.parse().ok()).collect();
    let astray = all.iter().filter(|one| !history.contains(&one.revision)).count();
    Ok(unread.max(astray as u64))
}

fn is_clean(ground: &Ground) -> bool {
    output(&mut peers::git(&ground.store(), &["fsck", "--strict"])).is_ok()
}
