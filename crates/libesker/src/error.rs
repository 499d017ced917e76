//! What functions give, and what they say when something went wrong.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};

use esker_wire::fault::{Code, Fault};

/// Done.
pub const ESK_OK: c_int = 0;
/// There is no content of this id. No error.
pub const ESK_ABSENT: c_int = 1;
/// Not yet: wait longer, or wait for some of what is under way first. No error.
pub const ESK_BUSY: c_int = 2;
/// What was asked makes no sense: an id, an address, a value.
pub const ESK_BAD_REQUEST: c_int = -1;
/// A pointer is NULL, or not aligned, that must not be.
pub const ESK_NULL: c_int = -2;
/// The handle was closed, freed or released, or is none of this kind.
pub const ESK_STALE: c_int = -3;
/// The process has forked since the handle was made: connect again in this process.
pub const ESK_FORKED: c_int = -4;
/// The place to copy to is too small; nothing was copied.
pub const ESK_TOO_SMALL: c_int = -5;
/// It contradicts what is there.
pub const ESK_CONFLICT: c_int = -6;
/// Over a limit.
pub const ESK_TOO_LARGE: c_int = -7;
/// There is no room.
pub const ESK_NOT_WRITABLE: c_int = -8;
/// No answer in time; what writes may have been done or not.
pub const ESK_TIMEOUT: c_int = -9;
/// Nobody answers there.
pub const ESK_UNAVAILABLE: c_int = -10;
/// What was asked about is not there, or no longer.
pub const ESK_NOT_FOUND: c_int = -11;
/// Workers have too much to do; try again later.
pub const ESK_OVERLOADED: c_int = -12;
/// A fault of esker's own.
pub const ESK_INTERNAL: c_int = -13;

/// What went wrong: a code, what, and what to do.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: c_int,
    message: String,
    hint: String,
}

impl Failure {
    pub(crate) fn new(code: c_int, message: impl Into<String>, hint: &str) -> Self {
        Self { code, message: message.into(), hint: hint.to_owned() }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let code = match fault.code {
            Code::BadRequest => ESK_BAD_REQUEST,
            Code::NotFound | Code::Ambiguous | Code::Gone => ESK_NOT_FOUND,
            Code::Conflict => ESK_CONFLICT,
            Code::TooLarge => ESK_TOO_LARGE,
            Code::Busy => ESK_OVERLOADED,
            Code::NotWritable => ESK_NOT_WRITABLE,
            Code::Timeout => ESK_TIMEOUT,
            Code::Unavailable => ESK_UNAVAILABLE,
            Code::Internal => ESK_INTERNAL,
        };
        Self { code, message: fault.message, hint: fault.hint }
    }
}

pub(crate) fn stale() -> Failure {
    let message = "the handle is none, or was given back before";
    Failure::new(
        ESK_STALE,
        message,
        "close, free and release each only once, and use none afterwards",
    )
}

pub(crate) fn forked() -> Failure {
    let message = "the handle belongs to the process that this one was forked from";
    Failure::new(ESK_FORKED, message, "call esk_connect again in this process")
}

pub(crate) fn too_many() -> Failure {
    let message = "too many clients, futures and views are held";
    Failure::new(ESK_TOO_LARGE, message, "free futures and release views")
}

pub(crate) fn internal(message: &str) -> Failure {
    Failure::new(ESK_INTERNAL, message, "this is a fault of esker: please report it")
}

/// The last failure of this thread, as C reads it.
#[derive(Default)]
struct Last {
    message: CString,
    hint: CString,
}

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
}

/// Keeps a failure for whoever asks in this thread.
pub(crate) fn remember(failure: Failure) {
    let text = |text: String| CString::new(text.replace('\0', "")).unwrap_or_default();
    let new = Last { message: text(failure.message), hint: text(failure.hint) };
    // A thread that is ending has no place for it any more, and nobody who asks.
    drop(LAST.try_with(|last| last.replace(new)));
}

fn pointer(of: impl FnOnce(&Last) -> &CStr) -> *const c_char {
    LAST.try_with(|last| of(&last.borrow()).as_ptr()).unwrap_or(c"".as_ptr())
}

/// What went wrong in the last call in this thread that failed; empty if none did. It stays until the next that fails.
#[unsafe(no_mangle)]
pub extern "C" fn esk_error_message() -> *const c_char {
    pointer(|last| &last.message)
}

/// What can be done about it; may be empty. It stays as long as the message.
#[unsafe(no_mangle)]
pub extern "C" fn esk_error_hint() -> *const c_char {
    pointer(|last| &last.hint)
}

/// The version of the library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn esk_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
