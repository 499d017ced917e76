//! Where the newest membership hangs: read by many, written by the one thread that watches.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Instant, SystemTime};

use esker_wire::member::{Member, NodeId};

use crate::belief::Belief;
use crate::membership::{Membership, Origin, Trouble, Warning};

/// What is called after a change.
pub(crate) type Callback = Arc<dyn Fn(&Arc<Membership>) + Send + Sync>;

/// The newest membership, and who wants to know of the next.
pub(crate) struct Board {
    posted: Mutex<Posted>,
    changed: Condvar,
}

struct Posted {
    current: Arc<Membership>,
    subscribers: BTreeMap<u64, Callback>,
    next: u64,
}

/// Calls back for as long as it is kept.
pub struct Subscription {
    board: Weak<Board>,
    number: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(board) = self.board.upgrade() {
            board.lock().subscribers.remove(&self.number);
        }
    }
}

/// What is wrong, each kind with its words.
pub(crate) type Troubles = BTreeMap<Trouble, String>;

impl Board {
    pub(crate) fn new(first: Membership) -> Arc<Self> {
        let posted = Posted { current: Arc::new(first), subscribers: BTreeMap::new(), next: 0 };
        Arc::new(Self { posted: Mutex::new(posted), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn current(&self) -> Arc<Membership> {
        Arc::clone(&self.lock().current)
    }

    pub(crate) fn subscribe(self: &Arc<Self>, callback: Callback) -> Subscription {
        let mut posted = self.lock();
        let number = posted.next;
        posted.next += 1;
        posted.subscribers.insert(number, callback);
        Subscription { board: Arc::downgrade(self), number }
    }

    /// Waits until the membership is as wanted; the last one looked at where it is not in time.
    pub(crate) fn wait_for(
        &self,
        is_wanted: impl Fn(&Membership) -> bool,
        until: Instant,
    ) -> Result<Arc<Membership>, Arc<Membership>> {
        let mut posted = self.lock();
        loop {
            if is_wanted(&posted.current) {
                return Ok(Arc::clone(&posted.current));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Arc::clone(&posted.current));
            }
            let woken = self.changed.wait_timeout(posted, left);
            posted = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Puts up what is believed now, and tells of it if it differs.
    pub(crate) fn post(&self, members: Vec<Member>, origin: Origin, troubles: &Troubles) {
        self.change(|_| (members, Vec::new()), origin, troubles);
    }

    /// The same of a belief, which holds some though nobody tells of them any more.
    pub(crate) fn post_belief(&self, belief: &Belief, origin: Origin, troubles: &Troubles) {
        let members = belief.members.values().cloned().collect();
        let held = belief.held.iter().copied().collect();
        self.change(|_| (members, held), origin, troubles);
    }

    /// Puts up what a change makes of the members, and tells of it if it differs.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(Vec<Member>) -> (Vec<Member>, Vec<NodeId>),
        origin: Origin,
        troubles: &Troubles,
    ) {
        let (next, callbacks) = {
            let mut posted = self.lock();
            let members = change(posted.current.members.clone());
            let next = after(&posted.current, members, origin, troubles);
            if next == *posted.current {
                return;
            }
            tell(&posted.current, &next);
            posted.current = Arc::new(next);
            let callbacks: Vec<Callback> = posted.subscribers.values().cloned().collect();
            (Arc::clone(&posted.current), callbacks)
        };
        self.changed.notify_all();
        for callback in callbacks {
            callback(&next);
        }
    }
}

/// The membership after this one: its version grows when its members change, and a warning keeps its first moment.
fn after(
    last: &Membership,
    (members, held): (Vec<Member>, Vec<NodeId>),
    origin: Origin,
    troubles: &Troubles,
) -> Membership {
    let warning = |(trouble, message): (&Trouble, &String)| Warning {
        trouble: *trouble,
        since: last.warning(*trouble).map_or_else(SystemTime::now, |warning| warning.since),
        message: message.clone(),
    };
    let warnings = troubles.iter().map(warning).collect();
    let is_same = members == last.members;
    Membership {
        members,
        held,
        version: last.version + u64::from(!is_same),
        since: if is_same { last.since } else { SystemTime::now() },
        origin,
        warnings,
    }
}

/// Logs each fact once: who came and went, what is wrong, what is no longer.
fn tell(last: &Membership, next: &Membership) {
    if next.version != last.version {
        let (members, version) = (next.members.len(), next.version);
        tracing::info!(members, version, "the members of the cluster changed");
    }
    for warning in &next.warnings {
        if last.warning(warning.trouble).is_none() {
            tracing::warn!(trouble = ?warning.trouble, "{}", warning.message);
        }
    }
    for warning in &last.warnings {
        if next.warning(warning.trouble).is_none() {
            tracing::info!(trouble = ?warning.trouble, "is over");
        }
    }
}

#[cfg(test)]
mod tests;
