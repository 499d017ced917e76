//! Loose objects: one compressed file for each, where git looks for it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use esker_wire::revision::Revision;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::error::Error;
use crate::files;
use crate::objects::Object;

/// Where git looks for a loose object.
pub(crate) fn path_of(git_dir: &Path, id: Revision) -> PathBuf {
    let digits = id.to_string();
    let (folder, file) = digits.split_at(2);
    git_dir.join("objects").join(folder).join(file)
}

/// Writes a loose object's file, unsynced. One that is there is replaced: it may be what a loss of power has
/// left of it, and a new one is young, so that no `git gc` takes it for litter.
pub(crate) fn write(git_dir: &Path, id: Revision, bytes: &[u8]) -> Result<(), Error> {
    let path = path_of(git_dir, id);
    let from = files::temporary(git_dir).join("object");
    fs::write(&from, bytes).map_err(Error::write(&from))?;
    let renamed = fs::rename(&from, &path).or_else(|_| {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&from, &path)
    });
    renamed.map_err(Error::write(&path))
}

/// A loose object's file: `KIND SIZE NUL CONTENT`, compressed.
pub(crate) fn deflated(object: &Object) -> Vec<u8> {
    let header = format!("{} {}\0", object.kind.as_str(), object.bytes.len());
    let room = Vec::with_capacity(object.bytes.len() / 2 + 128);
    let mut encoder = ZlibEncoder::new(room, Compression::fast());
    let written = encoder
        .write_all(header.as_bytes())
        .and_then(|()| encoder.write_all(&object.bytes))
        .and_then(|()| encoder.finish());
    written.expect("compressing into memory cannot fail")
}
