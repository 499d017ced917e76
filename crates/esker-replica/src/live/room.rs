//! Room for what waits for a publisher: sources wait when there is none.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::op::Op;
use crate::path::Key;

/// The bytes that may wait; more in one transaction go alone.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many bytes wait.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// One after the other waits for room, so that much is not kept waiting by many that are little.
    turn: Mutex<()>,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// About how much memory operations take, and are told in.
pub(super) fn bytes(ops: &[Op]) -> usize {
    let one = |op: &Op| size_of::<Op>() + op.path.len() * size_of::<Key>() + op.size();
    ops.iter().map(one).sum()
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, usize> {
        // A number is whole, whoever panicked.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for so many bytes; waits until there is some.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Taken {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |taken: &mut usize| *taken > 0 && *taken + bytes > BYTES_MAX;
        let taken = self.freed.wait_while(self.lock(), is_full);
        *taken.unwrap_or_else(PoisonError::into_inner) += bytes;
        Taken { room: Arc::clone(self), bytes }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.room.lock() -= self.bytes;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests;
