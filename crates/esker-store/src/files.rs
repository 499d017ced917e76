//! Small files of esker's own, and folders, written so that they survive a loss of power.

use std::fs::{self, File};
use std::io::{self, Write as _};
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
    fs::rename(&from, path).map_err(Error::write(path))?;
    sync_parent(path)
}

/// Writes a file of its own in the place of whatever has that name. What was there is not written into: it
/// may have other names.
pub(crate) fn write_new(path: &Path, bytes: &[u8], sync: bool) -> Result<(), Error> {
    let write = || {
        remove(path)?;
        let mut file = File::options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    };
    write().map_err(Error::write(path))
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
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    File::open(folder).and_then(|file| file.sync_all()).map_err(Error::write(folder))
}
