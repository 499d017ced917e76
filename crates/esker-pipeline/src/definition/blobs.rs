//! The bucket of large contents, under `[store]`: `blobs`, and what goes with it.

use esker_wire::blobs::Blobs;

use super::page::{Page, Table};
use super::value;

/// The least cache: one content that comes in a message, and some more.
const CACHE_MIN: u64 = 100_000_000;
/// The longest name of a region, in bytes.
const REGION_MAX: usize = 64;

/// The keys of `[store]` read here.
pub(super) const KEYS: [&str; 5] =
    ["blobs", "blobs_endpoint", "blobs_region", "blobs_allow_http", "blobs_cache"];

pub(super) fn blobs(page: &mut Page<'_>, table: &Table<'_, '_>) -> Option<Blobs> {
    let [blobs, endpoint, region, allow_http, cache] = KEYS;
    let place =
        page.parsed(table, blobs, |text| text.parse::<Blobs>().map_err(|error| error.to_string()));
    let allow_http = page.boolean(table, allow_http).unwrap_or(false);
    let endpoint = page.parsed(table, endpoint, |text| {
        Blobs::check_endpoint(text, allow_http).map_err(|error| error.to_string())?;
        Ok(text.to_owned())
    });
    let region = page.parsed(table, region, |text| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > REGION_MAX || !text.bytes().all(is_plain) {
            return Err(format!("{text:?} is no region"));
        }
        Ok(text.to_owned())
    });
    let cache_max = page.parsed(table, cache, |text| match value::any_size(text)? {
        size if size < CACHE_MIN => Err(format!("{text:?}: at least 100MB")),
        size => Ok(size),
    });
    Some(Blobs { endpoint, region, allow_http, cache_max, ..place? })
}
