//! Fills a store with so many commits, and remembers their revisions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use esker_bus::service::Frames;
use esker_wire::revision::Revision;

use crate::bench::Bench;
use crate::bench::contents::{self, Contents};
use crate::bench::hub::{Ground, Hub};
use crate::bench::load::{Crew, Job};

/// The resources of a store that is filled.
pub(super) const RESOURCES: u64 = 100;

/// What each version of them holds, in bytes.
const CONTENT: usize = 1024;

/// The clients that fill, and what each has under way.
const CLIENTS: (usize, usize) = (32, 8);

/// A store with a past.
pub(super) struct Filled {
    pub(super) ground: Ground,
    pub(super) hub: Hub,
    pub(super) commits: u64,
    /// What was put, by number: the resource is the number's rest by [`RESOURCES`].
    pub(super) revisions: Arc<Vec<Revision>>,
    pub(super) contents: Contents,
    /// The time to fill it, until the hub was at rest.
    pub(super) time: Duration,
    /// What it took on the disk then.
    pub(super) size: u64,
}

/// The resource of a commit, as a number.
pub(super) fn resource(number: u64) -> usize {
    usize::try_from(number % RESOURCES).unwrap_or_default()
}

/// The numbers one lane has asked for, and the revisions that came back.
type Lane = Mutex<Vec<(u64, Option<Revision>)>>;

/// Puts numbers until there are enough.
struct Filling {
    contents: Contents,
    commits: u64,
    next: AtomicU64,
    lanes: Vec<Lane>,
}

impl Job for Filling {
    fn ask(&self, lane: usize, _: u64) -> Option<Frames> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.commits {
            return None;
        }
        self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner).push((number, None));
        Some(contents::put(resource(number), self.contents.get(number)))
    }

    fn take(&self, lane: usize, _: u64, reply: &Frames) -> bool {
        let revision = contents::revision(reply);
        let mut lane = self.lanes[lane].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = lane.last_mut() {
            last.1 = revision;
        }
        revision.is_some()
    }
}

/// Fills a new store.
pub(super) fn fill(bench: &Bench, commits: u64) -> Result<Filled> {
    bench.begin(&format!("filling a store with {commits} commits"));
    let ground = Ground::new(&bench.path(&format!("filled-{commits}")))?;
    let hub = ground.hub(&bench.bus)?;
    let contents = Contents::new(CONTENT, commits);
    let (clients, in_flight) = CLIENTS;
    let crew = Crew::new(&bench.bus, &hub.endpoint, clients, in_flight);
    let filling = Arc::new(Filling {
        contents: contents.clone(),
        commits,
        next: AtomicU64::new(0),
        lanes: (0..clients * in_flight).map(|_| Mutex::default()).collect(),
    });
    let begun = Instant::now();
    crew.run(&filling).whole()?;
    hub.running.settle();
    let time = begun.elapsed();
    bench.rest(&hub.running)?;
    let mut all: Vec<(u64, Revision)> = Vec::new();
    for lane in &filling.lanes {
        let lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(lane.iter().filter_map(|(number, revision)| Some((*number, (*revision)?))));
    }
    all.sort_unstable_by_key(|(number, _)| *number);
    let revisions = Arc::new(all.into_iter().map(|(_, revision)| revision).collect());
    let size = ground.size()?;
    Ok(Filled { ground, hub, commits, revisions, contents, time, size })
}
