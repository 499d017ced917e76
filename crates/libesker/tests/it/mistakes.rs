//! Every mistake that can be noticed is an error, and says so.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use esker::cache::*;
use esker::client::*;
use esker::error::*;
use esker::future::*;
use esker::space::*;
use esker::view::*;

fn message() -> String {
    // SAFETY: it is a text of this thread, which says nothing else meanwhile.
    unsafe { CStr::from_ptr(esk_error_message()) }.to_string_lossy().into_owned()
}

const LIST: &str = "\
[[member]]\nname = \"a\"\ncontrol = \"tcp://127.0.0.1:1\"\nbulk = \"tcp://127.0.0.1:1\"\ncpus = 1\nmemory = \"1MiB\"\n\
[[member]]\nname = \"b\"\ncontrol = \"tcp://127.0.0.1:2\"\nbulk = \"tcp://127.0.0.1:2\"\ncpus = 1\nmemory = \"1MiB\"\n";

/// A client of a cluster whose two workers do not answer.
fn client() -> *mut Session {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("members.toml");
    std::fs::write(&path, LIST).expect("written");
    let join = CString::new(format!("static:{}", path.display())).expect("no zero");
    let mut client = ptr::null_mut();
    let options = Options { deadline_ms: 300, plain: 0 };
    // SAFETY: all of them are here.
    let code = unsafe { esk_connect_with(join.as_ptr(), &raw const options, &raw mut client) };
    assert_eq!(code, ESK_OK, "{}", message());
    client
}

fn set(client: *const Session, id: *const c_char) -> c_int {
    // SAFETY: a content of no bytes needs none.
    unsafe { esk_set(client, id, ptr::null(), 0) }
}

#[test]
fn null_is_refused_everywhere() {
    let (c, id) = (client(), c"id".as_ptr());
    let (none, some): (*const Session, *const Session) = (ptr::null(), c);
    // SAFETY: NULL is what this is about; everything else is here.
    let codes: [(&str, c_int); 24] = unsafe {
        [
            ("connect", esk_connect(c"static:x".as_ptr(), ptr::null_mut())),
            ("connect", esk_connect(ptr::null(), &raw mut *Box::leak(Box::new(ptr::null_mut())))),
            ("close", esk_close(ptr::null_mut())),
            ("set", set(none, id)),
            ("set", set(some, ptr::null())),
            ("set", esk_set(some, id, ptr::null(), 1)),
            ("set_all", esk_set_all(some, ptr::null(), 1)),
            ("append", esk_append(none, id, ptr::null(), 0, ptr::null_mut())),
            ("append_all", esk_append_all(some, ptr::null(), 1, ptr::null_mut())),
            ("get", esk_get(some, id, ptr::null_mut(), 0, ptr::null_mut())),
            ("get_view", esk_get_view(some, id, ptr::null_mut())),
            ("get_range", esk_get_range(some, id, 0, 1, ptr::null_mut())),
            ("get_all", esk_get_all(some, &raw const id, 1, ptr::null_mut())),
            ("remove", esk_remove(some, ptr::null())),
            ("remove_all", esk_remove_all(some, ptr::null(), 1, ptr::null_mut())),
            ("stat", esk_stat(some, id, ptr::null_mut())),
            ("release", esk_release(ptr::null_mut())),
            ("view_check", esk_view_check(ptr::null())),
            ("set_async", esk_set_async(some, id, ptr::null(), 0, ptr::null_mut())),
            ("wait", esk_wait(ptr::null(), 0)),
            ("future_free", esk_future_free(ptr::null_mut())),
            ("init_numbered", esk_init_numbered(some, ptr::null(), 1, 0, 0)),
            ("seal", esk_seal(some, c"s".as_ptr(), ptr::null(), 1)),
            ("node_ids", esk_node_ids(some, id, ptr::null_mut(), 0, ptr::null_mut())),
        ]
    };
    for (name, code) in codes {
        assert_eq!(code, ESK_NULL, "esk_{name}");
    }
    assert!(message().contains("NULL"), "{}", message());
    assert_eq!(esk_close(c), ESK_OK);
}

