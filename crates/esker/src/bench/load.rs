//! Clients that ask as fast as they are answered: so many connections, so many requests under way on each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::Frames;
use esker_wire::fault::Fault;

/// What one lane asks, and what it makes of the answers. A lane has one request under way.
pub(crate) trait Job: Send + Sync + 'static {
    /// How long one request may take; the slowest peer takes its time.
    const DEADLINE: Duration = Duration::from_secs(120);

    /// The next request of a lane; none when it is done.
    fn ask(&self, lane: usize, turn: u64) -> Option<Frames>;

    /// Takes an answer; false if it is not what it must be.
    fn take(&self, _lane: usize, _turn: u64, reply: &Frames) -> bool {
        is_good(reply)
    }
}

/// Whether an answer, of our form or of the first clients', is no refusal.
pub(crate) fn is_good(reply: &Frames) -> bool {
    let head = reply.first().map(Bytes::as_ref).unwrap_or_default();
    !head.starts_with(b"ERROR") && !head.starts_with(b"=====esker/1 ERROR")
}

/// A job that asks one thing after the other until its time or its number is up.
pub(crate) struct Asking<F> {
    until: Option<Instant>,
    /// How often each lane asks at most.
    each: u64,
    request: F,
}

impl<F: Fn(usize, u64) -> Frames + Send + Sync + 'static> Asking<F> {
    /// For one round's time.
    pub(crate) fn window(window: Duration, request: F) -> Arc<Self> {
        let until = Some(Instant::now() + window);
        Arc::new(Self { until, each: u64::MAX, request })
    }

    /// So often in each lane.
    pub(crate) fn times(each: u64, request: F) -> Arc<Self> {
        Arc::new(Self { until: None, each, request })
    }
}

impl<F: Fn(usize, u64) -> Frames + Send + Sync + 'static> Job for Asking<F> {
    fn ask(&self, lane: usize, turn: u64) -> Option<Frames> {
        let over = self.until.is_some_and(|until| Instant::now() >= until);
        (turn < self.each && !over).then(|| (self.request)(lane, turn))
    }
}

/// The clients.
pub(crate) struct Crew {
    bus: Bus,
    callers: Vec<Caller>,
    in_flight: usize,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Ran {
    /// How many answers came.
    count: usize,
    /// From the first request to the last answer.
    time: Duration,
    /// The time of each request, sorted.
    latencies: Vec<Duration>,
    /// Why a lane ended early, if one did.
    fault: Option<String>,
}

impl Ran {
    /// How many answers came in a second.
    ///
    /// # Errors
    /// If some lane was not answered as it must be.
    pub(crate) fn rate(&self) -> Result<f64> {
        self.whole()?;
        Ok(self.count as f64 / self.time.as_secs_f64())
    }

    /// The time within which this part of the requests was answered, in seconds.
    ///
    /// # Errors
    /// If some lane was not answered as it must be.
    pub(crate) fn quantile(&self, part: f64) -> Result<f64> {
        self.whole()?;
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        Ok(self.latencies.get(index).map_or(0.0, Duration::as_secs_f64))
    }

    /// Refuses what ended early.
    ///
    /// # Errors
    /// Naming the first fault.
    pub(crate) fn whole(&self) -> Result<()> {
        match &self.fault {
            Some(fault) => bail!("a request was not answered: {fault}"),
            None => Ok(()),
        }
    }
}

/// What the lanes have brought home.
#[derive(Default)]
struct Yield {
    latencies: Vec<Duration>,
    fault: Option<String>,
}

impl Crew {
    /// So many clients of the service at `to`, each with so many requests under way.
    pub(crate) fn new(bus: &Bus, to: &Endpoint, clients: usize, in_flight: usize) -> Self {
        let callers = (0..clients).map(|_| bus.caller(to)).collect();
        Self { bus: bus.clone(), callers, in_flight }
    }

    /// Runs a job to its end. Lane 0 to N - 1 are the first requests of each of N clients.
    pub(crate) fn run(&self, job: &Arc<impl Job>) -> Ran {
        let all = Arc::new(Mutex::new(Yield::default()));
        let callers = self.callers.iter().cycle().take(self.callers.len() * self.in_flight);
        let lanes: Vec<_> = callers
            .enumerate()
            .map(|(lane, caller)| go(lane, caller.clone(), Arc::clone(job), Arc::clone(&all)))
            .collect();
        let begun = Instant::now();
        self.bus.run(async move {
            let tasks: Vec<_> = lanes.into_iter().map(tokio::spawn).collect();
            for task in tasks {
                // A lane that panicked has said so; it counts as not answered by what is missing.
                drop(task.await);
            }
        });
        let time = begun.elapsed();
        let all = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
        let mut latencies = all.latencies;
        latencies.sort_unstable();
        Ran { count: latencies.len(), time, latencies, fault: all.fault }
    }
}

/// One lane: asks, waits, asks again.
async fn go<J: Job>(lane: usize, caller: Caller, job: Arc<J>, all: Arc<Mutex<Yield>>) {
    let mut latencies = Vec::with_capacity(1024);
    let mut fault = None;
    let mut turn = 0;
    while let Some(request) = job.ask(lane, turn) {
        let asked = Instant::now();
        let reply: Result<Frames, Fault> = caller.exchange(request, J::DEADLINE).await;
        latencies.push(asked.elapsed());
        fault = match reply {
            Ok(reply) if job.take(lane, turn, &reply) => None,
            Ok(reply) => Some(shown(&reply)),
            Err(fault) => Some(fault.to_string()),
        };
        if fault.is_some() {
            break;
        }
        turn += 1;
    }
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.latencies.append(&mut latencies);
    all.fault = all.fault.take().or(fault);
}

/// The beginning of an answer, for a person.
fn shown(reply: &Frames) -> String {
    let head = reply.first().map(Bytes::as_ref).unwrap_or_default();
    let text = String::from_utf8_lossy(&head[..head.len().min(200)]).into_owned();
    text.replace('\n', " ")
}
