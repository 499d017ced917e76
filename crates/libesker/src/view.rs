//! Contents as they came, without a copy.

use std::ffi::c_int;
use std::ptr;

use bytes::Bytes;

use crate::border::{self, Out};
use crate::error::{ESK_OK, Failure};
use crate::state::{self, Held};

/// A content, where it lies. It stays until it is released, whatever becomes of the client.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The first byte; NULL in a view of nothing.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
    /// What it is released by; 0 in a view of nothing.
    pub handle: u64,
}

/// A view of nothing.
pub(crate) const NOTHING: View = View { data: ptr::null(), len: 0, handle: 0 };

/// Holds a content for C.
pub(crate) fn view(content: Bytes) -> Result<View, Failure> {
    let (data, len) = (content.as_ptr(), content.len());
    let handle = state::begun().hold(Held::View { _content: content })?;
    Ok(View { data, len, handle })
}

fn is_view(held: &Held) -> bool {
    matches!(held, Held::View { .. })
}

/// Releases a view, and makes it one of nothing. Releasing nothing is done at once; a copy of a view that was released
/// before is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_release(view: *mut View) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let place = unsafe { Out::new(view, "view") }?;
        // SAFETY: as C promised; it was looked at above.
        let View { handle, .. } = unsafe { view.read() };
        if handle != 0 {
            state::give_back(handle, is_view)?;
        }
        place.put(NOTHING);
        Ok(ESK_OK)
    })
}

/// Whether a view may still be read: ESK_OK, or ESK_STALE if it, or what it was copied from, was released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_view_check(view: *const View) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let views = unsafe { border::list(view, 1, "view") }?;
        if let Some(View { handle: 1.., .. }) = views.first() {
            state::look(views[0].handle, |held| is_view(held).then_some(()))?;
        }
        Ok(ESK_OK)
    })
}
