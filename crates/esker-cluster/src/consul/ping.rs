//! Asking members themselves whether they are there.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use esker_wire::member::{Member, NodeId};

use crate::cluster::Ping;

/// How many are asked at the same time.
const PINGS_MAX: usize = 16;

/// Who of these answers.
pub(crate) fn answering(members: &[Member], ping: &Ping) -> BTreeSet<NodeId> {
    let answering = Mutex::new(BTreeSet::new());
    let share = members.len().div_ceil(PINGS_MAX).max(1);
    std::thread::scope(|scope| {
        for share in members.chunks(share) {
            let answering = &answering;
            scope.spawn(move || {
                for member in share.iter().filter(|member| ping(member)) {
                    let mut answering = answering.lock().unwrap_or_else(PoisonError::into_inner);
                    answering.insert(member.node);
                }
            });
        }
    });
    answering.into_inner().unwrap_or_else(PoisonError::into_inner)
}
