//! Writing what a person asks for to where they ask for it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::NamedTempFile;

/// Writes a file whole or not at all. A link is followed, an older file keeps its permissions, and what is no file
/// (a device, a pipe) is written to as it is.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |out| Ok(out.write_all(bytes)?))
}

/// The same with what `fill` writes; if that fails, an older file stays.
pub(crate) fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    write(path, fill).with_context(|| format!("cannot write {}", path.display()))
}

/// What the system said of a temporary file, without its name, which means nothing to anyone.
pub(crate) fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said.to_owned()),
        None => error,
    }
}

fn write(path: &Path, fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error.into()),
    };
    let older = fs::metadata(&path).ok();
    if older.as_ref().is_some_and(|older| !older.is_file()) {
        return fill(&mut File::options().write(true).open(&path)?);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut new = New::begin(folder)?;
    fill(new.file())?;
    if let Some(older) = older {
        new.file().set_permissions(older.permissions())?;
    }
    new.file().sync_all()?;
    new.put(folder, &path)?;
    Ok(())
}

/// A file that is being written.
enum New {
    /// One without a name: nothing is left of it, however this process ends.
    Nameless(File),
    /// One beside the place where it is to be, for file systems that know no others.
    Named(NamedTempFile),
}

impl New {
    fn begin(folder: &Path) -> io::Result<Self> {
        // As any new file: what the user's umask leaves.
        const ALL: u32 = 0o666;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        if let Ok(file) = rustix::fs::open(folder, flags, Mode::from_raw_mode(ALL)) {
            return Ok(Self::Nameless(file.into()));
        }
        let mut builder = tempfile::Builder::new();
        let named = builder.permissions(Permissions::from_mode(ALL)).tempfile_in(folder);
        Ok(Self::Named(named.map_err(plain)?))
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }

    /// Puts it in its place, in one step.
    fn put(self, folder: &Path, path: &Path) -> io::Result<()> {
        match self {
            Self::Named(file) => file.persist(path).map(drop).map_err(|error| error.error),
            Self::Nameless(file) => {
                let here = format!("/proc/self/fd/{}", file.as_raw_fd());
                let link = |name: &Path| {
                    let linked = rustix::fs::linkat(CWD, &here, CWD, name, AtFlags::SYMLINK_FOLLOW);
                    linked.map_err(io::Error::from)
                };
                // A name can be given, but not taken from another: that takes a name between.
                let named = tempfile::Builder::new().make_in(folder, link).map_err(plain)?;
                named.persist(path).map_err(|error| error.error)
            }
        }
    }
}
