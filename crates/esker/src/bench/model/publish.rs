//! A publisher in a process of its own, at a rate: of a model, or of the frames alone that a model's would send.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;
use esker_bus::bus::Bus;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};
use esker_replica::model::Model;
use esker_replica::publisher::{Now, Options, Publication, Publisher};

use super::made;
use super::stage::{self, NAME, Stage};
use crate::say;

/// The frames that are made before, and published again and again.
const FRAMES: usize = 10_000;

/// The frames that are published each second whatever comes: as many as a model has heartbeats.
const PROBES: usize = 33;

/// How often to look for the file.
const LOOK: Duration = Duration::from_millis(5);

/// What is published.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum What {
    /// A model that changes.
    Model,
    /// The frames of one.
    Frames,
}

impl What {
    /// As it is said to a program.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Frames => "frames",
        }
    }
}

/// Says where events are, and publishes so many changes a second from when a file is there until the process is ended:
/// those who are to hear them connect before.
pub(crate) fn run(what: What, width: usize, rate: u32, begin: &Path) -> Result<()> {
    let mut dice = made::Dice::new(17);
    match what {
        What::Model => {
            let stage = Stage::new(width)?;
            announce(&stage.server, begin)?;
            paced(rate, || Ok(stage.source.push(vec![made::change(&mut dice, width)])?))
        }
        What::Frames => {
            let frames = frames(width)?;
            let probes = frames.iter().take(PROBES).cloned().collect();
            let alone = Alone { waiting: Arc::default(), probes };
            let server = Bus::start()?.serve("frames", alone.clone(), &stage::free_ports())?;
            let waker = server.waker();
            announce(&server, begin)?;
            let mut turns = frames.iter().cycle();
            paced(rate, || {
                alone.waiting().extend(turns.next().cloned());
                waker.wake();
                Ok(())
            })
        }
    }
}

/// Says where events are, and waits for the file.
fn announce(server: &Server, begin: &Path) -> Result<()> {
    for events in server.events() {
        say::line(events)?;
    }
    std::io::stdout().flush()?;
    while !begin.exists() {
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Does something so often a second.
fn paced(rate: u32, mut one: impl FnMut() -> Result<()>) -> Result<()> {
    let apart = Duration::from_secs(1) / rate.max(1);
    let mut next = Instant::now();
    loop {
        one()?;
        next += apart;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// The frames of changes, one transaction each.
fn frames(width: usize) -> Result<Vec<Frames>> {
    let mut model = Model::default();
    model.take(&made::whole(width), 1);
    let mut publisher = Publisher::with(Options::new(NAME, 1), model);
    let mut dice = made::Dice::new(17);
    let mut frames = Vec::with_capacity(FRAMES);
    while frames.len() < FRAMES {
        let published = publisher.change(&[made::change(&mut dice, width)], Now::default())?;
        frames.extend(published.into_iter().map(Publication::into));
    }
    Ok(frames)
}

/// Publishes what waits, and knows nothing of it.
#[derive(Clone)]
struct Alone {
    waiting: Arc<Mutex<VecDeque<Frames>>>,
    /// What is published each second, as a model has its heartbeats.
    probes: Vec<Frames>,
}

impl Alone {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Frames>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Alone {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|_| Outcome::default()).collect()
    }

    fn wake(&mut self) -> Vec<Frames> {
        self.waiting().drain(..).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.probes.clone()
    }
}
