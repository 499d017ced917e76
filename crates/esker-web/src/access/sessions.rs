//! The sessions of those who have logged in: kept in memory, bounded in number and in time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use blake3::Hash;
use tokio::sync::watch;

use super::Entry;

/// The most sessions at once; the one that was used the longest ago ends for one more.
const SESSIONS_MAX: usize = 4_096;
/// How long one stays that is not used; one whose page is open is.
const IDLE_MAX: Duration = Duration::from_secs(8 * 3_600);
/// How long one stays at most.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The random bytes of an id.
const ID_BYTES: usize = 32;

/// Somebody's session.
struct Session {
    entry: Entry,
    since: Instant,
    used: Instant,
    /// Dropped with it: whoever listens hears that it has ended.
    alive: watch::Sender<()>,
}

/// What is known of who has a session.
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) alive: watch::Receiver<()>,
    pub(super) ends: Instant,
}

/// All sessions, by the hashes of their ids: what is kept lets nobody in.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash, Session>>);

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        let is_open = self.alive.receiver_count() > 0;
        let idle = now.saturating_duration_since(self.used);
        now.saturating_duration_since(self.since) >= AGE_MAX || (!is_open && idle >= IDLE_MAX)
    }
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Hash, Session>> {
        // What is guarded is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one; its id, which nobody has had before. None if the machine has no random numbers.
    pub(super) fn begin(&self, entry: Entry, now: Instant) -> Option<String> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut all = self.all();
        if all.len() >= SESSIONS_MAX {
            all.retain(|_, session| !session.is_over(now));
        }
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
            oldest.and_then(|key| all.remove(&key));
        }
        let alive = watch::Sender::new(());
        let session = Session { entry, since: now, used: now, alive };
        all.insert(blake3::hash(id.as_bytes()), session);
        Some(id)
    }

    /// Whose it is, if it is one that goes on.
    pub(super) fn find(&self, id: &str, now: Instant) -> Option<Found> {
        let key = blake3::hash(id.as_bytes());
        let mut all = self.all();
        let session = all.get_mut(&key)?;
        if session.is_over(now) {
            all.remove(&key);
            return None;
        }
        session.used = session.used.max(now);
        Some(Found {
            entry: session.entry.clone(),
            alive: session.alive.subscribe(),
            ends: session.since + AGE_MAX,
        })
    }

    /// Ends one.
    pub(super) fn end(&self, id: &str) {
        self.all().remove(&blake3::hash(id.as_bytes()));
    }

    /// Ends those of whom this does not hold.
    pub(super) fn retain(&self, holds: impl Fn(&Entry) -> bool) {
        self.all().retain(|_, session| holds(&session.entry));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }
}

#[cfg(test)]
mod tests;
