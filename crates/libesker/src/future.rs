//! What is started in one call and waited for in others.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::border::{self, Out};
use crate::cache;
use crate::client::{Session, connected};
use crate::error::{ESK_ABSENT, ESK_BAD_REQUEST, ESK_BUSY, ESK_NULL, ESK_OK, Failure};
use crate::flight::{Ended, Flight};
use crate::state::{self, Held};
use crate::view::{NOTHING, View};

/// Something under way, or what came of it.
pub struct Later {
    _private: [u8; 0],
}

type Place = Out<*mut Later>;

/// # Safety
/// As [`Out::new`].
unsafe fn place(future: *mut *mut Later) -> Result<Place, Failure> {
    // SAFETY: as it was promised to this function.
    let place = unsafe { Out::new(future, "future") }?;
    place.put(ptr::null_mut());
    Ok(place)
}

fn give(place: &Place, flight: Arc<Flight>) -> Result<c_int, Failure> {
    let handle = state::begun().hold(Held::Future(flight))?;
    place.put(ptr::without_provenance_mut(handle as usize));
    Ok(ESK_OK)
}

fn flight(future: *const Later) -> Result<Arc<Flight>, Failure> {
    if future.is_null() {
        return Err(Failure::new(ESK_NULL, "future is NULL", "an asynchronous call gives one"));
    }
    state::look(future.addr() as u64, |held| match held {
        Held::Future(flight) => Some(Arc::clone(flight)),
        Held::Client(_) | Held::View { .. } => None,
    })
}

/// Starts to replace a content. ESK_BUSY, and nothing is started, if too much is under way: wait for some of it.
/// Futures of the same id may be done in any order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_set_async(
    client: *const Session,
    id: *const c_char,
    data: *const c_void,
    len: usize,
    future: *mut *mut Later,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { place(future) }?;
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { cache::id(id) }?;
        // SAFETY: as C promised.
        let content = unsafe { border::content(data.cast(), len) }?;
        let client = connected.client.clone();
        let task = async move { client.set(id, content).await.map(|()| Ended::Done) };
        give(&place, Flight::start(&connected, len, task)?)
    })
}

/// Starts to add to a content; esk_future_length tells how long it is then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_append_async(
    client: *const Session,
    id: *const c_char,
    data: *const c_void,
    len: usize,
    future: *mut *mut Later,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { place(future) }?;
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { cache::id(id) }?;
        // SAFETY: as C promised.
        let content = unsafe { border::content(data.cast(), len) }?;
        let client = connected.client.clone();
        let task = async move { client.append(id, content).await.map(Ended::Length) };
        give(&place, Flight::start(&connected, len, task)?)
    })
}

/// Starts to get a content; esk_future_view gives it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_get_async(
    client: *const Session,
    id: *const c_char,
    future: *mut *mut Later,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { place(future) }?;
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { cache::id(id) }?;
        let client = connected.client.clone();
        let task = async move {
            let found = client.get(id).await?;
            Ok(found.map_or(Ended::Absent, Ended::Content))
        };
        give(&place, Flight::start(&connected, 0, task)?)
    })
}

/// Waits for at most so many milliseconds; less than 0: as long as it takes, which is never longer than the client's
/// deadline. ESK_BUSY if it is not over by then; otherwise what the call would have given, however often it is asked.
#[unsafe(no_mangle)]
pub extern "C" fn esk_wait(future: *const Later, timeout_ms: i64) -> c_int {
    border::run(|| {
        let patience = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        Ok(match flight(future)?.wait(patience) {
            None => ESK_BUSY,
            Some(ended) => match ended? {
                Ended::Absent => ESK_ABSENT,
                Ended::Done | Ended::Length(_) | Ended::Content(_) => ESK_OK,
            },
        })
    })
}

fn other() -> Failure {
    let message = "the future is of a call that gives something else";
    Failure::new(ESK_BAD_REQUEST, message, "views come of gets, lengths of appends")
}

/// Gives a view of what came of a get, to be released by itself. ESK_BUSY if it is not over yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_future_view(future: *const Later, view: *mut View) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { Out::new(view, "view") }?;
        place.put(NOTHING);
        let Some(ended) = flight(future)?.wait(Some(Duration::ZERO)) else { return Ok(ESK_BUSY) };
        match ended? {
            Ended::Content(content) => cache::give(&place, Some(content)),
            Ended::Absent => Ok(ESK_ABSENT),
            Ended::Done | Ended::Length(_) => Err(other()),
        }
    })
}

/// How long a content is after an append. ESK_BUSY if it is not over yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_future_length(future: *const Later, length: *mut u64) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { Out::new(length, "length") }?;
        place.put(0);
        let Some(ended) = flight(future)?.wait(Some(Duration::ZERO)) else { return Ok(ESK_BUSY) };
        let Ended::Length(length) = ended? else { return Err(other()) };
        place.put(length);
        Ok(ESK_OK)
    })
}

/// Forgets a future. What is under way goes on.
#[unsafe(no_mangle)]
pub extern "C" fn esk_future_free(future: *mut Later) -> c_int {
    border::run(|| {
        if future.is_null() {
            return Err(Failure::new(ESK_NULL, "future is NULL", "an asynchronous call gives one"));
        }
        state::give_back(future.addr() as u64, |held| matches!(held, Held::Future(_)))?;
        Ok(ESK_OK)
    })
}