#[test]
fn a_closed_client_is_refused_and_stays_so() {
    let old = client();
    assert_eq!(esk_close(old), ESK_OK);
    let new = client();
    assert_ne!(old, new, "a handle never comes back");
    assert_eq!(set(old, c"id".as_ptr()), ESK_STALE);
    assert_eq!(esk_close(old), ESK_STALE);
    assert_eq!(esk_close(new), ESK_OK);
    assert!(message().contains("given back"), "{}", message());
}

#[test]
fn a_number_that_is_no_handle_is_refused() {
    let real = client();
    for wrong in
        [1, 0xdead_beef, usize::MAX, usize::MAX >> 8, real.addr() ^ 1, real.addr() + (1 << 24)]
    {
        let wrong: *mut Session = ptr::without_provenance_mut(wrong);
        assert!([ESK_STALE, ESK_FORKED].contains(&set(wrong, c"id".as_ptr())), "{wrong:?}");
        assert!([ESK_STALE, ESK_FORKED].contains(&esk_wait(wrong.cast(), 0)), "{wrong:?}");
    }
    assert_eq!(esk_wait(real.cast(), 0), ESK_STALE, "a client is no future");
    assert_eq!(esk_close(real), ESK_OK);
}

#[test]
fn what_makes_no_sense_is_said() {
    let client = client();
    let bad = |code: c_int, word: &str| {
        assert_eq!(code, ESK_BAD_REQUEST, "{word}: {}", message());
        assert!(message().contains(word), "{word}: {}", message());
    };
    let long = CString::new("x".repeat(2000)).expect("no zero");
    bad(set(client, c"".as_ptr()), "is no id");
    bad(set(client, c"a\nb".as_ptr()), "is no id");
    bad(set(client, c"\xff".as_ptr()), "UTF-8");
    assert_eq!(set(client, long.as_ptr()), ESK_TOO_LARGE);
    // SAFETY: all of them are here.
    unsafe {
        bad(esk_init_numbered(client, c"s/p-{}".as_ptr(), 1, 7, 0), "strategy");
        bad(esk_init_numbered(client, c"s/p-{}".as_ptr(), 1, 0, 7), "keep");
        bad(esk_init_numbered(client, c"s/p-{}".as_ptr(), 1, 0, 0), "list of several members");
        let mut other = ptr::null_mut();
        bad(esk_connect(c"nowhere".as_ptr(), &raw mut other), "nowhere");
        assert!(other.is_null());
        let id = c"id".as_ptr();
        let huge = esk_set(client, id, ptr::dangling::<c_void>(), usize::MAX);
        assert_eq!(huge, ESK_TOO_LARGE);
        assert_eq!(esk_get_all(client, &raw const id, usize::MAX, ptr::null_mut()), ESK_NULL);
    }
    assert_eq!(esk_close(client), ESK_OK);
}

#[test]
fn a_worker_that_does_not_answer_is_waited_for_no_longer_than_allowed() {
    let client = client();
    let code = set(client, c"id".as_ptr());
    assert!([ESK_TIMEOUT, ESK_UNAVAILABLE].contains(&code), "{code}: {}", message());
    let (mut future, mut view) = (ptr::null_mut(), View { data: ptr::null(), len: 7, handle: 7 });
    // SAFETY: all of them are here.
    unsafe {
        assert_eq!(esk_get_async(client, c"id".as_ptr(), &raw mut future), ESK_OK);
        assert_eq!(esk_wait(future, 0), ESK_BUSY);
        assert_eq!(esk_future_view(future, &raw mut view), ESK_BUSY);
    }
    assert_eq!((view.len, view.handle), (0, 0));
    assert_eq!(esk_close(client), ESK_OK, "what is under way needs no open client");
    let code = esk_wait(future, -1);
    assert!([ESK_TIMEOUT, ESK_UNAVAILABLE].contains(&code), "{code}: {}", message());
    assert_eq!(esk_future_free(future), ESK_OK);
    assert_eq!(esk_future_free(future), ESK_STALE);
}
