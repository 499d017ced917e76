//! Contents by their ids: one at a time, and many at once.

use std::ffi::{c_char, c_int, c_void};

use bytes::Bytes;
use esker_wire::bulk::ID_MAX;

use crate::border::{self, Out};
use crate::client::{Session, connected};
use crate::error::{ESK_ABSENT, ESK_OK, ESK_TOO_SMALL, Failure};
use crate::view::{self, NOTHING, View};

/// An id and a content.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// The id: UTF-8 of 1 to 1024 bytes, without control characters.
    pub id: *const c_char,
    /// The content; may be NULL if it is empty.
    pub data: *const c_void,
    /// How many bytes it has.
    pub len: usize,
}

/// An id as it is asked for.
///
/// # Safety
/// As [`border::text`].
pub(crate) unsafe fn id(pointer: *const c_char) -> Result<Bytes, Failure> {
    // SAFETY: as it was promised to this function.
    let text = unsafe { border::text(pointer, ID_MAX, "the id") }?;
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

/// # Safety
/// As [`border::list`] and [`id`].
pub(crate) unsafe fn ids(
    pointer: *const *const c_char,
    count: usize,
) -> Result<Vec<Bytes>, Failure> {
    // SAFETY: as it was promised to this function.
    let ids = unsafe { border::list(pointer, count, "ids") }?;
    // SAFETY: as it was promised to this function.
    ids.iter().map(|pointer| unsafe { id(*pointer) }).collect()
}

/// # Safety
/// As [`border::list`]; each is as [`id`] and [`border::content`] need it.
unsafe fn items(pointer: *const Item, count: usize) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    // SAFETY: as it was promised to this function.
    let items = unsafe { border::list(pointer, count, "items") }?;
    let item = |item: &Item| {
        // SAFETY: as it was promised to this function.
        let id = unsafe { id(item.id) }?;
        // SAFETY: as it was promised to this function.
        Ok((id, unsafe { border::content(item.data.cast(), item.len) }?))
    };
    items.iter().map(item).collect()
}

/// Replaces a content.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_set(
    client: *const Session,
    id: *const c_char,
    data: *const c_void,
    len: usize,
) -> c_int {
    let item = Item { id, data, len };
    // SAFETY: as C promised; there is one.
    unsafe { esk_set_all(client, &raw const item, 1) }
}

/// Replaces contents, each for itself; those of one worker go together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_set_all(
    client: *const Session,
    items: *const Item,
    count: usize,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let items = unsafe { self::items(items, count) }?;
        connected.client.block_on(connected.client.set_all(items))?;
        Ok(ESK_OK)
    })
}

/// Adds to a content. `length` is how long it is then; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_append(
    client: *const Session,
    id: *const c_char,
    data: *const c_void,
    len: usize,
    length: *mut u64,
) -> c_int {
    let item = Item { id, data, len };
    // SAFETY: as C promised; there is one.
    unsafe { esk_append_all(client, &raw const item, 1, length) }
}

/// Adds to contents, in their order where an id is there more than once. `lengths` has room for as many; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_append_all(
    client: *const Session,
    items: *const Item,
    count: usize,
    lengths: *mut u64,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let items = unsafe { self::items(items, count) }?;
        // SAFETY: as C promised.
        let lengths = unsafe { border::places(lengths, count, "lengths") }?;
        let all = connected.client.block_on(connected.client.append_all(items))?;
        lengths.iter().zip(all).for_each(|(place, length)| place.put(length));
        Ok(ESK_OK)
    })
}

/// Copies a content to `data`, which has room for `room` bytes; `len` is how long the content is. ESK_ABSENT if there is
/// none, ESK_TOO_SMALL, and no copy, if it has no room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_get(
    client: *const Session,
    id: *const c_char,
    data: *mut c_void,
    room: usize,
    len: *mut usize,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { self::id(id) }?;
        // SAFETY: as C promised.
        let len = unsafe { Out::new(len, "len") }?;
        len.put(0);
        let found = connected.client.block_on(connected.client.get(id))?;
        let Some(found) = found else { return Ok(ESK_ABSENT) };
        len.put(found.len());
        if found.len() > room {
            let message =
                format!("the content has {} bytes, there is room for {room}", found.len());
            return Err(Failure::new(ESK_TOO_SMALL, message, "esk_get_view needs no room"));
        }
        // SAFETY: as C promised.
        unsafe { border::fill(data.cast(), &found) }?;
        Ok(ESK_OK)
    })
}

/// Gives a view of a content, to be released by esk_release. ESK_ABSENT, and a view of nothing, if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_get_view(
    client: *const Session,
    id: *const c_char,
    view: *mut View,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { Out::new(view, "view") }?;
        place.put(NOTHING);
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { self::id(id) }?;
        give(&place, connected.client.block_on(connected.client.get(id))?)
    })
}

/// The same of as many bytes as there are from `offset` on, at most `length`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_get_range(
    client: *const Session,
    id: *const c_char,
    offset: u64,
    length: u64,
    view: *mut View,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { Out::new(view, "view") }?;
        place.put(NOTHING);
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { self::id(id) }?;
        give(&place, connected.client.block_on(connected.client.get_range(id, offset, length))?)
    })
}

pub(crate) fn give(place: &Out<View>, found: Option<Bytes>) -> Result<c_int, Failure> {
    let Some(found) = found else { return Ok(ESK_ABSENT) };
    place.put(view::view(found)?);
    Ok(ESK_OK)
}

/// Gives views of contents, to be released each; one of nothing where there is no content. `views` has room for as many,
/// and all of them may be released even if it fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_get_all(
    client: *const Session,
    ids: *const *const c_char,
    count: usize,
    views: *mut View,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let places = unsafe { border::places(views, count, "views") }?;
        if places.len() < count {
            return Err(border::null("views"));
        }
        places.iter().for_each(|place| place.put(NOTHING));
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let ids = unsafe { self::ids(ids, count) }?;
        let found = connected.client.block_on(connected.client.get_all(ids))?;
        for (place, found) in places.iter().zip(found) {
            give(place, found)?;
        }
        Ok(ESK_OK)
    })
}

/// Removes a content; ESK_ABSENT if there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_remove(client: *const Session, id: *const c_char) -> c_int {
    let mut removed = 0;
    // SAFETY: as C promised; there is one.
    let code = unsafe { esk_remove_all(client, &raw const id, 1, &raw mut removed) };
    if code == ESK_OK && removed == 0 { ESK_ABSENT } else { code }
}

/// Removes contents. `removed` is how many there were; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_remove_all(
    client: *const Session,
    ids: *const *const c_char,
    count: usize,
    removed: *mut usize,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let ids = unsafe { self::ids(ids, count) }?;
        // SAFETY: as C promised.
        let place = unsafe { Out::maybe(removed, "removed") }?;
        let removed = connected.client.block_on(connected.client.remove_all(ids))?;
        place.inspect(|place| place.put(removed));
        Ok(ESK_OK)
    })
}

/// How long a content is; ESK_ABSENT if there is none. Nothing of it is brought here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_stat(
    client: *const Session,
    id: *const c_char,
    length: *mut u64,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { self::id(id) }?;
        // SAFETY: as C promised.
        let place = unsafe { Out::new(length, "length") }?;
        place.put(0);
        let found = connected.client.block_on(connected.client.stat(id))?;
        let Some(length) = found else { return Ok(ESK_ABSENT) };
        place.put(length);
        Ok(ESK_OK)
    })
}
