//! How much one reply holds: what is left over comes on the next page.

use esker_wire::message::HEAD_MAX;
use esker_wire::snapshot::Entry;

/// The most bytes of entries on a page: a head of the largest size less what else is in it.
const PAGE_MAX: usize = HEAD_MAX - 64 * 1024;

/// What is left of a page.
pub(crate) struct Room {
    entries: usize,
    bytes: usize,
    is_empty: bool,
}

impl Room {
    /// A page of at most so many entries.
    pub(crate) fn new(entries: usize) -> Self {
        Self { entries, bytes: PAGE_MAX, is_empty: true }
    }

    /// Leaves so many bytes to something else.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether one more entry is on the page. The first always is, however large: otherwise there would be no next page.
    pub(crate) fn take(&mut self, entry: &Entry) -> bool {
        let bytes = entry.bytes_max();
        let fits = bytes <= self.bytes || self.is_empty;
        if self.entries == 0 || !fits {
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.is_empty = false;
        true
    }
}

#[cfg(test)]
mod tests;
