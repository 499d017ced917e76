//! A worker's word that it is there, kept for as long as it is.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};

use crate::consul::register::{Desk, Register};
use crate::membership::FREE_MAX;

/// The shortest and the longest time of a check.
pub(crate) const CHECK_MIN: Duration = Duration::from_secs(1);
pub(crate) const CHECK_MAX: Duration = Duration::from_secs(600);
/// How often it is looked whether the agent still checks what it checks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How Consul knows that a worker is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The worker says so, three times within this time; a worker that hangs is found by it.
    Ttl(Duration),
    /// Consul's agent connects to where the worker takes small requests.
    Tcp {
        /// How often.
        every: Duration,
    },
    /// Consul's agent fetches a page of the worker.
    Http {
        /// Its address.
        url: String,
        /// How often.
        every: Duration,
    },
}

impl Default for Check {
    fn default() -> Self {
        Self::Ttl(Duration::from_secs(10))
    }
}

impl Check {
    pub(crate) fn time(&self) -> Duration {
        match self {
            Self::Ttl(time) | Self::Tcp { every: time } | Self::Http { every: time, .. } => *time,
        }
    }

    /// How often something has to be said.
    pub(crate) fn beat(&self) -> Duration {
        match self {
            Self::Ttl(ttl) => *ttl / 3,
            Self::Tcp { .. } | Self::Http { .. } => LOOK_EVERY,
        }
    }
}

/// Keeps a worker announced; dropping it takes the worker off the list, waiting for that for a few seconds at most.
pub struct Announced {
    told: Told,
}

enum Told {
    /// To Consul, by this thread.
    Consul { desk: Arc<Desk>, thread: Option<JoinHandle<()>> },
    /// To those in this process, by this.
    Here(Box<dyn Fn(u8) + Send + Sync>),
    /// To nobody: who is there stands in a list.
    Listed,
}

impl Announced {
    pub(crate) fn to_consul(register: Register) -> Result<Self, Fault> {
        let desk = Arc::clone(&register.desk);
        let spawned = std::thread::Builder::new().name("announce".to_owned());
        let thread = spawned.spawn(move || register.run()).map_err(|error| {
            Fault::new(Code::Internal, format!("cannot start a thread to announce: {error}"))
        })?;
        Ok(Self { told: Told::Consul { desk, thread: Some(thread) } })
    }

    pub(crate) fn here(update: Box<dyn Fn(u8) + Send + Sync>) -> Self {
        Self { told: Told::Here(update) }
    }

    pub(crate) fn listed() -> Self {
        Self { told: Told::Listed }
    }

    /// Says how much memory is free, in 64ths. What has not changed is not told again, and what changes often is told
    /// each ten seconds.
    pub fn update(&self, free: u8) {
        let free = free.min(FREE_MAX);
        match &self.told {
            Told::Consul { desk, .. } => desk.update(free),
            Told::Here(update) => update(free),
            Told::Listed => {}
        }
    }

    /// Waits until the worker is announced.
    pub fn wait(&self, deadline: Duration) -> Result<(), Fault> {
        let Told::Consul { desk, .. } = &self.told else {
            return Ok(());
        };
        desk.wait(Instant::now() + deadline).map_err(|fault| {
            fault.unwrap_or_else(|| {
                let message = format!("cannot announce the worker within {deadline:.0?}");
                Fault::new(Code::Timeout, message)
            })
        })
    }

    /// What keeps the worker from being announced, or its beats from being heard. It is tried again until it works.
    pub fn fault(&self) -> Option<Fault> {
        match &self.told {
            Told::Consul { desk, .. } => desk.fault(),
            Told::Here(_) | Told::Listed => None,
        }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Told::Consul { desk, thread } = &mut self.told {
            desk.leave();
            if let Some(thread) = thread.take() {
                // A thread that panicked has said so.
                drop(thread.join());
            }
        }
    }
}
