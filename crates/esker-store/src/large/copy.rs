//! Copies of large contents from one folder of this machine to another: whole, checked, and on disk.

use std::fs::{self, File};
use std::path::Path;

use esker_wire::pointer::ContentId;

use super::finish::hash_of;
use crate::error::Error;
use crate::files;

/// Copies a content's file to a temporary one, and that to its place. What does not have its hash is not kept, and
/// what was in its place is then as it was.
pub(crate) fn copy(from: &Path, (half, to): (&Path, &Path), id: ContentId) -> Result<(), Error> {
    whole(from, half, id)?;
    let placed = files::rename(half, to).and_then(|()| files::sync_parent(to));
    placed.inspect_err(|_| drop(files::remove(half)))
}

/// Copies a content's file, if it has its hash; otherwise nothing is left.
pub(crate) fn whole(from: &Path, to: &Path, id: ContentId) -> Result<(), Error> {
    copy_checked(from, to, id).inspect_err(|_| drop(files::remove(to)))
}

/// Refuses a file that does not have a content's hash.
pub(crate) fn check(path: &Path, id: ContentId) -> Result<(), Error> {
    let found = hash_of(path).map_err(Error::read(path))?;
    if found == id {
        return Ok(());
    }
    let reason = format!("is damaged: the hash of {} is {found}", path.display());
    Err(Error::Content { id, reason })
}

fn copy_checked(from: &Path, to: &Path, id: ContentId) -> Result<(), Error> {
    // What is there may have other names; it is not written into.
    files::remove(to).map_err(Error::write(to))?;
    fs::copy(from, to).map_err(Error::write(to))?;
    if check(to, id).is_err() {
        // It is the file it was copied from that is to be named.
        check(from, id)?;
        let source = std::io::Error::other("what was written is not what can be read");
        return Err(Error::write(to)(source));
    }
    File::open(to).and_then(|file| file.sync_all()).map_err(Error::write(to))
}
