//! The gate: whether contents are what check files and guards say, and what exactly is wrong where.
//!
//! Functions from contents to findings: nothing here reads a store or starts a program. All are bounded in memory
//! and time by the size of a content.

pub(crate) mod cell;
mod columns;
pub(crate) mod document;
pub(crate) mod file;
pub(crate) mod finding;
pub(crate) mod guard;
pub(crate) mod guess;
mod locate;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod table;

/// The bytes of a byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The line and column in characters of a byte of a text, from 1.
fn place(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}
