//! Every write to the disk that the store makes goes through here: files and folders that survive a loss of power.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The folder for temporary files.
pub(crate) fn temporary(git_dir: &Path) -> PathBuf {
    git_dir.join("esker/tmp")
}

/// Writes one small file of esker's own: synced, then renamed to its place.
pub(crate) fn write_file(git_dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let from = temporary(git_dir).join("file");
    write_new(&from, bytes, true)?;
    rename(&from, path)?;
    sync_parent(path)
}

/// Begins a file of its own in the place of whatever has that name. What was there is not written into: it may
/// have other names.
pub(crate) fn create(path: &Path) -> Result<File, Error> {
    let create = || {
        remove(path)?;
        File::options().write(true).create_new(true).open(path)
    };
    create().map_err(Error::write(path))
}

/// Writes a file of its own in the place of whatever has that name.
pub(crate) fn write_new(path: &Path, bytes: &[u8], is_synced: bool) -> Result<(), Error> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(Error::write(path))?;
    if is_synced { sync(&file, path) } else { Ok(()) }
}

/// Writes at a place in a file.
pub(crate) fn write_at(file: &File, path: &Path, (at, bytes): (u64, &[u8])) -> Result<(), Error> {
    file.write_all_at(bytes, at).map_err(Error::write(path))
}

/// Waits until a file's bytes are on disk.
pub(crate) fn sync(file: &File, path: &Path) -> Result<(), Error> {
    file.sync_data().map_err(Error::write(path))
}

/// Makes a file shorter, or longer with zeros.
pub(crate) fn set_length(file: &File, path: &Path, length: u64) -> Result<(), Error> {
    file.set_len(length).map_err(Error::write(path))
}

/// Gives a file another name, in the place of what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::write(to))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, as far as they are missing, so that they survive a loss of power.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::write(path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Waits until the names in a file's folder are on disk.
pub(crate) fn sync_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Waits until the names in a folder are on disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(Error::write(folder))
}
