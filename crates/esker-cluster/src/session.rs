//! A session: what holds keys for as long as its process lives, and knows since when it may not hold them any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use esker_wire::fault::{Code, Fault};

use crate::consul::http::Consul;
use crate::consul::locks;
use crate::join::needs_consul;
use crate::kv::{Kv, Store};
use crate::local::Local;
use crate::pace::{Backoff, Stop, jittered};

/// What Consul takes for the time of a session.
const TTL_MIN: Duration = Duration::from_secs(10);
const TTL_MAX: Duration = Duration::from_secs(86_400);
/// What Consul takes for how long keys of a lost session stay locked.
const DELAY_MAX: Duration = Duration::from_secs(60);
/// How long a renewal may take, and how long ending.
const DEADLINE: Duration = Duration::from_secs(2);

/// How a session is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What people see of it.
    pub name: String,
    /// How long it holds without being renewed. Consul gives up to twice that before others get what it held; the
    /// session itself counts on no more than this.
    pub ttl: Duration,
    /// How long others have to wait for keys of a session that was lost.
    pub lock_delay: Duration,
}

impl Terms {
    /// The shortest there are.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ttl: TTL_MIN, lock_delay: Duration::from_secs(1) }
    }

    fn check(&self) -> Result<(), Fault> {
        let is_sound = (TTL_MIN..=TTL_MAX).contains(&self.ttl) && self.lock_delay <= DELAY_MAX;
        if is_sound {
            return Ok(());
        }
        let message = format!("cannot begin session {:?}: its times are out of bounds", self.name);
        let hint =
            format!("ttl is {TTL_MIN:.0?} to {TTL_MAX:.0?}, lock_delay at most {DELAY_MAX:.0?}");
        Err(Fault::bad_request(message).hint(hint))
    }
}

/// A session; dropping it frees what it holds.
pub struct Session {
    id: String,
    store: Held,
}

enum Held {
    Consul { consul: Arc<Consul>, lease: Arc<Lease>, thread: Option<JoinHandle<()>> },
    Local(Arc<Local>),
}

/// How far a session can count on itself.
struct Lease {
    ttl: Duration,
    stop: Stop,
    renewed: Mutex<Renewed>,
}

#[derive(Clone, Copy)]
struct Renewed {
    /// When the last renewal that was heard was begun.
    at: Instant,
    clock: SystemTime,
    /// When Consul said that there is no such session.
    lost: Option<SystemTime>,
}

impl Lease {
    fn lock(&self) -> MutexGuard<'_, Renewed> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost_since(&self) -> Option<SystemTime> {
        let renewed = *self.lock();
        let is_over = renewed.at.elapsed() > self.ttl;
        renewed.lost.or_else(|| is_over.then(|| renewed.clock + self.ttl))
    }
}

impl Session {
    pub(crate) fn begin(kv: &Kv, terms: &Terms) -> Result<Self, Fault> {
        terms.check()?;
        let consul = match &kv.store {
            Store::Consul(consul) => Arc::clone(consul),
            Store::Local(local) => {
                let id = local.new_session();
                return Ok(Self { id, store: Held::Local(Arc::clone(local)) });
            }
            Store::Asked(_) | Store::None => {
                return Err(needs_consul(&format!("begin session {:?}", terms.name)));
            }
        };
        let renewed = Renewed { at: Instant::now(), clock: SystemTime::now(), lost: None };
        let id = locks::create(&consul, &terms.name, terms.ttl, terms.lock_delay)?;
        let (stop, renewed) = (Stop::default(), Mutex::new(renewed));
        let lease = Arc::new(Lease { ttl: terms.ttl, stop, renewed });
        let thread = std::thread::Builder::new().name("session".to_owned());
        let spawned = {
            let (consul, lease, id) = (Arc::clone(&consul), Arc::clone(&lease), id.clone());
            thread.spawn(move || keep(&consul, &lease, &id))
        };
        let thread = spawned.map_err(|error| {
            Fault::new(Code::Internal, format!("cannot start a thread for a session: {error}"))
        })?;
        Ok(Self { id, store: Held::Consul { consul, lease, thread: Some(thread) } })
    }

    /// Its identity.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Since when the session may not hold what it held: Consul has ended it, or has not heard of it for its time.
    pub fn lost_since(&self) -> Option<SystemTime> {
        match &self.store {
            Held::Consul { lease, .. } => lease.lost_since(),
            Held::Local(_) => None,
        }
    }

    /// Holds a key and sets its value; false where another session holds it, or one did until a moment ago.
    pub fn acquire(&self, key: &str, value: &[u8]) -> Result<bool, Fault> {
        self.check(key)?;
        match &self.store {
            Held::Consul { consul, .. } => {
                locks::acquire(consul, &self.id, key, value).map_err(|fault| self.gone(key, fault))
            }
            Held::Local(local) => Ok(local.acquire(&self.id, key, value)),
        }
    }

    /// Lets go of a key and sets its value; false where it was not held.
    pub fn release(&self, key: &str, value: &[u8]) -> Result<bool, Fault> {
        match &self.store {
            Held::Consul { consul, .. } => locks::release(consul, &self.id, key, value),
            Held::Local(local) => Ok(local.release(&self.id, key, value)),
        }
    }

    fn check(&self, key: &str) -> Result<(), Fault> {
        match self.lost_since() {
            None => Ok(()),
            Some(_) => Err(self.lost(key)),
        }
    }

    fn lost(&self, key: &str) -> Fault {
        let message = format!("cannot hold key {key:?}: session {} is over", self.id);
        Fault::new(Code::Gone, message).hint("begin another one")
    }

    /// Consul answers 500 "invalid session" where it has ended one before its renewal was due.
    fn gone(&self, key: &str, fault: Fault) -> Fault {
        if fault.message.contains("invalid session") { self.lost(key) } else { fault }
    }
}

/// Renews until told to stop, or until there is nothing to renew.
fn keep(consul: &Consul, lease: &Lease, id: &str) {
    let mut backoff = Backoff::default();
    let mut wait = jittered(lease.ttl / 3);
    while !lease.stop.sleep(wait) {
        let (at, clock) = (Instant::now(), SystemTime::now());
        wait = match locks::renew(consul, id, DEADLINE) {
            Ok(true) => {
                *lease.lock() = Renewed { at, clock, lost: None };
                backoff.reset();
                jittered(lease.ttl / 3)
            }
            Ok(false) => {
                lease.lock().lost = Some(clock);
                tracing::warn!(id, "Consul has ended the session");
                return;
            }
            Err(failure) => {
                tracing::debug!(id, "{}", failure.fault);
                backoff.next()
            }
        };
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match &mut self.store {
            Held::Consul { consul, lease, thread } => {
                lease.stop.stop();
                if let Some(thread) = thread.take() {
                    // A thread that panicked has said so.
                    drop(thread.join());
                }
                if let Err(failure) = locks::destroy(consul, &self.id, DEADLINE) {
                    tracing::warn!("{}; Consul ends it by itself", failure.fault);
                }
            }
            Held::Local(local) => local.end_session(&self.id),
        }
    }
}
