//! The border itself: what C passes is looked at before it is used, and no panic gets out.

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::slice;

use bytes::Bytes;

use crate::error::{self, ESK_BAD_REQUEST, ESK_NULL, ESK_TOO_LARGE, Failure};

/// The most that is passed at once, in bytes.
const CONTENT_MAX: usize = 8 << 30;
/// The most things in an array.
const LIST_MAX: usize = 1 << 24;

/// Runs what a function does, and tells C what came of it.
pub(crate) fn run(body: impl FnOnce() -> Result<c_int, Failure>) -> c_int {
    let ended = catch_unwind(AssertUnwindSafe(body));
    let ended = ended.unwrap_or_else(|_| Err(error::internal("esker panicked")));
    ended.unwrap_or_else(|failure| {
        let code = failure.code;
        error::remember(failure);
        code
    })
}

pub(crate) fn null(what: &str) -> Failure {
    Failure::new(ESK_NULL, format!("{what} is NULL or not aligned"), "pass a pointer to something")
}

/// A place for what a function gives back.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// A place, if there is one.
    ///
    /// # Safety
    /// A pointer that is not NULL can be written to while this exists.
    pub(crate) unsafe fn new(pointer: *mut T, what: &str) -> Result<Self, Failure> {
        let place = NonNull::new(pointer).filter(|place| place.is_aligned());
        place.map(Self).ok_or_else(|| null(what))
    }

    /// A place that may be lacking.
    ///
    /// # Safety
    /// As [`Out::new`].
    pub(crate) unsafe fn maybe(pointer: *mut T, what: &str) -> Result<Option<Self>, Failure> {
        if pointer.is_null() {
            return Ok(None);
        }
        // SAFETY: as it was promised to this function.
        unsafe { Self::new(pointer, what) }.map(Some)
    }

    pub(crate) fn put(&self, value: T) {
        // SAFETY: whoever made this promised that it can be written to, and it is aligned.
        unsafe { self.0.write(value) }
    }
}

/// A text that ends with a zero and has at most so many bytes.
///
/// # Safety
/// A pointer that is not NULL points to bytes up to a zero, or to more than `max`, that stay the same for `'a`.
pub(crate) unsafe fn text<'a>(
    pointer: *const c_char,
    max: usize,
    what: &str,
) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(null(what));
    }
    let pointer = pointer.cast::<u8>();
    let is_end = |at: &usize| {
        // SAFETY: no byte before this one was the end, and it is not behind `max`.
        let place = unsafe { pointer.add(*at) };
        // SAFETY: as above.
        unsafe { place.read() == 0 }
    };
    let length = (0..=max).find(is_end).ok_or_else(|| {
        Failure::new(ESK_TOO_LARGE, format!("{what} is longer than {max} bytes"), "shorten it")
    })?;
    // SAFETY: all these were read above.
    let bytes = unsafe { slice::from_raw_parts(pointer, length) };
    std::str::from_utf8(bytes)
        .map_err(|_| Failure::new(ESK_BAD_REQUEST, format!("{what} is not UTF-8"), ""))
}

/// The things of an array.
///
/// # Safety
/// A pointer that is not NULL points to so many things that stay the same for `'a`.
pub(crate) unsafe fn list<'a, T>(
    pointer: *const T,
    count: usize,
    what: &str,
) -> Result<&'a [T], Failure> {
    if count > LIST_MAX {
        let message = format!("{what}: {count} at once; {LIST_MAX} are allowed");
        return Err(Failure::new(ESK_TOO_LARGE, message, "pass them in several calls"));
    }
    // SAFETY: as it was promised to this function.
    unsafe { things(pointer, count, what) }
}

/// A copy of a content.
///
/// # Safety
/// As [`list`].
pub(crate) unsafe fn content(pointer: *const u8, length: usize) -> Result<Bytes, Failure> {
    if length > CONTENT_MAX {
        let message = format!("a content of {length} bytes; {CONTENT_MAX} are allowed at once");
        return Err(Failure::new(ESK_TOO_LARGE, message, "append it in parts"));
    }
    // SAFETY: as it was promised to this function.
    unsafe { things(pointer, length, "the content") }.map(Bytes::copy_from_slice)
}

/// # Safety
/// As [`list`]; all of them are smaller than half of the address space.
unsafe fn things<'a, T>(pointer: *const T, count: usize, what: &str) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(null(what));
    }
    // SAFETY: it is neither NULL nor unaligned, and the rest was promised to this function.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// Places for what a function gives back, as many as there are things; none if the pointer is NULL.
///
/// # Safety
/// A pointer that is not NULL has room for so many, and can be written to while these exist.
pub(crate) unsafe fn places<T>(
    pointer: *mut T,
    count: usize,
    what: &str,
) -> Result<Vec<Out<T>>, Failure> {
    let count = if pointer.is_null() { 0 } else { count.min(LIST_MAX) };
    let place = |at| {
        // SAFETY: there is room for more than that many.
        let pointer = unsafe { pointer.add(at) };
        // SAFETY: as it was promised to this function.
        unsafe { Out::new(pointer, what) }
    };
    (0..count).map(place).collect()
}

/// Copies bytes to a place that has room for them.
///
/// # Safety
/// A pointer that is not NULL has that room, and nobody else reads or writes there meanwhile.
pub(crate) unsafe fn fill(pointer: *mut u8, bytes: &[u8]) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Ok(());
    }
    if pointer.is_null() {
        return Err(null("data"));
    }
    // SAFETY: it is not NULL, and the rest was promised to this function.
    unsafe { pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    Ok(())
}
