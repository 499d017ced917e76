//! How often somebody may try a password: the longer it has gone wrong, the longer they wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong passwords cost nothing.
const FREE: u32 = 4;
/// How long one waits after the first that does; each further one doubles it.
const WAIT: Duration = Duration::from_secs(1);
/// How long an address waits at most.
const ADDRESS_WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// How long a user waits at most: others must not be able to lock them out.
const USER_WAIT_MAX: Duration = Duration::from_secs(60);
/// After this long without a try all is forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// The most addresses, and the most users, that are remembered; the one that tried the longest ago is forgotten.
const EACH_MAX: usize = 4_096;

/// What somebody has tried.
#[derive(Clone, Copy)]
struct Tried {
    wrong: u32,
    last: Instant,
}

struct Book<K>(HashMap<K, Tried>);

impl<K> Default for Book<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// Who has tried what.
#[derive(Default)]
pub(super) struct Tries {
    addresses: Mutex<Book<IpAddr>>,
    users: Mutex<Book<String>>,
}

impl Tries {
    /// Counts a try, as a wrong one until [`Tries::right`] says otherwise: those that are made at once count, too.
    ///
    /// # Errors
    /// How long to wait first; the try does not count then.
    pub(super) fn begin(&self, address: IpAddr, user: &str, now: Instant) -> Result<(), Duration> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let (address, user) = (network(address), user.to_owned());
        let wait = addresses.wait(&address, ADDRESS_WAIT_MAX, now);
        match wait.max(users.wait(&user, USER_WAIT_MAX, now)) {
            None => {
                addresses.count(address, now);
                users.count(user, now);
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }

    /// Whether somebody there may try what cannot be guessed: one of many behind an address keeps the others waiting no
    /// longer than a user would.
    ///
    /// # Errors
    /// How long to wait first.
    pub(super) fn look(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.wait(&network(address), USER_WAIT_MAX, now).map_or(Ok(()), Err)
    }

    /// Counts a try that was wrong, whoever made it there.
    pub(super) fn wrong(&self, address: IpAddr, now: Instant) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.count(network(address), now);
    }

    /// Takes a try back that was right.
    pub(super) fn right(&self, address: IpAddr, user: &str) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tried) = addresses.0.get_mut(&network(address)) {
            // The rest stays: an account of one's own must not wash off what was tried of others'.
            tried.wrong = tried.wrong.saturating_sub(1);
        }
        self.users.lock().unwrap_or_else(PoisonError::into_inner).0.remove(user);
    }
}

impl<K: Eq + std::hash::Hash + Clone> Book<K> {
    fn wait(&self, key: &K, most: Duration, now: Instant) -> Option<Duration> {
        let tried = self.0.get(key)?;
        let since = now.saturating_duration_since(tried.last);
        let doubled = tried.wrong.checked_sub(FREE).filter(|_| since < FORGET)?;
        let wait = WAIT.saturating_mul(1 << doubled.min(20)).min(most);
        wait.checked_sub(since).filter(|left| !left.is_zero())
    }

    fn count(&mut self, key: K, now: Instant) {
        if !self.0.contains_key(&key) && self.0.len() >= EACH_MAX {
            let oldest = self.0.iter().min_by_key(|(_, tried)| tried.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&oldest);
            }
        }
        let tried = self.0.entry(key).or_insert(Tried { wrong: 0, last: now });
        if now.saturating_duration_since(tried.last) >= FORGET {
            tried.wrong = 0;
        }
        tried.wrong = tried.wrong.saturating_add(1);
        tried.last = now;
    }
}

/// What one person is likely to have: an address, or of the newer kind a whole network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests;
