//! A publisher under test, and replicas of it, over sockets of this machine.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_replica::digest::Digest;
use esker_replica::follow::Follow;
use esker_replica::live::{self, Source};
use esker_replica::op::Op;
use esker_replica::publisher::Options;
use esker_replica::replica::{self, State};

use rustix::time::{ClockId, clock_gettime};

use super::{BATCH, PATIENCE, made};

/// What the model is called.
pub(super) const NAME: &str = "bench";

/// For how long a cut is shared, and then some: who comes within it may be given one that is a moment old, and waits for
/// the next heartbeat to tell.
const SHARED_FOR: Duration = Duration::from_millis(1_100);

/// How often to look whether a replica is in step.
const LOOK: Duration = Duration::from_millis(1);

/// A publisher of a model, and the bus it speaks over.
pub(super) struct Stage {
    /// Ends last.
    pub(super) server: Server,
    pub(super) source: Source,
    /// Replicas have threads of their own, as in other processes.
    pub(super) bus: Bus,
}

/// What changes cost until a replica has the last of them.
pub(super) struct Changed {
    /// How long it took.
    pub(super) time: Duration,
    /// The processor time of publisher, replica and sockets together.
    pub(super) processor: Duration,
    /// The transactions that the publisher made of them.
    pub(super) transactions: u64,
}

/// Free ports of this machine, for requests and for events.
pub(super) fn free_ports() -> Binds {
    let free = || vec!["tcp://127.0.0.1:0".to_owned()];
    Binds { requests: free(), events: free(), ..Binds::default() }
}

/// Where a server is for others.
pub(super) fn at(server: &Server) -> Endpoint {
    let [requests, events] = [server.requests(), server.events()].map(|all| all[0].clone());
    Endpoint::Tcp { requests, events }
}

/// The processor time this process has used.
pub(super) fn processor() -> Duration {
    used(ClockId::ProcessCPUTime)
}

/// The processor time this thread has used.
pub(super) fn processor_of_thread() -> Duration {
    used(ClockId::ThreadCPUTime)
}

fn used(clock: ClockId) -> Duration {
    // It is never less than nothing.
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

impl Stage {
    /// Publishes a model of so many keys on each level.
    pub(super) fn new(width: usize) -> Result<Self> {
        let (server, source) =
            live::serve(&Bus::start()?, &Options::new(NAME, 1), None, &free_ports())?;
        for ops in made::whole(width).chunks(BATCH) {
            source.push(ops.to_vec())?;
        }
        source.model()?;
        Ok(Self { server, source, bus: Bus::start()? })
    }

    pub(super) fn at(&self) -> Endpoint {
        at(&self.server)
    }

    /// A replica that is not in step yet.
    pub(super) fn follow(&self, seed: u64) -> Result<Follow> {
        let options = replica::Options { seed, ..replica::Options::default() };
        Ok(Follow::start(&self.bus, &self.at(), NAME, options)?)
    }

    /// A replica that comes late, and how long it took until it was in step.
    pub(super) fn join(&self) -> Result<(Follow, Duration)> {
        std::thread::sleep(SHARED_FOR);
        let digest = self.source.model()?.digest();
        let begun = Instant::now();
        let follow = self.follow(1)?;
        wait_for(&follow, digest, begun)?;
        Ok((follow, begun.elapsed()))
    }

    /// Changes until the replica has verified the last of them.
    pub(super) fn change(&self, follow: &Follow, batches: Vec<Vec<Op>>) -> Result<Changed> {
        let last = || follow.last().map_or(0, |(_, seq)| seq);
        let before = last();
        let (begun, used) = (Instant::now(), processor());
        for ops in batches {
            self.source.push(ops)?;
        }
        let digest = self.source.model()?.digest();
        wait_for(follow, digest, begun)?;
        Ok(Changed {
            time: begun.elapsed(),
            processor: processor() - used,
            transactions: last() - before,
        })
    }
}

/// Waits until a replica has this model.
pub(super) fn wait_for(follow: &Follow, digest: Digest, begun: Instant) -> Result<()> {
    while follow.state() != State::Live || follow.model().digest() != digest {
        if begun.elapsed() > PATIENCE {
            bail!("a replica is not in step after {PATIENCE:?}");
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
