//! What this process holds for C, and noticing that it is another process by now: after a fork, the threads that talk
//! are gone and locks may be held by nobody, so nothing of the old process is touched any more.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::client::Connected;
use crate::error::{self, Failure};
use crate::flight::Flight;
use crate::table::{Key, PLACES_MAX, Table};

/// What a handle stands for.
pub(crate) enum Held {
    Client(Arc<Connected>),
    Future(Arc<Flight>),
    /// What it shows, which lives as long.
    View {
        _content: Bytes,
    },
}

/// All that one process holds.
pub(crate) struct State {
    process: u32,
    /// How many processes before it, since the first that connected.
    age: u8,
    table: Mutex<Table<Held>>,
}

/// The newest; those before it belong to processes that this one was forked from, and stay as they are.
static STATE: AtomicPtr<State> = AtomicPtr::new(ptr::null_mut());

const PLACE_BITS: u32 = PLACES_MAX.trailing_zeros();
const TURN_BITS: u32 = 32;

// A handle of 64 bits is told to C as a pointer.
const _: () = assert!(usize::BITS >= 64, "handles need pointers of 64 bits");

fn newest() -> Option<&'static State> {
    let newest = STATE.load(Ordering::Acquire);
    // SAFETY: what is stored there comes from a box that was leaked whole before, and is never freed or changed but by
    // its own lock.
    unsafe { newest.as_ref() }
}

/// What this process holds. It begins with the first client of each process.
pub(crate) fn begun() -> &'static State {
    let process = std::process::id();
    loop {
        let before = newest();
        if let Some(state) = before.filter(|state| state.process == process) {
            return state;
        }
        let age = before.map_or(0, |state| state.age.wrapping_add(1));
        let state = Box::into_raw(Box::new(State { process, age, table: Mutex::default() }));
        let before = before.map_or(ptr::null_mut(), |state| ptr::from_ref(state).cast_mut());
        let order = (Ordering::AcqRel, Ordering::Acquire);
        if STATE.compare_exchange(before, state, order.0, order.1).is_err() {
            // SAFETY: it was made above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(state) });
        }
    }
}

/// What this process holds, for somebody who has a handle.
fn current(handle: u64) -> Result<&'static State, Failure> {
    let state = newest().ok_or_else(error::stale)?;
    let age = (handle >> (PLACE_BITS + TURN_BITS)) as u8;
    match state.process == std::process::id() {
        true if age == state.age => Ok(state),
        true if age > state.age => Err(error::stale()),
        _ => Err(error::forked()),
    }
}

fn key(handle: u64) -> Key {
    let place = (handle & (PLACES_MAX as u64 - 1)) as u32;
    Key { place, turn: (handle >> PLACE_BITS) as u32 }
}

impl State {
    fn table(&self) -> MutexGuard<'_, Table<Held>> {
        // Every change of the table is whole when something panics.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds something; its handle, which is never zero.
    pub(crate) fn hold(&self, held: Held) -> Result<u64, Failure> {
        let key = self.table().insert(held).ok_or_else(error::too_many)?;
        let named = u64::from(key.turn) << PLACE_BITS | u64::from(key.place);
        Ok(u64::from(self.age) << (PLACE_BITS + TURN_BITS) | named)
    }
}

/// Looks at what a handle stands for.
pub(crate) fn look<T>(handle: u64, see: impl FnOnce(&Held) -> Option<T>) -> Result<T, Failure> {
    let state = current(handle)?;
    let table = state.table();
    table.get(key(handle)).and_then(see).ok_or_else(error::stale)
}

/// Gives back what a handle stands for, if it is of this kind.
pub(crate) fn give_back(handle: u64, is_it: impl FnOnce(&Held) -> bool) -> Result<(), Failure> {
    let state = current(handle)?;
    let held = {
        let mut table = state.table();
        match table.get(key(handle)).is_some_and(is_it) {
            true => table.remove(key(handle)),
            false => None,
        }
    };
    // What goes with it goes here, where nobody else waits for the table.
    held.map(drop).ok_or_else(error::stale)
}
