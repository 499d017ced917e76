//! What can go wrong with a store as a whole. What can go wrong with one request is a
//! [`Fault`].

use std::io;
use std::path::{Path, PathBuf};

use esker_wire::fault::{Code, Fault};
use esker_wire::pointer::ContentId;
use esker_wire::revision::Revision;

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds something else.
    #[error(
        "{} is not an esker store: {reason}; name one made by esker, a clone of one, or for a new one a folder that is not there yet",
        dir.display()
    )]
    NotAStore {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has the store open.
    #[error(
        "the store {} is in use by {holder}; ask the esker that runs there, stop it, or name another folder",
        dir.display()
    )]
    Held {
        /// The folder.
        dir: PathBuf,
        /// Who holds it: `process 4711`.
        holder: String,
    },
    /// Something cannot be written: no space, no permission, a lock of git's in the way.
    #[error("cannot write {}: {why}", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it could not.
        why: io::Error,
    },
    /// What was begun to be stored cannot be written, nor taken back.
    #[error(
        "cannot write {}: {why}; what was begun cannot be taken back either, so it may be stored after a restart",
        path.display()
    )]
    Unsure {
        /// What was to be written.
        path: PathBuf,
        /// Why it could not.
        why: io::Error,
    },
    /// Something cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not.
        why: io::Error,
    },
    /// What was acknowledged before is durable, but cannot be put where git looks for it.
    #[error(
        "what was acknowledged before is safe in the journal of {}, but cannot be put where git looks for it: {reason}",
        dir.display()
    )]
    Stuck {
        /// The store's folder.
        dir: PathBuf,
        /// Why it cannot.
        reason: String,
    },
    /// The journal was not just cut off by a crash.
    #[error(
        "cannot read {}: {reason}; keep a copy of the store, then move that file away to open it",
        path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A large content is missing or is not what it should be.
    #[error("the large content {id} {reason}")]
    Content {
        /// Which content.
        id: ContentId,
        /// What is wrong with it.
        reason: String,
    },
    /// A large content is not here just now.
    #[error("the large content {id} {why}")]
    Away {
        /// Which content.
        id: ContentId,
        /// Where it is, and what is done about it.
        why: String,
    },
    /// A bucket cannot be used.
    #[error("cannot keep large contents in {place}: {reason}")]
    Blobs {
        /// The bucket.
        place: String,
        /// Why it cannot.
        reason: String,
    },
    /// An object is missing or is not what it should be.
    #[error("the store is damaged: object {id} {reason}; run `git fsck` in it")]
    Damaged {
        /// Which object.
        id: Revision,
        /// What is wrong with it.
        reason: String,
    },
    /// The git program could not do something.
    #[error("cannot {deed}: {reason}")]
    Git {
        /// What it was to do: `fetch from git@host:team/data.git`.
        deed: String,
        /// Why it could not, in its own words.
        reason: String,
    },
}

impl Error {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |why| Self::Write { path: path.to_owned(), why }
    }

    /// Whether the folder cannot be written by us at all: it may still be read.
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        let refused = |kind| matches!(kind, PermissionDenied | ReadOnlyFilesystem);
        matches!(self, Self::Write { why, .. } if refused(why.kind()))
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |why| Self::Read { path: path.to_owned(), why }
    }

    /// The same, as it is told to one who asked for something.
    pub(crate) fn into_fault(self) -> Fault {
        let code = match &self {
            Self::Write { .. } | Self::Unsure { .. } | Self::Held { .. } | Self::Stuck { .. } => {
                Code::NotWritable
            }
            Self::Away { .. } => Code::Busy,
            Self::NotAStore { .. }
            | Self::Blobs { .. }
            | Self::Read { .. }
            | Self::Journal { .. }
            | Self::Content { .. }
            | Self::Git { .. }
            | Self::Damaged { .. } => Code::Internal,
        };
        let hint = if code == Code::Busy { "ask again in a moment" } else { "" };
        Fault::new(code, self.to_string()).hint(hint)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        error.into_fault()
    }
}

#[cfg(test)]
mod tests;
