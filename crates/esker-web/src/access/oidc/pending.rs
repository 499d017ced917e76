//! Log-ins that have been begun, and that nobody has come back from: each good once, for a while, in one browser.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use blake3::Hash;

/// How long somebody may take to log in there.
pub(super) const AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// The most at once.
const ALL_MAX: usize = 4_096;
/// The most of one network: a company may be behind one address.
const EACH_MAX: usize = 256;
/// The random bytes of each secret.
const SECRET_BYTES: usize = 32;

/// What is remembered of one.
pub(super) struct Begun {
    /// Where the provider sends the browser back to.
    pub(super) redirect: String,
    /// Where it goes then.
    pub(super) next: String,
    /// What the ID token has to say.
    pub(super) nonce: String,
    /// What shows that the code is ours.
    pub(super) verifier: String,
    /// The hash of what the browser's cookie holds.
    browser: Hash,
    network: IpAddr,
    since: Instant,
}

/// What is sent along, and the browser's cookie.
pub(super) struct Sent {
    pub(super) state: String,
    pub(super) cookie: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// Why none is begun.
pub(super) enum Unbegun {
    /// There are too many already.
    Many,
    /// The machine has no random numbers.
    Random,
}

/// All of them, by the hashes of their states.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<Hash, Begun>>);

impl Pending {
    /// Begins one.
    pub(super) fn begin(
        &self,
        (redirect, next): (&str, &str),
        network: IpAddr,
        now: Instant,
    ) -> Result<Sent, Unbegun> {
        let secrets = [secret(), secret(), secret(), secret()];
        let [Some(state), Some(cookie), Some(nonce), Some(verifier)] = secrets else {
            return Err(Unbegun::Random);
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = |all: &HashMap<Hash, Begun>| {
            all.values().filter(|begun| begun.network == network).count()
        };
        if all.len() >= ALL_MAX || theirs(&all) >= EACH_MAX {
            all.retain(|_, begun| !begun.is_over(now));
        }
        if all.len() >= ALL_MAX || theirs(&all) >= EACH_MAX {
            return Err(Unbegun::Many);
        }
        let browser = blake3::hash(cookie.as_bytes());
        let (redirect, next) = (redirect.to_owned(), next.to_owned());
        let sent = Sent { state, cookie, nonce: nonce.clone(), verifier: verifier.clone() };
        let begun = Begun { redirect, next, nonce, verifier, browser, network, since: now };
        all.insert(blake3::hash(sent.state.as_bytes()), begun);
        Ok(sent)
    }

    /// Takes one, for good, if it was begun in this browser and is not over.
    pub(super) fn take(&self, state: &str, cookie: &str, now: Instant) -> Option<Begun> {
        let key = blake3::hash(state.as_bytes());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another browser does not spoil it for the right one.
        if all.get(&key)?.browser != blake3::hash(cookie.as_bytes()) {
            return None;
        }
        all.remove(&key).filter(|begun| !begun.is_over(now))
    }
}

impl Begun {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= AGE_MAX
    }
}

fn secret() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
