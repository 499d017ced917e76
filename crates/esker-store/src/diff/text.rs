//! The difference of two texts, line by line, as a unified diff.

use std::time::Duration;

use bytes::Bytes;
use similar::TextDiff;

/// How long the smallest difference is looked for; after that a larger one is given.
const SEARCH_MAX: Duration = Duration::from_millis(100);
/// In how many first bytes a NUL makes a content binary, as in git.
const LOOKED_MAX: usize = 8_000;
/// How many unchanged lines stand around a change.
const CONTEXT: usize = 3;

/// The unified diff of two contents under these names.
pub(super) fn compare(old: &[u8], new: &[u8], (a, b): (&str, &str)) -> Bytes {
    if is_binary(old) || is_binary(new) {
        return format!("Binary files {a} and {b} differ\n").into();
    }
    let diff = TextDiff::configure().timeout(SEARCH_MAX).diff_lines(old, new);
    let mut out = Vec::new();
    diff.unified_diff()
        .context_radius(CONTEXT)
        .header(a, b)
        .to_writer(&mut out)
        .expect("writing into memory cannot fail");
    out.into()
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(LOOKED_MAX)].contains(&0)
}
