//! Large contents, under `[store]`: from which size on, and up to which.

use esker_wire::message::CONTENT_MAX;

use super::page::{Page, Table};
use super::value;

/// From which size on a content is kept in a file of its own, and the largest there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Large {
    /// A content with more bytes is a large one; the store's own default if none is named.
    pub min: Option<u64>,
    /// The most bytes of a large one; the store's own default if none is named.
    pub max: Option<u64>,
}

/// The keys of `[store]` read here.
pub(super) const KEYS: [&str; 2] = ["large", "large_max"];

pub(super) fn large(page: &mut Page<'_>, table: &Table<'_, '_>) -> Large {
    Large {
        min: page.parsed(table, "large", value::size),
        max: page.parsed(table, "large_max", |text| {
            let max = value::any_size(text)?;
            if max < CONTENT_MAX as u64 {
                return Err(format!("{text:?}: at least 64MiB: so much comes in one message"));
            }
            Ok(max)
        }),
    }
}
