//! The forms of a store's files, for those who try whether any bytes make esker panic.

use bytes::Bytes;

use crate::commit::{self, Commit};
use crate::index;
use crate::journal;
use crate::repair::salvage;
use crate::source;
use crate::trailers;
use crate::tree;

/// What bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A file of the journal.
    Journal,
    /// A commit.
    Commit,
    /// A tag with a message.
    Tag,
    /// A tree.
    Tree,
    /// A pack's index.
    PackIndex,
    /// A pack's entries.
    Entries,
    /// A branch's index.
    Index,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::Journal,
        Self::Commit,
        Self::Tag,
        Self::Tree,
        Self::PackIndex,
        Self::Entries,
        Self::Index,
    ];

    /// Reads bytes as esker does; whether they are of this form.
    pub fn is_of(self, bytes: &[u8]) -> bool {
        match self {
            Self::Journal => journal::is_readable(bytes),
            Self::Commit => Commit::from_bytes(bytes).is_ok_and(|commit| {
                drop(trailers::read(&commit.message));
                Commit::from_bytes(&commit.to_bytes()).is_ok() && commit.summary().len() <= 800
            }),
            Self::Tag => commit::tag_target(bytes).is_some(),
            Self::Tree => tree::named(&Bytes::copy_from_slice(bytes)).is_some(),
            Self::PackIndex => source::places_of(bytes).is_some(),
            Self::Entries => salvage::count(bytes) > 0,
            Self::Index => index::read(bytes).0.last().is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
