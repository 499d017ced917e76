//! Writing what a person asks for to where they ask for it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

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
    // As any new file: what the user's umask leaves.
    let all = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(all).tempfile_in(folder).map_err(plain)?;
    fill(&mut file)?;
    if let Some(older) = older {
        file.as_file().set_permissions(older.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
