//! Every write to the disk that the store makes goes through here: files and folders that survive a loss of power.

mod disk;
#[cfg(test)]
pub(crate) mod watched;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

#[cfg(not(test))]
use disk as deeds;
#[cfg(test)]
use watched as deeds;

/// The folder for temporary files.
pub(crate) fn temporary(git_dir: &Path) -> PathBuf {
    git_dir.join("esker/tmp")
}

/// A new file that is written from its beginning to its end.
pub(crate) struct Output {
    path: PathBuf,
    file: File,
    at: u64,
}

impl Output {
    /// Waits until what was written is on disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        sync(&self.file, &self.path)
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        deeds::write_at(&self.file, &self.path, (self.at, bytes))?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins a file of its own in the place of whatever has that name. What was there is not written into: it may
/// have other names.
pub(crate) fn create(path: &Path) -> Result<Output, Error> {
    let create = || {
        remove(path)?;
        let file = deeds::create_new(path)?;
        Ok(Output { path: path.to_owned(), file, at: 0 })
    };
    create().map_err(Error::write(path))
}

/// Writes a file of its own in the place of whatever has that name.
pub(crate) fn write_new(path: &Path, bytes: &[u8], is_synced: bool) -> Result<(), Error> {
    let mut file = create(path)?;
    io::Write::write_all(&mut file, bytes).map_err(Error::write(path))?;
    if is_synced { file.sync() } else { Ok(()) }
}

/// Writes one small file of esker's own: synced, then renamed to its place.
pub(crate) fn write_file(git_dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let from = temporary(git_dir).join("file");
    write_new(&from, bytes, true)?;
    rename(&from, path)?;
    sync_parent(path)
}

/// Opens a file for reading and writing, and makes it if there is none.
pub(crate) fn open(path: &Path) -> Result<File, Error> {
    deeds::open(path).map_err(Error::write(path))
}

/// Writes at a place in a file.
pub(crate) fn write_at(file: &File, path: &Path, what: (u64, &[u8])) -> Result<(), Error> {
    deeds::write_at(file, path, what).map_err(Error::write(path))
}

/// Waits until a file's bytes are on disk.
pub(crate) fn sync(file: &File, path: &Path) -> Result<(), Error> {
    deeds::sync(file, path).map_err(Error::write(path))
}

/// Makes a file shorter, or longer with zeros.
pub(crate) fn set_length(file: &File, path: &Path, length: u64) -> Result<(), Error> {
    deeds::set_length(file, path, length).map_err(Error::write(path))
}

/// Gives a file another name, in the place of what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    deeds::rename(from, to).map_err(Error::write(to))
}

/// Gives a file a second name, if nothing has it.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    deeds::link(from, to)
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match deeds::remove(path) {
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
    match deeds::make_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::write(path)(error))
        }
        _ => sync_parent(path),
    }
}

/// Removes an empty folder.
pub(crate) fn remove_folder(path: &Path) -> Result<(), Error> {
    deeds::remove_folder(path).map_err(Error::write(path))
}

/// Waits until the names in a file's folder are on disk.
pub(crate) fn sync_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Waits until the names in a folder are on disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    deeds::sync_folder(folder).map_err(Error::write(folder))
}

/// Waits until all that was written so far, by anyone, is on disk.
pub(crate) fn sync_all(folder: &Path) -> Result<(), Error> {
    deeds::sync_all(folder).map_err(Error::write(folder))
}
