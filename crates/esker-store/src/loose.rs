//! Loose objects, as plain git and the first version of esker write them: one file each.

use std::fs;
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;

use crate::error::Error;

/// Where git looks for a loose object.
pub(crate) fn path_of(git_dir: &Path, id: Revision) -> PathBuf {
    let digits = id.to_string();
    let (folder, file) = digits.split_at(2);
    git_dir.join("objects").join(folder).join(file)
}

/// The loose objects; none if a first look tells that there are fewer than `few`.
pub(crate) fn list(git_dir: &Path, few: usize) -> Result<Vec<Revision>, Error> {
    // Ids are spread evenly, so one folder of 256 tells how many there are in all: as `git gc --auto` counts.
    if folder(git_dir, 0x17)?.len() * 256 < few {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for first in 0..=u8::MAX {
        found.extend(folder(git_dir, first)?);
    }
    Ok(found)
}

fn folder(git_dir: &Path, first: u8) -> Result<Vec<Revision>, Error> {
    let name = format!("{first:02x}");
    let path = git_dir.join("objects").join(&name);
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::read(&path))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let file = entry.map_err(Error::read(&path))?.file_name();
        let digits = format!("{name}{}", file.to_string_lossy());
        found.extend(digits.parse::<Revision>());
    }
    Ok(found)
}
